// The sizes at which a picture is painted in turn, from coarse to fine.
#pragma once

#include <limn/limn.h>

#include <vector>

#include "canvas/sizes.h"

namespace limn {

// The levels of recipe.pyramid; the last has the given sizes, unless `largest` is smaller. The
// first has its longest side at `smallest`, however large the last, so what is painted there is the
// same for all sizes of a picture. Each other level is about twice as long as the one before.
// Iterations fall from level to level, and add up to recipe.optimiser.iterations. Levels at which a
// picture would be too narrow for the network, or that would get no iteration, are left out; the
// last gets one if there are any. None, if `largest` is too narrow. The picture's sides of all but
// the last are rounded to multiples of `step`.
std::vector<Level> pyramid_levels(const WorkingSizes& sizes, const Recipe& recipe, int step = 1);

}  // namespace limn
