// K D K and A K for a symmetric matrix K, in double precision: used to measure differences of a
// student's Gram matrices, and to map its vectors (network/imitation.h).
//
// Matrices of a few hundred channels are small next to a network, but each of five layers needs
// this product, and plain loops take 10 ms at 256 channels, a sixth of an evaluation of 512 x 512
// pixels. Here kRows rows by kWide vectors of the result stay in registers during the sum. If D is
// symmetric, so is K D K, and only the values up to the end of each diagonal block are computed. A
// task is a block of rows, so any number of threads gives the same bits.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/congruence.cc"
#include <hwy/foreach_target.h>
// clang-format off: after foreach_target.h
#include "kernels/cell-inl.h"
// clang-format on

#include "kernels/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace limn::kernels::HWY_NAMESPACE {

using DoubleTag = hn::CappedTag<double, 8>;
constexpr int kDoubles = hn::MaxLanes(DoubleTag());
constexpr int kRows = 4;
// 16 accumulators in AVX-512's 32 registers, 8 in the 16 of narrower targets. Two vectors of any
// width divide 16 columns.
constexpr int kWide = kDoubles == 8 ? 4 : 2;

// Y[r][j] = sum over k of A[r][k] B[k][j], for r < kRows and j < kColumns * kDoubles. All matrices
// have rows of C values.
template <int kColumns>
HWY_NOINLINE void multiply_tile(const double* HWY_RESTRICT A, const double* HWY_RESTRICT B,
                                size_t C, double* HWY_RESTRICT Y) {
  const DoubleTag d;
  hn::Vec<DoubleTag> sums[kRows][kColumns];
  unrolled<kRows * kColumns>([&](auto i)
                                 HWY_ATTR { sums[i / kColumns][i % kColumns] = hn::Zero(d); });
  for (size_t k = 0; k < C; ++k, B += C) {
    hn::Vec<DoubleTag> b[kColumns];
    unrolled<kColumns>([&](auto v) HWY_ATTR { b[v] = hn::LoadU(d, B + v * kDoubles); });
    unrolled<kRows>([&](auto r) HWY_ATTR {
      const auto a = hn::Set(d, A[r * C + k]);
      unrolled<kColumns>([&](auto v) HWY_ATTR { sums[r][v] = hn::MulAdd(a, b[v], sums[r][v]); });
    });
  }
  unrolled<kRows * kColumns>([&](auto i) HWY_ATTR {
    constexpr int r = i / kColumns, v = i % kColumns;
    hn::Store(sums[r][v], d, Y + r * C + v * kDoubles);
  });
}

// Y = A B for kBlock rows starting at `row` and the first `columns` columns, a multiple of 16.
void MultiplyBlock(const double* A, const double* B, size_t C, size_t row, size_t columns,
                   double* Y) {
  for (size_t r = row; r < row + kBlock; r += kRows) {
    size_t j = 0;
    for (; j + kWide * kDoubles <= columns; j += kWide * kDoubles) {
      multiply_tile<kWide>(A + r * C, B + j, C, Y + r * C + j);
    }
    for (; j < columns; j += 2 * kDoubles) multiply_tile<2>(A + r * C, B + j, C, Y + r * C + j);
  }
}

}  // namespace limn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limn::kernels {

HWY_EXPORT(MultiplyBlock);

namespace {

// Y = A B, "=", all [C][C].
void multiply(std::span<const double> A, std::span<const double> B, size_t C, std::span<double> Y,
              ThreadPool& pool) {
  assert(C % kBlock == 0 && A.size() == C * C && B.size() == C * C && Y.size() == C * C);
  pool.run(C / kBlock, [&](size_t block) {
    HWY_DYNAMIC_DISPATCH(MultiplyBlock)(A.data(), B.data(), C, block * kBlock, C, Y.data());
  });
}

}  // namespace

void multiply_rows(std::span<const double> A, std::span<const double> K, size_t C,
                   std::span<double> AK) {
  assert(A.size() % (kBlock * C) == 0 && A.size() == AK.size() && K.size() == C * C);
  for (size_t row = 0; row < A.size() / C; row += kBlock) {
    HWY_DYNAMIC_DISPATCH(MultiplyBlock)(A.data(), K.data(), C, row, C, AK.data());
  }
}

void general_congruence(std::span<const double> K, std::span<const double> D, size_t C,
                        std::span<double> KD, std::span<double> KDK, ThreadPool& pool) {
  multiply(K, D, C, KD, pool);
  multiply(KD, K, C, KDK, pool);
}

void congruence(std::span<const double> K, std::span<const double> D, size_t C,
                std::span<double> KD, std::span<double> KDK, ThreadPool& pool) {
  assert(KDK.size() == C * C);
  multiply(K, D, C, KD, pool);
  pool.run(C / kBlock, [&](size_t block) {
    const size_t first = block * kBlock;
    const size_t end = first + kBlock;
    HWY_DYNAMIC_DISPATCH(MultiplyBlock)(KD.data(), K.data(), C, first, end, KDK.data());
    for (size_t i = first; i < end; ++i) {
      for (size_t j = 0; j < i; ++j) KDK[j * C + i] = KDK[i * C + j];
    }
  });
}

}  // namespace limn::kernels
#endif  // HWY_ONCE
