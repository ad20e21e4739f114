// A cell (16 floats) as vectors of the current SIMD target. Kernels include this once per target,
// hence the toggled include guard, as Highway requires.
#if defined(LIMN_KERNELS_CELL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LIMN_KERNELS_CELL_INL_H_
#undef LIMN_KERNELS_CELL_INL_H_
#else
#define LIMN_KERNELS_CELL_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>

#include "kernels/feature_map.h"

HWY_BEFORE_NAMESPACE();
namespace limn::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using CellTag = hn::CappedTag<float, kBlock>;
using CellVector = hn::Vec<CellTag>;
constexpr int kLanes = hn::MaxLanes(CellTag());
constexpr int kVectors = kBlock / kLanes;  // vectors in a cell: 1 (AVX-512), 2 (AVX2), 4

// Calls f(i) for i = 0 .. kCount - 1, unrolled, with i a compile-time constant: so arrays of
// accumulators stay in registers.
template <int kCount, typename F>
HWY_INLINE void unrolled(F&& f) {
  [&]<int... i>(std::integer_sequence<int, i...>) HWY_ATTR {
    (f(std::integral_constant<int, i>()), ...);
  }
  (std::make_integer_sequence<int, kCount>());
}

// Prefetches a cell into the second-level cache; the first has no room for data needed later.
HWY_INLINE void fetch(const float* cell) { __builtin_prefetch(cell, /*write=*/0, /*locality=*/2); }

// The mask of vector number `vector` of a cell as bits, at their place in the cell's word.
template <class Mask>
HWY_INLINE unsigned mask_bits(Mask mask, int vector) {
  uint8_t bytes[8] = {};  // StoreMaskBits may write more than the lanes need
  hn::StoreMaskBits(CellTag(), mask, bytes);
  return (bytes[0] | unsigned{bytes[1]} << 8) << (vector * kLanes);
}

// The inverse: the mask of vector number `vector` from the cell's word.
HWY_INLINE hn::Mask<CellTag> mask_of(unsigned word, int vector) {
  const unsigned shifted = word >> (vector * kLanes);
  const uint8_t bytes[8] = {static_cast<uint8_t>(shifted), static_cast<uint8_t>(shifted >> 8)};
  return hn::LoadMaskBits(CellTag(), bytes);
}

// The maximum of the 2 x 2 cells a b / e f and its place: the first in reading order among equals.
struct Maximum {
  CellVector value;
  hn::Mask<CellTag> right, below;
};
HWY_INLINE Maximum maximum_of(CellVector a, CellVector b, CellVector e, CellVector f) {
  const auto b_wins = hn::Gt(b, a);
  const auto f_wins = hn::Gt(f, e);
  const auto upper = hn::Max(a, b);
  const auto lower = hn::Max(e, f);
  const auto lower_wins = hn::Gt(lower, upper);
  return {hn::Max(upper, lower),
          hn::Or(hn::And(lower_wins, f_wins), hn::AndNot(lower_wins, b_wins)), lower_wins};
}

// The factor that turns the sum of 2 x 2 cells into their mean, not counting cells past the edge.
HWY_INLINE float pooling_share(bool two_rows, bool two_columns) {
  return (two_rows ? 0.5f : 1.0f) * (two_columns ? 0.5f : 1.0f);
}

}  // namespace limn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // LIMN_KERNELS_CELL_INL_H_
