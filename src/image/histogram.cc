#include "image/histogram.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "image/shape.h"

namespace limn {
namespace {

constexpr int kQuantiles = 4096;

// A value and how much it counts.
struct Counted {
  float value;
  double count;
};

std::vector<float> quantiles_of(std::vector<Counted> values) {
  std::ranges::sort(values, {}, &Counted::value);
  double total = 0;
  for (const Counted& one : values) total += one.count;
  std::vector<float> quantiles;
  if (total <= 0) return quantiles;
  quantiles.reserve(kQuantiles);
  double below = 0;  // and at, up to `next`
  size_t next = 0;
  for (int i = 0; i < kQuantiles; ++i) {
    const double wanted = total * (i + 0.5) / kQuantiles;
    while (next + 1 < values.size() && below + values[next].count < wanted) {
      below += values[next++].count;
    }
    quantiles.push_back(values[next].value);
  }
  return quantiles;
}

// The value at this share of the pixels, from 0 to 1.
float value_at(const std::vector<float>& quantiles, double share) {
  const double place = std::clamp(share * kQuantiles - 0.5, 0.0, kQuantiles - 1.0);
  const auto i = static_cast<size_t>(place);
  const size_t above = std::min<size_t>(i + 1, kQuantiles - 1);
  const auto part = static_cast<float>(place - static_cast<double>(i));
  return quantiles[i] + part * (quantiles[above] - quantiles[i]);
}

// Each value becomes the quantile at its own share: the middle of those of equal values.
void remap(std::span<float> plane, const std::vector<float>& quantiles) {
  std::vector<float> sorted(plane.begin(), plane.end());
  std::ranges::sort(sorted);
  const auto pixels = static_cast<double>(sorted.size());
  for (float& value : plane) {
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), value);
    const auto below = static_cast<double>(first - sorted.begin());
    const auto equal = static_cast<double>(last - first);
    value = value_at(quantiles, (below + equal / 2) / pixels);
  }
}

}  // namespace

ColourHistograms histogram_of(std::span<const PaletteSource> sources) {
  std::array<std::vector<Counted>, 3> values;
  for (const PaletteSource& source : sources) {
    check_shape(*source.painting);
    const std::vector<float> weights = weights_of(source);
    const size_t plane = source.painting->rgb.size() / 3;
    // Paintings count by their shares, whatever their size.
    const double whole = 1.0 / static_cast<double>(plane);
    for (size_t c = 0; c < 3; ++c) {
      values[c].reserve(values[c].size() + plane);
      for (size_t i = 0; i < plane; ++i) {
        const double count = whole * (weights.empty() ? 1.0 : weights[i]);
        if (count == 0) continue;
        values[c].push_back({std::clamp(source.painting->rgb[c * plane + i], 0.0f, 1.0f), count});
      }
    }
  }
  ColourHistograms histogram;
  for (size_t c = 0; c < 3; ++c) histogram.quantiles[c] = quantiles_of(std::move(values[c]));
  return histogram;
}

Image with_histogram(Image picture, const ColourHistograms& histogram) {
  check_shape(picture);
  const size_t plane = picture.rgb.size() / 3;
  for (size_t c = 0; c < 3; ++c) {
    if (histogram.quantiles[c].empty()) continue;
    remap(std::span(picture.rgb).subspan(c * plane, plane), histogram.quantiles[c]);
  }
  return picture;
}

}  // namespace limn
