// 3 x 3 convolution by Winograd's minimal filtering, F(4 x 4, 3 x 3) (Lavin and Gray,
// arXiv 1509.09308).
//
// WHY 36 REPLACES 144. A 3 x 3 convolution of a 6 x 6 patch gives a tile of 4 x 4 outputs: 16 x 9 =
// 144 multiplications for each pair of an input and an output channel. Seen as polynomials, patch
// and kernel can be evaluated at points, multiplied point by point, and interpolated. With the
// points 0, a, -a, b, -b and infinity in each direction that takes 6 x 6 = 36 multiplications:
//
//     Y = A^T [ (G g G^T) . (B^T d B) ] A        d: 6 x 6 patch, g: 3 x 3 kernel, Y: 4 x 4
//
//           | a^2b^2   0    -a^2-b^2     0     1  0 |        | 1/p           | | 1   0   0  |
//           |  0    -ab^2     -b^2       a     1  0 |        |   1/q         | | 1   a  a^2 |
//     B^T = |  0     ab^2     -b^2      -a     1  0 |    G = |     1/q       | | 1  -a  a^2 |
//           |  0    -ba^2     -a^2       b     1  0 |        |       1/r     | | 1   b  b^2 |
//           |  0     ba^2     -a^2      -b     1  0 |        |         1/r   | | 1  -b  b^2 |
//           |  0    a^2b^2     0    -a^2-b^2   0  1 |        |             1 | | 0   0   1  |
//
//           | 1   1    1    1    1   0 |
//     A^T = | 0   a   -a    b   -b   0 |      p = a^2 b^2,  q = 2 a^2 (a^2 - b^2),
//           | 0  a^2  a^2  b^2  b^2  0 |      r = 2 b^2 (b^2 - a^2)
//           | 0  a^3 -a^3  b^3 -b^3  1 |
//
// WHICH POINTS. In exact arithmetic any; in float32 the error grows with the matrices' entries.
// The customary a = 1, b = 2 (all entries small fractions) loses 2.2 times as much as a = 5/8,
// b = 3/2, which are used here: docs/speed.md has what was tried. Their powers are exact in
// float32; 1/p, 1/q and 1/r are not, and an error in them would be the same everywhere and add up
// where others cancel, so the products with them are rounded once (scale_point).
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
// Where a map has few tiles for its channels, kernels are most of what is read. Then V of all tiles
// is made first, and a task is a few output blocks, whose U is made on the spot and used at once.
//
// Where the processor has AMX, the products run on its tile registers (amx.h): V is cut into parts
// point by point, U task by task, and all output blocks of a task are computed at a time.
//
// What stands before or after the convolution is fused into the transforms (Source and Sink in
// kernels.h), because it would be one more pass over memory: bias, ReLU and pooling forward; their
// derivatives, read off sign bits and places, backward.
//
// THE PRICE is accuracy: the entries of the matrices amplify rounding. Against double precision the
// relative L2 error of a layer is about 1e-6, two to three times that of direct summation.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/winograd.cc"
#include <hwy/foreach_target.h>
// clang-format off: after foreach_target.h
#include "kernels/cell-inl.h"
// clang-format on

#include <hwy/cache_control.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernels/amx.h"
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

constexpr int kPrefetch = 1024;  // floats

// Between points lie 3 cells more than needed: strides that are multiples of 2 KB would put all 36
// points of a tile into the same cache sets.
constexpr size_t kPadding = 3 * kBlock;

// ------------------------------------------------------------------------------- transforms --

// The points, and what the matrices are made of.
constexpr float kA = 0.625f, kB = 1.5f;
constexpr float kA2 = kA * kA, kA3 = kA2 * kA, kB2 = kB * kB, kB3 = kB2 * kB;
constexpr float kP = kA2 * kB2;
constexpr double kQ = 2.0 * kA2 * (kA2 - kB2), kR = 2.0 * kB2 * (kB2 - kA2);

HWY_INLINE CellVector constant(float value) { return hn::Set(CellTag(), value); }

// B^T of six cells, in place.
HWY_INLINE void transform_input(CellVector (&d)[kSide]) {
  const auto even_a = hn::NegMulAdd(constant(kB2), d[2], d[4]);  // d4 - b^2 d2
  const auto odd_a = hn::NegMulAdd(constant(kB2), d[1], d[3]);   // d3 - b^2 d1
  const auto even_b = hn::NegMulAdd(constant(kA2), d[2], d[4]);
  const auto odd_b = hn::NegMulAdd(constant(kA2), d[1], d[3]);
  const auto middle = constant(kA2 + kB2);
  d[0] = hn::MulAdd(constant(kP), d[0], hn::NegMulAdd(middle, d[2], d[4]));
  d[5] = hn::MulAdd(constant(kP), d[1], hn::NegMulAdd(middle, d[3], d[5]));
  d[1] = hn::MulAdd(constant(kA), odd_a, even_a);
  d[2] = hn::NegMulAdd(constant(kA), odd_a, even_a);
  d[3] = hn::MulAdd(constant(kB), odd_b, even_b);
  d[4] = hn::NegMulAdd(constant(kB), odd_b, even_b);
}

// A^T of six cells: the first four are the result.
HWY_INLINE void transform_output(CellVector (&m)[kSide]) {
  const auto sum_a = hn::Add(m[1], m[2]);
  const auto difference_a = hn::Sub(m[1], m[2]);
  const auto sum_b = hn::Add(m[3], m[4]);
  const auto difference_b = hn::Sub(m[3], m[4]);
  m[0] = hn::Add(hn::Add(m[0], sum_a), sum_b);
  m[1] = hn::MulAdd(constant(kB), difference_b, hn::Mul(constant(kA), difference_a));
  m[2] = hn::MulAdd(constant(kB2), sum_b, hn::Mul(constant(kA2), sum_a));
  m[3] = hn::MulAdd(constant(kB3), difference_b, hn::MulAdd(constant(kA3), difference_a, m[5]));
}

// G of three cells, without its diagonal factor: six.
HWY_INLINE void transform_taps(const CellVector (&g)[3], CellVector (&u)[kSide]) {
  const auto even_a = hn::MulAdd(constant(kA2), g[2], g[0]);
  const auto even_b = hn::MulAdd(constant(kB2), g[2], g[0]);
  u[0] = g[0];
  u[1] = hn::MulAdd(constant(kA), g[1], even_a);
  u[2] = hn::NegMulAdd(constant(kA), g[1], even_a);
  u[3] = hn::MulAdd(constant(kB), g[1], even_b);
  u[4] = hn::NegMulAdd(constant(kB), g[1], even_b);
  u[5] = g[2];
}

// The diagonal factors of G on both sides, at a point: as the sum of two floats.
template <int kPoint>
HWY_INLINE CellVector scale_point(CellVector u) {
  constexpr double kFactors[kSide] = {1.0 / kP, 1.0 / kQ, 1.0 / kQ, 1.0 / kR, 1.0 / kR, 1.0};
  constexpr double kFactor = kFactors[kPoint / kSide] * kFactors[kPoint % kSide];
  constexpr auto kUpper = static_cast<float>(kFactor);
  constexpr auto kLower = static_cast<float>(kFactor - kUpper);
  return hn::MulAdd(u, constant(kUpper), hn::Mul(u, constant(kLower)));
}

// U of the 16 x 16 kernels of one pair of blocks: taps[9][16 in][16 out] -> u[36][16 in][16 out],
// the points u_point floats apart.
void transform_block(const float* HWY_RESTRICT taps, float* HWY_RESTRICT u, size_t u_point) {
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
          hn::Store(scale_point<i * kSide + j>(transformed[j]), d,
                    u + (i * kSide + j) * u_point + place);
        });
      });
    }
  }
}

// The kernels of one pair of blocks turned by 180 degrees, input and output channels exchanged.
void turn(const float* taps, float* turned) {
  for (int tap = 0; tap < kTaps; ++tap) {
    float* to = turned + (kTaps - 1 - tap) * kBlock * kBlock;
    for (int in = 0; in < kBlock; ++in) {
      for (int out = 0; out < kBlock; ++out) to[out * kBlock + in] = *taps++;
    }
  }
}

// U of the pair of blocks `to`, `from` of the convolution in a direction: u[36][16 from][16 to].
void TransformPair(const PackedKernel& kernel, Direction direction, size_t to, size_t from,
                   float* u, size_t u_point) {
  constexpr size_t kPairFloats = static_cast<size_t>(kTaps) * kBlock * kBlock;
  const size_t in_blocks = kernel.in / kBlock;
  if (direction == Direction::forward) {
    transform_block(kernel.values.data() + (to * in_blocks + from) * kPairFloats, u, u_point);
    return;
  }
  HWY_ALIGN float turned[kPairFloats];
  turn(kernel.values.data() + (from * in_blocks + to) * kPairFloats, turned);
  transform_block(turned, u, u_point);
}

// V of one patch: B^T d B. read(y, x, v) is vector v of the patch's cell (y, x); write(point, v,
// value) takes the results.
template <class Read, class Write>
HWY_INLINE void transform_patch(const Read& read, const Write& write) {
  for (int v = 0; v < kVectors; ++v) {
    CellVector rows[kSide][kSide];  // B^T d
    unrolled<kSide>([&](auto x) HWY_ATTR {
      CellVector column[kSide];
      unrolled<kSide>([&](auto y) HWY_ATTR { column[y] = read(y, x, v); });
      transform_input(column);
      unrolled<kSide>([&](auto y) HWY_ATTR { rows[y][x] = column[y]; });
    });
    unrolled<kSide>([&](auto y) HWY_ATTR {
      transform_input(rows[y]);
      unrolled<kSide>([&](auto x) HWY_ATTR { write(y * kSide + x, v, rows[y][x]); });
    });
  }
}

// Writes cells that lie `stride` floats apart.
struct CellWriter {
  float* cells;
  size_t stride;
  HWY_INLINE void operator()(int point, int v, CellVector value) const {
    hn::Store(value, CellTag(), cells + point * stride + v * kLanes);
  }
};

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
    return row >= 0 && column >= 0 && row < 2 * source.map.height && column < 2 * source.map.width;
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
      const float share = pooling_share(two_rows, two_columns);
      const auto gradient = hn::Load(d, source.map.cell(block, i / 2, j / 2) + v * kLanes);
      return hn::IfThenElseZero(mask_of(source.signs.row(block, i)[j], v),
                                hn::Mul(gradient, hn::Set(d, share)));
    }
  };
  Patch patch(int block, int row, int column) const { return {source, block, row, column}; }
};

// A patch that reaches over an edge: what lies beyond is zero.
template <class Reader, class Write>
HWY_NOINLINE void transform_edge_patch(const Reader& reader, int block, int row, int column,
                                       const Write& write) {
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
  transform_patch(MapReader::Patch{cells, kSide * kBlock}, write);
}

template <class Reader, class Write>
HWY_INLINE void transform_tile(const Reader& reader, int block, const Tiles& tiles, int tile,
                               const Write& write) {
  const int row = tiles.row_of(tile) - 1 - reader.source.row;
  const int column = tiles.column_of(tile) - 1 - reader.source.column;
  if (reader.direct(row, column)) {
    transform_patch(reader.patch(block, row, column), write);
  } else {
    transform_edge_patch(reader, block, row, column, write);
  }
}

// Calls use(reader) with the source's reader.
template <class Use>
HWY_INLINE void with_reader(const Source& source, const Use& use) {
  switch (source.kind) {
    case Source::Kind::map:
      return use(MapReader{source});
    case Source::Kind::relu_gradient:
      return use(ReluGradientReader{source});
    case Source::Kind::max_pool_gradient:
      return use(MaxPoolGradientReader{source});
    case Source::Kind::average_pool_gradient:
      return use(AveragePoolGradientReader{source});
  }
}

// Whether the products run on AMX's tile registers.
bool OnAmx(int in, int out) { return amx_serves(kLanes, in, out); }

// The strides of V and M for a task of as many tiles, in floats. The last group of tiles may be a
// whole one.
struct Strides {
  Strides(int in, int count, int blocks, int group = kGroup)
      : tiles((count + group - 1) / group * group),
        block(tiles * kBlock),
        v_point(block * (in / kBlock) + kPadding),
        m_point(block * blocks + kPadding) {}
  size_t tiles, block, v_point, m_point;
};

void transform_source(const Source& source, const Tiles& tiles, int in_blocks,
                      const Strides& strides, float* V) {
  with_reader(source, [&](auto reader) HWY_ATTR {
    for (int block = 0; block < in_blocks; ++block) {
      for (int t = 0; t < tiles.count; ++t) {
        const CellWriter write = {V + block * strides.block + t * kBlock, strides.v_point};
        transform_tile(reader, block, tiles, t, write);
      }
    }
  });
}

// ---------------------------------------------------------------------------------- products --

// M = U V at one point ("+=" with `add`), for kTiles tiles and kBlocks output blocks:
// u[kBlocks][in][16 out], the blocks u_block floats apart; V[in / 16][tiles][16 in] and
// M[kBlocks][tiles][16 out], the blocks tile_block floats apart.
template <int kBlocks, int kTiles>
HWY_INLINE void multiply_group(const float* HWY_RESTRICT u, size_t u_block,
                               const float* HWY_RESTRICT V, int in_blocks, bool add,
                               float* HWY_RESTRICT M, size_t tile_block) {
  const CellTag d;
  constexpr int kKernelVectors = kBlocks * kVectors;
  CellVector sums[kTiles][kKernelVectors];
  unrolled<kTiles>([&](auto t) HWY_ATTR {
    unrolled<kKernelVectors>([&](auto k) HWY_ATTR { sums[t][k] = hn::Zero(d); });
  });
  for (int block = 0; block < in_blocks; ++block, V += tile_block) {
    for (int c = 0; c < kBlock; ++c, u += kBlock) {
      CellVector kernel[kKernelVectors];
      unrolled<kKernelVectors>([&](auto k) HWY_ATTR {
        kernel[k] = hn::Load(d, u + (k / kVectors) * u_block + (k % kVectors) * kLanes);
        // Kernels come from a far cache when channels are many; a page ahead hides that.
        if (k % kVectors == 0) hwy::Prefetch(u + (k / kVectors) * u_block + kPrefetch);
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
      float* to = M + (k / kVectors) * tile_block + t * kBlock + (k % kVectors) * kLanes;
      hn::Store(add ? hn::Add(hn::Load(d, to), sums[t][k]) : sums[t][k], d, to);
    });
  });
}

// The same for all tiles and some input blocks: as many whole groups as there are, then the
// smallest that holds the rest.
template <int kBlocks>
void multiply_tiles(const float* u, size_t u_block, const float* V, int in_blocks, bool add,
                    int tiles, const Strides& strides, float* M) {
  int t = 0;
  const auto multiply = [&](auto group) HWY_ATTR {
    multiply_group<kBlocks, group>(u, u_block, V + t * kBlock, in_blocks, add, M + t * kBlock,
                                   strides.block);
    t += group;
  };
  while (tiles - t > kGroup * 2 / 3) multiply(std::integral_constant<int, kGroup>());
  if (tiles - t > kGroup / 3) multiply(std::integral_constant<int, kGroup * 2 / 3>());
  if (tiles - t > 0) multiply(std::integral_constant<int, kGroup / 3>());
}

constexpr int kChunk = 8;  // blocks

// The same for all input blocks, kChunk at a time: so the kernels' part stays in the nearest cache
// while the tiles go by, and long sums are taken in parts, which loses fewer digits.
template <int kBlocks>
void multiply(const float* u, size_t u_block, const float* V, int in_blocks, int tiles,
              const Strides& strides, float* M) {
  for (int first = 0; first < in_blocks; first += kChunk) {
    multiply_tiles<kBlocks>(u + first * kBlock * kBlock, u_block, V + first * strides.block,
                            std::min(kChunk, in_blocks - first), first > 0, tiles, strides, M);
  }
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
    float* cell =
        sink.map.cell(place.block, place.row + y - sink.row, place.column + x - sink.column);
    for (int v = 0; v < kVectors; ++v) store(hn::Load(d, tile[y][x] + v * kLanes), cell, v);
  });
}

HWY_INLINE void put_add(const Sink& sink, const Place& place, const TileCells& tile) {
  const CellTag d;
  for_each_output(sink, place, [&](int y, int x) HWY_ATTR {
    float* cell =
        sink.map.cell(place.block, place.row + y - sink.row, place.column + x - sink.column);
    for (int v = 0; v < kVectors; ++v) {
      const auto sum =
          hn::Add(hn::Load(d, tile[y][x] + v * kLanes), hn::Load(d, cell + v * kLanes));
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
    sink.signs.row(place.block, row)[column] =
        put_relu_cell(tile[y][x], sink.map.cell(place.block, row - sink.row, column - sink.column));
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
        const Maximum maximum = maximum_of(a, b, e, f);
        right_bits |= mask_bits(maximum.right, v);
        below_bits |= mask_bits(maximum.below, v);
        signs |= mask_bits(hn::Gt(maximum.value, hn::Zero(d)), v);
        store(hn::Max(maximum.value, hn::Zero(d)), cell, v);
      }
      sink.places.right.row(place.block, row)[column] = static_cast<uint16_t>(right_bits);
      sink.places.below.row(place.block, row)[column] = static_cast<uint16_t>(below_bits);
      sink.signs.row(place.block, row)[column] = static_cast<uint16_t>(signs);
    }
  }
}

HWY_INLINE void put_relu_average_pool(const Sink& sink, const Place& place, const TileCells& tile) {
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
      const auto share = hn::Set(d, pooling_share(two_rows, two_columns));
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
HWY_INLINE void finish_tiles(const float* M, size_t m_point, const float* bias, int block,
                             const Tiles& tiles, const Put& put) {
  const CellTag d;
  for (int t = 0; t < tiles.count; ++t) {
    const float* m = M + t * kBlock;
    HWY_ALIGN TileCells tile;
    for (int v = 0; v < kVectors; ++v) {
      CellVector rows[kTileSide][kSide];  // A^T m
      unrolled<kSide>([&](auto x) HWY_ATTR {
        CellVector column[kSide];
        unrolled<kSide>([&](auto i) HWY_ATTR {
          column[i] = hn::Load(d, m + (i * kSide + x) * m_point + v * kLanes);
        });
        transform_output(column);
        unrolled<kTileSide>([&](auto i) HWY_ATTR { rows[i][x] = column[i]; });
      });
      const auto start = bias ? hn::LoadU(d, bias + v * kLanes) : hn::Zero(d);
      unrolled<kTileSide>([&](auto i) HWY_ATTR {
        transform_output(rows[i]);
        unrolled<kTileSide>([&](auto x) HWY_ATTR {
          hn::Store(hn::Add(rows[i][x], start), d, tile[i][x] + v * kLanes);
        });
      });
    }
    put(Place{block, tiles.row_of(t), tiles.column_of(t)}, tile);
  }
}

// The outputs of one block, and what goes with them.
void finish_block(const float* M, size_t m_point, const float* bias, const Sink& sink, int block,
                  const Tiles& tiles) {
  const auto finish = [&](auto put) HWY_ATTR {
    finish_tiles(M, m_point, bias, block, tiles,
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
// stays in the near cache, so M is kept small. Many: V is read from far, so M takes all blocks; so
// it does with AMX, for which V is cut anew for each group.
int blocks_at_a_time(int in, int out, bool amx) {
  constexpr int kMany = 256;
  return amx || in >= kMany ? out / kBlock : std::min(kPairBlocks, out / kBlock);
}

// How a task on many tiles is laid out.
struct Plan {
  Plan(const TransformedKernel& kernel, int tiles)
      : amx(OnAmx(kernel.in, kernel.out)),
        blocks(blocks_at_a_time(kernel.in, kernel.out, amx)),
        strides(kernel.in, tiles, blocks, amx ? kAmxRows : kGroup),
        rows{nullptr, kernel.in, tiles} {}
  bool amx;
  int blocks;  // output blocks whose M is held at a time
  Strides strides;
  AmxRows rows;  // V of one point

  size_t transformed() const { return kPoints * (strides.v_point + strides.m_point); }
  size_t scratch() const {
    return transformed() + (amx ? amx_floats(rows.values() + AmxProducts::kScratch) : 0);
  }
};

size_t TileScratch(const TransformedKernel& kernel, int tiles) {
  return Plan(kernel, tiles).scratch();
}

// M = U V at all points, for output blocks first..end - 1.
void multiply_points(const TransformedKernel& kernel, const float* V, const Strides& strides,
                     int tiles, int first, int end, float* M) {
  const int in_blocks = kernel.in / kBlock;
  const size_t u_block = static_cast<size_t>(kernel.in) * kBlock;
  for (int point = 0; point < kPoints; ++point) {
    const float* U = kernel.U + point * kernel.point_stride;
    const float* v = V + point * strides.v_point;
    float* m = M + point * strides.m_point;
    int block = first;
    for (; block + kPairBlocks <= end; block += kPairBlocks, m += kPairBlocks * strides.block) {
      multiply<kPairBlocks>(U + block * u_block, u_block, v, in_blocks, tiles, strides, m);
    }
    for (; block < end; ++block, m += strides.block) {
      multiply<1>(U + block * u_block, u_block, v, in_blocks, tiles, strides, m);
    }
  }
}

// The same on AMX, for all output blocks. scratch holds the parts of V at one point, and what
// AmxProducts needs.
void multiply_points_on_amx(const TransformedKernel& kernel, const float* V, AmxRows rows,
                            const Strides& strides, float* M, float* scratch) {
  rows.parts = reinterpret_cast<uint16_t*>(scratch);
  AmxProducts products(rows.parts + rows.values(), kernel.U, kernel.in);
  const AmxRegisters registers;
  for (int point = 0; point < kPoints; ++point) {
    const float* U = kernel.U + point * kernel.point_stride;
    amx_cut(V + point * strides.v_point, strides.block, rows);
    products.multiply_all(rows, U, kernel.out, M + point * strides.m_point, strides.block,
                          point + 1 < kPoints ? U + kernel.point_stride : nullptr);
  }
}

void ConvolveTiles(const TransformedKernel& kernel, const float* bias, const Source& source,
                   const Sink& sink, const Tiles& tiles, float* scratch) {
  const Plan plan(kernel, tiles.count);
  const Strides& strides = plan.strides;
  const int out_blocks = kernel.out / kBlock;
  float* V = scratch;
  float* M = V + kPoints * strides.v_point;
  transform_source(source, tiles, kernel.in / kBlock, strides, V);
  for (int first = 0; first < out_blocks; first += plan.blocks) {
    const int end = std::min(first + plan.blocks, out_blocks);
    if (plan.amx) {
      multiply_points_on_amx(kernel, V, plan.rows, strides, M, scratch + plan.transformed());
    } else {
      multiply_points(kernel, V, strides, tiles.count, first, end, M);
    }
    for (int block = first; block < end; ++block) {
      finish_block(M + (block - first) * strides.block, strides.m_point,
                   bias ? bias + block * kBlock : nullptr, sink, block, tiles);
    }
  }
}

// ---- few tiles: V of all tiles is made first, then a task is some output blocks ----
//
// Then a kernel's transform is used by one task only, at once, a part of its input channels at a
// time: U never leaves the near cache.

// V of all tiles at one point: cells, or with AMX their parts.
size_t PatchFloats(int in, int out, int tiles) {
  if (OnAmx(in, out)) return kPoints * amx_floats(AmxRows{nullptr, in, tiles}.values());
  return kPoints * Strides(in, tiles, 0).v_point;
}

// The parts of one of the points that lie one after the other.
uint16_t* parts_at(const float* V, const AmxRows& rows, int point) {
  return reinterpret_cast<uint16_t*>(const_cast<float*>(V)) + point * rows.values();
}

constexpr int kSourceTiles = kLanes == 16 ? 16 : 12;  // of a task that makes V; whole groups
static_assert(kLanes != 16 || kSourceTiles == kAmxRows);

int SourceTasks(int tiles) { return (tiles + kSourceTiles - 1) / kSourceTiles; }

size_t SourceScratch(int in, int out) {
  return OnAmx(in, out) ? kPoints * Strides(in, kAmxRows, 0, kAmxRows).v_point : 0;
}

// V of task number `task`: some tiles of all.
void TransformSource(const Source& source, const Tiles& tiles, int out, size_t task, float* V,
                     float* scratch) {
  const int in = source.map.channels;
  const int in_blocks = in / kBlock;
  Tiles some = tiles;
  some.first = static_cast<int>(task) * kSourceTiles;
  some.count = std::min(kSourceTiles, tiles.count - some.first);
  if (!OnAmx(in, out)) {
    transform_source(source, some, in_blocks, Strides(in, tiles.count, 0), V + some.first * kBlock);
    return;
  }
  const Strides strides(in, kAmxRows, 0, kAmxRows);
  transform_source(source, some, in_blocks, strides, scratch);
  for (int point = 0; point < kPoints; ++point) {
    AmxRows rows = {nullptr, in, tiles.count};
    rows.parts = parts_at(V, rows, point) + task * rows.group_values();
    rows.rows = some.count;
    amx_cut(scratch + point * strides.v_point, strides.block, rows);
  }
}

// How a task of output blocks is laid out.
struct OutputPlan {
  OutputPlan(int in, int out, int tiles, int blocks)
      : amx(OnAmx(in, out)),
        u_point(static_cast<size_t>(blocks) * kChunk * kBlock * kBlock + kPadding),
        strides(in, tiles, blocks, amx ? kAmxRows : kGroup),
        rows{nullptr, in, tiles} {}
  bool amx;
  size_t u_point;  // floats from a point of U to the next
  Strides strides;
  AmxRows rows;

  size_t products() const { return kPoints * (u_point + strides.m_point); }
  size_t scratch() const { return products() + (amx ? amx_floats(AmxProducts::kScratch) : 0); }
};

size_t OutputScratch(int in, int out, int tiles, int blocks) {
  return OutputPlan(in, out, tiles, blocks).scratch();
}

// M of some output blocks += U V at all points, for the input blocks from..from + part - 1.
// U[points][blocks][part][16 in][16 out].
void multiply_part(const OutputPlan& plan, const float* U, const float* V, int tiles, int from,
                   int part, int blocks, float* M) {
  const Strides& strides = plan.strides;
  const size_t u_block = static_cast<size_t>(part) * kBlock * kBlock;
  for (int point = 0; point < kPoints; ++point) {
    const float* u = U + point * plan.u_point;
    const float* v = V + point * strides.v_point + from * strides.block;
    float* m = M + point * strides.m_point;
    int block = 0;
    for (; block + kPairBlocks <= blocks; block += kPairBlocks) {
      multiply_tiles<kPairBlocks>(u + block * u_block, u_block, v, part, from > 0, tiles, strides,
                                  m + block * strides.block);
    }
    for (; block < blocks; ++block) {
      multiply_tiles<1>(u + block * u_block, u_block, v, part, from > 0, tiles, strides,
                        m + block * strides.block);
    }
  }
}

// The same on AMX, for an even number of blocks.
void multiply_part_on_amx(const OutputPlan& plan, const float* U, const float* V, int from,
                          int part, int blocks, float* M, float* scratch) {
  const size_t u_block = static_cast<size_t>(part) * kBlock * kBlock;
  const auto columns_at = [&](int point, int block) -> AmxColumns {
    if (block == blocks) block = 0, ++point;
    if (point == kPoints) return {};
    return {U + point * plan.u_point + block * u_block, u_block, part * kBlock};
  };
  AmxProducts products(reinterpret_cast<uint16_t*>(scratch), columns_at(0, 0));
  const AmxRegisters registers;
  AmxRows rows = plan.rows;
  for (int point = 0; point < kPoints; ++point) {
    rows.parts = parts_at(V, rows, point);
    for (int block = 0; block < blocks; block += kAmxBlocks) {
      float* m = M + point * plan.strides.m_point + block * plan.strides.block;
      products.multiply(rows, from * kBlock, from > 0, m, plan.strides.block,
                        columns_at(point, block + kAmxBlocks));
    }
  }
}

// Output blocks first .. first + blocks - 1 of all tiles, from V.
void ConvolveOutputs(const PackedKernel& kernel, Direction direction, const float* bias,
                     const float* V, const Sink& sink, const Tiles& tiles, int first, int blocks,
                     float* scratch) {
  const bool forward = direction == Direction::forward;
  const int in = forward ? kernel.in : kernel.out;
  const int in_blocks = in / kBlock;
  const OutputPlan plan(in, forward ? kernel.out : kernel.in, tiles.count, blocks);
  float* U = scratch;
  float* M = U + kPoints * plan.u_point;
  for (int from = 0; from < in_blocks; from += kChunk) {
    const int part = std::min(kChunk, in_blocks - from);
    for (int block = 0; block < blocks; ++block) {
      for (int i = 0; i < part; ++i) {
        TransformPair(kernel, direction, first + block, from + i,
                      U + (block * part + i) * kBlock * kBlock, plan.u_point);
      }
    }
    if (plan.amx) {
      multiply_part_on_amx(plan, U, V, from, part, blocks, M, scratch + plan.products());
    } else {
      multiply_part(plan, U, V, tiles.count, from, part, blocks, M);
    }
  }
  for (int block = 0; block < blocks; ++block) {
    finish_block(M + block * plan.strides.block, plan.strides.m_point,
                 bias ? bias + (first + block) * kBlock : nullptr, sink, first + block, tiles);
  }
}

// ---- many tiles ----

// The tiles of one task: so many that every thread gets as many, and no more than caches bear. With
// vectors and few channels all of a task is to stay in a near cache; where kernels are large, or
// are cut for each task, more tiles share them.
int TilesPerTask(int in, int out, int tiles, int threads) {
  constexpr int kManyChannels = 256;
  const int most = OnAmx(in, out) ? 128 : in >= kManyChannels ? 132 : 36;
  const int rounds = (tiles + most * threads - 1) / (most * threads);
  const int tasks = rounds * threads;
  return (tiles + tasks - 1) / tasks;
}

}  // namespace limn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limn::kernels {

HWY_EXPORT(OnAmx);
HWY_EXPORT(TransformPair);
HWY_EXPORT(SourceScratch);
HWY_EXPORT(SourceTasks);
HWY_EXPORT(TransformSource);
HWY_EXPORT(OutputScratch);
HWY_EXPORT(ConvolveOutputs);
HWY_EXPORT(PatchFloats);
HWY_EXPORT(TileScratch);
HWY_EXPORT(ConvolveTiles);
HWY_EXPORT(TilesPerTask);

namespace {

constexpr int kTaps = 9;
constexpr int kPoints = 36;
constexpr size_t kTapBlock = static_cast<size_t>(kBlock) * kBlock;
constexpr size_t kPairFloats = kTaps * kTapBlock;  // a pair of blocks in a packed kernel

TransformedKernel kernel_shape(int in, int out) {
  return {nullptr, static_cast<size_t>(in) * out + 3 * kBlock, in, out};
}

int tiles_across(int side) { return (side + kTileSide - 1) / kTileSide; }

}  // namespace

std::string_view instruction_set() {
  if (HWY_DYNAMIC_DISPATCH(OnAmx)(kAmxInputs, kAmxOutputs)) return "AMX";
  const int64_t best = hwy::SupportedTargets() & HWY_TARGETS;
  return hwy::TargetName(best & -best);
}

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
  TransformedKernel result = kernel_shape(kernel.in, kernel.out);
  if (direction == Direction::backward) std::swap(result.in, result.out);
  float* U = pool.shared_scratch(kPoints * result.point_stride).data();
  result.U = U;
  const size_t in_blocks = result.in / kBlock;
  pool.run(in_blocks * (result.out / kBlock), [&](size_t pair) {
    HWY_DYNAMIC_DISPATCH(TransformPair)
    (kernel, direction, pair / in_blocks, pair % in_blocks, U + pair * kTapBlock,
     result.point_stride);
  });
  return result;
}

size_t tile_scratch(const TransformedKernel& kernel, int tiles) {
  return HWY_DYNAMIC_DISPATCH(TileScratch)(kernel, tiles);
}

void convolve_tiles(const TransformedKernel& kernel, const float* bias, const Source& source,
                    const Sink& sink, const Tiles& tiles, std::span<float> scratch) {
  assert(scratch.size() >= tile_scratch(kernel, tiles.count));
  HWY_DYNAMIC_DISPATCH(ConvolveTiles)(kernel, bias, source, sink, tiles, scratch.data());
}

namespace {

// Whether a convolution has so few tiles that its kernels, transformed, are by far the most of what
// it reads.
bool has_few_tiles(int in, int tiles) { return tiles * 4 <= in; }

// Output blocks of a task: every task reads V anew, but U and M of one are to stay in a near cache,
// and there must be tasks for all threads.
int blocks_per_task(int blocks, int threads) { return blocks >= 4 * threads ? 4 : 2; }

void convolve_few_tiles(const PackedKernel& kernel, Direction direction, const float* bias,
                        const Source& source, const Sink& sink, const Tiles& tiles,
                        ThreadPool& pool) {
  const int in = source.map.channels;
  const int out = sink.map.channels;
  float* V = pool.shared_scratch(HWY_DYNAMIC_DISPATCH(PatchFloats)(in, out, tiles.count)).data();
  const size_t source_scratch = HWY_DYNAMIC_DISPATCH(SourceScratch)(in, out);
  pool.run(HWY_DYNAMIC_DISPATCH(SourceTasks)(tiles.count), [&](size_t task, int thread) {
    HWY_DYNAMIC_DISPATCH(TransformSource)
    (source, tiles, out, task, V, pool.thread_scratch(thread, source_scratch).data());
  });
  const int blocks = sink.map.blocks();
  const int per_task = blocks_per_task(blocks, pool.threads());
  const size_t scratch = HWY_DYNAMIC_DISPATCH(OutputScratch)(in, out, tiles.count, per_task);
  pool.run((blocks + per_task - 1) / per_task, [&](size_t task, int thread) {
    const int first = static_cast<int>(task) * per_task;
    HWY_DYNAMIC_DISPATCH(ConvolveOutputs)
    (kernel, direction, bias, V, sink, tiles, first, std::min(per_task, blocks - first),
     pool.thread_scratch(thread, scratch).data());
  });
}

void convolve_many_tiles(const PackedKernel& kernel, Direction direction, const float* bias,
                         const Source& source, const Sink& sink, const Tiles& tiles,
                         ThreadPool& pool) {
  // The kernel is transformed anew at each call, into memory that all layers share: transformed
  // kernels take four times the memory, and making them is a few percent of the work.
  const TransformedKernel transformed = transform_kernel(kernel, direction, pool);
  const int per_task = HWY_DYNAMIC_DISPATCH(TilesPerTask)(transformed.in, transformed.out,
                                                          tiles.count, pool.threads());
  pool.run((tiles.count + per_task - 1) / per_task, [&](size_t task, int thread) {
    Tiles some = tiles;
    some.first = static_cast<int>(task) * per_task;
    some.count = std::min(per_task, tiles.count - some.first);
    convolve_tiles(transformed, bias, source, sink, some,
                   pool.thread_scratch(thread, tile_scratch(transformed, some.count)));
  });
}

}  // namespace

size_t convolution_scratch(int in, int out, int height, int width, int threads) {
  const int tiles = tiles_across(height) * tiles_across(width);
  if (has_few_tiles(in, tiles)) {
    const int blocks = blocks_per_task(out / kBlock, threads);
    return HWY_DYNAMIC_DISPATCH(PatchFloats)(in, out, tiles) +
           threads * std::max(HWY_DYNAMIC_DISPATCH(SourceScratch)(in, out),
                              HWY_DYNAMIC_DISPATCH(OutputScratch)(in, out, tiles, blocks));
  }
  const TransformedKernel shape = kernel_shape(in, out);
  const int per_task = HWY_DYNAMIC_DISPATCH(TilesPerTask)(in, out, tiles, threads);
  return kPoints * shape.point_stride + threads * tile_scratch(shape, per_task);
}

void convolve(const PackedKernel& kernel, Direction direction, const float* bias,
              const Source& source, const Sink& sink, ThreadPool& pool) {
  assert((direction == Direction::forward ? kernel.in : kernel.out) == source.map.channels);
  assert((direction == Direction::forward ? kernel.out : kernel.in) == sink.map.channels);
  // Each value of the output is computed from its own tile by the same operations, whichever task
  // it falls into and by whichever of the two ways: so work may be cut by the number of threads.
  const int across = tiles_across(sink.width);
  const Tiles tiles = {0, 0, across, across * tiles_across(sink.height), 0};
  const auto way =
      has_few_tiles(source.map.channels, tiles.count) ? convolve_few_tiles : convolve_many_tiles;
  way(kernel, direction, bias, source, sink, tiles, pool);
}

}  // namespace limn::kernels
#endif  // HWY_ONCE
