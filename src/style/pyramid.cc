#include "style/pyramid.h"

#include <algorithm>
#include <cmath>

namespace limn {
namespace {

int longest_side(const Size& size) { return std::max(size.height, size.width); }

// All sizes in the proportion in which the picture's longest side becomes `side`.
WorkingSizes in_proportion(const WorkingSizes& sizes, int side) {
  const int from = longest_side(sizes.picture);
  const auto shrunk = [&](const Size& size) {
    return Size{scaled(size.height, from, side), scaled(size.width, from, side)};
  };
  WorkingSizes result = {shrunk(sizes.picture), {}};
  for (const Size& painting : sizes.paintings) result.paintings.push_back(shrunk(painting));
  return result;
}

}  // namespace

std::vector<Level> pyramid_levels(const WorkingSizes& sizes, const Recipe& recipe) {
  const double from = recipe.pyramid.smallest;
  const double to = longest_side(sizes.picture);
  const int steps =
      from > 0 && to > from ? static_cast<int>(std::lround(std::log2(to / from))) : 0;
  std::vector<Level> levels;
  for (int i = 0; i < steps; ++i) {
    const double side = from * std::pow(to / from, static_cast<double>(i) / steps);
    levels.push_back({in_proportion(sizes, static_cast<int>(std::lround(side))), 0});
  }
  levels.push_back({sizes, 0});

  // Whole iterations whose sums are as near as can be to those of fall^0, fall^1, ...
  double all = 0;
  for (size_t i = 0; i < levels.size(); ++i) all += std::pow(recipe.pyramid.fall, i);
  double sum = 0;
  int given = 0;
  for (size_t i = 0; i < levels.size(); ++i) {
    sum += std::pow(recipe.pyramid.fall, i);
    const int until = static_cast<int>(std::lround(sum / all * recipe.optimiser.iterations));
    levels[i].iterations = until - given;
    given = until;
  }
  return levels;
}

}  // namespace limn
