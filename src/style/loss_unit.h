// The unit in which a loss is minimised.
//
// A recipe's weights may be any: with weights a million times as large the loss is a million times
// as large, and so is its gradient, but the picture that has the least of it is the same one. What
// is not the same is how near its numbers come to the ends of what a float holds, 1e-38 and 3e38.
// Gradients are made of floats, on their way through the network and in the optimiser, which takes
// their squares. So a loss that begins far from 1 is multiplied by a power of two that brings it
// there. That turns over no bit of what is in range already, and is undone where losses are told.
//
// Only losses that are minimised regardless of their unit may be treated like that: Adam's epsilon
// and the learning rates of published programs are meant for the loss as it is.
#pragma once

#include <span>

#include "style/objective.h"

namespace limn {

// What a loss of this size is to be multiplied with: a power of two, and 1 where the loss is near
// enough to 1. Of losses that have no size (0, or not finite): 1.
double loss_unit(double loss);

// Multiplies all of the objective's terms by the unit of its loss at x, which is returned. losses
// and gradient "=", at x, of the objective as it is from then on.
double choose_unit(Objective& objective, std::span<const float> x, std::span<float> gradient,
                   Losses& losses);

// Losses times a factor.
Losses multiplied(const Losses& losses, double factor);

}  // namespace limn
