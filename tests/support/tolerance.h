// How far a float sum may be from the same sum in double, and why.
//
// Adding n terms in turn rounds n times, each time by at most half an epsilon of the partial sum,
// up or down with equal chance.
//
// Terms of random sign: after k terms the partial sum is about sqrt(k) terms large, so the
// roundings add up to about (epsilon / 2) * sqrt(sum of k) = 0.35 epsilon * n terms, for any n.
// kSumTolerance is more than ten times that, which leaves room for the second rounding of a product
// on targets without FMA, and for the twin's own. (Among some millions of sums in these tests the
// largest error is 2.5 epsilon.) It is still a thousandth of the share of one term in 576 (64
// channels of 9 taps): a missing or doubled term is caught.
//
// Terms of one sign: the partial sum is k terms large, and the roundings add up to about (epsilon /
// 2) / sqrt(3) * sqrt(sum of k^2) = epsilon / 6 * sqrt(n) * n terms; see positive_sum_tolerance.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>

namespace limn {

inline constexpr double kEpsilon = std::numeric_limits<float>::epsilon();

// Relative to the sum of the absolute terms: the error allowed for terms of random sign.
inline constexpr double kSumTolerance = 4 * kEpsilon;

// Likewise for terms of one sign, with at most `in_a_row` added in float: four times the expected
// error, plus what shorter sums are allowed.
inline double positive_sum_tolerance(std::size_t in_a_row) {
  return kSumTolerance + 4.0 / 6 * kEpsilon * std::sqrt(static_cast<double>(in_a_row));
}

// Relative to the absolute terms: the error allowed for y + a (b - c), three roundings of the fast
// form (difference, product, sum) and one of the twin's, each half an epsilon.
inline constexpr double kFewRoundings = 2 * kEpsilon;

}  // namespace limn
