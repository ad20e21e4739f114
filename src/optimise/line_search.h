// A line search for the strong Wolfe conditions (Nocedal and Wright, algorithms 3.5 and 3.6).
#pragma once

#include <span>

#include "optimise/optimiser.h"

namespace limn {

// Searches for a length t > 0 along `direction` such that, with phi(t) = f(x + t direction),
//   phi(t) <= phi(0) + 1e-4 t phi'(0)   (sufficient decrease) and
//   |phi'(t)| <= 0.9 |phi'(0)|          (curvature condition).
// slope: phi'(0), negative. first: the length tried first. start: a copy of point's x. Moves point
// to x + t direction, with losses and gradient, and returns t. If 25 evaluations find no length
// that meets both conditions, takes the best that lowers the loss; if there is none, returns 0,
// with x and losses as they were, and a gradient that is not theirs. Losses that are not finite
// count as too high.
double strong_wolfe(const Function& f, std::span<const float> direction, double slope, double first,
                    std::span<const float> start, Point& point, ThreadPool& pool);

}  // namespace limn
