// Names of results, which say what they are made from: "harbour-oil".
#pragma once

#include <vector>

#include "batch/task.h"

namespace limn {

// Gives a name to each task that has none, and no two the same. Where several would be called
// alike, each name also says in what they differ: folders or endings of the pictures, settings
// ("harbour-oil-strength-0.7"); if that is not enough they are numbered. Throws Error (usage) if
// two tasks were given the same name.
void give_names(std::vector<BatchTask>& tasks);

}  // namespace limn
