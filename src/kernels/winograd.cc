// 3 x 3 convolution by Winograd's minimal filtering, F(4 x 4, 3 x 3) (Lavin and Gray,
// arXiv 1509.09308).
//
// WHY 36 REPLACES 144. A 3 x 3 convolution of a 6 x 6 patch gives a tile of 4 x 4 outputs: 16 x 9 =
// 144 multiplications for each pair of an input and an output channel. Seen as polynomials, patch
// and kernel can be evaluated at points, multiplied point by point, and interpolated. With the
// points 0, 1, -1, 2, -2 and infinity in each direction that takes 6 x 6 = 36 multiplications:
//
//     Y = A^T [ (G g G^T) . (B^T d B) ] A        d: 6 x 6 patch, g: 3 x 3 kernel, Y: 4 x 4
//
//           | 4  0 -5  0  1  0 |         |  1/4    0     0   |
//           | 0 -4 -4  1  1  0 |         | -1/6  -1/6  -1/6  |          | 1  1  1  1  1  0 |
//     B^T = | 0  4 -4 -1  1  0 |     G = | -1/6   1/6  -1/6  |    A^T = | 0  1 -1  2 -2  0 |
//           | 0 -2 -1  2  1  0 |         |  1/24  1/12  1/6  |          | 0  1  1  4  4  0 |
//           | 0  2 -1 -2  1  0 |         |  1/24 -1/12  1/6  |          | 0  1 -1  8 -8  1 |
//           | 0  4  0 -5  0  1 |         |   0     0     1   |
//
// The sum over input channels can be taken between the transforms. So the work is 36 matrix
// products, one for each point: (output channels x input channels) times (input channels x tiles).
//
// THE LAYOUT. A task is some tiles of the output:
//
//     patches -> V[36][in / 16][tiles][16 in]          B^T d B
//     U, V    -> M[36][blocks][tiles][16 out]          36 products; U[36][out / 16][in][16 out]
//     M       -> cells of the output                   A^T m A
//
//     point 0:  | in block 0                 | in block 1                 | ...     one column is
//               | tile 0  tile 1  tile 2 ... | tile 0  tile 1  tile 2 ... |         one cell, the
//     point 1:  | ...                                                               16 channels
//
// What stands before or after the convolution is fused into the transforms (Source and Sink in
// kernels.h), because it would be one more pass over memory: bias, ReLU and pooling forward; their
// derivatives, read off sign bits and places, backward.
//
// THE PRICE is accuracy: the entries of the matrices amplify rounding. Against double precision the
// relative L2 error of a layer is a few 1e-6, ten times that of direct summation and of the order
// of what any float32 convolution of 4608 terms may lose.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/winograd.cc"
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
constexpr int kSide = 6;  // of a patch
constexpr int kPoints = kSide * kSide;

// Accumulators of the product: an FMA has a latency of 4 cycles and two start in each, so 8 must be
// in flight; more make loads cheaper. Of AVX-512's 32 registers 12 tiles x 2 blocks take 24, of
// AVX2's 16 6 tiles x 2 vectors take 12, which leaves room for kernel cells and broadcasts.
constexpr int kPairBlocks = kLanes == 16 ? 2 : 1;                // output blocks at a time
constexpr int kGroup = kLanes == 16 ? 12 : kLanes == 8 ? 6 : 3;  // tiles at a time

// Between points lie 3 cells more than needed: strides that are multiples of 2 KB would put all 36
// points of a tile into the same cache sets.
constexpr size_t kPadding = 3 * kBlock;

// ------------------------------------------------------------------------------- transforms --

// B^T of six cells, in place.
template <class V>
HWY_INLINE void transform_input(V (&d)[kSide]) {
  const hn::DFromV<V> tag;
  const auto two = hn::Set(tag, 2.0f);
  const auto four = hn::Set(tag, 4.0f);
  const auto five = hn::Set(tag, 5.0f);
  const auto d42 = hn::NegMulAdd(four, d[2], d[4]);  // d4 - 4 d2
  const auto d31 = hn::NegMulAdd(four, d[1], d[3]);  // d3 - 4 d1
  const auto e42 = hn::Sub(d[4], d[2]);
  const auto e31 = hn::Mul(two, hn::Sub(d[3], d[1]));
  d[0] = hn::MulAdd(four, d[0], hn::NegMulAdd(five, d[2], d[4]));
  d[5] = hn::MulAdd(four, d[1], hn::NegMulAdd(five, d[3], d[5]));
  d[1] = hn::Add(d42, d31);
  d[2] = hn::Sub(d42, d31);
  d[3] = hn::Add(e42, e31);
  d[4] = hn::Sub(e42, e31);
}

// A^T of six cells: the first four are the result.
template <class V>
HWY_INLINE void transform_output(V (&m)[kSide]) {
  const hn::DFromV<V> tag;
  const auto two = hn::Set(tag, 2.0f);
  const auto four = hn::Set(tag, 4.0f);
  const auto eight = hn::Set(tag, 8.0f);
  const auto s12 = hn::Add(m[1], m[2]);
  const auto d12 = hn::Sub(m[1], m[2]);
  const auto s34 = hn::Add(m[3], m[4]);
  const auto d34 = hn::Sub(m[3], m[4]);
  m[0] = hn::Add(hn::Add(m[0], s12), s34);
  m[1] = hn::MulAdd(two, d34, d12);
  m[2] = hn::MulAdd(four, s34, s12);
  m[3] = hn::Add(hn::MulAdd(eight, d34, d12), m[5]);
}

// G of three cells: six.
template <class V>
HWY_INLINE void transform_taps(const V (&g)[3], V (&u)[kSide]) {
  const hn::DFromV<V> tag;
  const auto sixth = hn::Set(tag, 1.0f / 6);
  const auto part24 = hn::MulAdd(hn::Set(tag, 1.0f / 24), g[0], hn::Mul(sixth, g[2]));
  const auto part12 = hn::Mul(hn::Set(tag, 1.0f / 12), g[1]);
  const auto ends = hn::Mul(sixth, hn::Add(g[0], g[2]));
  u[0] = hn::Mul(hn::Set(tag, 0.25f), g[0]);
  u[1] = hn::Neg(hn::MulAdd(sixth, g[1], ends));
  u[2] = hn::MulAdd(sixth, g[1], hn::Neg(ends));
  u[3] = hn::Add(part24, part12);
  u[4] = hn::Sub(part24, part12);
  u[5] = g[2];
}

// U of the 16 x 16 kernels of one pair of blocks: taps[9][16 in][16 out] -> u[36][16 in][16 out],
// the points u_point floats apart.
void TransformBlock(const float* HWY_RESTRICT taps, float* HWY_RESTRICT u, size_t u_point) {
  const CellTag d;
  for (int in = 0; in < kBlock; ++in) {
    for (int v = 0; v < kVectors; ++v) {
      const size_t place = static_cast<size_t>(in) * kBlock + v * kLanes;
      CellVector rows[kSide][3];  // G g
      unrolled<3>([&](auto kx) HWY_ATTR {
        CellVector column[3];
        unrolled<3>([&](auto ky) HWY_ATTR {
          column[ky] = hn::Load(d, taps + (ky * 3 + kx) * kBlock * kBlock + place);
        });
        CellVector transformed[kSide];
        transform_taps(column, transformed);
        unrolled<kSide>([&](auto i) HWY_ATTR { rows[i][kx] = transformed[i]; });
      });
      unrolled<kSide>([&](auto i) HWY_ATTR {
        CellVector transformed[kSide];
        transform_taps(rows[i], transformed);
        unrolled<kSide>([&](auto j) HWY_ATTR {
          hn::Store(transformed[j], d, u + (i * kSide + j) * u_point + place);
        });
      });
    }
  }
}

// V of one patch: B^T d B. read(y, x, v) is vector v of the patch's cell (y, x).
template <class Read>
HWY_INLINE void transform_patch(const Read& read, float* V, size_t v_point) {
  const CellTag d;
  for (int v = 0; v < kVectors; ++v) {
    HWY_ALIGN float columns[kSide][kSide][kLanes];  // B^T d
    unrolled<kSide>([&](auto x) HWY_ATTR {
      CellVector column[kSide];
      unrolled<kSide>([&](auto y) HWY_ATTR { column[y] = read(y, x, v); });
      transform_input(column);
      unrolled<kSide>([&](auto y) HWY_ATTR { hn::Store(column[y], d, columns[y][x]); });
    });
    unrolled<kSide>([&](auto y) HWY_ATTR {
      CellVector row[kSide];
      unrolled<kSide>([&](auto x) HWY_ATTR { row[x] = hn::Load(d, columns[y][x]); });
      transform_input(row);
      unrolled<kSide>([&](auto x) HWY_ATTR {
        hn::Store(row[x], d, V + (y * kSide + x) * v_point + v * kLanes);
      });
    });
  }
}

// ----------------------------------------------------------------------------------- sources --
//
// How the cells of the convolution's input come about. Every reader has
//   direct(row, column)      may the patch from there on be read without looking at the edges?
//   inside(row, column)      is there such a cell? (else it is zero)
//   patch(block, row, column) -> what transform_patch reads
// Rows and columns are those of the convolution's input.

// A map as it is, its ring included.
struct MapReader {
  const Source& source;
  bool direct(int row, int column) const {
    return row + kSide <= source.map.height + 1 && column + kSide <= source.map.width + 1;
  }
  bool inside(int row, int column) const {
    return row <= source.map.height && column <= source.map.width;
  }
  struct Patch {
    const float* cells;
    size_t row_stride;
    HWY_INLINE CellVector operator()(int y, int x, int v) const {
      return hn::Load(CellTag(), cells + y * row_stride + x * kBlock + v * kLanes);
    }
  };
  Patch patch(int block, int row, int column) const {
    return {source.map.cell(block, row, column), source.map.row_stride()};
  }
};

// A gradient by the output of a ReLU, which lets through where its sign bit is set.
struct ReluGradientReader {
  const Source& source;
  bool direct(int row, int column) const {
    return row >= 0 && column >= 0 && row + kSide <= source.map.height &&
           column + kSide <= source.map.width;
  }
  bool inside(int row, int column) const {
    return row >= 0 && column >= 0 && row < source.map.height && column < source.map.width;
  }
  struct Patch {
    const float* cells;
    size_t row_stride;
    const uint16_t* signs;
    size_t sign_stride;
    HWY_INLINE CellVector operator()(int y, int x, int v) const {
      return hn::IfThenElseZero(
          mask_of(signs[y * sign_stride + x], v),
          hn::Load(CellTag(), cells + y * row_stride + x * kBlock + v * kLanes));
    }
  };
  Patch patch(int block, int row, int column) const {
    return {source.map.cell(block, row, column), source.map.row_stride(),
            source.signs.row(block, row) + column, static_cast<size_t>(source.signs.width)};
  }
};

// A gradient by the output of ReLU and max pooling: it goes to the maximum's place, where that was
// above 0.
struct MaxPoolGradientReader {
  const Source& source;
  bool direct(int row, int column) const {
    return row >= 0 && column >= 0 && row + kSide <= 2 * source.map.height &&
           column + kSide <= 2 * source.map.width;
  }
  bool inside(int row, int column) const {
    return row >= 0 && column >= 0 && row < 2 * source.map.height &&
           column < 2 * source.map.width;
  }
  // Patches begin at odd rows and columns, one before a tile: their first row is the lower one of
  // its pair.
  struct Patch {
    const float* cells;  // of the pooled cell that the patch's first cell went into
    size_t row_stride;
    const uint16_t *right, *below, *signs;
    size_t word_stride;
    HWY_INLINE CellVector operator()(int y, int x, int v) const {
      const int i = (y + 1) / 2;
      const int j = (x + 1) / 2;
      const size_t word = i * word_stride + j;
      const unsigned vertical = y % 2 == 0 ? below[word] : ~unsigned{below[word]};
      const unsigned horizontal = x % 2 == 0 ? right[word] : ~unsigned{right[word]};
      return hn::IfThenElseZero(
          mask_of(signs[word] & vertical & horizontal, v),
          hn::Load(CellTag(), cells + i * row_stride + j * kBlock + v * kLanes));
    }
  };
  Patch patch(int block, int row, int column) const {
    const int i = (row + 1) / 2 - 1;
    const int j = (column + 1) / 2 - 1;
    return {source.map.cell(block, i, j),          source.map.row_stride(),
            source.places.right.row(block, i) + j, source.places.below.row(block, i) + j,
            source.signs.row(block, i) + j,        static_cast<size_t>(source.map.width)};
  }
};

// A gradient by the output of ReLU and average pooling: every cell has its share, where it was
// above 0.
struct AveragePoolGradientReader {
  const Source& source;
  bool direct(int row, int column) const {
    return row >= 0 && column >= 0 && row + kSide <= source.signs.height &&
           column + kSide <= source.signs.width;
  }
  bool inside(int row, int column) const {
    return row >= 0 && column >= 0 && row < source.signs.height && column < source.signs.width;
  }
  struct Patch {
    const Source& source;
    int block, row, column;
    HWY_INLINE CellVector operator()(int y, int x, int v) const {
      const CellTag d;
      const int i = row + y;
      const int j = column + x;
      const bool two_rows = (i | 1) < source.signs.height;
      const bool two_columns = (j | 1) < source.signs.width;
      const float share = (two_rows ? 0.5f : 1.0f) * (two_columns ? 0.5f : 1.0f);
      const auto gradient =
          hn::Load(d, source.map.cell(block, i / 2, j / 2) + v * kLanes);
      return hn::IfThenElseZero(mask_of(source.signs.row(block, i)[j], v),
                                hn::Mul(gradient, hn::Set(d, share)));
    }
  };
  Patch patch(int block, int row, int column) const { return {source, block, row, column}; }
};

// A patch that reaches over an edge: what lies beyond is zero.
template <class Reader>
HWY_NOINLINE void transform_edge_patch(const Reader& reader, int block, int row, int column,
                                       float* V, size_t v_point) {
  const CellTag d;
  HWY_ALIGN float cells[kSide * kSide * kBlock] = {};
  const auto patch = reader.patch(block, row, column);
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      if (!reader.inside(row + y, column + x)) continue;
      for (int v = 0; v < kVectors; ++v) {
        hn::Store(patch(y, x, v), d, cells + (y * kSide + x) * kBlock + v * kLanes);
      }
    }
  }
  transform_patch(MapReader::Patch{cells, kSide * kBlock}, V, v_point);
}

// The strides of V and M for a task of as many tiles.
struct Strides {
  Strides(int in, int tiles, int blocks)
      : tiles(RoundUp(tiles)),
        v_block(this->tiles * kBlock),
        v_point(v_block * (in / kBlock) + kPadding),
        m_block(v_block),
        m_point(m_block * blocks + kPadding) {}
  // The last group of tiles may be a whole one.
  static size_t RoundUp(int tiles) { return (tiles + kGroup - 1) / kGroup * kGroup; }
  size_t tiles, v_block, v_point, m_block, m_point;
};

template <class Reader>
void transform_tiles(const Reader& reader, const Tiles& tiles, int in_blocks,
                     const Strides& strides, float* V) {
  for (int block = 0; block < in_blocks; ++block) {
    float* to = V + block * strides.v_block;
    for (int t = 0; t < tiles.count; ++t, to += kBlock) {
      const int row = tiles.row_of(t) - 1 - reader.source.row;
      const int column = tiles.column_of(t) - 1 - reader.source.column;
      if (reader.direct(row, column)) {
        transform_patch(reader.patch(block, row, column), to, strides.v_point);
      } else {
        transform_edge_patch(reader, block, row, column, to, strides.v_point);
      }
    }
  }
}

void transform_source(const Source& source, const Tiles& tiles, int in_blocks,
                      const Strides& strides, float* V) {
  switch (source.kind) {
    case Source::Kind::map:
      return transform_tiles(MapReader{source}, tiles, in_blocks, strides, V);
    case Source::Kind::relu_gradient:
      return transform_tiles(ReluGradientReader{source}, tiles, in_blocks, strides, V);
    case Source::Kind::max_pool_gradient:
      return transform_tiles(MaxPoolGradientReader{source}, tiles, in_blocks, strides, V);
    case Source::Kind::average_pool_gradient:
      return transform_tiles(AveragePoolGradientReader{source}, tiles, in_blocks, strides, V);
  }
}

// ---------------------------------------------------------------------------------- products --

// M = U V at one point, for kTiles tiles and kBlocks output blocks: u[kBlocks][in][16 out], the
// blocks u_block floats apart; V[in / 16][tiles][16 in], v_block floats apart; M alike.
template <int kBlocks, int kTiles>
HWY_INLINE void multiply_group(const float* HWY_RESTRICT u, size_t u_block,
                               const float* HWY_RESTRICT V, size_t v_block, int in_blocks,
                               float* HWY_RESTRICT M, size_t m_block) {
  const CellTag d;
  constexpr int kKernelVectors = kBlocks * kVectors;
  CellVector sums[kTiles][kKernelVectors];
  unrolled<kTiles>([&](auto t) HWY_ATTR {
    unrolled<kKernelVectors>([&](auto k) HWY_ATTR { sums[t][k] = hn::Zero(d); });
  });
  for (int block = 0; block < in_blocks; ++block, V += v_block) {
    for (int c = 0; c < kBlock; ++c, u += kBlock) {
      CellVector kernel[kKernelVectors];
      unrolled<kKernelVectors>([&](auto k) HWY_ATTR {
        kernel[k] = hn::Load(d, u + (k / kVectors) * u_block + (k % kVectors) * kLanes);
      });
      unrolled<kTiles>([&](auto t) HWY_ATTR {
        const auto value = hn::Set(d, V[t * kBlock + c]);
        unrolled<kKernelVectors>(
            [&](auto k) HWY_ATTR { sums[t][k] = hn::MulAdd(value, kernel[k], sums[t][k]); });
      });
    }
  }
  unrolled<kTiles>([&](auto t) HWY_ATTR {
    unrolled<kKernelVectors>([&](auto k) HWY_ATTR {
      hn::Store(sums[t][k], d, M + (k / kVectors) * m_block + t * kBlock + (k % kVectors) * kLanes);
    });
  });
}

// The same for all tiles: as many whole groups as there are, then the smallest that holds the rest.
template <int kBlocks>
void multiply_tiles(const float* u, size_t u_block, const float* V, int in_blocks, int tiles,
                    const Strides& strides, float* M) {
  int t = 0;
  const auto multiply = [&](auto group) HWY_ATTR {
    multiply_group<kBlocks, group>(u, u_block, V + t * kBlock, strides.v_block, in_blocks,
                                   M + t * kBlock, strides.m_block);
    t += group;
  };
  while (tiles - t > kGroup * 2 / 3) multiply(std::integral_constant<int, kGroup>());
  if (tiles - t > kGroup / 3) multiply(std::integral_constant<int, kGroup * 2 / 3>());
  if (tiles - t > 0) multiply(std::integral_constant<int, kGroup / 3>());
}

// ------------------------------------------------------------------------------------- sinks --

// Where a tile's outputs go. Rows and columns are those of the convolution's output.
struct Place {
  int block, row, column;
};

// Stores vector v of a cell.
HWY_INLINE void store(CellVector value, float* cell, int v) {
  hn::Store(value, CellTag(), cell + v * kLanes);
}

// Calls visit(y, x) for the tile's cells that exist.
template <class Visit>
HWY_INLINE void for_each_output(const Sink& sink, const Place& place, Visit&& visit) {
  const int rows = std::min(kTileSide, sink.height - place.row);
  const int columns = std::min(kTileSide, sink.width - place.column);
  for (int y = 0; y < rows; ++y) {
    for (int x = 0; x < columns; ++x) visit(y, x);
  }
}

using TileCells = float[kTileSide][kTileSide][kBlock];

HWY_INLINE void put_set(const Sink& sink, const Place& place, const TileCells& tile) {
  const CellTag d;
  for_each_output(sink, place, [&](int y, int x) HWY_ATTR {
    float* cell = sink.map.cell(place.block, place.row + y - sink.row, place.column + x - sink.column);
    for (int v = 0; v < kVectors; ++v) store(hn::Load(d, tile[y][x] + v * kLanes), cell, v);
  });
}

HWY_INLINE void put_add(const Sink& sink, const Place& place, const TileCells& tile) {
  const CellTag d;
  for_each_output(sink, place, [&](int y, int x) HWY_ATTR {
    float* cell = sink.map.cell(place.block, place.row + y - sink.row, place.column + x - sink.column);
    for (int v = 0; v < kVectors; ++v) {
      const auto sum = hn::Add(hn::Load(d, tile[y][x] + v * kLanes), hn::Load(d, cell + v * kLanes));
      store(sum, cell, v);
    }
  });
}

// Stores the ReLU of a cell and returns the sign bits of what went in.
HWY_INLINE uint16_t put_relu_cell(const float* from, float* cell) {
  const CellTag d;
  unsigned bits = 0;
  for (int v = 0; v < kVectors; ++v) {
    const auto value = hn::Load(d, from + v * kLanes);
    bits |= mask_bits(hn::Gt(value, hn::Zero(d)), v);
    store(hn::Max(value, hn::Zero(d)), cell, v);
  }
  return static_cast<uint16_t>(bits);
}

HWY_INLINE void put_relu(const Sink& sink, const Place& place, const TileCells& tile) {
  for_each_output(sink, place, [&](int y, int x) HWY_ATTR {
    const int row = place.row + y;
    const int column = place.column + x;
    sink.signs.row(place.block, row)[column] = put_relu_cell(
        tile[y][x], sink.map.cell(place.block, row - sink.row, column - sink.column));
  });
}

HWY_INLINE void put_relu_max_pool(const Sink& sink, const Place& place, const TileCells& tile) {
  const CellTag d;
  for (int y = 0; y < kTileSide / 2; ++y) {
    for (int x = 0; x < kTileSide / 2; ++x) {
      const int row = place.row / 2 + y;
      const int column = place.column / 2 + x;
      if (row >= sink.map.height || column >= sink.map.width) continue;
      unsigned right_bits = 0, below_bits = 0, signs = 0;
      float* cell = sink.map.cell(place.block, row, column);
      for (int v = 0; v < kVectors; ++v) {
        const auto a = hn::Load(d, tile[2 * y][2 * x] + v * kLanes);
        const auto b = hn::Load(d, tile[2 * y][2 * x + 1] + v * kLanes);
        const auto e = hn::Load(d, tile[2 * y + 1][2 * x] + v * kLanes);
        const auto f = hn::Load(d, tile[2 * y + 1][2 * x + 1] + v * kLanes);
        const auto b_wins = hn::Gt(b, a);
        const auto f_wins = hn::Gt(f, e);
        const auto upper = hn::Max(a, b);
        const auto lower = hn::Max(e, f);
        const auto lower_wins = hn::Gt(lower, upper);
        const auto right = hn::Or(hn::And(lower_wins, f_wins), hn::AndNot(lower_wins, b_wins));
        const auto most = hn::Max(upper, lower);
        right_bits |= mask_bits(right, v);
        below_bits |= mask_bits(lower_wins, v);
        signs |= mask_bits(hn::Gt(most, hn::Zero(d)), v);
        store(hn::Max(most, hn::Zero(d)), cell, v);
      }
      sink.places.right.row(place.block, row)[column] = static_cast<uint16_t>(right_bits);
      sink.places.below.row(place.block, row)[column] = static_cast<uint16_t>(below_bits);
      sink.signs.row(place.block, row)[column] = static_cast<uint16_t>(signs);
    }
  }
}

HWY_INLINE void put_relu_average_pool(const Sink& sink, const Place& place,
                                      const TileCells& tile) {
  const CellTag d;
  HWY_ALIGN TileCells values = {};  // after the ReLU; cells beyond the edge stay 0
  for_each_output(sink, place, [&](int y, int x) HWY_ATTR {
    sink.signs.row(place.block, place.row + y)[place.column + x] =
        put_relu_cell(tile[y][x], values[y][x]);
  });
  for (int y = 0; y < kTileSide / 2; ++y) {
    for (int x = 0; x < kTileSide / 2; ++x) {
      const int row = place.row / 2 + y;
      const int column = place.column / 2 + x;
      if (row >= sink.map.height || column >= sink.map.width) continue;
      const bool two_rows = 2 * row + 1 < sink.height;
      const bool two_columns = 2 * column + 1 < sink.width;
      const auto share = hn::Set(d, (two_rows ? 0.5f : 1.0f) * (two_columns ? 0.5f : 1.0f));
      float* cell = sink.map.cell(place.block, row, column);
      for (int v = 0; v < kVectors; ++v) {
        const auto upper = hn::Add(hn::Load(d, values[2 * y][2 * x] + v * kLanes),
                                   hn::Load(d, values[2 * y][2 * x + 1] + v * kLanes));
        const auto lower = hn::Add(hn::Load(d, values[2 * y + 1][2 * x] + v * kLanes),
                                   hn::Load(d, values[2 * y + 1][2 * x + 1] + v * kLanes));
        store(hn::Mul(hn::Add(upper, lower), share), cell, v);
      }
    }
  }
}

template <class Put>
HWY_INLINE void finish_tiles(const float* M, const Strides& strides, const float* bias, int block,
                             const Tiles& tiles, const Put& put) {
  const CellTag d;
  for (int t = 0; t < tiles.count; ++t) {
    const float* m = M + t * kBlock;
    HWY_ALIGN TileCells tile;
    for (int v = 0; v < kVectors; ++v) {
      HWY_ALIGN float columns[kTileSide][kSide][kLanes];  // A^T m
      unrolled<kSide>([&](auto x) HWY_ATTR {
        CellVector column[kSide];
        unrolled<kSide>([&](auto i) HWY_ATTR {
          column[i] = hn::Load(d, m + (i * kSide + x) * strides.m_point + v * kLanes);
        });
        transform_output(column);
        unrolled<kTileSide>([&](auto i) HWY_ATTR { hn::Store(column[i], d, columns[i][x]); });
      });
      const auto start = bias ? hn::LoadU(d, bias + v * kLanes) : hn::Zero(d);
      unrolled<kTileSide>([&](auto i) HWY_ATTR {
        CellVector row[kSide];
        unrolled<kSide>([&](auto x) HWY_ATTR { row[x] = hn::Load(d, columns[i][x]); });
        transform_output(row);
        unrolled<kTileSide>([&](auto x) HWY_ATTR {
          hn::Store(hn::Add(row[x], start), d, tile[i][x] + v * kLanes);
        });
      });
    }
    put(Place{block, tiles.row_of(t), tiles.column_of(t)}, tile);
  }
}

// The outputs of one block, and what goes with them.
void finish_block(const float* M, const Strides& strides, const float* bias, const Sink& sink,
                  int block, const Tiles& tiles) {
  const auto finish = [&](auto put) HWY_ATTR {
    finish_tiles(M, strides, bias, block, tiles,
                 [&](const Place& place, const TileCells& tile)
                     HWY_ATTR { put(sink, place, tile); });
  };
  switch (sink.kind) {
    case Sink::Kind::set:
      return finish([](const auto&... all) HWY_ATTR { put_set(all...); });
    case Sink::Kind::add:
      return finish([](const auto&... all) HWY_ATTR { put_add(all...); });
    case Sink::Kind::relu:
      return finish([](const auto&... all) HWY_ATTR { put_relu(all...); });
    case Sink::Kind::relu_max_pool:
      return finish([](const auto&... all) HWY_ATTR { put_relu_max_pool(all...); });
    case Sink::Kind::relu_average_pool:
      return finish([](const auto&... all) HWY_ATTR { put_relu_average_pool(all...); });
  }
}

// --------------------------------------------------------------------------------- the whole --

// Output blocks whose M is held at a time. V is read again for each such group. Few channels: V
// stays in the near cache, so M is kept small. Many: V is read from far, so M takes all blocks.
int blocks_at_a_time(int in, int out) {
  static const int wide = getenv("WIDE") ? atoi(getenv("WIDE")) : 256;
  return in >= wide ? out / kBlock : std::min(kPairBlocks, out / kBlock);
}

size_t TileScratch(int in, int out, int tiles) {
  const Strides strides(in, tiles, blocks_at_a_time(in, out));
  return kPoints * (strides.v_point + strides.m_point);
}

void ConvolveTiles(const TransformedKernel& kernel, const float* bias, const Source& source,
                   const Sink& sink, const Tiles& tiles, float* scratch) {
  const int in_blocks = kernel.in / kBlock;
  const int out_blocks = kernel.out / kBlock;
  const int most = blocks_at_a_time(kernel.in, kernel.out);
  const Strides strides(kernel.in, tiles.count, most);
  const size_t u_block = static_cast<size_t>(kernel.in) * kBlock;
  float* V = scratch;
  float* M = V + kPoints * strides.v_point;
  transform_source(source, tiles, in_blocks, strides, V);
  for (int first = 0; first < out_blocks; first += most) {
    const int end = std::min(first + most, out_blocks);
    for (int point = 0; point < kPoints; ++point) {
      const float* U = kernel.U + point * kernel.point_stride;
      const float* v = V + point * strides.v_point;
      float* m = M + point * strides.m_point;
      int block = first;
      for (; block + kPairBlocks <= end; block += kPairBlocks) {
        multiply_tiles<kPairBlocks>(U + block * u_block, u_block, v, in_blocks, tiles.count,
                                    strides, m + (block - first) * strides.m_block);
      }
      for (; block < end; ++block) {
        multiply_tiles<1>(U + block * u_block, u_block, v, in_blocks, tiles.count, strides,
                          m + (block - first) * strides.m_block);
      }
    }
    for (int block = first; block < end; ++block) {
      finish_block(M + (block - first) * strides.m_block, strides,
                   bias ? bias + block * kBlock : nullptr, sink, block, tiles);
    }
  }
}

// The tiles of one task: so many that every thread gets as many, and no more than caches bear.
int TilesPerTask(int in, int tiles, int threads) {
  static const int few = getenv("FEW") ? atoi(getenv("FEW")) : 96;
  static const int many = getenv("MANY") ? atoi(getenv("MANY")) : 132;
  const int most = in >= 256 ? many : few;
  const int rounds = (tiles + most * threads - 1) / (most * threads);
  const int tasks = rounds * threads;
  return (tiles + tasks - 1) / tasks;
}

}  // namespace limn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limn::kernels {

HWY_EXPORT(TransformBlock);
HWY_EXPORT(TileScratch);
HWY_EXPORT(ConvolveTiles);
HWY_EXPORT(TilesPerTask);

namespace {

constexpr int kTaps = 9;
constexpr int kPoints = 36;
constexpr size_t kTapBlock = static_cast<size_t>(kBlock) * kBlock;
constexpr size_t kPairFloats = kTaps * kTapBlock;

// The kernels of one pair of blocks turned by 180 degrees, input and output channels exchanged.
void turn(const float* taps, float* turned) {
  for (int tap = 0; tap < kTaps; ++tap) {
    float* to = turned + (kTaps - 1 - tap) * kTapBlock;
    for (int in = 0; in < kBlock; ++in) {
      for (int out = 0; out < kBlock; ++out) to[out * kBlock + in] = *taps++;
    }
  }
}

}  // namespace

PackedKernel pack_kernel(std::span<const float> kernel, int in, int out) {
  assert(in % kBlock == 0 && out % kBlock == 0);
  assert(kernel.size() == static_cast<size_t>(in) * out * kTaps);
  PackedKernel packed = {in, out, Buffer<float>(kernel.size())};
  const float* from = kernel.data();
  for (int o = 0; o < out; ++o) {
    for (int i = 0; i < in; ++i) {
      const size_t pair = static_cast<size_t>(o / kBlock) * (in / kBlock) + i / kBlock;
      float* to = packed.values.data() + pair * kPairFloats + i % kBlock * kBlock + o % kBlock;
      for (int tap = 0; tap < kTaps; ++tap) to[tap * kTapBlock] = *from++;
    }
  }
  return packed;
}

TransformedKernel transform_kernel(const PackedKernel& kernel, Direction direction,
                                   ThreadPool& pool) {
  const bool backward = direction == Direction::backward;
  TransformedKernel result;
  result.in = backward ? kernel.out : kernel.in;
  result.out = backward ? kernel.in : kernel.out;
  result.point_stride = static_cast<size_t>(kernel.in) * kernel.out + 3 * kBlock;
  float* U = pool.shared_scratch(kPoints * result.point_stride).data();
  result.U = U;
  const size_t in_blocks = result.in / kBlock;
  pool.run(in_blocks * (result.out / kBlock), [&](size_t pair) {
    const size_t to = pair / in_blocks;
    const size_t from = pair % in_blocks;
    const size_t packed = backward ? from * (kernel.in / kBlock) + to : pair;
    const float* taps = kernel.values.data() + packed * kPairFloats;
    alignas(kBufferAlignment) float turned[kPairFloats];
    if (backward) {
      turn(taps, turned);
      taps = turned;
    }
    HWY_DYNAMIC_DISPATCH(TransformBlock)(taps, U + pair * kTapBlock, result.point_stride);
  });
  return result;
}

size_t tile_scratch(const TransformedKernel& kernel, int tiles) {
  return HWY_DYNAMIC_DISPATCH(TileScratch)(kernel.in, kernel.out, tiles);
}

void convolve_tiles(const TransformedKernel& kernel, const float* bias, const Source& source,
                    const Sink& sink, const Tiles& tiles, std::span<float> scratch) {
  assert(scratch.size() >= tile_scratch(kernel, tiles.count));
  HWY_DYNAMIC_DISPATCH(ConvolveTiles)(kernel, bias, source, sink, tiles, scratch.data());
}

void convolve(const PackedKernel& kernel, Direction direction, const float* bias,
              const Source& source, const Sink& sink, ThreadPool& pool) {
  // The kernel is transformed anew at each call, into memory that all layers share: transformed
  // kernels take four times the memory, and making them is a few percent of the work.
  const TransformedKernel transformed = transform_kernel(kernel, direction, pool);
  assert(transformed.in == source.map.channels && transformed.out == sink.map.channels);

  // Each value of the output is computed from its own tile by the same operations whichever task
  // the tile falls into, so here work may be cut by the number of threads.
  const int across = (sink.width + kTileSide - 1) / kTileSide;
  const int tiles = across * ((sink.height + kTileSide - 1) / kTileSide);
  const int per_task =
      HWY_DYNAMIC_DISPATCH(TilesPerTask)(transformed.in, tiles, pool.threads());
  pool.run((tiles + per_task - 1) / per_task, [&](size_t task, int thread) {
    const int first = static_cast<int>(task) * per_task;
    Tiles some = {0, 0, across, std::min(per_task, tiles - first), first};
    convolve_tiles(transformed, bias, source, sink, some,
                   pool.thread_scratch(thread, tile_scratch(transformed, some.count)));
  });
}

}  // namespace limn::kernels
#endif  // HWY_ONCE
