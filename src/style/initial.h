// Where the optimisation begins.
#pragma once

#include <limn/limn.h>

#include <optional>
#include <vector>

#include "style/objective.h"

namespace limn {

// The file that the recipe begins with, if it names one. Throws Error (file).
std::optional<Image> read_initial_picture(const Recipe& recipe);

// The objective's variable at the first picture: `given` (resized), the photo (of the objective's
// size), or noise with the photo behind it. The same for a seed everywhere.
std::vector<float> initial_variable(const Objective& objective, const Recipe& recipe, Image photo,
                                    std::optional<Image> given);

}  // namespace limn
