// The sizes that a picture is painted at, one after the other, from coarse to fine.
#pragma once

#include <limn/limn.h>

#include <vector>

#include "canvas/sizes.h"

namespace limn {

// The levels of recipe.pyramid, the last of which has these sizes. The first has its longest side
// at `smallest`, however large the last: what is painted there is the same for all sizes of a
// picture. Each of the others is nearly twice as long as the one before it; iterations fall from
// each to the next, and are recipe.optimiser.iterations in all. Sizes at which a picture would be
// too narrow to be read, and those that would get no iteration, are left out; the last size gets
// one if there are any.
std::vector<Level> pyramid_levels(const WorkingSizes& sizes, const Recipe& recipe);

}  // namespace limn
