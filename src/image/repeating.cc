#include "image/repeating.h"

#include <numeric>
#include <vector>

#include "image/shape.h"

namespace limn {
namespace {

// A margin of old pixels, wide enough for the kernels of resized(), that becomes whole new pixels.
struct Margin {
  int before, after;
};

Margin margin_of(int from, int to) {
  const int common = std::gcd(from, to);
  const int step = from / common;
  // Lanczos reaches three new pixels, or as many old ones as they cover; bicubic two old ones.
  const int reach = 3 * ((from + to - 1) / to) + 2;
  const int steps = (reach + step - 1) / step;
  return {steps * step, steps * (to / common)};
}

int wrapped(int i, int length) { return (i % length + length) % length; }

// A plane with the margins around it.
std::vector<float> surrounded(const float* plane, const Size& size, int rows, int columns) {
  std::vector<float> out;
  out.reserve(static_cast<size_t>(size.height + 2 * rows) * (size.width + 2 * columns));
  for (int y = -rows; y < size.height + rows; ++y) {
    const float* row = plane + static_cast<size_t>(wrapped(y, size.height)) * size.width;
    for (int x = -columns; x < size.width + columns; ++x)
      out.push_back(row[wrapped(x, size.width)]);
  }
  return out;
}

// The part of a plane inside its margins.
void append_inside(const float* plane, const Size& whole, int rows, int columns,
                   std::vector<float>& out) {
  for (int y = rows; y < whole.height - rows; ++y) {
    const float* row = plane + static_cast<size_t>(y) * whole.width;
    out.insert(out.end(), row + columns, row + whole.width - columns);
  }
}

}  // namespace

Image resized_repeating(const Image& image, int width, int height) {
  check_shape(image);
  if (width == image.width && height == image.height) return image;
  const Margin across = margin_of(image.width, width), down = margin_of(image.height, height);
  const Size size = {image.height, image.width};
  const size_t plane = image.rgb.size() / 3;
  Image larger = {image.width + 2 * across.before, image.height + 2 * down.before, {}, {}};
  for (size_t c = 0; c < 3; ++c) {
    const std::vector<float> one =
        surrounded(&image.rgb[c * plane], size, down.before, across.before);
    larger.rgb.insert(larger.rgb.end(), one.begin(), one.end());
  }
  if (!image.alpha.empty()) {
    larger.alpha = surrounded(image.alpha.data(), size, down.before, across.before);
  }
  const Size whole = {height + 2 * down.after, width + 2 * across.after};
  larger = resized(larger, whole.width, whole.height);
  const size_t larger_plane = larger.rgb.size() / 3;
  Image result = {width, height, {}, {}};
  for (size_t c = 0; c < 3; ++c) {
    append_inside(&larger.rgb[c * larger_plane], whole, down.after, across.after, result.rgb);
  }
  if (!larger.alpha.empty()) {
    append_inside(larger.alpha.data(), whole, down.after, across.after, result.alpha);
  }
  return result;
}

}  // namespace limn
