// Masks: read from pictures, checked, resized.
//
// Resizing goes one direction after the other. Each new value is a weighted sum of neighbouring old
// ones, the same for every row (or column), so the weights are computed once. New pixel i of m lies
// on [i, i + 1) n / m of the old n:
//
//   m < n   each old pixel weighs as much of it as the new one covers
//   m > n   the two old pixels on either side of the new one's centre, the nearer the more
#include "image/mask.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "image/read.h"

namespace limn {
namespace {

// A new value: the sum of weights[k] times old value first + k.
struct Blend {
  int first = 0;
  std::vector<double> weights;  // which sum to 1
};

// The new pixel that covers [begin, end) of the old ones, in old pixels.
Blend covering(double begin, double end, int old_size) {
  Blend blend;
  blend.first = std::clamp(static_cast<int>(begin), 0, old_size - 1);
  for (int i = blend.first; i < old_size && (i < end || blend.weights.empty()); ++i) {
    const double covered = std::min(end, i + 1.0) - std::max(begin, static_cast<double>(i));
    blend.weights.push_back(std::max(covered, 0.0) / (end - begin));
  }
  return blend;
}

// The new pixel whose centre is at old pixel `centre`, a whole number in the middle of a pixel.
Blend between(double centre, int old_size) {
  const double inside = std::clamp(centre, 0.0, old_size - 1.0);
  const int left = std::min(static_cast<int>(inside), std::max(old_size - 2, 0));
  if (old_size == 1) return {0, {1.0}};
  return {left, {1 - (inside - left), inside - left}};
}

std::vector<Blend> blends(int old_size, int new_size) {
  const double scale = static_cast<double>(old_size) / new_size;
  std::vector<Blend> all;
  all.reserve(new_size);
  for (int i = 0; i < new_size; ++i) {
    all.push_back(new_size < old_size ? covering(i * scale, (i + 1) * scale, old_size)
                                      : between((i + 0.5) * scale - 0.5, old_size));
  }
  return all;
}

// Lines of `length` values that lie `stride` apart, resized; `lines` starts `line_stride` apart.
struct Direction {
  size_t lines, line_stride;  // how many lines, and from one's begin to the next one's
  size_t stride;              // from one value of a line to the next
};

void blend_lines(const float* in, Direction from, const std::vector<Blend>& blends, float* out,
                 Direction to) {
  for (size_t line = 0; line < from.lines; ++line) {
    for (size_t i = 0; i < blends.size(); ++i) {
      const float* old = in + line * from.line_stride + blends[i].first * from.stride;
      double sum = 0;
      for (const double weight : blends[i].weights) {
        sum += weight * *old;
        old += from.stride;
      }
      out[line * to.line_stride + i * to.stride] = static_cast<float>(std::clamp(sum, 0.0, 1.0));
    }
  }
}

}  // namespace

void check_shape(const Mask& mask) {
  if (mask.width < 1 || mask.height < 1) {
    fail(ErrorKind::usage, "a mask of {} x {} pixels has no pixels", mask.width, mask.height);
  }
  const size_t pixels = static_cast<size_t>(mask.width) * static_cast<size_t>(mask.height);
  if (mask.values.size() != pixels) {
    fail(ErrorKind::usage, "a mask of {} x {} pixels has {} values instead of {}", mask.width,
         mask.height, mask.values.size(), pixels);
  }
  for (size_t i = 0; i < pixels; ++i) {
    if (mask.values[i] >= 0.0f && mask.values[i] <= 1.0f) continue;
    fail(ErrorKind::usage,
         "a mask's values are from 0 (outside) to 1 (inside), and at {}, {} is {}", i % mask.width,
         i / mask.width, mask.values[i]);
  }
}

Mask read_mask(const std::string& path, const ReadOptions& options) {
  return read_mask(open_picture(path), options);
}

Mask read_mask(const OpenedPicture& picture, const ReadOptions& options) {
  const Image image = read_image(picture, options);
  const size_t pixels = image.rgb.size() / 3;
  Mask mask{image.width, image.height, std::vector<float>(pixels)};
  for (size_t i = 0; i < pixels; ++i) {
    const float grey = (image.rgb[i] + image.rgb[pixels + i] + image.rgb[2 * pixels + i]) / 3;
    mask.values[i] = std::min(grey, 1.0f) * (image.alpha.empty() ? 1.0f : image.alpha[i]);
  }
  return mask;
}

Mask resized(const Mask& mask, int width, int height) {
  if (width < 1 || height < 1) {
    fail(ErrorKind::usage, "cannot resize a mask to {} x {} pixels: each must be at least 1", width,
         height);
  }
  if (mask.empty()) return mask;
  check_shape(mask);
  if (width == mask.width && height == mask.height) return mask;
  const auto old_width = static_cast<size_t>(mask.width);
  const auto old_height = static_cast<size_t>(mask.height);
  const auto new_width = static_cast<size_t>(width);
  std::vector<float> wide(new_width * old_height);
  blend_lines(mask.values.data(), {old_height, old_width, 1}, blends(mask.width, width),
              wide.data(), {old_height, new_width, 1});
  Mask out{width, height, std::vector<float>(new_width * static_cast<size_t>(height))};
  blend_lines(wide.data(), {new_width, 1, new_width}, blends(mask.height, height),
              out.values.data(), {new_width, 1, new_width});
  return out;
}

}  // namespace limn
