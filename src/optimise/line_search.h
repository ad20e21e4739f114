// A line search for the strong Wolfe conditions (Nocedal and Wright, algorithms 3.5 and 3.6).
#pragma once

#include <span>

#include "optimise/optimiser.h"

namespace limn {

// Copies of a point's x and gradient, which the search begins from and may go back to.
struct LineStart {
  std::span<const float> x;
  std::span<const float> gradient;
};

// Looks for a length t > 0 along `direction` for which, with phi(t) = f(x + t direction),
//   phi(t) <= phi(0) + 1e-4 t phi'(0)   (enough decrease) and
//   |phi'(t)| <= 0.9 |phi'(0)|          (enough curvature).
// slope: phi'(0), negative. first: the length tried first. start: copies of point's x and gradient.
// Moves point to x + t direction with its losses and gradient and returns t. When 25 evaluations
// find no length that meets both conditions, the best that lowers the loss is taken; when there is
// none either, the point is left as it was and 0 is returned. Losses that are not finite count as
// too high.
double strong_wolfe(const Function& f, std::span<const float> direction, double slope, double first,
                    const LineStart& start, Point& point, ThreadPool& pool);

}  // namespace limn
