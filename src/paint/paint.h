// Painting as paint() does it, for those who paint several times with the same pictures.
#pragma once

#include <limn/limn.h>

#include <memory>
#include <span>
#include <vector>

#include "canvas/sizes.h"
#include "paint/objective.h"

namespace limn {

// Throws Error (usage): a recipe that contradicts itself or the model.
void check_recipe(const Model& model, const Recipe& recipe);

// What the losses compare with at each size of a pyramid.
using LevelTargets = std::vector<std::shared_ptr<const Targets>>;

// Painting takes pictures at the sizes that they are worked on, which follow from those they had of
// their own. Whoever has made pictures smaller while reading them says what these were: pictures
// need then be no larger than their working sizes.
Painted paint(const Model& model, Pictures pictures, const PictureSizes& own, const Recipe& recipe,
              const ProgressCallback& progress);
Swept sweep(const Model& model, Pictures pictures, const PictureSizes& own,
            std::span<const Recipe> recipes, const SweepDone& done, const SweepProgress& progress);

// paint(). `targets` are those of an earlier painting with the same pictures, or none: they are
// used where this recipe's losses compare with the same, and measured where they do not. Afterwards
// they are this recipe's.
Painted paint_sharing(const Model& model, const Pictures& pictures, const PictureSizes& own,
                      const Recipe& recipe, LevelTargets& targets,
                      const ProgressCallback& progress);

}  // namespace limn
