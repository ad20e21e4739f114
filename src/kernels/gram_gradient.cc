// The gradients of the losses that read features or their Gram matrices, and projections of
// features: products S F of a [C][C] matrix and a map.
//
// kPositions positions by kProductBlocks blocks of the product stay in registers during the sum
// over channels; for each channel, kPositions values are broadcast against the vectors of S. S is
// read sequentially, in an order of its own (pack_block). With AMX, products that overwrite their
// features are computed in tiles (amx.h).
//
// Large maps come from a far cache or from memory, and with few channels there is little
// computation to hide that. So the features needed next are prefetched.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/gram_gradient.cc"
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

// Blocks and positions of S F held in registers: the tiling of winograd.cc.
constexpr int kProductBlocks = kLanes == 16 ? 2 : 1;
constexpr int kPositions = kLanes == 16 ? 12 : kLanes == 8 ? 6 : 3;

constexpr int kSumBlocks = 8;  // of F, summed over at a time
constexpr int kStrip = 96;     // positions processed while 16 KB of S stay in the nearest cache

// Neighbouring positions of a row, as cells, block by block.
template <typename T>
struct Strip {
  T* cells;
  size_t plane;  // floats from one block to the next
  T* cell(int block, int x) const { return cells + block * plane + x * kBlock; }
};

// A product S F, with S as packed by pack_gram_gradient.
struct Product {
  const float* S;
  int channels;
  int width;
  Strip<const float> F;
  Strip<float> to;
  size_t next;  // floats from F to what is prefetched
};

// to = S F, or +=, at kGroup positions starting at x: blocks block..block + kBlocks - 1 of the sum
// over blocks first..end - 1 of F.
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

// Prefetches some blocks of F at the positions that come next. Doing so for a whole strip at once
// would hold up the current reads.
template <int kBlocks>
HWY_INLINE void fetch_next(const Product& product, int x, int positions, int block) {
  for (int k = 0; k < kBlocks; ++k) {
    const float* next = product.F.cell(block + k, x) + product.next;
    for (int p = 0; p < positions; ++p) fetch(next + p * kBlock);
  }
}

// The same for all positions: groups of kPositions, then smaller groups for the rest. Nothing past
// the end of the row is touched, since it may belong to another thread.
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

// The same for the whole sum, kSumBlocks blocks of F at a time. So that part of S stays in the
// nearest cache for all positions, and long sums are split, which loses fewer digits. While a block
// of the product is computed, the same block of F is prefetched.
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

// d_F(p) += S F(p + shift) at the positions of a row where p + shift is inside.
void AddProductRow(const float* S, ConstFeatureMap F, Shift shift, FeatureMap d_F, int row) {
  if (row + shift.dy < 0 || row + shift.dy >= F.height) return;
  const int first = std::max(0, -shift.dx);
  const int end = std::min(F.width, F.width - shift.dx);
  for_each_strip(end - first, [&](int x, int width) HWY_ATTR {
    const float* cells = F.cell(0, row + shift.dy, first + x + shift.dx);
    const Strip<float> to = {d_F.cell(0, row, first + x), d_F.plane_stride()};
    multiply({S, F.channels, width, {cells, F.plane_stride()}, to, F.row_stride()}, /*add=*/true);
  });
}

// d_F += S F at the positions of a row from `first` on.
void AddProductsIn(const float* S, ConstFeatureMap F, FeatureMap d_F, int row, int first, int end) {
  for_each_strip(end - first, [&](int x, int width) HWY_ATTR {
    const Strip<const float> from = {F.cell(0, row, first + x), F.plane_stride()};
    const Strip<float> to = {d_F.cell(0, row, first + x), d_F.plane_stride()};
    multiply({S, F.channels, width, from, to, F.row_stride()}, /*add=*/true);
  });
}

// to = S F, or +=, at the positions of a row.
void ProductRow(const float* S, ConstFeatureMap F, FeatureMap to, bool add, int row) {
  for_each_strip(F.width, [&](int x, int width) HWY_ATTR {
    const Strip<const float> from = {F.cell(0, row, x), F.plane_stride()};
    const Strip<float> strip = {to.cell(0, row, x), to.plane_stride()};
    multiply({S, F.channels, width, from, strip, F.row_stride()}, add);
  });
}

// to = S F on AMX. scratch: room for the features' parts and for AmxProducts.
void multiply_on_amx(const Product& product, float* scratch) {
  const int channels = product.channels;
  const AmxRows rows = {reinterpret_cast<uint16_t*>(scratch), channels, product.width};
  amx_cut(product.F.cells, product.F.plane, rows);
  const AmxRegisters registers;
  AmxProducts products(rows.parts + rows.values(), product.S, channels);
  products.multiply_all(rows, product.S, channels, product.to.cells, product.to.plane, nullptr);
}

// Floats for S F of a strip, and for scratch.
size_t ProductFloats(int channels) {
  const size_t product = static_cast<size_t>(channels) * kStrip;
  if (!amx_serves(kLanes, channels, channels)) return product;
  return product + amx_floats(AmxRows{nullptr, channels, kStrip}.values() + AmxProducts::kScratch);
}

// At the positions first..end - 1 of a row. S may be null. products: ProductFloats floats; needed
// because every product reads all channels of the features that it replaces.
void TurnIntoGradientRow(FeatureMap F, const float* S, float factor, ConstFeatureMap P, int row,
                         int first, int end, float* products) {
  const CellTag d;
  const auto slope = hn::Set(d, factor);
  for_each_strip(end - first, [&](int place, int width) HWY_ATTR {
    const int x = first + place;
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

HWY_EXPORT(ProductFloats);
HWY_EXPORT(AddProductRow);
HWY_EXPORT(AddProductsIn);
HWY_EXPORT(ProductRow);
HWY_EXPORT(TurnIntoGradientRow);

namespace {

// For S^T F, which is S F if S is symmetric: packed[block][k][16] = S[k][16 block..].
void pack_block(std::span<const float> S, size_t C, size_t block, std::span<float> packed) {
  for (size_t k = 0; k < C; ++k) {
    std::copy_n(&S[k * C + block * kBlock], kBlock, &packed[(block * C + k) * kBlock]);
  }
}

// For S F of any S: packed[block][k][16] = S[16 block..][k].
void pack_transposed_block(std::span<const float> S, size_t C, size_t block,
                           std::span<float> packed) {
  for (size_t i = 0; i < kBlock; ++i) {
    const float* row = &S[(block * kBlock + i) * C];
    for (size_t k = 0; k < C; ++k) packed[(block * C + k) * kBlock + i] = row[k];
  }
}

// S in the order in which the products read it, in the pool's shared scratch; null if S is empty.
const float* packed_by_all(std::span<const float> S, int channels, ThreadPool& pool) {
  if (S.empty()) return nullptr;
  const std::span<float> packed = pool.shared_scratch(S.size());
  pool.run(channels / kBlock, [&](size_t block) { pack_block(S, channels, block, packed); });
  return packed.data();
}

// Calls turn(row, products) for every row of a map, with scratch memory for S F. No value depends
// on how rows are grouped into tasks. A task has several rows, because each prefetches the next one
// into its own core's cache.
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

void pack_gram_gradient(std::span<const float> S, std::size_t C, std::span<float> packed) {
  assert(S.size() == C * C && packed.size() >= C * C);
  for (size_t block = 0; block < C / kBlock; ++block) pack_block(S, C, block, packed);
}

void add_gram_gradient(std::span<const float> packed, ConstFeatureMap F, FeatureMap d_F,
                       const Window& window) {
  for (int row = window.row; row < window.end_row; ++row) {
    HWY_DYNAMIC_DISPATCH(AddProductsIn)
    (packed.data(), F, d_F, row, window.column, window.end_column);
  }
}

void add_gram_gradient(std::span<const float> S, ConstFeatureMap F, FeatureMap d_F,
                       ThreadPool& pool) {
  assert(S.size() == static_cast<size_t>(F.channels) * F.channels);
  assert(d_F.channels == F.channels && d_F.height == F.height && d_F.width == F.width);
  const float* packed = packed_by_all(S, F.channels, pool);
  pool.run(F.height, [&](size_t row) {
    HWY_DYNAMIC_DISPATCH(AddProductRow)(packed, F, {}, d_F, static_cast<int>(row));
  });
}

void add_shifted_gradient(std::span<const float> S, ConstFeatureMap F, Shift shift, FeatureMap d_F,
                          ThreadPool& pool) {
  const size_t C = F.channels;
  assert(S.size() == C * C);
  assert(d_F.channels == F.channels && d_F.height == F.height && d_F.width == F.width);
  const std::span<float> packed = pool.shared_scratch(2 * C * C);
  const std::span<float> ahead = packed.first(C * C);  // S, then S^T
  const std::span<float> back = packed.subspan(C * C);
  pool.run(C / kBlock, [&](size_t block) {
    pack_transposed_block(S, C, block, ahead);
    pack_block(S, C, block, back);
  });
  pool.run(F.height, [&](size_t task) {
    const int row = static_cast<int>(task);
    for (const Shift part : Ways(shift, F.height, F.width)) {
      const Shift turned = {-part.dy, -part.dx};
      HWY_DYNAMIC_DISPATCH(AddProductRow)(ahead.data(), F, part, d_F, row);
      HWY_DYNAMIC_DISPATCH(AddProductRow)(back.data(), F, turned, d_F, row);
    }
  });
}

void turn_into_gradient(FeatureMap F, std::span<const float> S, float factor, ConstFeatureMap P,
                        ThreadPool& pool) {
  assert(S.empty() || S.size() == static_cast<size_t>(F.channels) * F.channels);
  assert(P.data == nullptr ||
         (P.channels == F.channels && P.height >= F.height && P.width >= F.width));
  assert(!S.empty() || P.data != nullptr);
  const float* packed = packed_by_all(S, F.channels, pool);
  turn_rows(F, pool, [&](int row, float* products) {
    HWY_DYNAMIC_DISPATCH(TurnIntoGradientRow)(F, packed, factor, P, row, 0, F.width, products);
  });
}

void turn_into_gradient(FeatureMap F, const Window& window, std::span<const float> S,
                        ThreadPool& pool) {
  assert(S.size() == static_cast<size_t>(F.channels) * F.channels);
  const float* packed = packed_by_all(S, F.channels, pool);
  turn_rows(F, pool, [&](int row, float* products) {
    if (row < window.row || row >= window.end_row) return;
    HWY_DYNAMIC_DISPATCH(TurnIntoGradientRow)
    (F, packed, 0, {}, row, window.column, window.end_column, products);
  });
  clear_outside(F, window, pool);
}

void gradient_from_half(const HalfMap& F, const Window& window, std::span<const float> S,
                        FeatureMap d_F, ThreadPool& pool) {
  assert(S.size() == static_cast<size_t>(F.channels) * F.channels);
  assert(d_F.channels == F.channels && d_F.height == F.height && d_F.width == F.width);
  const float* packed = packed_by_all(S, F.channels, pool);
  // A row of features is expanded where its gradient goes, and is still in a near cache when the
  // gradient overwrites it.
  turn_rows(d_F, pool, [&](int row, float* products) {
    if (row < window.row || row >= window.end_row) return;
    expand_half_row(F, row, d_F);
    HWY_DYNAMIC_DISPATCH(TurnIntoGradientRow)
    (d_F, packed, 0, {}, row, window.column, window.end_column, products);
  });
  clear_outside(d_F, window, pool);
}

void project(std::span<const float> V, ConstFeatureMap F, FeatureMap P, ThreadPool& pool) {
  const size_t C = F.channels;
  assert(V.size() == C * C);
  assert(P.channels == F.channels && P.height == F.height && P.width == F.width);
  const std::span<float> packed = pool.shared_scratch(C * C);
  pool.run(C / kBlock, [&](size_t block) { pack_transposed_block(V, C, block, packed); });
  pool.run(F.height, [&](size_t row) {
    HWY_DYNAMIC_DISPATCH(ProductRow)
    (packed.data(), F, P, /*add=*/false, static_cast<int>(row));
  });
}

void add_projection_backward(std::span<const float> V, ConstFeatureMap d_P, FeatureMap d_F,
                             ThreadPool& pool) {
  assert(V.size() == static_cast<size_t>(d_P.channels) * d_P.channels);
  assert(d_F.channels == d_P.channels && d_F.height == d_P.height && d_F.width == d_P.width);
  const float* packed = packed_by_all(V, d_P.channels, pool);
  pool.run(d_P.height, [&](size_t row) {
    HWY_DYNAMIC_DISPATCH(ProductRow)(packed, d_P, d_F, /*add=*/true, static_cast<int>(row));
  });
}

}  // namespace limn::kernels
#endif  // HWY_ONCE
