// Compares an objective's gradient with differences of its value.
//
// If every ReLU is open and pooling averages, features are affine in the picture, so content has
// degree 2 in it, style degree 4 and squared variation degree 2. Along a line, central differences
// of a polynomial of degree 4 are exactly D(h) = slope + a h^2, so (4 D(h / 2) - D(h)) / 3 is the
// slope for any h. A large h drowns the noise of float losses, which makes naive differences
// useless here.
#pragma once

#include <span>
#include <vector>

#include "paint/objective.h"

namespace limn {

// How a loss depends on the picture along a line. If it is not a polynomial of degree 4, the term
// in h^4 remains. It is assumed to be as much smaller than the term in h^2 as that is than the
// slope; the step should be small.
struct Line {
  double step = 0.5;  // h, for pictures in 0..1
  bool is_quartic = true;
};

double dot(std::span<const float> a, std::span<const float> b);

// gradient . direction against differences along the direction.
void expect_slope(Objective& objective, std::span<const float> x, std::span<const float> gradient,
                  std::span<const float> direction, const Line& line = {});

// The objective's gradient at x along three random directions and along itself, where the slope is
// greatest. Directions are in units of the picture, whatever the variable's unit.
void expect_slopes(Objective& objective, std::span<const float> x, const Line& line = {});

}  // namespace limn
