#include "recipe/stages.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "recipe/fields.h"

namespace limn {
namespace {

constexpr std::array<std::string_view, 9> kSections = {
    "content.", "style.",           "neighbours.", "transport.", "structure.",
    "balance.", "total_variation.", "optimiser.",  "pyramid."};
constexpr std::array<std::string_view, 4> kOfTheWhole = {
    "style.blend", "style.scale", "optimiser.iterations", "optimiser.seconds"};

void check_shares(const Recipe& recipe) {
  if (recipe.stages.size() > kMostStages) {
    fail(ErrorKind::usage, "recipe '{}': has {} stages, but at most {} are allowed", recipe.name,
         recipe.stages.size(), kMostStages);
  }
  double sum = 0;
  for (const Stage& stage : recipe.stages) {
    if (!std::isfinite(stage.share) || stage.share < 0 || stage.share > 1e6) {
      fail(ErrorKind::usage, "recipe '{}', stage '{}': share is {}, but should be 0 to 1e6",
           recipe.name, stage.name, stage.share);
    }
    sum += stage.share;
  }
  if (sum == 0) fail(ErrorKind::usage, "recipe '{}': the shares of all stages are 0", recipe.name);
}

}  // namespace

bool may_differ(std::string_view key) {
  return std::ranges::any_of(kSections, [&](auto section) { return key.starts_with(section); }) &&
         std::ranges::find(kOfTheWhole, key) == kOfTheWhole.end();
}

std::vector<int> shared_out(int whole, std::span<const double> shares) {
  double all = 0, sum = 0;
  for (const double share : shares) all += share;
  std::vector<int> parts;
  parts.reserve(shares.size());
  int given = 0;
  for (const double share : shares) {
    sum += share;
    const int until = static_cast<int>(std::lround(sum / all * whole));
    parts.push_back(until - given);
    given = until;
  }
  return parts;
}

std::vector<Recipe> stages_of(const Recipe& recipe) {
  if (recipe.stages.empty()) return {recipe};
  check_shares(recipe);
  std::vector<double> shares;
  shares.reserve(recipe.stages.size());
  for (const Stage& stage : recipe.stages) shares.push_back(stage.share);
  const std::vector<int> iterations = shared_out(recipe.optimiser.iterations, shares);
  std::vector<Recipe> recipes;
  recipes.reserve(recipe.stages.size());
  for (const Stage& stage : recipe.stages) {
    Recipe& own = recipes.emplace_back(recipe);
    own.stages.clear();
    for (const auto& [key, text] : stage.changes) {
      const std::string origin =
          fmt::format("recipe '{}', stage '{}', {}", recipe.name, stage.name, key);
      set_field(own, key, text, origin);
      if (!may_differ(key)) fail(ErrorKind::usage, "{}: is the same for all stages", origin);
    }
    own.optimiser.iterations = iterations[recipes.size() - 1];
  }
  return recipes;
}

}  // namespace limn
