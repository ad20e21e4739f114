// Gram matrices, G = F F^T, and their backward product, S F.
//
// G is symmetric, so only block pairs (i, j) with j <= i are computed, 16 x 16 values at a time:
// for each position 16 values of block i are broadcast against the cell of block j. Sums of
// millions of terms lose digits in float, so each row of the map is summed in float, and rows are
// added up in double.
//
// A large map is cut into slices of rows, each with a partial G of its own; partial Gs are added in
// order. How many slices there are depends on the shape only.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/gram.cc"
#include <hwy/foreach_target.h>
// clang-format off: after foreach_target.h
#include "kernels/cell-inl.h"
// clang-format on

#include <algorithm>
#include <vector>

#include "kernels/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace limn::kernels::HWY_NAMESPACE {

// Rows of the 16 x 16 product that are in registers at a time: 16 accumulators of AVX-512, 8 of
// narrower vectors, which have 16 registers in all.
constexpr int kGramRows = kLanes == 16 ? 16 : kLanes == 8 ? 4 : 2;

// sums[r][c] += sum over a row of `width` positions of a[r] b[c].
HWY_INLINE void add_row_product(const float* HWY_RESTRICT a, const float* HWY_RESTRICT b, int width,
                                double* HWY_RESTRICT sums) {
  const CellTag d;
  for (int first = 0; first < kBlock; first += kGramRows) {
    CellVector products[kGramRows][kVectors];
    unrolled<kGramRows * kVectors>(
        [&](auto i) HWY_ATTR { products[i / kVectors][i % kVectors] = hn::Zero(d); });
    for (int x = 0; x < width; ++x) {
      unrolled<kVectors>([&](auto v) HWY_ATTR {
        const auto cell = hn::Load(d, b + static_cast<size_t>(x) * kBlock + v * kLanes);
        unrolled<kGramRows>([&](auto r) HWY_ATTR {
          const auto value = hn::Set(d, a[static_cast<size_t>(x) * kBlock + first + r]);
          products[r][v] = hn::MulAdd(value, cell, products[r][v]);
        });
      });
    }
    for (int r = 0; r < kGramRows; ++r) {
      HWY_ALIGN float row[kBlock];
      for (int v = 0; v < kVectors; ++v) hn::Store(products[r][v], d, row + v * kLanes);
      for (int c = 0; c < kBlock; ++c) sums[(first + r) * kBlock + c] += row[c];
    }
  }
}

// The lower triangle of one slice's G, rows of block i, into partial[C][C].
void GramSlice(ConstFeatureMap F, int first_row, int end_row, int i, double* partial) {
  const size_t C = F.channels;
  for (int j = 0; j <= i; ++j) {
    double sums[kBlock * kBlock] = {};
    for (int y = first_row; y < end_row; ++y) {
      add_row_product(F.cell(i, y, 0), F.cell(j, y, 0), F.width, sums);
    }
    for (int r = 0; r < kBlock; ++r) {
      std::copy_n(sums + r * kBlock, kBlock, partial + (i * kBlock + r) * C + j * kBlock);
    }
  }
}

constexpr int kBackwardPixels = kLanes == 16 ? 12 : kLanes == 8 ? 6 : 3;
static_assert(kBackwardPixels <= kSlackCells);

// d_F(block, row) += S F for positions x0 .. x0 + kBackwardPixels - 1, of which `valid` exist.
HWY_INLINE void add_position_products(const float* S, size_t C, ConstFeatureMap F, FeatureMap d_F,
                                      int block, int row, int x0, int valid) {
  const CellTag d;
  CellVector sums[kBackwardPixels][kVectors];
  unrolled<kBackwardPixels * kVectors>(
      [&](auto i) HWY_ATTR { sums[i / kVectors][i % kVectors] = hn::Zero(d); });
  for (int from = 0; from < F.blocks(); ++from) {
    const float* x = F.cell(from, row, 0) + static_cast<size_t>(x0) * kBlock;
    const float* s = S + from * kBlock * C + block * kBlock;
    for (int c = 0; c < kBlock; ++c, s += C) {
      CellVector k[kVectors];
      unrolled<kVectors>([&](auto v) HWY_ATTR { k[v] = hn::LoadU(d, s + v * kLanes); });
      unrolled<kBackwardPixels>([&](auto p) HWY_ATTR {
        const auto value = hn::Set(d, x[p * kBlock + c]);
        unrolled<kVectors>([&](auto v)
                               HWY_ATTR { sums[p][v] = hn::MulAdd(value, k[v], sums[p][v]); });
      });
    }
  }
  float* to = d_F.cell(block, row, x0);
  unrolled<kBackwardPixels>([&](auto p) HWY_ATTR {
    if (p >= valid) return;
    unrolled<kVectors>([&](auto v) HWY_ATTR {
      float* place = to + p * kBlock + v * kLanes;
      hn::Store(hn::Add(hn::Load(d, place), sums[p][v]), d, place);
    });
  });
}

void GramBackwardRow(const float* S, ConstFeatureMap F, FeatureMap d_F, int block, int row) {
  for (int x = 0; x < F.width; x += kBackwardPixels) {
    add_position_products(S, F.channels, F, d_F, block, row, x,
                          std::min(kBackwardPixels, F.width - x));
  }
}

}  // namespace limn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limn::kernels {

HWY_EXPORT(GramSlice);
HWY_EXPORT(GramBackwardRow);

namespace {

// A slice of 8192 positions is 512 KB of each block: the second block of a pair comes from a near
// cache. More than 16 slices would need much memory for partial sums at 512 channels.
int slices_of(ConstFeatureMap F) {
  constexpr size_t kSlicePositions = 8192;
  constexpr size_t kMostSlices = 16;
  const size_t most = std::min<size_t>(kMostSlices, F.height);
  return static_cast<int>(std::clamp<size_t>(F.positions() / kSlicePositions, 1, most));
}

}  // namespace

size_t gram_scratch_size(ConstFeatureMap F) {
  return static_cast<size_t>(slices_of(F)) * F.channels * F.channels;
}

void gram(ConstFeatureMap F, std::span<float> G, std::span<double> scratch, ThreadPool& pool) {
  const size_t C = F.channels;
  assert(G.size() == C * C && scratch.size() >= gram_scratch_size(F));
  const int slices = slices_of(F);
  const int blocks = F.blocks();
  pool.run(static_cast<size_t>(slices) * blocks, [&](size_t task) {
    const int slice = static_cast<int>(task) / blocks;
    const int i = blocks - 1 - static_cast<int>(task) % blocks;  // the longest first
    const int first_row = static_cast<int>(static_cast<int64_t>(F.height) * slice / slices);
    const int end_row = static_cast<int>(static_cast<int64_t>(F.height) * (slice + 1) / slices);
    HWY_DYNAMIC_DISPATCH(GramSlice)(F, first_row, end_row, i, scratch.data() + slice * C * C);
  });
  pool.run(C, [&](size_t i) {
    for (size_t j = 0; j <= i; ++j) {
      double sum = 0;
      for (int slice = 0; slice < slices; ++slice) sum += scratch[(slice * C + i) * C + j];
      G[i * C + j] = G[j * C + i] = static_cast<float>(sum);
    }
  });
}

void gram_backward(std::span<const float> S, ConstFeatureMap F, FeatureMap d_F, ThreadPool& pool) {
  assert(S.size() == static_cast<size_t>(F.channels) * F.channels);
  assert(F.channels == d_F.channels && F.height == d_F.height && F.width == d_F.width);
  const size_t blocks = F.blocks();
  pool.run(blocks * F.height, [&](size_t task) {
    HWY_DYNAMIC_DISPATCH(GramBackwardRow)
    (S.data(), F, d_F, static_cast<int>(task % blocks), static_cast<int>(task / blocks));
  });
}

}  // namespace limn::kernels
#endif  // HWY_ONCE
