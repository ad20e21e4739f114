// The first convolution, from three planes to cells, and its gradient. It is direct, because with
// three input channels Winograd's transforms would cost more than they save.
//
// For each output pixel and 16 output channels (one cell), the sum runs over 27 values of the
// picture. The inner tile holds kPixels x kCells output cells in registers, and for each of the 27
// multiplies one broadcast value per pixel with one packed cell of kernel values per output block.
// Tile sizes are those of the products in winograd.cc, for the same reasons.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/input_conv.cc"
#include <hwy/foreach_target.h>
// clang-format off: after foreach_target.h
#include "kernels/cell-inl.h"
// clang-format on

#include <algorithm>
#include <cstring>

#include "kernels/kernels.h"
#include "kernels/pieces.h"

HWY_BEFORE_NAMESPACE();
namespace limn::kernels::HWY_NAMESPACE {

constexpr int kTaps = 9;
constexpr size_t kBlockKernel = static_cast<size_t>(3) * kTaps * kBlock;  // for one output block
constexpr int kCells = kLanes == 16 ? 2 : 1;
constexpr int kPixels = kLanes == 16 ? 12 : kLanes == 8 ? 6 : 3;
static_assert(kPixels <= kSlackCells);

// What is stored of the sums: y itself, its ReLU, or its ReLU and the sign bits.
struct Ends {
  bool relu;
  float* y[2];         // output pixel 0 of each output block
  uint16_t* signs[2];  // likewise, or null
};

// Output pixels x0 .. x0 + kPixels - 1 of a row, for kTileCells blocks; only the first `valid`
// exist.
template <int kTileCells>
HWY_INLINE void convolve_input_tile(const float* HWY_RESTRICT packed, const float* bias,
                                    ConstInputPlanes x, int row, int x0, int valid, int to,
                                    const Ends& ends) {
  const CellTag d;
  constexpr int kTileVectors = kTileCells * kVectors;
  CellVector sums[kPixels][kTileVectors];
  unrolled<kTileVectors>([&](auto v) HWY_ATTR {
    const auto start = bias ? hn::LoadU(d, bias + v * kLanes) : hn::Zero(d);
    unrolled<kPixels>([&](auto p) HWY_ATTR { sums[p][v] = start; });
  });
  for (int c = 0; c < 3; ++c) {
    for (int tap = 0; tap < kTaps; ++tap, packed += kBlock) {
      const float* values = x.row(c, row + tap / 3 - 1) + tap % 3 - 1 + x0;
      CellVector k[kTileVectors];
      unrolled<kTileVectors>([&](auto v) HWY_ATTR {
        k[v] = hn::Load(d, packed + (v / kVectors) * kBlockKernel + (v % kVectors) * kLanes);
      });
      unrolled<kPixels>([&](auto p) HWY_ATTR {
        const auto value = hn::Set(d, values[p]);
        unrolled<kTileVectors>([&](auto v)
                                   HWY_ATTR { sums[p][v] = hn::MulAdd(value, k[v], sums[p][v]); });
      });
    }
  }
  unrolled<kPixels>([&](auto p) HWY_ATTR {
    if (p >= valid) return;
    unrolled<kTileCells>([&](auto cell) HWY_ATTR {
      float* y = ends.y[cell] + static_cast<size_t>(to + p) * kBlock;
      unsigned bits = 0;
      unrolled<kVectors>([&](auto v) HWY_ATTR {
        auto sum = sums[p][cell * kVectors + v];
        if (ends.signs[0]) bits |= mask_bits(hn::Gt(sum, hn::Zero(d)), v);
        if (ends.relu) sum = hn::Max(sum, hn::Zero(d));
        hn::Store(sum, d, y + v * kLanes);
      });
      if (ends.signs[0]) ends.signs[cell][to + p] = static_cast<uint16_t>(bits);
    });
  });
}

// One row of outputs, columns first..end - 1, stored in y from column `y_column` on.
void ConvolveInputRow(const float* packed, const float* bias, ConstInputPlanes x, int row,
                      int first, int end, bool relu, FeatureMap y, int y_row, int y_column,
                      const CellBits* signs) {
  for (int block = 0; block < y.blocks(); block += kCells) {
    const int cells = std::min(kCells, y.blocks() - block);
    Ends ends = {relu, {}, {}};
    for (int cell = 0; cell < cells; ++cell) {
      ends.y[cell] = y.cell(block + cell, y_row, y_column);
      ends.signs[cell] = signs ? signs->row(block + cell, y_row) + y_column : nullptr;
    }
    const float* kernel = packed + block * kBlockKernel;
    const float* start = bias ? bias + block * kBlock : nullptr;
    for (int x0 = first; x0 < end; x0 += kPixels) {
      const int valid = std::min(kPixels, end - x0);
      if (cells == kCells) {
        convolve_input_tile<kCells>(kernel, start, x, row, x0, valid, x0 - first, ends);
      } else {
        convolve_input_tile<1>(kernel, start, x, row, x0, valid, x0 - first, ends);
      }
    }
  }
}

// d_x[c](y, x) = sum over o, ky, kx of kernel[o][c][ky][kx] * d_y[o](y + 1 - ky, x + 1 - kx): lanes
// run over o and are reduced at the end, to three sums (one for each c) per pixel. Several pixels
// at once share the loads of the kernel.
template <int kCount>
HWY_INLINE void input_gradient(const float* packed, ConstFeatureMap d_y, InputPlanes d_x, int row,
                               int x) {
  const CellTag d;
  CellVector sums[3][kCount];
  unrolled<3 * kCount>([&](auto i) HWY_ATTR { sums[i / kCount][i % kCount] = hn::Zero(d); });
  for (int block = 0; block < d_y.blocks(); ++block) {
    const float* kernel = packed + block * kBlockKernel;
    for (int tap = 0; tap < kTaps; ++tap) {
      const float* cell = d_y.cell(block, row + 1 - tap / 3, x + 1 - tap % 3);
      for (int v = 0; v < kVectors; ++v) {
        CellVector k[3];
        unrolled<3>([&](auto c) HWY_ATTR {
          k[c] = hn::Load(d, kernel + (c * kTaps + tap) * kBlock + v * kLanes);
        });
        unrolled<kCount>([&](auto p) HWY_ATTR {
          const auto gradient = hn::Load(d, cell + p * kBlock + v * kLanes);
          unrolled<3>([&](auto c)
                          HWY_ATTR { sums[c][p] = hn::MulAdd(gradient, k[c], sums[c][p]); });
        });
      }
    }
  }
  unrolled<3>([&](auto c) HWY_ATTR {
    float* to = d_x.row(c, row) + x;
    unrolled<kCount>([&](auto p) HWY_ATTR { to[p] = hn::GetLane(hn::SumOfLanes(d, sums[c][p])); });
  });
}

void InputGradientRow(const float* packed, ConstFeatureMap d_y, InputPlanes d_x, int row) {
  constexpr int kCount = 4;
  int x = 0;
  for (; x + kCount <= d_x.width; x += kCount) input_gradient<kCount>(packed, d_y, d_x, row, x);
  for (; x < d_x.width; ++x) input_gradient<1>(packed, d_y, d_x, row, x);
}

}  // namespace limn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limn::kernels {

HWY_EXPORT(ConvolveInputRow);
HWY_EXPORT(InputGradientRow);

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

namespace {

// A plane of height x width cells of `cell` floats each; `plane` is where its ring begins.
void wrap_ring(float* plane, int height, int width, size_t cell) {
  const size_t row = (static_cast<size_t>(width) + 2) * cell;
  float* first = plane + row;
  for (float* cells = first; cells < first + height * row; cells += row) {
    std::copy_n(cells + width * cell, cell, cells);
    std::copy_n(cells + cell, cell, cells + (width + 1) * cell);
  }
  std::copy_n(plane + height * row, row, plane);  // corners included
  std::copy_n(first, row, first + height * row);
}

}  // namespace

void wrap_ring(FeatureMap map) {
  for (int block = 0; block < map.blocks(); ++block) {
    wrap_ring(map.cell(block, -1, -1), map.height, map.width, kBlock);
  }
}

void wrap_ring(InputPlanes planes) {
  for (int c = 0; c < 3; ++c) wrap_ring(planes.row(c, -1) - 1, planes.height, planes.width, 1);
}

void convolve_input(std::span<const float> packed, const float* bias, ConstInputPlanes x,
                    FeatureMap y, const CellBits* signs, ThreadPool& pool) {
  assert(packed.size() == static_cast<size_t>(y.channels) * 27);
  assert(x.height == y.height && x.width == y.width);
  pool.run(y.height, [&](size_t task) {
    const int row = static_cast<int>(task);
    HWY_DYNAMIC_DISPATCH(ConvolveInputRow)
    (packed.data(), bias, x, row, 0, x.width, signs != nullptr, y, row, 0, signs);
  });
}

void convolve_input_piece(std::span<const float> packed, const float* bias, ConstInputPlanes x,
                          Edges edges, int first_row, int end_row, int first_column, int end_column,
                          bool relu, FeatureMap y, int row, int column) {
  const int inside_first = std::clamp(first_column, 0, x.width);
  const int inside_end = std::clamp(end_column, inside_first, x.width);
  const auto y_column = [&](int i) { return column + i - first_column; };
  const auto clear = [&](int y_row, int from, int to) {
    if (from == to) return;  // there are no cells outside the map's ring
    for (int block = 0; block < y.blocks(); ++block) {
      std::memset(y.cell(block, y_row, y_column(from)), 0,
                  static_cast<size_t>(to - from) * kBlock * sizeof(float));
    }
  };
  // Outputs from..to - 1 of a row of the picture, to column `at` of y.
  const auto compute = [&](int x_row, int from, int to, int y_row, int at) {
    HWY_DYNAMIC_DISPATCH(ConvolveInputRow)
    (packed.data(), bias, x, x_row, from, to, relu, y, y_row, at, nullptr);
  };
  for (int i = first_row; i < end_row; ++i) {
    const int y_row = row + i - first_row;
    if (edges == Edges::periodic) {
      const int x_row = wrapped(i, x.height);
      compute(x_row, inside_first, inside_end, y_row, y_column(inside_first));
      if (first_column < 0) compute(x_row, x.width - 1, x.width, y_row, y_column(-1));
      if (end_column > x.width) compute(x_row, 0, 1, y_row, y_column(x.width));
    } else if (i < 0 || i >= x.height) {
      clear(y_row, first_column, end_column);
    } else {
      clear(y_row, first_column, inside_first);
      clear(y_row, inside_end, end_column);
      compute(i, inside_first, inside_end, y_row, y_column(inside_first));
    }
  }
}

void convolve_input_backward(std::span<const float> packed, ConstFeatureMap d_y, InputPlanes d_x,
                             ThreadPool& pool) {
  assert(packed.size() == static_cast<size_t>(d_y.channels) * 27);
  assert(d_x.height == d_y.height && d_x.width == d_y.width);
  pool.run(d_x.height, [&](size_t task) {
    HWY_DYNAMIC_DISPATCH(InputGradientRow)(packed.data(), d_y, d_x, static_cast<int>(task));
  });
}

void convolve_input_backward_piece(std::span<const float> packed, ConstFeatureMap d_y,
                                   InputPlanes d_x) {
  for (int row = 0; row < d_x.height; ++row) {
    HWY_DYNAMIC_DISPATCH(InputGradientRow)(packed.data(), d_y, d_x, row);
  }
}

}  // namespace limn::kernels
#endif  // HWY_ONCE
