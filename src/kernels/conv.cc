// 3 x 3 convolution, direct.
//
// For each output pixel and each of 16 output channels (one cell) the sum runs over 9 taps and all
// input channels. The inner tile holds kPixels x kCells cells of the output in registers, and for
// each (tap, input channel) multiplies one broadcast input value per pixel with one packed cell of
// kernel values per output block: kPixels * kCells fused multiply-adds for kPixels + kCells loads.
//
// Tile sizes come from the registers: an FMA has a latency of 4 cycles and two are started per
// cycle, so at least 8 accumulators must be in flight, and more make the loads cheaper. With 32
// registers of AVX-512 12 x 2 accumulators leave 8 for kernel cells and broadcasts; with 16
// registers of AVX2 6 pixels x 2 vectors leave 4.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv.cc"
#include <hwy/foreach_target.h>
// clang-format off: after foreach_target.h
#include "kernels/cell-inl.h"
// clang-format on

#include <algorithm>
#include <utility>

#include "kernels/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace limn::kernels::HWY_NAMESPACE {

constexpr int kTaps = 9;
constexpr int kCells = kLanes == 16 ? 2 : 1;
constexpr int kPixels = kLanes == 16 ? 12 : kLanes == 8 ? 6 : 3;
constexpr int kFewPixels = kPixels / 3;  // the tile for what remains of a row
static_assert(kPixels <= kSlackCells);

// Where one row of tiles reads and writes.
struct ConvolutionRow {
  const float* kernel;    // packed, of the first output block
  size_t kernel_block;    // floats from one output block's kernel to the next
  const float* bias;      // of the first output block, or null
  const float* x;         // input block 0, the cell above and left of output pixel 0
  size_t x_row, x_plane;  // strides, floats
  int in_blocks;
  float* y[2];         // output pixel 0 of each output block
  uint16_t* signs[2];  // of output pixel 0, or null
};

// Output pixels x0 .. x0 + kTilePixels - 1, of which the first `valid` exist, of kTileCells blocks.
template <int kTilePixels, int kTileCells>
HWY_NOINLINE void convolve_tile(const ConvolutionRow& row, int x0, int valid) {
  const CellTag d;
  constexpr int kTileVectors = kTileCells * kVectors;
  CellVector sums[kTilePixels][kTileVectors];

  unrolled<kTileVectors>([&](auto v) HWY_ATTR {
    const auto start = row.bias ? hn::LoadU(d, row.bias + v * kLanes) : hn::Zero(d);
    unrolled<kTilePixels>([&](auto p) HWY_ATTR { sums[p][v] = start; });
  });

  const float* HWY_RESTRICT kernel = row.kernel;
  const size_t kernel_block = row.kernel_block;
  for (int in_block = 0; in_block < row.in_blocks; ++in_block) {
    const float* x_block = row.x + in_block * row.x_plane + static_cast<size_t>(x0) * kBlock;
    for (int tap = 0; tap < kTaps; ++tap) {
      const float* HWY_RESTRICT x = x_block + (tap / 3) * row.x_row + (tap % 3) * kBlock;
      for (int c = 0; c < kBlock; ++c, kernel += kBlock) {
        CellVector k[kTileVectors];
        unrolled<kTileVectors>([&](auto v) HWY_ATTR {
          k[v] = hn::Load(d, kernel + (v / kVectors) * kernel_block + (v % kVectors) * kLanes);
        });
        unrolled<kTilePixels>([&](auto p) HWY_ATTR {
          const auto value = hn::Set(d, x[p * kBlock + c]);
          unrolled<kTileVectors>(
              [&](auto v) HWY_ATTR { sums[p][v] = hn::MulAdd(value, k[v], sums[p][v]); });
        });
      }
    }
  }

  unrolled<kTilePixels>([&](auto p) HWY_ATTR {
    if (p >= valid) return;
    unrolled<kTileCells>([&](auto cell) HWY_ATTR {
      float* y = row.y[cell] + static_cast<size_t>(x0 + p) * kBlock;
      unsigned bits = 0;
      unrolled<kVectors>([&](auto v) HWY_ATTR {
        auto sum = sums[p][cell * kVectors + v];
        if (row.signs[0]) {
          bits |= mask_bits(hn::Gt(sum, hn::Zero(d)), v);
          sum = hn::Max(sum, hn::Zero(d));
        }
        hn::Store(sum, d, y + v * kLanes);
      });
      if (row.signs[0]) row.signs[cell][x0 + p] = static_cast<uint16_t>(bits);
    });
  });
}

template <int kTileCells>
void convolve_row(const ConvolutionRow& row, int width) {
  int x = 0;
  for (; width - x >= kPixels; x += kPixels) convolve_tile<kPixels, kTileCells>(row, x, kPixels);
  // A remainder of more than two small tiles is cheaper as one large tile with unused pixels.
  if (width - x > 2 * kFewPixels) {
    convolve_tile<kPixels, kTileCells>(row, x, width - x);
    return;
  }
  for (; x < width; x += kFewPixels) {
    convolve_tile<kFewPixels, kTileCells>(row, x, std::min(kFewPixels, width - x));
  }
}

void Convolve(const PackedKernel& kernel, const float* bias, ConstFeatureMap x, FeatureMap y,
              const CellBits* signs, ThreadPool& pool) {
  // A task is a band of rows of one or two output blocks. Bands of 8 rows reuse each input row
  // three times from a near cache, and are enough tasks for many threads.
  constexpr int kBandRows = 8;
  const size_t bands = (y.height + kBandRows - 1) / kBandRows;
  const size_t groups = (y.blocks() + kCells - 1) / kCells;
  pool.run(bands * groups, [&](size_t task) {
    const int first_block = static_cast<int>(task % groups) * kCells;
    const int cells = std::min(kCells, y.blocks() - first_block);
    const int first_row = static_cast<int>(task / groups) * kBandRows;
    const int end_row = std::min(first_row + kBandRows, y.height);
    const size_t kernel_block = static_cast<size_t>(kernel.in) * kTaps * kBlock;
    for (int row = first_row; row < end_row; ++row) {
      ConvolutionRow r;
      r.kernel = kernel.values.data() + first_block * kernel_block;
      r.kernel_block = kernel_block;
      r.bias = bias ? bias + first_block * kBlock : nullptr;
      r.x = x.cell(0, row - 1, -1);
      r.x_row = x.row_stride();
      r.x_plane = x.plane_stride();
      r.in_blocks = x.blocks();
      for (int cell = 0; cell < 2; ++cell) {
        const bool used = cell < cells;
        r.y[cell] = used ? y.cell(first_block + cell, row, 0) : nullptr;
        r.signs[cell] = used && signs ? signs->row(first_block + cell, row) : nullptr;
      }
      if (cells == kCells) {
        convolve_row<kCells>(r, y.width);
      } else {
        convolve_row<1>(r, y.width);
      }
    }
  });
}

// The first convolution reads single floats, so its tile broadcasts from the planes.
template <int kTilePixels>
HWY_INLINE void convolve_input_tile(const float* HWY_RESTRICT packed, const float* bias,
                                    ConstInputPlanes x, int row, int x0, int valid, float* y,
                                    uint16_t* signs) {
  const CellTag d;
  CellVector sums[kTilePixels][kVectors];
  unrolled<kVectors>([&](auto v) HWY_ATTR {
    const auto start = bias ? hn::LoadU(d, bias + v * kLanes) : hn::Zero(d);
    unrolled<kTilePixels>([&](auto p) HWY_ATTR { sums[p][v] = start; });
  });
  for (int c = 0; c < 3; ++c) {
    for (int tap = 0; tap < kTaps; ++tap, packed += kBlock) {
      const float* values = x.row(c, row + tap / 3 - 1) + tap % 3 - 1 + x0;
      unrolled<kVectors>([&](auto v) HWY_ATTR {
        const auto k = hn::Load(d, packed + v * kLanes);
        unrolled<kTilePixels>([&](auto p) HWY_ATTR {
          sums[p][v] = hn::MulAdd(hn::Set(d, values[p]), k, sums[p][v]);
        });
      });
    }
  }
  for (int p = 0; p < valid; ++p) {
    unsigned bits = 0;
    for (int v = 0; v < kVectors; ++v) {
      auto sum = sums[p][v];
      if (signs) {
        bits |= mask_bits(hn::Gt(sum, hn::Zero(d)), v);
        sum = hn::Max(sum, hn::Zero(d));
      }
      hn::Store(sum, d, y + static_cast<size_t>(x0 + p) * kBlock + v * kLanes);
    }
    if (signs) signs[x0 + p] = static_cast<uint16_t>(bits);
  }
}

void ConvolveInput(std::span<const float> packed, const float* bias, ConstInputPlanes x,
                   FeatureMap y, const CellBits* signs, ThreadPool& pool) {
  constexpr int kTilePixels = 4;
  pool.run(y.height, [&](size_t task) {
    const int row = static_cast<int>(task);
    for (int block = 0; block < y.blocks(); ++block) {
      const float* block_kernel = packed.data() + static_cast<size_t>(block) * 3 * kTaps * kBlock;
      for (int x0 = 0; x0 < y.width; x0 += kTilePixels) {
        convolve_input_tile<kTilePixels>(block_kernel, bias ? bias + block * kBlock : nullptr, x,
                                         row, x0, std::min(kTilePixels, y.width - x0),
                                         y.cell(block, row, 0),
                                         signs ? signs->row(block, row) : nullptr);
      }
    }
  });
}

// d_x[c](y, x) = sum over o, ky, kx of kernel[o][c][ky][kx] * d_y[o](y + 1 - ky, x + 1 - kx): lanes
// run over o and are summed at the end, three sums (one for each c) to a pixel.
void ConvolveInputBackward(std::span<const float> packed, ConstFeatureMap d_y, InputPlanes d_x,
                           ThreadPool& pool) {
  const CellTag d;
  pool.run(d_x.height, [&](size_t task) HWY_ATTR {
    const int row = static_cast<int>(task);
    for (int x = 0; x < d_x.width; ++x) {
      CellVector sums[3] = {hn::Zero(d), hn::Zero(d), hn::Zero(d)};
      for (int block = 0; block < d_y.blocks(); ++block) {
        const float* kernel = packed.data() + static_cast<size_t>(block) * 3 * kTaps * kBlock;
        for (int tap = 0; tap < kTaps; ++tap) {
          const float* cell = d_y.cell(block, row + 1 - tap / 3, x + 1 - tap % 3);
          for (int v = 0; v < kVectors; ++v) {
            const auto gradient = hn::Load(d, cell + v * kLanes);
            unrolled<3>([&](auto c) HWY_ATTR {
              const auto k = hn::Load(d, kernel + (c * kTaps + tap) * kBlock + v * kLanes);
              sums[c] = hn::MulAdd(gradient, k, sums[c]);
            });
          }
        }
      }
      for (int c = 0; c < 3; ++c) d_x.row(c, row)[x] = hn::GetLane(hn::SumOfLanes(d, sums[c]));
    }
  });
}

}  // namespace limn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limn::kernels {

HWY_EXPORT(Convolve);
HWY_EXPORT(ConvolveInput);
HWY_EXPORT(ConvolveInputBackward);

std::string_view instruction_set() {
  const int64_t best = hwy::SupportedTargets() & HWY_TARGETS;
  return hwy::TargetName(best & -best);
}

PackedKernel pack_kernel(std::span<const float> kernel, int in, int out, Direction direction) {
  constexpr int kTaps = 9;
  assert(in % kBlock == 0 && out % kBlock == 0);
  assert(kernel.size() == static_cast<size_t>(in) * out * kTaps);
  PackedKernel packed;
  const bool turned = direction == Direction::backward;
  packed.in = turned ? out : in;
  packed.out = turned ? in : out;
  packed.values = Buffer<float>(kernel.size());
  for (int o = 0; o < out; ++o) {
    for (int i = 0; i < in; ++i) {
      for (int tap = 0; tap < kTaps; ++tap) {
        const int to = turned ? i : o;
        const int from = turned ? o : i;
        const int place = turned ? kTaps - 1 - tap : tap;
        const size_t block =
            static_cast<size_t>(to / kBlock) * (packed.in / kBlock) + from / kBlock;
        const size_t cell = (block * kTaps + place) * kBlock + from % kBlock;
        packed.values[cell * kBlock + to % kBlock] =
            kernel[(static_cast<size_t>(o) * in + i) * kTaps + tap];
      }
    }
  }
  return packed;
}

Buffer<float> pack_input_kernel(std::span<const float> kernel, int out) {
  constexpr int kValues = 3 * 9;
  assert(out % kBlock == 0 && kernel.size() == static_cast<size_t>(out) * kValues);
  Buffer<float> packed(kernel.size());
  for (int o = 0; o < out; ++o) {
    for (int value = 0; value < kValues; ++value) {
      const size_t cell = static_cast<size_t>(o / kBlock) * kValues + value;
      packed[cell * kBlock + o % kBlock] = kernel[static_cast<size_t>(o) * kValues + value];
    }
  }
  return packed;
}

void convolve(const PackedKernel& kernel, const float* bias, ConstFeatureMap x, FeatureMap y,
              const CellBits* signs, ThreadPool& pool) {
  assert(kernel.in == x.channels && kernel.out == y.channels);
  assert(x.height == y.height && x.width == y.width);
  HWY_DYNAMIC_DISPATCH(Convolve)(kernel, bias, x, y, signs, pool);
}

void convolve_input(std::span<const float> packed, const float* bias, ConstInputPlanes x,
                    FeatureMap y, const CellBits* signs, ThreadPool& pool) {
  assert(packed.size() == static_cast<size_t>(y.channels) * 27);
  assert(x.height == y.height && x.width == y.width);
  HWY_DYNAMIC_DISPATCH(ConvolveInput)(packed, bias, x, y, signs, pool);
}

void convolve_input_backward(std::span<const float> packed, ConstFeatureMap d_y, InputPlanes d_x,
                             ThreadPool& pool) {
  assert(packed.size() == static_cast<size_t>(d_y.channels) * 27);
  assert(d_x.height == d_y.height && d_x.width == d_y.width);
  HWY_DYNAMIC_DISPATCH(ConvolveInputBackward)(packed, d_y, d_x, pool);
}

}  // namespace limn::kernels
#endif  // HWY_ONCE
