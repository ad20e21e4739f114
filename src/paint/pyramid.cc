#include "paint/pyramid.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "recipe/stages.h"

namespace limn {
namespace {

// The least that networks need to read relu5_1, after four poolings. (For deeper layers there is a
// separate check.)
constexpr int kLeastSide = 16;

int longest_side(const Size& size) { return std::max(size.height, size.width); }
int shortest_side(const Size& size) { return std::min(size.height, size.width); }

bool is_wide_enough(const WorkingSizes& sizes) {
  return shortest_side(sizes.picture) >= kLeastSide &&
         std::ranges::all_of(sizes.paintings, [](const Size& painting) {
           return shortest_side(painting) >= kLeastSide;
         });
}

// All sizes scaled so that the picture's longest side becomes `side`, its own in multiples of
// `step`.
WorkingSizes in_proportion(const WorkingSizes& sizes, int side, int step) {
  const int from = longest_side(sizes.picture);
  const auto shrunk = [&](const Size& size) {
    return Size{scaled(size.height, from, side), scaled(size.width, from, side)};
  };
  const auto whole = [&](int length) { return std::max(step, (length + step / 2) / step * step); };
  WorkingSizes result = {shrunk(sizes.picture), {}};
  result.picture = {whole(result.picture.height), whole(result.picture.width)};
  for (const Size& painting : sizes.paintings) result.paintings.push_back(shrunk(painting));
  return result;
}

// Divides iterations by fall^0, fall^1, ...
void share_out(int iterations, double fall, std::vector<Level>& levels) {
  std::vector<double> shares(levels.size());
  for (size_t i = 0; i < shares.size(); ++i) shares[i] = std::pow(fall, i);
  const std::vector<int> parts = shared_out(iterations, shares);
  for (size_t i = 0; i < parts.size(); ++i) levels[i].iterations = parts[i];
}

}  // namespace

std::vector<Level> pyramid_levels(const WorkingSizes& sizes, const Recipe& recipe, int step) {
  const double from = recipe.pyramid.smallest;
  const double whole = longest_side(sizes.picture);
  const double to =
      recipe.pyramid.largest > 0 ? std::min<double>(recipe.pyramid.largest, whole) : whole;
  const int steps = from > 0 && to > from ? static_cast<int>(std::lround(std::log2(to / from))) : 0;
  std::vector<Level> levels;
  for (int i = 0; i < steps; ++i) {
    const double side = from * std::pow(to / from, static_cast<double>(i) / steps);
    WorkingSizes smaller = in_proportion(sizes, static_cast<int>(std::lround(side)), step);
    if (is_wide_enough(smaller)) levels.push_back({.sizes = std::move(smaller)});
  }
  if (to == whole) {
    levels.push_back({.sizes = sizes});
  } else if (WorkingSizes largest = in_proportion(sizes, static_cast<int>(to), step);
             is_wide_enough(largest)) {
    levels.push_back({.sizes = std::move(largest)});
  }
  if (levels.empty()) return levels;
  share_out(recipe.optimiser.iterations, recipe.pyramid.fall, levels);

  // An enlarged picture without iterations would stay blurred.
  if (levels.back().iterations == 0 && recipe.optimiser.iterations > 0) {
    const auto most = std::ranges::max_element(levels, {}, &Level::iterations);
    --most->iterations;
    ++levels.back().iterations;
  }
  const auto last = std::prev(levels.end());
  const auto is_idle = [](const Level& level) { return level.iterations == 0; };
  levels.erase(std::remove_if(levels.begin(), last, is_idle), last);
  return levels;
}

}  // namespace limn
