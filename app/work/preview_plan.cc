#include "work/preview_plan.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "canvas/sizes.h"
#include "work/live_protocol.h"

namespace limn {
namespace {

constexpr int kFirstSize = 128;  // pixels
// Of L-BFGS, by which a recipe's 120 at 512 pixels and more have done most of their work; other
// optimisers need as many steps for a tenth of the way.
constexpr int kIterations = 72;
constexpr int kIterationsOfOthers = 300;
constexpr double kSeconds = 30;
// A side that every network reads, with some room; and what a side is a multiple of where pictures
// are tiles (plan.cc).
constexpr int kLeastSide = 24;
constexpr int kTileStep = 16;

// As large as that, unless it would be too narrow.
Size shrunk(const Size& size, double factor) {
  const int shortest = std::min(size.height, size.width);
  const int longest = std::max(size.height, size.width);
  const double wide_enough = std::clamp(1.0 * kLeastSide / shortest, factor, 1.0);
  if (wide_enough * longest <= kMostLiveSide) factor = wide_enough;
  const auto side = [&](int own) {
    return std::max(1, static_cast<int>(std::lround(own * factor)));
  };
  return {side(size.height), side(size.width)};
}

Size as_tile(const Size& size) {
  const auto whole = [](int side) {
    return std::max(2, (side + kTileStep / 2) / kTileStep) * kTileStep;
  };
  return {whole(size.height), whole(size.width)};
}

// Distances in pixels, each once.
void shrink(std::vector<int>& shifts, double factor) {
  for (int& shift : shifts) shift = std::max(1, static_cast<int>(std::lround(shift * factor)));
  std::ranges::sort(shifts);
  shifts.erase(std::unique(shifts.begin(), shifts.end()), shifts.end());
}

// The recipe for pictures that have their sizes already.
Recipe recipe_of_preview(Recipe recipe, double factor) {
  recipe.picture.size = 0;
  recipe.picture.painting_size = PaintingSize::own;
  recipe.style.scale = {1.0};
  if (recipe.style.shift_unit == ShiftUnit::pixels) {
    for (auto* shifts :
         {&recipe.style.shifts, &recipe.style.shifts_across, &recipe.style.shifts_down}) {
      shrink(*shifts, factor);
    }
  }
  int& smallest = recipe.pyramid.smallest;
  smallest = smallest == 0 ? kFirstSize : std::min(smallest, kFirstSize);
  // The first stage begins there; later ones start from what is painted, at the sizes they say.
  if (!recipe.stages.empty()) recipe.stages.front().changes.erase("pyramid.smallest");
  const bool quick = recipe.optimiser.kind == OptimiserKind::lbfgs;
  recipe.optimiser.iterations =
      std::min(recipe.optimiser.iterations, quick ? kIterations : kIterationsOfOthers);
  double& seconds = recipe.optimiser.seconds;
  seconds = seconds == 0 ? kSeconds : std::min(seconds, kSeconds);
  // On all cores, but on none in particular: a job is painted on them too, and a helper that stays
  // where it is waits for that one.
  recipe.picture.threads = 0;
  recipe.picture.pinning = Pinning::none;
  recipe.output.save_every = 0;
  return recipe;
}

}  // namespace

Plan plan_preview(const Model& model, const PictureSizes& own, const Recipe& recipe, int size) {
  const WorkingSizes full = working_sizes(own, recipe);
  const int longest = std::max(full.picture.height, full.picture.width);
  const double factor = std::min(1.0, 1.0 * size / longest);
  PictureSizes small = {shrunk(full.picture, factor), {}};
  if (recipe.picture.tileable) small.photo = as_tile(small.photo);
  auto next = full.paintings.begin();
  for (const std::vector<Size>& paintings : own.styles) {
    std::vector<Size>& style = small.styles.emplace_back();
    style.reserve(paintings.size());
    for (size_t i = 0; i < paintings.size(); ++i) style.push_back(shrunk(*next++, factor));
  }
  return make_plan(model, small, recipe_of_preview(recipe, factor));
}

}  // namespace limn
