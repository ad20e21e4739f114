// How far a sum in float may be from the same sum in double, and why.
//
// Adding n terms one after the other rounds n times, each time by at most half an epsilon of the
// sum so far, up or down alike.
//
// Terms of random sign: after k of n terms the sum so far is about sqrt(k) terms large, so the
// roundings add up to about (epsilon / 2) * sqrt(sum of k) = 0.35 epsilon * n terms, however many
// there are. kSumTolerance is more than ten times that, which leaves room for the second rounding
// of a product where the target has no FMA, and for the twin's own. (Of some millions of sums in
// these tests the worst is 2.5 epsilon off.) It is still a thousandth of the share of one term in
// 576 (64 channels of 9 taps): a lost or doubled term does not pass.
//
// Terms of one sign: the sum so far is k terms large, and the roundings add up to about
// (epsilon / 2) / sqrt(3) * sqrt(sum of k^2) = epsilon / 6 * sqrt(n) * n terms; see
// positive_sum_tolerance.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>

namespace limn {

inline constexpr double kEpsilon = std::numeric_limits<float>::epsilon();

// Times the sum of the absolute terms: what a sum of terms of random sign may be off.
inline constexpr double kSumTolerance = 4 * kEpsilon;

// Likewise for terms of one sign, of which at most `in_a_row` are added in float: four times the
// expected error, and what shorter sums are allowed.
inline double positive_sum_tolerance(std::size_t in_a_row) {
  return kSumTolerance + 4.0 / 6 * kEpsilon * std::sqrt(static_cast<double>(in_a_row));
}

// Times the absolute terms: what y + a (b - c) may be off, three roundings of the fast form (the
// difference, the product, the sum) and one of the twin's, each half an epsilon.
inline constexpr double kFewRoundings = 2 * kEpsilon;

}  // namespace limn
