// Several paintings of the same pictures, which share what their recipes have in common.
#include <limn/limn.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "canvas/initial.h"
#include "canvas/sizes.h"
#include "paint/painter.h"

namespace limn {
namespace {

// Reports errors in any of the plans before the first is painted.
void check_all(const Pictures& pictures, std::span<const Plan> plans) {
  std::string init;
  for (const Plan& plan : plans) {
    check_plan(plan, pictures);
    // Most sweeps start from a single picture: check it once.
    const Recipe& recipe = plan.recipe;
    if (std::exchange(init, recipe.picture.init) != recipe.picture.init) {
      initial_picture(pictures, recipe);
    }
  }
}

// Whether any targets that read layers were measured again.
bool are_new(const KeptLevels& levels, const std::vector<std::weak_ptr<const Targets>>& before) {
  for (size_t i = 0; i < levels.size(); ++i) {
    const std::shared_ptr<const Targets>& targets = levels[i].targets;
    if (!targets || targets->basis.taps.empty()) continue;
    if (i >= before.size() || targets != before[i].lock()) return true;
  }
  return false;
}

}  // namespace

Swept sweep(const Model& model, Pictures pictures, std::span<const Plan> plans,
            const SweepDone& done, const SweepProgress& progress) {
  check_all(pictures, plans);
  const auto same_sizes = [&](const Plan& plan) { return plan.sizes() == plans[0].sizes(); };
  if (!plans.empty() && std::ranges::all_of(plans, same_sizes)) {
    pictures = at_working_sizes(std::move(pictures), plans[0].sizes());
  }
  Swept swept;
  KeptLevels kept;
  for (size_t i = 0; i < plans.size(); ++i) {
    const ProgressCallback on_progress = [&](const Progress& now) { return progress(i, now); };
    std::vector<std::weak_ptr<const Targets>> before;
    before.reserve(kept.size());
    for (const KeptLevel& level : kept) before.push_back(level.targets);
    Painter painter(model, pictures, plans[i], &kept);
    Painted painted = paint_all(painter, progress ? on_progress : ProgressCallback());
    if (are_new(kept, before)) ++swept.measured;
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
  std::vector<Plan> plans;
  for (const Recipe& recipe : recipes) plans.push_back(make_plan(model, own, recipe));
  return sweep(model, std::move(pictures), plans, done, progress);
}

}  // namespace limn
