// Flat vectors: the arithmetic of optimisers and of content losses. Memory-bound throughout.
//
// Every function cuts its vectors into pieces, one task each. Sums are taken in float within a
// piece (by 16 or more accumulators, which have 4096 terms each for vectors up to 67 million
// floats) and added up in double, in order.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/vector.cc"
#include <hwy/foreach_target.h>
// clang-format off: after foreach_target.h
#include <hwy/highway.h>
// clang-format on

#include <algorithm>
#include <array>

#include "kernels/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace limn::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The sum over i < n of term(vectors of a and b from i on), with four accumulators so that the
// additions overlap, and a scalar tail.
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

// y += alpha (a - b); b may be null, meaning 0.
void AddScaledPiece(float alpha, const float* a, const float* b, float* y, size_t n) {
  const hn::ScalableTag<float> d;
  const size_t N = hn::Lanes(d);
  const auto factor = hn::Set(d, alpha);
  size_t i = 0;
  for (; i + N <= n; i += N) {
    auto x = hn::LoadU(d, a + i);
    if (b) x = hn::Sub(x, hn::LoadU(d, b + i));
    hn::StoreU(hn::MulAdd(factor, x, hn::LoadU(d, y + i)), d, y + i);
  }
  for (; i < n; ++i) y[i] += alpha * (b ? a[i] - b[i] : a[i]);
}

void ScalePiece(float alpha, float* y, size_t n) {
  const hn::ScalableTag<float> d;
  const size_t N = hn::Lanes(d);
  const auto factor = hn::Set(d, alpha);
  size_t i = 0;
  for (; i + N <= n; i += N) hn::StoreU(hn::Mul(factor, hn::LoadU(d, y + i)), d, y + i);
  for (; i < n; ++i) y[i] *= alpha;
}

}  // namespace limn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limn::kernels {
namespace {

constexpr size_t kLeastPiece = 65536;  // floats: 256 KB, several of which fit a level-2 cache
constexpr size_t kMostPieces = 1024;   // so that their sums need no allocated memory

// The size of the pieces of a vector of n floats.
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
HWY_EXPORT(AddScaledPiece);
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

void add_scaled(float alpha, std::span<const float> x, std::span<float> y, ThreadPool& pool) {
  assert(x.size() == y.size());
  for_each_piece(x.size(), pool, [&](size_t, size_t first, size_t count) {
    HWY_DYNAMIC_DISPATCH(AddScaledPiece)
    (alpha, x.data() + first, nullptr, y.data() + first, count);
  });
}

void add_scaled_difference(float alpha, std::span<const float> a, std::span<const float> b,
                           std::span<float> y, ThreadPool& pool) {
  assert(a.size() == b.size() && a.size() == y.size());
  for_each_piece(a.size(), pool, [&](size_t, size_t first, size_t count) {
    HWY_DYNAMIC_DISPATCH(AddScaledPiece)
    (alpha, a.data() + first, b.data() + first, y.data() + first, count);
  });
}

void scale(float alpha, std::span<float> y, ThreadPool& pool) {
  for_each_piece(y.size(), pool, [&](size_t, size_t first, size_t count) {
    HWY_DYNAMIC_DISPATCH(ScalePiece)(alpha, y.data() + first, count);
  });
}

}  // namespace limn::kernels
#endif  // HWY_ONCE
