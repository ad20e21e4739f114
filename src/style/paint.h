// Painting as paint() does it, for those who paint several times with the same pictures.
#pragma once

#include <limn/limn.h>

#include <memory>
#include <vector>

#include "style/objective.h"

namespace limn {

// Throws Error (usage): a recipe that contradicts itself or the model.
void check_recipe(const Model& model, const Recipe& recipe);

// What the losses compare with at each size of a pyramid.
using LevelTargets = std::vector<std::shared_ptr<const Targets>>;

// paint(). `targets` are those of an earlier painting with the same pictures, or none: they are
// used where this recipe's losses compare with the same, and measured where they do not. Afterwards
// they are this recipe's.
Painted paint_sharing(const Model& model, const Pictures& pictures, const Recipe& recipe,
                      LevelTargets& targets, const ProgressCallback& progress);

}  // namespace limn
