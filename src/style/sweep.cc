// Several paintings of the same two pictures, which share what their recipes have in common.
#include <limn/limn.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "style/initial.h"
#include "style/objective.h"
#include "style/paint.h"
#include "style/sizes.h"

namespace limn {
namespace {

// All that paint() would find wrong with any of the recipes. Returns the sizes of each.
std::vector<WorkingSizes> checked_sizes(const Model& model, const Image& photo,
                                        const Image& painting, std::span<const Recipe> recipes) {
  std::vector<WorkingSizes> sizes;
  std::string init;
  for (const Recipe& recipe : recipes) {
    check_recipe(model, recipe);
    sizes.push_back(working_sizes(photo, painting, recipe));
    check_objective(model.weights(), recipe, sizes.back());
    // Most sweeps begin with one picture: it is looked at once.
    if (std::exchange(init, recipe.picture.init) != recipe.picture.init) {
      read_initial_picture(recipe);
    }
  }
  return sizes;
}

void resize(Image& picture, int height, int width) {
  if (picture.height == height && picture.width == width) return;
  picture = resized(picture, width, height);
}

}  // namespace

Swept sweep(const Model& model, Image photo, Image painting, std::span<const Recipe> recipes,
            const SweepDone& done, const SweepProgress& progress) {
  const std::vector<WorkingSizes> sizes = checked_sizes(model, photo, painting, recipes);
  // Of pictures that have these sizes already, every recipe makes the same sizes again.
  if (!sizes.empty() && std::ranges::count(sizes, sizes.front()) == std::ssize(sizes)) {
    resize(photo, sizes.front().height, sizes.front().width);
    resize(painting, sizes.front().painting_height, sizes.front().painting_width);
  }

  Swept swept;
  std::shared_ptr<const Targets> targets;
  for (size_t i = 0; i < recipes.size(); ++i) {
    const ProgressCallback on_progress = [&](const Progress& now) { return progress(i, now); };
    const std::weak_ptr<const Targets> before = targets;
    Painted painted = paint_sharing(model, photo, painting, recipes[i], targets,
                                    progress ? on_progress : ProgressCallback());
    if (targets != before.lock() && !targets->basis.taps.empty()) ++swept.measured;
    ++swept.painted;
    const bool stopped = painted.outcome == Outcome::stopped;
    if (done) done(i, std::move(painted));
    if (stopped) break;
  }
  return swept;
}

}  // namespace limn
