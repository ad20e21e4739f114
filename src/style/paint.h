// Painting as paint() does it, for those who paint several times with the same pictures.
#pragma once

#include <limn/limn.h>

#include <memory>

#include "style/objective.h"

namespace limn {

// Throws Error (usage): a recipe that contradicts itself or the model.
void check_recipe(const Model& model, const Recipe& recipe);

// paint(). `targets` are those of an earlier painting with the same pictures, or null: they are
// used where this recipe's losses compare with the same, and measured where they do not. Afterwards
// they are this recipe's.
Painted paint_sharing(const Model& model, const Image& photo, const Image& painting,
                      const Recipe& recipe, std::shared_ptr<const Targets>& targets,
                      const ProgressCallback& progress);

}  // namespace limn
