#include "request/painting_sizes.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/error.h"
#include "losses/layers.h"

namespace limn {
namespace {

// The range of style.scale.
constexpr double kLeastScale = 0.05, kMostScale = 20;

int shorter_side(const Size& size) { return std::min(size.height, size.width); }

// The index of a painting among those of all styles.
size_t index_of(const PictureSizes& own, PaintingNumber number) {
  size_t index = number.painting;
  for (size_t s = 0; s < number.style; ++s) index += own.styles[s].size();
  return index;
}

// One scale for each style: a single number in the recipe applies to all.
std::vector<double> scales_of(const Recipe& recipe, size_t styles) {
  std::vector<double> scales = recipe.style.scale;
  if (scales.size() == 1) scales.resize(styles, scales.front());
  return scales;
}

// As --style-scale takes them: one number if they are all equal.
std::string scale_text(std::vector<double> scales) {
  if (std::ranges::count(scales, scales.front()) == std::ssize(scales)) scales.resize(1);
  return fmt::format("{}", fmt::join(scales, ","));
}

// As --style-layers takes them.
std::string layers_text(const std::vector<LayerWeight>& layers) {
  std::vector<std::string> names;
  names.reserve(layers.size());
  for (const auto& [layer, weight] : layers) {
    names.push_back(weight == 1 ? layer : fmt::format("{}:{}", layer, weight));
  }
  return fmt::format("{}", fmt::join(names, ","));
}

// The smallest scale of the style, in hundredths from `first` up, at which all its paintings have a
// shorter side of at least `pixels`; none if no scale in range does it.
std::optional<double> scale_for(const Recipe& recipe, const PictureSizes& own, size_t style,
                                double first, int pixels) try {
  Recipe tried = recipe;
  tried.style.scale = scales_of(recipe, own.styles.size());
  const size_t begin = index_of(own, {style, 0});
  double& scale = tried.style.scale[style];
  scale = std::max(kLeastScale, first);
  while (scale <= kMostScale) {
    const std::vector<Size> paintings = working_sizes(own, tried).paintings;
    int least = pixels;
    for (size_t p = 0; p < own.styles[style].size(); ++p) {
      least = std::min(least, shorter_side(paintings[begin + p]));
    }
    if (least >= pixels) return scale;
    // One leap as far as proportion allows, then hundredths, to make up for rounding.
    const double leap = std::floor(100 * scale * (pixels - 0.5) / least) / 100;
    scale = std::round(100 * std::max(scale + 0.01, leap)) / 100;
  }
  return std::nullopt;
} catch (const Error&) {
  return std::nullopt;
}

// The style scale at which a painting keeps its own size, rounded down to hundredths.
double keeping_scale(double scale, const Size& own, const Size& size) {
  const double share = std::min(1.0 * own.width / size.width, 1.0 * own.height / size.height);
  return std::floor(100 * scale * share) / 100;
}

// The flags that leave out the layers which a painting with this shorter side lacks; empty: no
// style layer would be left.
std::string flags_for_layers(const NetworkTable& network, const Recipe& recipe, int shorter_side) {
  const auto within = [&](const std::vector<LayerWeight>& layers) {
    return layers_within(network, recipe, layers, shorter_side);
  };
  const std::vector<LayerWeight> style = within(recipe.style.layers);
  if (style.empty()) return "";
  std::string flags = "--style-layers " + layers_text(style);
  const auto add = [&](const std::string& term, double weight,
                       const std::vector<LayerWeight>& layers) {
    const std::vector<LayerWeight> some = within(layers);
    if (weight == 0 || some.size() == layers.size()) return;
    flags += some.empty() ? fmt::format(" --{}-weight 0", term)
                          : fmt::format(" --{}-layers {}", term, layers_text(some));
  };
  add("neighbours", recipe.neighbours.weight, recipe.neighbours.layers);
  add("transport", recipe.transport.weight, recipe.transport.layers);
  return flags;
}

}  // namespace

void check_photo_size(const NetworkTable& network, const Recipe& recipe, const PictureSizes& own,
                      const std::string& file) {
  const LeastSide least = least_picture_side(network, recipe);
  const Size picture = working_sizes(own, recipe).picture;
  const int border = 2 * recipe.picture.border;
  if (shorter_side(picture) + border >= least.pixels) return;
  fail(ErrorKind::usage,
       "'{}' is used at {} x {} pixels, but layer {} of {} needs at least {} x {}; choose a "
       "larger --size or shallower layers",
       file, picture.width + border, picture.height + border, least.layer, network.name,
       least.pixels, least.pixels);
}

std::string too_small(const NetworkTable& network, const Recipe& recipe, const PictureSizes& own,
                      PaintingNumber number, const std::string& file) {
  const LeastSide least = least_painting_side(network, recipe);
  const Size size = working_sizes(own, recipe).paintings[index_of(own, number)];
  if (shorter_side(size) >= least.pixels) return "";
  std::vector<double> scales = scales_of(recipe, own.styles.size());
  double& scale = scales[number.style];
  std::vector<std::string> advice;
  if (const auto wide = scale_for(recipe, own, number.style, scale, least.pixels)) {
    scale = *wide;
    advice.push_back("--style-scale " + scale_text(scales));
  }
  const std::string layers = flags_for_layers(network, recipe, shorter_side(size));
  if (!layers.empty()) advice.push_back(layers);
  return fmt::format(
      "'{}' is used at {} x {} pixels, but style layer {} of {} needs at least {} x {}; {}{}", file,
      size.width, size.height, least.layer, network.name, least.pixels, least.pixels,
      advice.empty() ? "crop it closer to a square, or choose another painting" : "use ",
      fmt::join(advice, ", or "));
}

std::vector<std::string> notes_on_enlarging(const Inputs& inputs, const NetworkTable& network,
                                            const Plan& plan) {
  const std::vector<Size>& sizes = plan.sizes().paintings;
  const Recipe& recipe = plan.recipe;
  const int least = least_painting_side(network, recipe).pixels;
  const std::vector<double> given = scales_of(recipe, inputs.own.styles.size());
  std::vector<double> keeping = given;
  std::vector<std::string> notes;
  size_t painting = 0;  // of all styles
  for (size_t s = 0; s < given.size(); ++s) {
    for (const Size& own : inputs.own.styles[s]) {
      const Size& size = sizes[painting];
      const std::string& file = inputs.painting_files[painting++];
      if (size.width <= own.width && size.height <= own.height) continue;
      keeping[s] = std::min(keeping[s], keeping_scale(given[s], own, size));
      notes.push_back(fmt::format(
          "'{}' is only {} x {} pixels and is enlarged to {} x {}, which adds no finer strokes",
          file, own.width, own.height, size.width, size.height));
    }
    if (keeping[s] < given[s]) {
      keeping[s] = std::min(given[s],
                            scale_for(recipe, inputs.own, s, keeping[s], least).value_or(given[s]));
    }
  }
  if (notes.empty()) return notes;
  notes.back() +=
      keeping == given ? "; use a larger copy of it" : "; try --style-scale " + scale_text(keeping);
  return notes;
}

}  // namespace limn
