#include "weights/checks.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"

namespace limn {
namespace {

// Where the layers end: one past the last that is present.
size_t end_of_layers(const std::vector<std::string>& layers, const HasLayer& has_layer) {
  for (size_t end = layers.size(); end > 0; --end) {
    if (has_layer(layers[end - 1])) return end;
  }
  return 0;
}

// Gaps in the file's layers, read as this network's, plus layers that only `other` has.
size_t misfits(const std::vector<std::string>& layers, const std::vector<std::string>& other,
               const HasLayer& has_layer) {
  const size_t end = end_of_layers(layers, has_layer);
  const auto gaps = std::count_if(layers.begin(), layers.begin() + static_cast<std::ptrdiff_t>(end),
                                  [&](const std::string& layer) { return !has_layer(layer); });
  const std::set<std::string> own(layers.begin(), layers.end());
  const auto strangers = std::count_if(other.begin(), other.end(), [&](const std::string& layer) {
    return !own.contains(layer) && has_layer(layer);
  });
  return static_cast<size_t>(gaps + strangers);
}

}  // namespace

std::string shape_text(std::span<const std::uint64_t> shape) {
  return shape.empty() ? "a single value" : fmt::format("{}", fmt::join(shape, " x "));
}

const NetworkTable& fitting_network(NameLayers name_layers, const HasLayer& has_layer) {
  const std::vector<std::string> layers16 = name_layers(kVgg16);
  const std::vector<std::string> layers19 = name_layers(kVgg19);
  const bool is16 = misfits(layers16, layers19, has_layer) < misfits(layers19, layers16, has_layer);
  return is16 ? kVgg16 : kVgg19;
}

size_t count_layers(const std::string& path, const std::vector<std::string>& layers,
                    const HasLayer& has_layer, const std::string& found) {
  const size_t end = end_of_layers(layers, has_layer);
  if (end == 0) {
    fail(ErrorKind::file, "'{}' has no layer {}, the first one of VGG-16 and VGG-19; it has {}",
         path, layers.front(), found);
  }
  for (size_t i = 0; i < end; ++i) {
    if (has_layer(layers[i])) continue;
    fail(ErrorKind::file,
         "'{}': layer {} is missing, but {} is present; there must be no gap from {} on", path,
         layers[i], layers[end - 1], layers.front());
  }
  return end;
}

std::vector<Convolution> planned_convolutions(const NetworkTable& network) {
  std::vector<Convolution> convolutions;
  for (const Row& row : network.rows) {
    if (row.kind != RowKind::convolution) continue;
    convolutions.push_back({std::string(row.id), {row.in, row.out, {}}, {}});
  }
  return convolutions;
}

void check_shape(const std::string& path, std::string_view layer, std::string_view part,
                 std::span<const std::uint64_t> expected, std::span<const std::uint64_t> found) {
  if (std::ranges::equal(expected, found)) return;
  fail(ErrorKind::file, "'{}': layer {} should have a {} of {}, but it is {}", path, layer, part,
       shape_text(expected), shape_text(found));
}

void check_finite(const std::string& path, std::string_view layer, std::string_view part,
                  std::span<const float> values) {
  const auto bad = std::ranges::find_if_not(values, [](float v) { return std::isfinite(v); });
  if (bad == values.end()) return;
  fail(ErrorKind::file, "'{}': layer {} has a {} whose values should be finite, but one is {}",
       path, layer, part, *bad);
}

}  // namespace limn
