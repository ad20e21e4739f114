#include "paint/estimate.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/parallel.h"
#include "base/stopwatch.h"
#include "canvas/initial.h"
#include "canvas/sizes.h"
#include "paint/objective.h"
#include "paint/plan.h"

namespace limn {
namespace {

// The longest side to measure at.
constexpr int kLongest = 256;
// Setting up a size costs about as much as this many evaluations: passes over photo and paintings,
// and at the first size the gradients for the balance.
constexpr double kSettingUp = 3, kBalance = 5;
// The cost of an iteration in evaluations: adds the optimiser's own work.
constexpr double kOptimiser = 1.1;
// Evaluations per iteration with a line search.
constexpr double kLineSearch = 1.1;

double pixels(const Size& size, int border) {
  return (size.height + 2.0 * border) * (size.width + 2.0 * border);
}

// The plan's largest size that is small enough, or its first size scaled down.
WorkingSizes measured_sizes(const Plan& plan) {
  const auto longest = [](const Size& size) { return std::max(size.height, size.width); };
  const Level* level = &plan.levels.front();
  for (const Level& other : plan.levels) {
    if (longest(other.sizes.picture) <= kLongest) level = &other;
  }
  WorkingSizes sizes = level->sizes;
  const int from = longest(sizes.picture);
  if (from <= kLongest) return sizes;
  const auto shrink = [&](Size& size) {
    size = {scaled(size.height, from, kLongest), scaled(size.width, from, kLongest)};
  };
  shrink(sizes.picture);
  for (Size& painting : sizes.paintings) shrink(painting);
  return sizes;
}

Image noise(const Size& size, std::uint64_t seed) {
  Image like;
  like.height = size.height;
  like.width = size.width;
  like.rgb.resize(3 * static_cast<size_t>(size.height) * size.width);
  return grey_noise(like, seed);
}

// The seconds of an evaluation, for a pixel.
double evaluation_per_pixel(const Model& model, const Plan& plan, const Recipe& recipe,
                            ThreadPool& pool) {
  const WorkingSizes sizes = measured_sizes(plan);
  Objective objective(model.weights(), recipe, noise(sizes.picture, 1),
                      noise(sizes.paintings.front(), 2), pool);
  const Size bordered = objective.picture_size();
  std::vector<float> x = objective.units().encode(noise(bordered, 3));
  std::vector<float> d_x(x.size());
  objective.evaluate(x, d_x);  // touches its memory for the first time
  double evaluation = HUGE_VAL;
  const Stopwatch all;
  for (int i = 0; i < 5 && all() < 1; ++i) {
    const Stopwatch stopwatch;
    objective.evaluate(x, d_x);
    evaluation = std::min(evaluation, stopwatch());
  }
  return evaluation / pixels(sizes.picture, recipe.picture.border);
}

}  // namespace

double estimated_seconds(const Model& model, const Plan& plan) {
  ThreadPool pool(plan.recipe.picture.threads, plan.recipe.picture.pinning);
  // Of each stage, as its last level is painted.
  std::vector<Recipe> recipes = plan.stages;
  for (const Level& level : plan.levels) {
    recipes[level.stage] = saving(plan.stages[level.stage], level.saving);
  }
  std::vector<double> per_pixel;
  per_pixel.reserve(recipes.size());
  for (const Recipe& recipe : recipes) {
    per_pixel.push_back(evaluation_per_pixel(model, plan, recipe, pool));
  }
  double seconds = 0;
  for (size_t i = 0; i < plan.levels.size(); ++i) {
    const Level& level = plan.levels[i];
    const Recipe& recipe = plan.stages[level.stage];
    const bool searches = recipe.optimiser.line_search != LineSearch::none;
    const double iteration = kOptimiser * (searches ? kLineSearch : 1.0);
    const bool first = i == 0 || plan.levels[i - 1].stage != level.stage;
    const bool balances = first && recipe.balance.kind == Balance::measured;
    const double evaluations =
        iteration * std::max(level.iterations, 0) + kSettingUp + (balances ? kBalance : 0);
    seconds += evaluations * level.cost * per_pixel[level.stage] *
               pixels(level.sizes.picture, recipe.picture.border);
  }
  const double limit = plan.recipe.optimiser.seconds;
  return limit > 0 ? std::min(seconds, limit) : seconds;
}

}  // namespace limn
