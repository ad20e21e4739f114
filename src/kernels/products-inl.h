// Matrix products on vectors: M = U V, of cells. winograd.cc, which names the operands, needs one
// at each of its 36 points for some tiles; nearest.cc, for some positions.
#if defined(LIMN_KERNELS_PRODUCTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LIMN_KERNELS_PRODUCTS_INL_H_
#undef LIMN_KERNELS_PRODUCTS_INL_H_
#else
#define LIMN_KERNELS_PRODUCTS_INL_H_
#endif

#include <hwy/cache_control.h>

#include <algorithm>
#include <utility>

#include "kernels/cell-inl.h"

HWY_BEFORE_NAMESPACE();
namespace limn::kernels::HWY_NAMESPACE {

// Accumulators of the product: an FMA has a latency of 4 cycles and two start in each, so 8 must be
// in flight; more make loads cheaper. Of AVX-512's 32 registers 12 tiles x 2 blocks take 24, of
// AVX2's 16 6 tiles x 2 vectors take 12, which leaves room for kernel cells and broadcasts.
constexpr int kPairBlocks = kLanes == 16 ? 2 : 1;                // output blocks at a time
constexpr int kGroup = kLanes == 16 ? 12 : kLanes == 8 ? 6 : 3;  // tiles at a time

constexpr int kPrefetch = 1024;  // floats

// Between points lie 3 cells more than needed: strides that are multiples of 2 KB would put all 36
// points of a tile into the same cache sets.
constexpr size_t kPadding = 3 * kBlock;

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

}  // namespace limn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // LIMN_KERNELS_PRODUCTS_INL_H_
