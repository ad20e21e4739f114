#include "image/border.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <utility>
#include <vector>

#include "base/error.h"
#include "image/mask.h"
#include "image/shape.h"

namespace limn {
namespace {

// The index in 0..size - 1 that place i reflects to. i may be far outside on either side:
// reflection repeats after 2 (size - 1) steps.
int reflected(int i, int size) {
  if (size == 1) return 0;
  const int period = 2 * (size - 1);
  const int place = std::abs(i) % period;
  return std::min(place, period - place);
}

// Appends the plane `in`, of height x width, to `out` with the border around it.
void append_bordered(const float* in, int height, int width, int pixels, std::vector<float>& out) {
  for (int y = -pixels; y < height + pixels; ++y) {
    const float* row = in + static_cast<size_t>(reflected(y, height)) * width;
    for (int x = -pixels; x < width + pixels; ++x) out.push_back(row[reflected(x, width)]);
  }
}

// The same, but leaving out a border.
void append_inner(const float* in, int height, int width, int pixels, std::vector<float>& out) {
  for (int y = pixels; y < height - pixels; ++y) {
    const float* row = in + static_cast<size_t>(y) * width;
    out.insert(out.end(), row + pixels, row + width - pixels);
  }
}

}  // namespace

Image with_border(const Image& image, int pixels) {
  check_shape(image);
  assert(pixels >= 0);
  Image out;
  out.width = image.width + 2 * pixels;
  out.height = image.height + 2 * pixels;
  const size_t plane = image.rgb.size() / 3;
  const size_t out_plane = static_cast<size_t>(out.width) * static_cast<size_t>(out.height);
  out.rgb.reserve(3 * out_plane);
  for (size_t c = 0; c < 3; ++c)
    append_bordered(&image.rgb[c * plane], image.height, image.width, pixels, out.rgb);
  if (image.alpha.empty()) return out;
  out.alpha.reserve(out_plane);
  append_bordered(image.alpha.data(), image.height, image.width, pixels, out.alpha);
  return out;
}

Mask with_border(const Mask& mask, int pixels) {
  assert(pixels >= 0);
  if (mask.empty()) return mask;
  check_shape(mask);
  Mask out;
  out.width = mask.width + 2 * pixels;
  out.height = mask.height + 2 * pixels;
  out.values.reserve(static_cast<size_t>(out.width) * static_cast<size_t>(out.height));
  append_bordered(mask.values.data(), mask.height, mask.width, pixels, out.values);
  return out;
}

Image without_border(Image image, int pixels) {
  check_shape(image);
  assert(pixels >= 0);
  if (pixels == 0) return image;
  if (pixels > (std::min(image.width, image.height) - 1) / 2) {
    fail(ErrorKind::usage, "a picture of {} x {} pixels is too small to have a border of {}",
         image.width, image.height, pixels);
  }
  Image out;
  out.width = image.width - 2 * pixels;
  out.height = image.height - 2 * pixels;
  const size_t plane = image.rgb.size() / 3;
  for (size_t c = 0; c < 3; ++c)
    append_inner(&image.rgb[c * plane], image.height, image.width, pixels, out.rgb);
  if (!image.alpha.empty())
    append_inner(image.alpha.data(), image.height, image.width, pixels, out.alpha);
  return out;
}

}  // namespace limn
