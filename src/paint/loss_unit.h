// The unit in which a loss is minimised.
//
// Only the ratios of a recipe's weights determine the picture: all of them times 1e9 scale the loss
// and its gradient, but do not move the minimum. In floats, however, the path there changes: the
// gradient is rounded differently, which a few hundred steps turn into a texture of its own. And
// gradients must fit into floats, 1e-38 to 3e38, on their way through the network, as must their
// squares in the optimiser.
//
// So the loss is minimised in a unit of its own. All weights are divided by the significand of the
// first, so that scaling them all by a constant changes them only by a power of two, which changes
// no bit of a significand. If the loss then begins far from 1, it is also multiplied by the power
// of two that brings it there. Reported losses are in the recipe's unit; only gradients are in the
// other one.
//
// This is for optimisers that do not depend on the unit. Adam's epsilon and published learning
// rates assume the loss as it is.
#pragma once

#include <span>

#include "paint/objective.h"

namespace limn {

// The power of two by which to multiply a loss of this size; 1 if it is near enough to 1, or is 0,
// nearly 0, or not finite.
double range_unit(double loss);

// 1 / (the significand of the objective's leading weight): from 0.5 to 1.
double weight_unit(const Objective& objective);

// Sets the objective's unit to `unit`, times the range_unit of the loss at x if it needs one.
// Returns the losses there; gradient "=", in that unit.
Losses choose_unit(Objective& objective, double unit, std::span<const float> x,
                   std::span<float> gradient);

}  // namespace limn
