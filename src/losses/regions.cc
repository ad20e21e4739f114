#include "losses/regions.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "image/mask.h"

namespace limn {
namespace {

// Smaller weights are only rounding errors of the sums, and are dropped.
constexpr double kLeastWeight = 1e-6;

size_t area(int width, int height) {
  return static_cast<size_t>(width) * static_cast<size_t>(height);
}

// Sums of weights over boxes, each in four look-ups.
class BoxSums {
 public:
  BoxSums(const std::vector<float>& weights, int height, int width)
      : height_(height), width_(width), sums_(area(width + 1, height + 1)) {
    for (int y = 0; y < height; ++y) {
      double row = 0;
      for (int x = 0; x < width; ++x) {
        row += weights[area(width, y) + x];
        at(y + 1, x + 1) = at(y, x + 1) + row;
      }
    }
  }

  // The mean over the box of side 2 radius + 1 around (y, x), clipped to the map.
  double mean(int y, int x, int radius) {
    const int top = std::max(y - radius, 0);
    const int left = std::max(x - radius, 0);
    const int bottom = y < height_ - radius ? y + radius + 1 : height_;
    const int right = x < width_ - radius ? x + radius + 1 : width_;
    const double sum = at(bottom, right) - at(top, right) - at(bottom, left) + at(top, left);
    return sum / static_cast<double>(area(right - left, bottom - top));
  }

 private:
  // The sum of the weights above row y and left of column x.
  double& at(int y, int x) { return sums_[area(width_ + 1, y) + x]; }

  int height_, width_;
  std::vector<double> sums_;  // (height + 1) x (width + 1)
};

}  // namespace

std::span<const float> part_of(std::span<const float> plane, int width, const Window& window,
                               std::span<float> memory) {
  const size_t size = area(window.width(), window.height());
  if (plane.size() == size || plane.empty()) return plane;
  assert(memory.size() >= size);
  for (int y = 0; y < window.height(); ++y) {
    std::copy_n(plane.begin() + area(width, window.row + y) + window.column, window.width(),
                memory.begin() + area(window.width(), y));
  }
  return memory.first(size);
}

std::vector<float> layer_weights(const Mask& mask, int height, int width) {
  if (mask.empty()) return std::vector<float>(area(width, height), 1.0f);
  return resized(mask, width, height).values;
}

std::vector<float> eroded(std::vector<float> weights, int height, int width, int radius) {
  assert(weights.size() == area(width, height) && radius >= 0);
  if (radius == 0) return weights;
  BoxSums sums(weights, height, width);
  std::vector<float> inner(weights.size());
  bool anything = false;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const size_t i = area(width, y) + x;
      const double w = weights[i] * std::min(2 * sums.mean(y, x, radius) - 1, 1.0);
      if (w < kLeastWeight) continue;
      inner[i] = static_cast<float>(w);
      anything = true;
    }
  }
  return anything ? inner : weights;
}

std::vector<Mask> partition(std::vector<Mask> masks, int width, int height) {
  const size_t pixels = area(width, height);
  for (Mask& mask : masks) {
    mask = mask.empty() ? Mask{width, height, std::vector<float>(pixels, 1.0f)}
                        : resized(mask, width, height);
  }
  Mask rest{width, height, std::vector<float>(pixels)};
  for (size_t i = 0; i < pixels; ++i) {
    double sum = 0;
    for (const Mask& mask : masks) sum += mask.values[i];
    if (sum > 1) {
      for (Mask& mask : masks) mask.values[i] = static_cast<float>(mask.values[i] / sum);
    }
    rest.values[i] = static_cast<float>(std::max(1 - sum, 0.0));
  }
  masks.push_back(std::move(rest));
  return masks;
}

}  // namespace limn
