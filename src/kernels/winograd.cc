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

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernels/amx.h"
#include "kernels/kernels.h"
#include "kernels/pieces.h"
#include "kernels/products-inl.h"
#include "kernels/winograd_sinks-inl.h"
#include "kernels/winograd_sources-inl.h"
#include "kernels/winograd_transforms-inl.h"

HWY_BEFORE_NAMESPACE();
namespace limn::kernels::HWY_NAMESPACE {

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

// Whether the products run on AMX's tile registers.
bool OnAmx(int in, int out) { return amx_serves(kLanes, in, out); }

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
