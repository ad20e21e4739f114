// Several paintings of the same two pictures, which share what their recipes have in common.
#include <limn/limn.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "canvas/sizes.h"
#include "paint/initial.h"
#include "paint/objective.h"
#include "paint/paint.h"
#include "paint/pyramid.h"

namespace limn {
namespace {

// All that paint() would find wrong with any of the recipes. Returns the sizes of each.
std::vector<WorkingSizes> checked_sizes(const Model& model, const Pictures& pictures,
                                        const PictureSizes& own, std::span<const Recipe> recipes) {
  std::vector<WorkingSizes> sizes;
  std::string init;
  for (const Recipe& recipe : recipes) {
    check_recipe(model, recipe);
    sizes.push_back(working_sizes(own, recipe));
    check_pictures(pictures, recipe);
    for (const Level& level : pyramid_levels(sizes.back(), recipe)) {
      check_objective(model.weights(), recipe, level.sizes);
    }
    // Most sweeps begin with one picture: it is looked at once.
    if (std::exchange(init, recipe.picture.init) != recipe.picture.init) {
      initial_picture(pictures, recipe);
    }
  }
  return sizes;
}

// Whether any of the targets that read layers were measured anew.
bool are_new(const LevelTargets& targets, const std::vector<std::weak_ptr<const Targets>>& before) {
  for (size_t i = 0; i < targets.size(); ++i) {
    if (!targets[i] || targets[i]->basis.taps.empty()) continue;
    if (i >= before.size() || targets[i] != before[i].lock()) return true;
  }
  return false;
}

void resize(Image& picture, const Size& size) {
  if (picture.height == size.height && picture.width == size.width) return;
  picture = resized(picture, size.width, size.height);
}

void resize(Pictures& pictures, const WorkingSizes& sizes) {
  resize(pictures.photo, sizes.picture);
  size_t next = 0;
  for (Style& style : pictures.styles) {
    for (Image& painting : style.paintings) resize(painting, sizes.paintings[next++]);
  }
}

}  // namespace

Swept sweep(const Model& model, Pictures pictures, const PictureSizes& own,
            std::span<const Recipe> recipes, const SweepDone& done, const SweepProgress& progress) {
  const std::vector<WorkingSizes> sizes = checked_sizes(model, pictures, own, recipes);
  if (!sizes.empty() && std::ranges::count(sizes, sizes.front()) == std::ssize(sizes)) {
    resize(pictures, sizes.front());
  }

  Swept swept;
  LevelTargets targets;
  for (size_t i = 0; i < recipes.size(); ++i) {
    const ProgressCallback on_progress = [&](const Progress& now) { return progress(i, now); };
    const std::vector<std::weak_ptr<const Targets>> before(targets.begin(), targets.end());
    Painted painted = paint_sharing(model, pictures, own, recipes[i], targets,
                                    progress ? on_progress : ProgressCallback());
    if (are_new(targets, before)) ++swept.measured;
    ++swept.painted;
    const bool stopped = painted.outcome == Outcome::stopped;
    if (done) done(i, std::move(painted));
    if (stopped) break;
  }
  return swept;
}

Swept sweep(const Model& model, Pictures pictures, std::span<const Recipe> recipes,
            const SweepDone& done, const SweepProgress& progress) {
  const PictureSizes own = sizes_of(pictures);
  return sweep(model, std::move(pictures), own, recipes, done, progress);
}

}  // namespace limn
