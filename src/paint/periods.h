// Where a texture repeats, features are compared at its periods, along each axis at that axis's,
// instead of the recipe's distances: what is as far apart then agrees.
#pragma once

#include <limn/limn.h>

#include "image/period.h"

namespace limn {

// Whether this recipe compares at distances in pixels, which periods may replace.
bool may_follow_periods(const Recipe& recipe);

// Replaces them, unless the picture that has these periods does not repeat.
void follow_periods(Recipe& recipe, const Periods& periods);

}  // namespace limn
