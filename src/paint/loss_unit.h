// The unit in which a loss is minimised.
//
// Of a recipe's weights only the proportions say which picture is painted: all of them times 1e9
// make the loss and its gradient 1e9 times as large, but the picture of least loss is the same one.
// Floats see to it that the way there is not. Multiplied by 1e9, a gradient is rounded elsewhere,
// and a few hundred steps make that a texture of its own. And gradients have to fit into floats,
// 1e-38 to 3e38, on their way through the network, and their squares in the optimiser.
//
// So the loss is minimised in a unit of its own. All weights are divided by the digits of the first
// of them, so that times any constant they are the same but for a power of two, which turns over no
// bit. And where the loss then begins far from 1, it is multiplied by the power of two that brings
// it there. Told are losses in the recipe's unit: an objective has gradients in another one.
//
// That is for optimisers that need not know the unit. Adam's epsilon and the learning rates of
// published programs are meant for the loss as it is.
#pragma once

#include <span>

#include "paint/objective.h"

namespace limn {

// The power of two that a loss of this size is to be multiplied with; 1 where it is near enough to
// 1, or has no size (0, nearly 0, or not finite).
double range_unit(double loss);

// 1 / the objective's leading weight, but for a power of two: from 0.5 to 1.
double weight_unit(const Objective& objective);

// Sets the objective's unit: this one, and if the loss at x asks for it, its range_unit on top.
// Returns the losses there; gradient "=", likewise.
Losses choose_unit(Objective& objective, double unit, std::span<const float> x,
                   std::span<float> gradient);

}  // namespace limn
