// An objective's gradient against differences of its value.
//
// Where every ReLU is open and pooling averages, features are affine in the picture, so content is
// of degree 2 in it, style of degree 4 and squared variation of degree 2. Along a line, central
// differences of a polynomial of degree 4 are D(h) = slope + a h^2, with nothing behind: so
// (4 D(h / 2) - D(h)) / 3 is the slope, for any h. A large h drowns the noise of float losses,
// which is what makes naive differences useless here.
#pragma once

#include <span>
#include <vector>

#include "paint/objective.h"

namespace limn {

// How a loss depends on the picture along a line. Of what is no polynomial of degree 4 the term in
// h^4 is left over, which is taken to be as much smaller than that in h^2 as that is than the
// slope; its step should be small.
struct Line {
  double step = 0.5;  // h, in units of pictures that go from 0 to 1
  bool is_quartic = true;
};

double dot(std::span<const float> a, std::span<const float> b);

// gradient . direction against differences along the direction.
void expect_slope(Objective& objective, std::span<const float> x, std::span<const float> gradient,
                  std::span<const float> direction, const Line& line = {});

// The objective's gradient at x along three random directions and its own, along which the slope is
// greatest. Directions are in units of the picture, whatever the variable's unit.
void expect_slopes(Objective& objective, std::span<const float> x, const Line& line = {});

}  // namespace limn
