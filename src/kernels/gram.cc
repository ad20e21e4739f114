// Gram matrices, G = F F^T, and the gradient of the losses that read features or their G.
//
// G is symmetric, so only the values up to the end of each diagonal block are computed: kGramRows
// rows of the matrix by kGramVectors vectors of its columns at a time stay in registers while the
// positions go by; for each position kGramRows values are broadcast against kGramVectors vectors.
// Sums of millions of terms lose digits in float, so chunks of at most kChunk positions are summed
// in float, and chunks are added up in double.
//
// A large map is cut into slices of rows, each with a partial G of its own, and G into squares; a
// task is a square of a slice. Partial Gs are added in order. How slices and squares are cut
// depends on the shape only.
//
// Large maps come from a far cache or from memory, and with few channels there is little to compute
// on the way: so both products have the features that they need next fetched ahead.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/gram.cc"
#include <hwy/foreach_target.h>
// clang-format off: after foreach_target.h
#include "kernels/cell-inl.h"
// clang-format on

#include <algorithm>

#include "kernels/amx.h"
#include "kernels/kernels.h"
#include "kernels/pieces.h"

HWY_BEFORE_NAMESPACE();
namespace limn::kernels::HWY_NAMESPACE {

// Has a cell brought into the second-level cache: the first has no room for what is needed later.
HWY_INLINE void fetch(const float* cell) { __builtin_prefetch(cell, /*write=*/0, /*locality=*/2); }

// 24 accumulators of AVX-512's 32 registers, 12 of the 16 that narrower vectors have; a position's
// vectors and a broadcast value take 4 more.
constexpr int kGramRows = kLanes == 16 ? 8 : 4;
constexpr int kGramVectors = 3;
// The cells of 3 blocks at so many positions are 36 KB: they stay in a near cache of 48 KB.
constexpr int kChunk = 192;

// Some positions of a map: `rows` rows from `row` on, of `width` columns from `column` on.
struct Chunk {
  int row, rows, column, width;
  size_t next;  // floats to the positions that are fetched meanwhile
};

// sums[row + r][column + j] += sum over the chunk of F[row + r] F[column + j], for r < kGramRows
// and j < kColumns * kLanes.
template <int kColumns>
HWY_NOINLINE void add_products(ConstFeatureMap F, const Chunk& chunk, int row, int column,
                               double* HWY_RESTRICT sums) {
  const CellTag d;
  CellVector products[kGramRows][kColumns];
  unrolled<kGramRows * kColumns>(
      [&](auto k) HWY_ATTR { products[k / kColumns][k % kColumns] = hn::Zero(d); });
  for (int y = chunk.row; y < chunk.row + chunk.rows; ++y) {
    const auto channel = [&](int c) { return F.cell(c / kBlock, y, chunk.column) + c % kBlock; };
    const float* HWY_RESTRICT a = channel(row);
    const float* b[kColumns];
    unrolled<kColumns>([&](auto k) { b[k] = channel(column + k * kLanes); });
    for (int x = 0; x < chunk.width * kBlock; x += kBlock) {
      CellVector cells[kColumns];
      unrolled<kColumns>([&](auto k) HWY_ATTR { cells[k] = hn::Load(d, b[k] + x); });
      // The rows' features only: where fetching matters, at few channels, the columns' are the
      // same.
      fetch(a + x + chunk.next);
      unrolled<kGramRows>([&](auto r) HWY_ATTR {
        const auto value = hn::Set(d, a[x + r]);
        unrolled<kColumns>(
            [&](auto k) HWY_ATTR { products[r][k] = hn::MulAdd(value, cells[k], products[r][k]); });
      });
    }
  }
  const size_t C = F.channels;
  unrolled<kGramRows>([&](auto r) HWY_ATTR {
    HWY_ALIGN float from[kColumns * kLanes];
    unrolled<kColumns>([&](auto k) HWY_ATTR { hn::Store(products[r][k], d, from + k * kLanes); });
    double* HWY_RESTRICT to = sums + (row + r) * C + column;
    for (int j = 0; j < kColumns * kLanes; ++j) to[j] += from[j];
  });
}

// The same for what lies on and below the diagonal of a part of the matrix. The vectors that are in
// registers stay in the nearest cache while the rows go by.
void add_chunk(ConstFeatureMap F, const Chunk& chunk, const GramPart& part, double* sums) {
  for (int column = part.column; column < part.end_column; column += kGramVectors * kLanes) {
    const int first_row = std::max(part.row, column / kGramRows * kGramRows);
    for (int row = first_row; row < part.end_row; row += kGramRows) {
      const int columns = std::min(row + kGramRows, part.end_column) - column;
      if (columns > 2 * kLanes) {
        add_products<3>(F, chunk, row, column, sums);
      } else if (columns > kLanes) {
        add_products<2>(F, chunk, row, column, sums);
      } else {
        add_products<1>(F, chunk, row, column, sums);
      }
    }
  }
}

void AddGram(ConstFeatureMap F, int first_row, int end_row, const GramPart& part, double* sums) {
  const int rows = std::max(1, kChunk / F.width);
  const int pieces = (F.width + kChunk - 1) / kChunk;
  const int width = (F.width + pieces - 1) / pieces;
  for (int y = first_row; y < end_row; y += rows) {
    const size_t next = y + rows < end_row ? rows * F.row_stride() : 0;
    for (int x = 0; x < F.width; x += width) {
      const Chunk chunk = {y, std::min(rows, end_row - y), x, std::min(width, F.width - x), next};
      add_chunk(F, chunk, part, sums);
    }
  }
}

// Blocks and positions of S F that are in registers at a time: the tiling of winograd.cc.
constexpr int kProductBlocks = kLanes == 16 ? 2 : 1;
constexpr int kPositions = kLanes == 16 ? 12 : kLanes == 8 ? 6 : 3;

constexpr int kSumBlocks = 8;  // of F that are summed over at a time
constexpr int kStrip = 96;     // positions that go by while 16 KB of S stay in the nearest cache

// Neighbouring positions of a row: their cells, block by block.
template <typename T>
struct Strip {
  T* cells;
  size_t plane;  // floats from a block to the next
  T* cell(int block, int x) const { return cells + block * plane + x * kBlock; }
};

// A product S F: S as pack_gram_gradient leaves it.
struct Product {
  const float* S;
  int channels;
  int width;
  Strip<const float> F;
  Strip<float> to;
  size_t next;  // floats from F to what is fetched meanwhile
};

// to = S F, or +=, at kGroup positions from x on: the blocks block..block + kBlocks - 1 of the sum
// over the blocks first..end - 1 of F.
template <int kBlocks, int kGroup>
HWY_NOINLINE void multiply_group(const Product& product, int x, int block, int first, int end,
                                 bool add) {
  const CellTag d;
  constexpr int kColumns = kBlocks * kVectors;
  CellVector sums[kGroup][kColumns];
  unrolled<kGroup * kColumns>([&](auto i)
                                  HWY_ATTR { sums[i / kColumns][i % kColumns] = hn::Zero(d); });
  const size_t S_block = static_cast<size_t>(product.channels) * kBlock;
  const float* HWY_RESTRICT s = product.S + block * S_block + first * kBlock * kBlock;
  const float* HWY_RESTRICT f = product.F.cell(first, x);
  for (int from = first; from < end; ++from, f += product.F.plane) {
    for (int c = 0; c < kBlock; ++c, s += kBlock) {
      CellVector k[kColumns];
      unrolled<kColumns>([&](auto v) HWY_ATTR {
        k[v] = hn::Load(d, s + (v / kVectors) * S_block + (v % kVectors) * kLanes);
      });
      unrolled<kGroup>([&](auto p) HWY_ATTR {
        const auto value = hn::Set(d, f[p * kBlock + c]);
        unrolled<kColumns>([&](auto v)
                               HWY_ATTR { sums[p][v] = hn::MulAdd(value, k[v], sums[p][v]); });
      });
    }
  }
  unrolled<kGroup>([&](auto p) HWY_ATTR {
    unrolled<kColumns>([&](auto v) HWY_ATTR {
      float* to = product.to.cell(block + v / kVectors, x + p) + (v % kVectors) * kLanes;
      hn::Store(add ? hn::Add(hn::Load(d, to), sums[p][v]) : sums[p][v], d, to);
    });
  });
}

// Has some blocks of F brought near at the positions that come next. All at once, for a whole
// strip, they would hold up what is being read.
template <int kBlocks>
HWY_INLINE void fetch_next(const Product& product, int x, int positions, int block) {
  for (int k = 0; k < kBlocks; ++k) {
    const float* next = product.F.cell(block + k, x) + product.next;
    for (int p = 0; p < positions; ++p) fetch(next + p * kBlock);
  }
}

// The same for all positions: groups of kPositions, and of ever fewer for the rest. What lies
// behind the row is not touched, for it may be another thread's.
template <int kBlocks>
void multiply_groups(const Product& product, int block, int first, int end, bool add) {
  int x = 0;
  const auto multiply = [&](auto group) HWY_ATTR {
    for (; x + group <= product.width; x += group) {
      if (first == 0) fetch_next<kBlocks>(product, x, group, block);
      multiply_group<kBlocks, group>(product, x, block, first, end, add);
    }
  };
  multiply(std::integral_constant<int, kPositions>());
  if constexpr (kPositions > 8) multiply(std::integral_constant<int, 8>());
  if constexpr (kPositions > 4) multiply(std::integral_constant<int, 4>());
  multiply(std::integral_constant<int, 2>());
  multiply(std::integral_constant<int, 1>());
}

// The same for the whole sum, kSumBlocks blocks of F at a time: so the part of S stays in the
// nearest cache while the positions go by, and long sums are taken in parts, which loses fewer
// digits. While a block of the product is computed, the same block of F is fetched.
template <int kBlocks>
void multiply_block(const Product& product, int block, bool add) {
  const int blocks = product.channels / kBlock;
  for (int first = 0; first < blocks; first += kSumBlocks) {
    multiply_groups<kBlocks>(product, block, first, std::min(first + kSumBlocks, blocks),
                             add || first > 0);
  }
}

void multiply(const Product& product, bool add) {
  const int blocks = product.channels / kBlock;
  int block = 0;
  for (; block + kProductBlocks <= blocks; block += kProductBlocks) {
    multiply_block<kProductBlocks>(product, block, add);
  }
  for (; block < blocks; ++block) multiply_block<1>(product, block, add);
}

// Calls use(x, width) for the strips of a row.
template <class Use>
void for_each_strip(int width, const Use& use) {
  for (int x = 0; x < width; x += kStrip) use(x, std::min(kStrip, width - x));
}

void AddGramGradientRow(const float* S, ConstFeatureMap F, FeatureMap d_F, int row) {
  for_each_strip(F.width, [&](int x, int width) HWY_ATTR {
    const Strip<const float> from = {F.cell(0, row, x), F.plane_stride()};
    const Strip<float> to = {d_F.cell(0, row, x), d_F.plane_stride()};
    multiply({S, F.channels, width, from, to, F.row_stride()}, /*add=*/true);
  });
}

// to = S F on AMX. scratch: the features' parts, and what AmxProducts needs.
void multiply_on_amx(const Product& product, float* scratch) {
  const int channels = product.channels;
  const AmxRows rows = {reinterpret_cast<uint16_t*>(scratch), channels, product.width};
  amx_cut(product.F.cells, product.F.plane, rows);
  const AmxRegisters registers;
  AmxProducts products(rows.parts + rows.values(), product.S, channels);
  products.multiply_all(rows, product.S, channels, product.to.cells, product.to.plane, nullptr);
}

// S F of a strip, and scratch.
size_t ProductFloats(int channels) {
  const size_t product = static_cast<size_t>(channels) * kStrip;
  if (!amx_serves(kLanes, channels, channels)) return product;
  return product + amx_floats(AmxRows{nullptr, channels, kStrip}.values() + AmxProducts::kScratch);
}

// S may be null, and P's data too. products: ProductFloats, since every product reads all channels
// of the features that it is to replace.
void TurnIntoGradientRow(FeatureMap F, const float* S, float factor, ConstFeatureMap P, int row,
                         float* products) {
  const CellTag d;
  const auto slope = hn::Set(d, factor);
  for_each_strip(F.width, [&](int x, int width) HWY_ATTR {
    const Strip<float> gradient = {products, kStrip * kBlock};
    if (S) {
      const Strip<const float> from = {F.cell(0, row, x), F.plane_stride()};
      const Product product = {S, F.channels, width, from, gradient, F.row_stride()};
      if (amx_serves(kLanes, F.channels, F.channels)) {
        multiply_on_amx(product, products + static_cast<size_t>(F.channels) * kStrip);
      } else {
        multiply(product, /*add=*/false);
      }
    }
    for (int block = 0; block < F.blocks(); ++block) {
      float* f = F.cell(block, row, x);
      const float* p = P.data ? P.cell(block, row, x) : nullptr;
      const float* product = gradient.cell(block, 0);
      for (int i = 0; i < width * kBlock; i += kLanes) {
        auto sum = S ? hn::Load(d, product + i) : hn::Zero(d);
        if (p) sum = hn::MulAdd(slope, hn::Sub(hn::Load(d, f + i), hn::Load(d, p + i)), sum);
        hn::Store(sum, d, f + i);
      }
    }
  });
}

}  // namespace limn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limn::kernels {

HWY_EXPORT(AddGram);
HWY_EXPORT(ProductFloats);
HWY_EXPORT(AddGramGradientRow);
HWY_EXPORT(TurnIntoGradientRow);

namespace {

// As many slices as keep some cores busy; more than 16 would need much memory for partial sums at
// 512 channels.
int slices_of(ConstFeatureMap F) {
  constexpr size_t kSlicePositions = 4096;
  constexpr size_t kMostSlices = 16;
  const size_t most = std::min<size_t>(kMostSlices, F.height);
  return static_cast<int>(std::clamp<size_t>(F.positions() / kSlicePositions, 1, most));
}

// Rows and columns of a square of G. Its features at a chunk's positions, 2 x 96 KB, and its sums,
// 128 KB, stay in the second-level cache.
constexpr int kSquare = 128;

// Square number `index` of those on and below the diagonal. Those on it are half the work and come
// last, where small tasks even out the threads' load.
GramPart square_of(int index, int channels) {
  const int side = (channels + kSquare - 1) / kSquare;
  int row = 1;
  while (row < side && index >= row) index -= row++;
  if (row >= side) row = index;
  const auto begin = [](int i) { return i * kSquare; };
  const auto end = [&](int i) { return std::min((i + 1) * kSquare, channels); };
  return {begin(row), end(row), begin(index), end(index)};
}

void pack_block(std::span<const float> S, size_t C, size_t block, std::span<float> packed) {
  for (size_t k = 0; k < C; ++k) {
    std::copy_n(&S[k * C + block * kBlock], kBlock, &packed[(block * C + k) * kBlock]);
  }
}

// S in the order in which TurnIntoGradientRow reads it, in the pool's shared scratch; null for
// none.
const float* packed_by_all(std::span<const float> S, int channels, ThreadPool& pool) {
  if (S.empty()) return nullptr;
  const std::span<float> packed = pool.shared_scratch(S.size());
  pool.run(channels / kBlock, [&](size_t block) { pack_block(S, channels, block, packed); });
  return packed.data();
}

// Calls turn(row, products) for every row of a map, with scratch memory for S F. No value depends
// on how rows are cut into tasks. A task is several of them, because each fetches the next for its
// own core's cache.
template <class Turn>
void turn_rows(ConstFeatureMap F, ThreadPool& pool, const Turn& turn) {
  constexpr int kTasksPerThread = 4;
  const int rows = std::max(1, F.height / (kTasksPerThread * pool.threads()));
  const int tasks = (F.height + rows - 1) / rows;
  pool.run(tasks, [&](size_t task, int thread) {
    const size_t floats = HWY_DYNAMIC_DISPATCH(ProductFloats)(F.channels);
    float* products = pool.thread_scratch(thread, floats).data();
    const int first_row = static_cast<int>(task) * rows;
    const int end_row = std::min(first_row + rows, F.height);
    for (int row = first_row; row < end_row; ++row) turn(row, products);
  });
}

}  // namespace

size_t gram_scratch_size(ConstFeatureMap F) {
  return static_cast<size_t>(slices_of(F)) * F.channels * F.channels;
}

void add_gram(ConstFeatureMap F, int first_row, int end_row, const GramPart& part, double* sums) {
  HWY_DYNAMIC_DISPATCH(AddGram)(F, first_row, end_row, part, sums);
}

void sum_gram_slices(std::span<double> slices, size_t C, std::span<float> G, ThreadPool& pool) {
  assert(slices.size() % (C * C) == 0 && G.size() == C * C);
  pool.run(C / kBlock, [&](size_t block) {
    const size_t first = block * kBlock;
    const size_t end = first + kBlock;
    for (size_t i = first; i < end; ++i) {
      double* sums = &slices[i * C];
      for (size_t slice = C * C; slice < slices.size(); slice += C * C) {
        for (size_t j = 0; j <= i; ++j) sums[j] += sums[slice + j];
      }
      for (size_t j = 0; j <= i; ++j) G[i * C + j] = static_cast<float>(sums[j]);
    }
    for (size_t j = 0; j < end; ++j) {
      for (size_t i = std::max(first, j); i < end; ++i) G[j * C + i] = G[i * C + j];
    }
  });
}

void gram(ConstFeatureMap F, std::span<float> G, std::span<double> scratch, ThreadPool& pool) {
  const size_t C = F.channels;
  assert(G.size() == C * C && scratch.size() >= gram_scratch_size(F));
  const int slices = slices_of(F);
  const int side = (F.channels + kSquare - 1) / kSquare;
  const int squares = side * (side + 1) / 2;
  pool.run(static_cast<size_t>(slices) * squares, [&](size_t task) {
    const GramPart square = square_of(static_cast<int>(task) / slices, F.channels);
    const int slice = static_cast<int>(task) % slices;
    const int first_row = static_cast<int>(static_cast<int64_t>(F.height) * slice / slices);
    const int end_row = static_cast<int>(static_cast<int64_t>(F.height) * (slice + 1) / slices);
    double* sums = scratch.data() + slice * C * C;
    for (int row = square.row; row < square.end_row; ++row) {
      std::fill(sums + row * C + square.column, sums + row * C + square.end_column, 0.0);
    }
    add_gram(F, first_row, end_row, square, sums);
  });
  sum_gram_slices(scratch.first(slices * C * C), C, G, pool);
}

void pack_gram_gradient(std::span<const float> S, std::size_t C, std::span<float> packed) {
  assert(S.size() == C * C && packed.size() >= C * C);
  for (size_t block = 0; block < C / kBlock; ++block) pack_block(S, C, block, packed);
}

void add_gram_gradient(std::span<const float> packed, ConstFeatureMap F, FeatureMap d_F,
                       int first_row, int end_row) {
  for (int row = first_row; row < end_row; ++row) {
    HWY_DYNAMIC_DISPATCH(AddGramGradientRow)(packed.data(), F, d_F, row);
  }
}

void add_gram_gradient(std::span<const float> S, ConstFeatureMap F, FeatureMap d_F,
                       ThreadPool& pool) {
  assert(S.size() == static_cast<size_t>(F.channels) * F.channels);
  assert(d_F.channels == F.channels && d_F.height == F.height && d_F.width == F.width);
  const float* packed = packed_by_all(S, F.channels, pool);
  pool.run(F.height, [&](size_t row) {
    HWY_DYNAMIC_DISPATCH(AddGramGradientRow)(packed, F, d_F, static_cast<int>(row));
  });
}

void turn_into_gradient(FeatureMap F, std::span<const float> S, float factor, ConstFeatureMap P,
                        ThreadPool& pool) {
  assert(S.empty() || S.size() == static_cast<size_t>(F.channels) * F.channels);
  assert(P.data == nullptr ||
         (P.channels == F.channels && P.height == F.height && P.width == F.width));
  assert(!S.empty() || P.data != nullptr);
  const float* packed = packed_by_all(S, F.channels, pool);
  turn_rows(F, pool, [&](int row, float* products) {
    HWY_DYNAMIC_DISPATCH(TurnIntoGradientRow)(F, packed, factor, P, row, products);
  });
}

void gradient_from_half(const HalfMap& F, std::span<const float> S, FeatureMap d_F,
                        ThreadPool& pool) {
  assert(S.size() == static_cast<size_t>(F.channels) * F.channels);
  assert(d_F.channels == F.channels && d_F.height == F.height && d_F.width == F.width);
  const float* packed = packed_by_all(S, F.channels, pool);
  // A row of features is expanded into the gradient's place, where it is still in a near cache when
  // the gradient replaces it.
  turn_rows(d_F, pool, [&](int row, float* products) {
    expand_half_row(F, row, d_F);
    HWY_DYNAMIC_DISPATCH(TurnIntoGradientRow)(d_F, packed, 0, {}, row, products);
  });
}

}  // namespace limn::kernels
#endif  // HWY_ONCE
