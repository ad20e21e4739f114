// Estimates how long a painting will take, from a short measurement on this machine.
#pragma once

#include <limn/limn.h>

namespace limn {

// Seconds for painting the plan, accurate to about a third. Evaluates the plan's losses on noise,
// at its largest size that takes well under a second, and scales by pixels. At most the recipe's
// time limit.
double estimated_seconds(const Model& model, const Plan& plan);

}  // namespace limn
