// How far kernels::convolve may be from its twin, and why.
//
// Winograd's result is A^T [ sum over channels (G g G^T) . (B^T d B) ] A (kernels/winograd.cc). It
// adds and subtracts terms much larger than what is left of them in the end: A^T's rows have
// absolute sums of 4.3 to 8.2, B^T's of 3.5 to 5.3, G's of 0.6 to 1.4, and each comes in twice. How
// large the terms are together is told by the same formula without any signs,
//
//     magnitude = |A^T| [ sum over channels (|G| |g| |G^T|) . (|B^T| |d| |B|) ] |A|
//
// for the output's place in its tile: 23 to 63 times the absolute convolution.
//
// On its way a term passes up to 4 roundings in each of six passes through a matrix (two of each),
// one as a product, and those of the sum over channels, each of half an epsilon. Were they all in
// one direction, that would be 13 epsilon and more. They go up and down alike, and those of 36
// points and many channels are independent of each other: 96 in 100 outputs are within 0.05 epsilon
// of the magnitude. At places that few terms reach (an edge, a gradient of few maxima) nothing is
// averaged, and roundings of the output itself count: there the worst of these tests, of some
// hundred millions of outputs, is 1.31 epsilon off. kWinogradTolerance is four times that.
//
// It is still less than a hundredth of the share of one term in 144 (16 channels of 9 taps).
#pragma once

#include <span>

#include "kernels/kernels.h"
#include "support/guarded_memory.h"
#include "support/tolerance.h"

namespace limn {

inline constexpr double kWinogradTolerance = 5 * kEpsilon;  // times the magnitude

// The magnitude at each output of the convolution of x, whose ring is read, plus the absolute bias
// (which may be null). kernel: [out][in][3][3] of the forward direction; channels: of the output.
GuardedMap winograd_magnitude(std::span<const float> kernel, kernels::Direction direction,
                              const float* bias, ConstFeatureMap x, int channels);

}  // namespace limn
