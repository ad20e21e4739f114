// Flat vectors: the arithmetic of optimisers and content losses. All of it is memory-bound.
//
// Every function cuts its vectors into pieces, one task each. Sums are taken in float within a
// piece (with at least 16 accumulators, of 4096 terms each for vectors up to 67 million floats) and
// added in double, in order. The two functions over many vectors at once, products and combine, sum
// in double throughout, because L-BFGS takes differences of their results.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/vector.cc"
#include <hwy/foreach_target.h>
// clang-format off: after foreach_target.h
#include <hwy/cache_control.h>
#include <hwy/highway.h>
// clang-format on

#include <algorithm>
#include <array>
#include <bit>

#include "kernels/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace limn::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The sum over i < n of term(vectors of a and b at i), with four accumulators so that additions
// overlap, and a scalar tail.
template <typename VectorTerm, typename ScalarTerm>
HWY_INLINE double sum_terms(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, size_t n,
                            VectorTerm&& add_term, ScalarTerm&& scalar_term) {
  const hn::ScalableTag<float> d;
  const size_t N = hn::Lanes(d);
  auto sum0 = hn::Zero(d), sum1 = hn::Zero(d), sum2 = hn::Zero(d), sum3 = hn::Zero(d);
  size_t i = 0;
  for (; i + 4 * N <= n; i += 4 * N) {
    sum0 = add_term(hn::LoadU(d, a + i), hn::LoadU(d, b + i), sum0);
    sum1 = add_term(hn::LoadU(d, a + i + N), hn::LoadU(d, b + i + N), sum1);
    sum2 = add_term(hn::LoadU(d, a + i + 2 * N), hn::LoadU(d, b + i + 2 * N), sum2);
    sum3 = add_term(hn::LoadU(d, a + i + 3 * N), hn::LoadU(d, b + i + 3 * N), sum3);
  }
  double tail = 0;
  for (; i < n; ++i) tail += scalar_term(a[i], b[i]);
  const auto sum = hn::Add(hn::Add(sum0, sum1), hn::Add(sum2, sum3));
  return hn::GetLane(hn::SumOfLanes(d, sum)) + tail;
}

double DotPiece(const float* a, const float* b, size_t n) {
  return sum_terms(
      a, b, n, [](auto x, auto y, auto sum) HWY_ATTR { return hn::MulAdd(x, y, sum); },
      [](double x, double y) { return x * y; });
}

double SquaredDistancePiece(const float* a, const float* b, size_t n) {
  return sum_terms(
      a, b, n,
      [](auto x, auto y, auto sum) HWY_ATTR {
        const auto difference = hn::Sub(x, y);
        return hn::MulAdd(difference, difference, sum);
      },
      [](double x, double y) { return (x - y) * (x - y); });
}

double AbsoluteSumPiece(const float* a, size_t n) {
  return sum_terms(
      a, a, n, [](auto x, auto, auto sum) HWY_ATTR { return hn::Add(sum, hn::Abs(x)); },
      [](double x, double) { return x < 0 ? -x : x; });
}

float LargestPiece(const float* a, size_t n) {
  const hn::ScalableTag<float> d;
  const size_t N = hn::Lanes(d);
  auto most = hn::Zero(d);
  size_t i = 0;
  for (; i + N <= n; i += N) most = hn::Max(most, hn::Abs(hn::LoadU(d, a + i)));
  float largest = hn::GetLane(hn::MaxOfLanes(d, most));
  for (; i < n; ++i) largest = std::max(largest, a[i] < 0 ? -a[i] : a[i]);
  return largest;
}

void ScalePiece(float alpha, float* y, size_t n) {
  const hn::ScalableTag<float> d;
  const size_t N = hn::Lanes(d);
  const auto factor = hn::Set(d, alpha);
  size_t i = 0;
  for (; i + N <= n; i += N) hn::StoreU(hn::Mul(factor, hn::LoadU(d, y + i)), d, y + i);
  for (; i < n; ++i) y[i] *= alpha;
}

// y = x + alpha direction
void ScaledSumPiece(const float* x, float alpha, const float* direction, float* y, size_t n) {
  const hn::ScalableTag<float> d;
  const size_t N = hn::Lanes(d);
  const auto factor = hn::Set(d, alpha);
  size_t i = 0;
  for (; i + N <= n; i += N) {
    hn::StoreU(hn::MulAdd(factor, hn::LoadU(d, direction + i), hn::LoadU(d, x + i)), d, y + i);
  }
  for (; i < n; ++i) y[i] = x[i] + alpha * direction[i];
}

void MultiplyPiece(const float* a, const float* b, float* y, size_t n) {
  const hn::ScalableTag<float> d;
  const size_t N = hn::Lanes(d);
  size_t i = 0;
  for (; i + N <= n; i += N) {
    hn::StoreU(hn::Mul(hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, y + i);
  }
  for (; i < n; ++i) y[i] = a[i] * b[i];
}

// y = x - y
void SubtractFromPiece(const float* x, float* y, size_t n) {
  const hn::ScalableTag<float> d;
  const size_t N = hn::Lanes(d);
  size_t i = 0;
  for (; i + N <= n; i += N) {
    hn::StoreU(hn::Sub(hn::LoadU(d, x + i), hn::LoadU(d, y + i)), d, y + i);
  }
  for (; i < n; ++i) y[i] = x[i] - y[i];
}

// Half a vector of floats as doubles; prefetches 1 KB ahead, into whatever is there. (Rows come
// from memory once, four at a time. Without the prefetch, 21 rows of 0.8 million floats take 13 %
// longer on a Sapphire Rapids server; any distance from 1 to 8 KB does as well.)
template <typename DoubleTag>
HWY_INLINE hn::Vec<DoubleTag> load_doubles(DoubleTag d, const float* from) {
  constexpr size_t kAhead = 256;
  hwy::Prefetch(from + kAhead);
  return hn::PromoteTo(d, hn::LoadU(hn::Rebind<float, DoubleTag>(), from));
}
// The same of halves.
template <typename DoubleTag>
HWY_INLINE hn::Vec<DoubleTag> load_doubles(DoubleTag d, const uint16_t* from) {
  constexpr size_t kAhead = 512;
  hwy::Prefetch(from + kAhead);
  const hn::Rebind<float, DoubleTag> floats;
  const hn::Rebind<uint16_t, decltype(floats)> words;
  const hn::Rebind<hwy::float16_t, decltype(floats)> halves;
  return hn::PromoteTo(d, hn::PromoteTo(floats, hn::BitCast(halves, hn::LoadU(words, from))));
}

// One value, exactly.
HWY_INLINE double value_of(float x) { return x; }
// A half is a sign, 5 exponent bits and 10 significand bits; a float has 8 and 23.
HWY_INLINE double value_of(uint16_t half) {
  const uint32_t exponent = half >> 10 & 0x1f, significand = half & 0x3ff;
  const double size =
      exponent == 0 ? 0x1p-24 * significand
                    : double{std::bit_cast<float>((exponent + 127 - 15) << 23 | significand << 13)};
  return (half & 0x8000) != 0 ? -size : size;
}

// Rows are taken four at a time; if fewer are left, the last one is repeated.
template <typename T>
struct FourRows {
  FourRows(const T* const* rows, size_t row, size_t count, size_t first)
      : r0(rows[row] + first),
        r1(rows[std::min(row + 1, count - 1)] + first),
        r2(rows[std::min(row + 2, count - 1)] + first),
        r3(rows[std::min(row + 3, count - 1)] + first) {}
  const T *r0, *r1, *r2, *r3;
};

// sums[2 r] = rows[r] . a, sums[2 r + 1] = rows[r] . b over n floats, the rows' from `first` on.
// Four rows a pass: a and b are converted once for eight products, whose sums fit in registers.
template <typename T>
HWY_INLINE void products_piece(const T* const* rows, size_t count, size_t first, const float* a,
                               const float* b, size_t n, double* sums) {
  const hn::ScalableTag<double> d;
  const size_t N = hn::Lanes(d);
  for (size_t row = 0; row < count; row += 4) {
    const FourRows<T> four(rows, row, count, first);
    auto a0 = hn::Zero(d), a1 = hn::Zero(d), a2 = hn::Zero(d), a3 = hn::Zero(d);
    auto b0 = hn::Zero(d), b1 = hn::Zero(d), b2 = hn::Zero(d), b3 = hn::Zero(d);
    size_t i = 0;
    for (; i + N <= n; i += N) {
      const auto x = load_doubles(d, a + i);
      const auto y = load_doubles(d, b + i);
      const auto v0 = load_doubles(d, four.r0 + i);
      a0 = hn::MulAdd(v0, x, a0);
      b0 = hn::MulAdd(v0, y, b0);
      const auto v1 = load_doubles(d, four.r1 + i);
      a1 = hn::MulAdd(v1, x, a1);
      b1 = hn::MulAdd(v1, y, b1);
      const auto v2 = load_doubles(d, four.r2 + i);
      a2 = hn::MulAdd(v2, x, a2);
      b2 = hn::MulAdd(v2, y, b2);
      const auto v3 = load_doubles(d, four.r3 + i);
      a3 = hn::MulAdd(v3, x, a3);
      b3 = hn::MulAdd(v3, y, b3);
    }
    const auto total = [&](auto sum, const T* u, const float* v) HWY_ATTR {
      double result = hn::GetLane(hn::SumOfLanes(d, sum));
      for (size_t j = i; j < n; ++j) result += value_of(u[j]) * v[j];
      return result;
    };
    const double all[8] = {total(a0, four.r0, a), total(b0, four.r0, b), total(a1, four.r1, a),
                           total(b1, four.r1, b), total(a2, four.r2, a), total(b2, four.r2, b),
                           total(a3, four.r3, a), total(b3, four.r3, b)};
    std::copy_n(all, 2 * std::min<size_t>(4, count - row), sums + 2 * row);
  }
}

void ProductsPiece(const float* const* rows, size_t count, size_t first, const float* a,
                   const float* b, size_t n, double* sums) {
  products_piece(rows, count, first, a, b, n, sums);
}
void HalfProductsPiece(const uint16_t* const* rows, size_t count, size_t first, const float* a,
                       const float* b, size_t n, double* sums) {
  products_piece(rows, count, first, a, b, n, sums);
}

// sums[i] += sum over rows of coefficients[r] rows[r], over n values from `first` on.
template <typename T>
HWY_INLINE void add_rows(const T* const* rows, const double* coefficients, size_t count,
                         size_t first, double* HWY_RESTRICT sums, size_t n) {
  const hn::ScalableTag<double> d;
  const size_t N = hn::Lanes(d);
  for (size_t row = 0; row < count; row += 4) {
    const FourRows<T> four(rows, row, count, first);
    double c[4] = {};
    std::copy_n(coefficients + row, std::min<size_t>(4, count - row), c);
    const auto c0 = hn::Set(d, c[0]), c1 = hn::Set(d, c[1]);
    const auto c2 = hn::Set(d, c[2]), c3 = hn::Set(d, c[3]);
    size_t i = 0;
    for (; i + N <= n; i += N) {
      auto sum = hn::MulAdd(c0, load_doubles(d, four.r0 + i), hn::LoadU(d, sums + i));
      sum = hn::MulAdd(c1, load_doubles(d, four.r1 + i), sum);
      sum = hn::MulAdd(c2, load_doubles(d, four.r2 + i), sum);
      sum = hn::MulAdd(c3, load_doubles(d, four.r3 + i), sum);
      hn::StoreU(sum, d, sums + i);
    }
    for (; i < n; ++i) {
      sums[i] += c[0] * value_of(four.r0[i]) + c[1] * value_of(four.r1[i]) +
                 c[2] * value_of(four.r2[i]) + c[3] * value_of(four.r3[i]);
    }
  }
}

// y = sum over rows of coefficients[r] rows[r], over n floats from `first` on: rows in half
// precision, then rows of floats. sums: scratch of n.
void CombinePiece(const uint16_t* const* halves, size_t half_count, const float* const* rows,
                  size_t count, const double* coefficients, size_t first, double* HWY_RESTRICT sums,
                  float* y, size_t n) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> half;
  const size_t N = hn::Lanes(d);
  std::fill_n(sums, n, 0.0);
  add_rows(halves, coefficients, half_count, first, sums, n);
  add_rows(rows, coefficients + half_count, count, first, sums, n);
  size_t i = 0;
  for (; i + N <= n; i += N) hn::StoreU(hn::DemoteTo(half, hn::LoadU(d, sums + i)), half, y + i);
  for (; i < n; ++i) y[i] = static_cast<float>(sums[i]);
}

}  // namespace limn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limn::kernels {
namespace {

constexpr size_t kLeastPiece = 65536;  // floats: 256 KB, of which several fit in a level-2 cache
constexpr size_t kMostPieces = 1024;   // few enough that their sums need no allocation

// The piece size for a vector of n floats.
size_t piece_of(size_t n) { return std::max(kLeastPiece, (n + kMostPieces - 1) / kMostPieces); }

// Calls work(i, first, count) for each piece of n floats, in parallel.
template <typename PieceFunction>
void for_each_piece(size_t n, ThreadPool& pool, PieceFunction&& work) {
  const size_t piece = piece_of(n);
  pool.run((n + piece - 1) / piece,
           [&](size_t i) { work(i, i * piece, std::min(piece, n - i * piece)); });
}

// The sum of term(first, count) over the pieces of n floats.
template <typename PieceFunction>
double sum_pieces(size_t n, ThreadPool& pool, PieceFunction&& term) {
  std::array<double, kMostPieces> sums = {};
  for_each_piece(n, pool,
                 [&](size_t i, size_t first, size_t count) { sums[i] = term(first, count); });
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

}  // namespace

HWY_EXPORT(DotPiece);
HWY_EXPORT(SquaredDistancePiece);
HWY_EXPORT(AbsoluteSumPiece);
HWY_EXPORT(LargestPiece);
HWY_EXPORT(ScalePiece);

double dot(std::span<const float> a, std::span<const float> b, ThreadPool& pool) {
  assert(a.size() == b.size());
  return sum_pieces(a.size(), pool, [&](size_t first, size_t count) {
    return HWY_DYNAMIC_DISPATCH(DotPiece)(a.data() + first, b.data() + first, count);
  });
}

double squared_distance(std::span<const float> a, std::span<const float> b, ThreadPool& pool) {
  assert(a.size() == b.size());
  return sum_pieces(a.size(), pool, [&](size_t first, size_t count) {
    return HWY_DYNAMIC_DISPATCH(SquaredDistancePiece)(a.data() + first, b.data() + first, count);
  });
}

double absolute_sum(std::span<const float> a, ThreadPool& pool) {
  return sum_pieces(a.size(), pool, [&](size_t first, size_t count) {
    return HWY_DYNAMIC_DISPATCH(AbsoluteSumPiece)(a.data() + first, count);
  });
}

float largest(std::span<const float> x) {
  return HWY_DYNAMIC_DISPATCH(LargestPiece)(x.data(), x.size());
}

void add_scaled(float alpha, std::span<const float> x, std::span<float> y, ThreadPool& pool) {
  scaled_sum(y, alpha, x, y, pool);
}

void scale(float alpha, std::span<float> y, ThreadPool& pool) {
  for_each_piece(y.size(), pool, [&](size_t, size_t first, size_t count) {
    HWY_DYNAMIC_DISPATCH(ScalePiece)(alpha, y.data() + first, count);
  });
}

HWY_EXPORT(ScaledSumPiece);
HWY_EXPORT(MultiplyPiece);
HWY_EXPORT(SubtractFromPiece);
HWY_EXPORT(ProductsPiece);
HWY_EXPORT(HalfProductsPiece);
HWY_EXPORT(CombinePiece);

void copy(std::span<const float> x, std::span<float> y, ThreadPool& pool) {
  assert(x.size() == y.size());
  for_each_piece(x.size(), pool, [&](size_t, size_t first, size_t count) {
    std::copy_n(x.data() + first, count, y.data() + first);
  });
}

void scaled_sum(std::span<const float> x, float alpha, std::span<const float> direction,
                std::span<float> y, ThreadPool& pool) {
  assert(x.size() == y.size() && direction.size() == y.size());
  for_each_piece(x.size(), pool, [&](size_t, size_t first, size_t count) {
    HWY_DYNAMIC_DISPATCH(ScaledSumPiece)
    (x.data() + first, alpha, direction.data() + first, y.data() + first, count);
  });
}

void multiply(std::span<const float> a, std::span<const float> b, std::span<float> y,
              ThreadPool& pool) {
  assert(a.size() == y.size() && b.size() == y.size());
  for_each_piece(y.size(), pool, [&](size_t, size_t first, size_t count) {
    HWY_DYNAMIC_DISPATCH(MultiplyPiece)
    (a.data() + first, b.data() + first, y.data() + first, count);
  });
}

void subtract_from(std::span<const float> x, std::span<float> y, ThreadPool& pool) {
  assert(x.size() == y.size());
  for_each_piece(x.size(), pool, [&](size_t, size_t first, size_t count) {
    HWY_DYNAMIC_DISPATCH(SubtractFromPiece)(x.data() + first, y.data() + first, count);
  });
}

namespace {

// kRowPiece is what each task of products and combine takes of every row. Those of a and b, 128 KB
// together, stay in a level-2 cache as the rows go by; a picture of 512 x 512 gives 48 tasks.

// Floats whose sums, 8 KB of doubles, stay in a level-1 cache as the rows go by.
constexpr size_t kRowBlock = 1024;

}  // namespace

size_t products_scratch_size(size_t rows, size_t n) { return 2 * rows * row_pieces(n); }

void product_sums(const Rows& rows, std::span<const float> a, std::span<const float> b,
                  std::span<double> sums, ThreadPool& pool) {
  const size_t n = a.size();
  assert(b.size() == n && sums.size() >= products_scratch_size(rows.size(), n));
  const auto& [halves, floats] = rows;
  pool.run(row_pieces(n), [&](size_t task) {
    const size_t first = task * kRowPiece;
    const size_t count = std::min(kRowPiece, n - first);
    double* of_halves = sums.data() + task * 2 * rows.size();
    double* of_floats = of_halves + 2 * halves.size();
    HWY_DYNAMIC_DISPATCH(HalfProductsPiece)
    (halves.data(), halves.size(), first, a.data() + first, b.data() + first, count, of_halves);
    HWY_DYNAMIC_DISPATCH(ProductsPiece)
    (floats.data(), floats.size(), first, a.data() + first, b.data() + first, count, of_floats);
  });
}

void add_product_sums(std::span<const double> sums, std::span<double> results) {
  std::fill(results.begin(), results.end(), 0.0);
  for (size_t i = 0; i < sums.size(); ++i) results[i % results.size()] += sums[i];
}

void products(const Rows& rows, std::span<const float> a, std::span<const float> b,
              std::span<double> results, std::span<double> scratch, ThreadPool& pool) {
  assert(results.size() == 2 * rows.size());
  product_sums(rows, a, b, scratch, pool);
  add_product_sums(scratch.first(products_scratch_size(rows.size(), a.size())), results);
}

void combine(const Rows& rows, std::span<const double> coefficients, std::span<float> y,
             ThreadPool& pool) {
  assert(rows.size() == coefficients.size());
  pool.run(row_pieces(y.size()), [&](size_t task) {
    alignas(64) std::array<double, kRowBlock> sums;
    const size_t end = std::min((task + 1) * kRowPiece, y.size());
    for (size_t first = task * kRowPiece; first < end; first += kRowBlock) {
      HWY_DYNAMIC_DISPATCH(CombinePiece)
      (rows.halves.data(), rows.halves.size(), rows.floats.data(), rows.floats.size(),
       coefficients.data(), first, sums.data(), y.data() + first, std::min(kRowBlock, end - first));
    }
  });
}

}  // namespace limn::kernels
#endif  // HWY_ONCE
