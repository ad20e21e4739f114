// How long a painting will take, from a short measurement on this machine.
#pragma once

#include <limn/limn.h>

namespace limn {

// Seconds that painting by the plan takes, within about a third: from evaluations of its losses on
// noise, at the largest of its sizes that takes well under a second, scaled by pixels. The time
// limit of the recipe is the most.
double estimated_seconds(const Model& model, const Plan& plan);

}  // namespace limn
