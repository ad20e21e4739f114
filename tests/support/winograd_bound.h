// How far kernels::convolve may be from its twin, and why.
//
// Winograd's result is A^T [ sum over channels (G g G^T) . (B^T d B) ] A (kernels/winograd.cc). It
// adds and subtracts terms much larger than the final result: the rows of A^T have absolute sums of
// 4.3 to 8.2, those of B^T 3.5 to 5.3, those of G 0.6 to 1.4, and each matrix is applied twice. The
// total size of the terms is given by the same formula without signs,
//
//     magnitude = |A^T| [ sum over channels (|G| |g| |G^T|) . (|B^T| |d| |B|) ] |A|
//
// at the output's place in its tile: 23 to 63 times the absolute convolution.
//
// Each term undergoes up to 4 roundings in each of six matrix passes (two per matrix), one as a
// product, and those of the sum over channels, each of half an epsilon. All in one direction, they
// would add up to 13 epsilon and more. But they go up and down alike, independently for 36 points
// and many channels: 96 % of the outputs are within 0.05 epsilon of the magnitude. Where few terms
// contribute (an edge, a gradient with few maxima) nothing averages out, and roundings of the
// output itself count: there the largest error in these tests, among some hundred million outputs,
// is 1.31 epsilon. kWinogradTolerance is four times that.
//
// It is still less than a hundredth of the share of one term in 144 (16 channels of 9 taps).
#pragma once

#include <span>

#include "kernels/kernels.h"
#include "support/guarded_memory.h"
#include "support/tolerance.h"

namespace limn {

inline constexpr double kWinogradTolerance = 5 * kEpsilon;  // relative to the magnitude

// The magnitude at each output of the convolution of x, whose ring is read, plus the absolute bias
// (may be null). kernel: [out][in][3][3] of the forward direction; channels: of the output.
GuardedMap winograd_magnitude(std::span<const float> kernel, kernels::Direction direction,
                              const float* bias, ConstFeatureMap x, int channels);

}  // namespace limn
