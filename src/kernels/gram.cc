// Gram matrices, G = F F^T, and the gradient of the losses that read features or their G.
//
// G is symmetric, so only the values up to the end of each diagonal block are computed: kGramRows
// rows of the matrix by kGramBlocks blocks of its columns at a time stay in registers while the
// positions go by; for each position kGramRows values are broadcast against kGramBlocks cells. Sums
// of millions of terms lose digits in float, so chunks of at most kChunk positions are summed in
// float, and chunks are added up in double.
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

#include "kernels/kernels.h"
#include "kernels/pieces.h"

HWY_BEFORE_NAMESPACE();
namespace limn::kernels::HWY_NAMESPACE {

// 24 accumulators of AVX-512, 8 of narrower vectors, which have 16 registers in all.
constexpr int kGramRows = kLanes == 16 ? 8 : kLanes == 8 ? 4 : 2;
constexpr int kGramBlocks = kLanes == 16 ? 3 : 1;
constexpr int kChunk = 256;

// Some positions of a map: `rows` rows from `row` on, of `width` columns from `column` on.
struct Chunk {
  int row, rows, column, width;
};

// sums[r][j] += sum over the chunk of F[first + r] F[j], for kGramRows channels of block i and the
// channels of the blocks j .. j + kBlocks - 1.
template <int kBlocks>
HWY_NOINLINE void add_products(ConstFeatureMap F, const Chunk& chunk, int i, int first, int j,
                               double* HWY_RESTRICT sums) {
  const CellTag d;
  constexpr int kColumns = kBlocks * kVectors;
  CellVector products[kGramRows][kColumns];
  unrolled<kGramRows * kColumns>(
      [&](auto k) HWY_ATTR { products[k / kColumns][k % kColumns] = hn::Zero(d); });
  const size_t plane = F.plane_stride();
  for (int y = chunk.row; y < chunk.row + chunk.rows; ++y) {
    const float* HWY_RESTRICT a = F.cell(i, y, chunk.column) + first;
    const float* HWY_RESTRICT b = F.cell(j, y, chunk.column);
    for (int x = 0; x < chunk.width; ++x, a += kBlock, b += kBlock) {
      CellVector cells[kColumns];
      unrolled<kColumns>([&](auto k) HWY_ATTR {
        cells[k] = hn::Load(d, b + (k / kVectors) * plane + (k % kVectors) * kLanes);
      });
      unrolled<kGramRows>([&](auto r) HWY_ATTR {
        const auto value = hn::Set(d, a[r]);
        unrolled<kColumns>(
            [&](auto k) HWY_ATTR { products[r][k] = hn::MulAdd(value, cells[k], products[r][k]); });
      });
    }
  }
  const size_t C = F.channels;
  unrolled<kGramRows>([&](auto r) HWY_ATTR {
    HWY_ALIGN float row[kBlocks * kBlock];
    unrolled<kColumns>([&](auto k) HWY_ATTR { hn::Store(products[r][k], d, row + k * kLanes); });
    double* HWY_RESTRICT to = sums + (i * kBlock + first + r) * C + j * kBlock;
    for (int c = 0; c < kBlocks * kBlock; ++c) to[c] += row[c];
  });
}

void add_chunk(ConstFeatureMap F, const Chunk& chunk, int i, double* sums) {
  for (int j = 0; j <= i; j += kGramBlocks) {
    const int blocks = std::min(kGramBlocks, i + 1 - j);
    for (int first = 0; first < kBlock; first += kGramRows) {
      if (blocks == kGramBlocks) {
        add_products<kGramBlocks>(F, chunk, i, first, j, sums);
      } else if (blocks == 2) {
        add_products<std::min(2, kGramBlocks)>(F, chunk, i, first, j, sums);
      } else {
        add_products<1>(F, chunk, i, first, j, sums);
      }
    }
  }
}

void AddGram(ConstFeatureMap F, int first_row, int end_row, int first_block, int end_block,
             double* sums) {
  const int rows = std::max(1, kChunk / F.width);
  for (int y = first_row; y < end_row; y += rows) {
    for (int x = 0; x < F.width; x += kChunk) {
      const Chunk chunk = {y, std::min(rows, end_row - y), x, std::min(kChunk, F.width - x)};
      for (int i = first_block; i < end_block; ++i) add_chunk(F, chunk, i, sums);
    }
  }
}

// Positions and blocks of S F that are in registers at a time.
constexpr int kPositions = kLanes == 16 ? 12 : kLanes == 8 ? 6 : 3;
constexpr int kProductBlocks = kLanes == 16 ? 2 : 1;

// products[block][kPositions][16] = S F for the features [C / 16][kPositions][16]. S as
// pack_gram_gradient leaves it.
template <int kBlocks>
HWY_NOINLINE void multiply_positions(const float* HWY_RESTRICT S, size_t C,
                                     const float* HWY_RESTRICT features, int block,
                                     float* HWY_RESTRICT products) {
  const CellTag d;
  constexpr int kColumns = kBlocks * kVectors;
  CellVector sums[kPositions][kColumns];
  unrolled<kPositions * kColumns>([&](auto i)
                                      HWY_ATTR { sums[i / kColumns][i % kColumns] = hn::Zero(d); });
  const float* HWY_RESTRICT s = S + block * kBlock * C;
  const float* HWY_RESTRICT values = features;
  for (size_t from = 0; from < C; from += kBlock, values += kPositions * kBlock) {
    for (int c = 0; c < kBlock; ++c, s += kBlock) {
      CellVector k[kColumns];
      unrolled<kColumns>([&](auto v) HWY_ATTR {
        k[v] = hn::Load(d, s + (v / kVectors) * kBlock * C + (v % kVectors) * kLanes);
      });
      unrolled<kPositions>([&](auto p) HWY_ATTR {
        const auto value = hn::Set(d, values[p * kBlock + c]);
        unrolled<kColumns>([&](auto v)
                               HWY_ATTR { sums[p][v] = hn::MulAdd(value, k[v], sums[p][v]); });
      });
    }
  }
  unrolled<kPositions>([&](auto p) HWY_ATTR {
    unrolled<kColumns>([&](auto v) HWY_ATTR {
      float* to = products + ((block + v / kVectors) * kPositions + p) * kBlock;
      hn::Store(sums[p][v], d, to + (v % kVectors) * kLanes);
    });
  });
}

// The features of kPositions positions, and S times them.
size_t PanelsSize(int channels) { return static_cast<size_t>(2) * channels * kPositions; }

// Calls use(block, x, 16 values of S F) for every cell of the row. Features are copied first: so
// `use` may write over them, and what lies behind the row is not read.
template <class Use>
HWY_INLINE void for_each_product(const float* S, ConstFeatureMap F, int row, float* panels,
                                 const Use& use) {
  const size_t C = F.channels;
  float* features = panels;
  float* products = panels + C * kPositions;
  for (int x0 = 0; x0 < F.width; x0 += kPositions) {
    const int valid = std::min(kPositions, F.width - x0);
    for (int block = 0; block < F.blocks(); ++block) {
      float* to = features + block * kPositions * kBlock;
      std::copy_n(F.cell(block, row, x0), valid * kBlock, to);
      std::fill(to + valid * kBlock, to + kPositions * kBlock, 0.0f);
    }
    int block = 0;
    for (; block + kProductBlocks <= F.blocks(); block += kProductBlocks) {
      multiply_positions<kProductBlocks>(S, C, features, block, products);
    }
    for (; block < F.blocks(); ++block) multiply_positions<1>(S, C, features, block, products);
    for (block = 0; block < F.blocks(); ++block) {
      for (int p = 0; p < valid; ++p) {
        use(block, x0 + p, products + (block * kPositions + p) * kBlock);
      }
    }
  }
}

void AddGramGradientRow(const float* S, ConstFeatureMap F, FeatureMap d_F, int row, float* panels) {
  const CellTag d;
  for_each_product(S, F, row, panels, [&](int block, int x, const float* product) HWY_ATTR {
    float* to = d_F.cell(block, row, x);
    for (int v = 0; v < kBlock; v += kLanes) {
      hn::Store(hn::Add(hn::Load(d, to + v), hn::Load(d, product + v)), d, to + v);
    }
  });
}

// S may be null, and P's data too.
void TurnIntoGradientRow(FeatureMap F, const float* S, float factor, ConstFeatureMap P, int row,
                         float* panels) {
  const CellTag d;
  const auto slope = hn::Set(d, factor);
  if (S == nullptr) {
    for (int block = 0; block < F.blocks(); ++block) {
      float* f = F.cell(block, row, 0);
      const float* p = P.cell(block, row, 0);
      for (int i = 0; i < F.width * kBlock; i += kLanes) {
        const auto difference = hn::Sub(hn::Load(d, f + i), hn::Load(d, p + i));
        hn::Store(hn::Mul(slope, difference), d, f + i);
      }
    }
    return;
  }
  for_each_product(S, F, row, panels, [&](int block, int x, const float* product) HWY_ATTR {
    float* f = F.cell(block, row, x);
    for (int v = 0; v < kBlock; v += kLanes) {
      auto gradient = hn::Load(d, product + v);
      if (P.data) {
        const auto p = hn::Load(d, P.cell(block, row, x) + v);
        gradient = hn::MulAdd(slope, hn::Sub(hn::Load(d, f + v), p), gradient);
      }
      hn::Store(gradient, d, f + v);
    }
  });
}

}  // namespace limn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limn::kernels {

HWY_EXPORT(AddGram);
HWY_EXPORT(PanelsSize);
HWY_EXPORT(AddGramGradientRow);
HWY_EXPORT(TurnIntoGradientRow);

namespace {

// More than 16 slices would need much memory for partial sums at 512 channels.
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

void add_gram(ConstFeatureMap F, int first_row, int end_row, int first_block, int end_block,
              double* sums) {
  HWY_DYNAMIC_DISPATCH(AddGram)(F, first_row, end_row, first_block, end_block, sums);
}

void sum_gram_slices(std::span<const double> slices, size_t C, std::span<float> G) {
  assert(slices.size() % (C * C) == 0 && G.size() == C * C);
  for (size_t i = 0; i < C; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      double sum = 0;
      for (size_t k = i * C + j; k < slices.size(); k += C * C) sum += slices[k];
      G[i * C + j] = G[j * C + i] = static_cast<float>(sum);
    }
  }
}

void gram(ConstFeatureMap F, std::span<float> G, std::span<double> scratch, ThreadPool& pool) {
  // A task is a slice and two blocks of the matrix's rows, which share what they read.
  constexpr int kTaskBlocks = 2;
  const size_t C = F.channels;
  assert(G.size() == C * C && scratch.size() >= gram_scratch_size(F));
  const int slices = slices_of(F);
  const int groups = (F.blocks() + kTaskBlocks - 1) / kTaskBlocks;
  pool.run(static_cast<size_t>(slices) * groups, [&](size_t task) {
    const int slice = static_cast<int>(task) / groups;
    const int group = groups - 1 - static_cast<int>(task) % groups;  // the longest first
    const int first_row = static_cast<int>(static_cast<int64_t>(F.height) * slice / slices);
    const int end_row = static_cast<int>(static_cast<int64_t>(F.height) * (slice + 1) / slices);
    const int first = group * kTaskBlocks;
    const int end = std::min(first + kTaskBlocks, F.blocks());
    double* sums = scratch.data() + slice * C * C;
    std::fill(sums + first * kBlock * C, sums + end * kBlock * C, 0.0);
    add_gram(F, first_row, end_row, first, end, sums);
  });
  sum_gram_slices(scratch.first(slices * C * C), C, G);
}

std::size_t gram_gradient_scratch(int channels) {
  return HWY_DYNAMIC_DISPATCH(PanelsSize)(channels);
}

void pack_gram_gradient(std::span<const float> S, std::size_t C, std::span<float> packed) {
  assert(S.size() == C * C && packed.size() >= C * C);
  for (size_t block = 0; block < C / kBlock; ++block) {
    for (size_t k = 0; k < C; ++k) {
      std::copy_n(&S[k * C + block * kBlock], kBlock, &packed[(block * C + k) * kBlock]);
    }
  }
}

void add_gram_gradient(std::span<const float> packed, ConstFeatureMap F, FeatureMap d_F,
                       int first_row, int end_row, std::span<float> scratch) {
  for (int row = first_row; row < end_row; ++row) {
    HWY_DYNAMIC_DISPATCH(AddGramGradientRow)(packed.data(), F, d_F, row, scratch.data());
  }
}

void turn_into_gradient(FeatureMap F, std::span<const float> S, float factor, ConstFeatureMap P,
                        ThreadPool& pool) {
  assert(S.empty() || S.size() == static_cast<size_t>(F.channels) * F.channels);
  assert(P.data == nullptr ||
         (P.channels == F.channels && P.height == F.height && P.width == F.width));
  assert(!S.empty() || P.data != nullptr);
  std::span<float> packed;
  if (!S.empty()) {
    packed = pool.shared_scratch(S.size());
    pack_gram_gradient(S, F.channels, packed);
  }
  pool.run(F.height, [&](size_t row, int thread) {
    float* panels = pool.thread_scratch(thread, gram_gradient_scratch(F.channels)).data();
    HWY_DYNAMIC_DISPATCH(TurnIntoGradientRow)
    (F, S.empty() ? nullptr : packed.data(), factor, P, static_cast<int>(row), panels);
  });
}

}  // namespace limn::kernels
#endif  // HWY_ONCE
