// Half precision: halves the memory of features that S F reads long after they were computed, and
// of the vectors that L-BFGS remembers.
//
// A half (IEEE binary16) has 11 significant bits, a smallest step of 2^-24, and a maximum of 65504.
// Processors convert floats to it with rounding to nearest; Highway's software fallback truncates.
// So values are first rounded here, in float, which makes the conversion exact on every target.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/half.cc"
#include <hwy/foreach_target.h>
// clang-format off: after foreach_target.h
#include "kernels/cell-inl.h"
// clang-format on

#include <algorithm>

#include "kernels/kernels.h"
#include "kernels/pieces.h"

HWY_BEFORE_NAMESPACE();
namespace limn::kernels::HWY_NAMESPACE {

using HalfTag = hn::Rebind<hwy::float16_t, CellTag>;
using WordTag = hn::Rebind<uint16_t, CellTag>;

// The nearest half-precision value, ties to even.
//
// With p the largest power of two <= |x|, floats from 2^13 p on are multiples of 2^-10 p, so adding
// 2^13 p rounds x to 11 bits. Below the smallest normal half, 2^-14, p is held at 2^-14, which
// gives multiples of 2^-24.
HWY_INLINE CellVector nearest_half(CellVector x) {
  const CellTag d;
  const hn::RebindToUnsigned<CellTag> d_bits;
  const auto size = hn::Min(hn::Abs(x), hn::Set(d, 65504.0f));
  const auto normal = hn::BitCast(d_bits, hn::Max(size, hn::Set(d, 0x1p-14f)));
  const auto p = hn::BitCast(d, hn::And(normal, hn::Set(d_bits, 0x7f800000)));  // exponent only
  const auto large = hn::Mul(p, hn::Set(d, 0x1p13f));
  return hn::CopySign(hn::Sub(hn::Add(size, large), large), x);
}

void RoundToHalf(ConstFeatureMap F, const HalfMap& half, ThreadPool& pool) {
  const CellTag d;
  pool.run(static_cast<size_t>(F.blocks()) * F.height, [&](size_t task) HWY_ATTR {
    const int block = static_cast<int>(task / F.height);
    const int row = static_cast<int>(task % F.height);
    const float* from = F.cell(block, row, 0);
    uint16_t* to = half.row(block, row);
    for (int i = 0; i < F.width * kBlock; i += kLanes) {
      const auto rounded = hn::DemoteTo(HalfTag(), nearest_half(hn::Load(d, from + i)));
      hn::Store(hn::BitCast(WordTag(), rounded), WordTag(), to + i);
    }
  });
}

// Calls block(from, to) for every kLanes of n values, of whatever types; the last few are copied to
// a whole block and back.
template <typename From, typename To, typename Block>
HWY_INLINE void for_each_block(const From* from, To* to, size_t n, Block&& block) {
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) block(from + i, to + i);
  if (i == n) return;
  From last_from[kLanes] = {};
  To last_to[kLanes];
  std::copy_n(from + i, n - i, last_from);
  block(last_from, last_to);
  std::copy_n(last_to, n - i, to + i);
}

void RoundPieceToHalf(const float* x, float factor, uint16_t* half, size_t n) {
  const CellTag d;
  for_each_block(x, half, n, [&](const float* from, uint16_t* to) HWY_ATTR {
    const auto value = hn::Mul(hn::Set(d, factor), hn::LoadU(d, from));
    const auto rounded = hn::DemoteTo(HalfTag(), nearest_half(value));
    hn::StoreU(hn::BitCast(WordTag(), rounded), WordTag(), to);
  });
}

void ExpandHalfPiece(const uint16_t* half, float factor, float* x, size_t n) {
  const CellTag d;
  for_each_block(half, x, n, [&](const uint16_t* from, float* to) HWY_ATTR {
    const auto words = hn::BitCast(HalfTag(), hn::LoadU(WordTag(), from));
    hn::StoreU(hn::Mul(hn::Set(d, factor), hn::PromoteTo(d, words)), d, to);
  });
}

void ExpandHalfRow(const HalfMap& half, int row, FeatureMap F) {
  const CellTag d;
  for (int block = 0; block < F.blocks(); ++block) {
    const uint16_t* from = half.row(block, row);
    float* to = F.cell(block, row, 0);
    for (int i = 0; i < F.width * kBlock; i += kLanes) {
      const auto words = hn::Load(WordTag(), from + i);
      hn::Store(hn::PromoteTo(d, hn::BitCast(HalfTag(), words)), d, to + i);
    }
  }
}

}  // namespace limn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limn::kernels {

HWY_EXPORT(RoundToHalf);
HWY_EXPORT(ExpandHalfRow);
HWY_EXPORT(RoundPieceToHalf);
HWY_EXPORT(ExpandHalfPiece);

void round_to_half(ConstFeatureMap F, const HalfMap& half, ThreadPool& pool) {
  assert(half.channels == F.channels && half.height == F.height && half.width == F.width);
  HWY_DYNAMIC_DISPATCH(RoundToHalf)(F, half, pool);
}

void expand_half_row(const HalfMap& half, int row, FeatureMap F) {
  assert(half.channels == F.channels && half.height == F.height && half.width == F.width);
  HWY_DYNAMIC_DISPATCH(ExpandHalfRow)(half, row, F);
}

void round_to_half(std::span<const float> x, float factor, std::span<std::uint16_t> half) {
  assert(half.size() == x.size());
  HWY_DYNAMIC_DISPATCH(RoundPieceToHalf)(x.data(), factor, half.data(), x.size());
}

void expand_half(std::span<const std::uint16_t> half, float factor, std::span<float> x) {
  assert(half.size() == x.size());
  HWY_DYNAMIC_DISPATCH(ExpandHalfPiece)(half.data(), factor, x.data(), x.size());
}

}  // namespace limn::kernels
#endif  // HWY_ONCE
