#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "binding.h"

namespace limn::python {
namespace {

// Rows of interleaved channels to planes and back: to[c * pixels + i] is from[i * channels + c].
void to_plane(const float* pixels, size_t channels, size_t channel, std::vector<float>& plane,
              size_t first, size_t count) {
  for (size_t i = 0; i < count; ++i) plane[first + i] = pixels[i * channels + channel];
}

void from_plane(const float* plane, float* pixels, size_t channels, size_t channel, size_t count) {
  for (size_t i = 0; i < count; ++i) pixels[i * channels + channel] = plane[i];
}

// Python checks shapes with better words; this keeps the memory safe whatever it passes on.
void check_rank(const Array& array, py::ssize_t rank) {
  constexpr py::ssize_t kMostSide = 1 << 30;
  const bool fits = array.ndim() == rank && array.shape(0) >= 1 && array.shape(1) >= 1 &&
                    array.shape(0) <= kMostSide && array.shape(1) <= kMostSide;
  if (!fits) throw py::value_error("not an array of a picture or mask");
}

}  // namespace

Image image_of(const Array& pixels) {
  check_rank(pixels, 3);
  const auto channels = static_cast<size_t>(pixels.shape(2));
  if (channels != 3 && channels != 4) throw py::value_error("not an array of 3 or 4 channels");
  Image image = {static_cast<int>(pixels.shape(1)), static_cast<int>(pixels.shape(0)), {}, {}};
  const size_t count = static_cast<size_t>(image.width) * static_cast<size_t>(image.height);
  image.rgb.resize(3 * count);
  for (size_t c = 0; c < 3; ++c) {
    to_plane(pixels.data(), channels, c, image.rgb, c * count, count);
  }
  if (channels == 4) {
    image.alpha.resize(count);
    to_plane(pixels.data(), channels, 3, image.alpha, 0, count);
  }
  return image;
}

Array array_of(const Image& image) {
  const size_t channels = image.alpha.empty() ? 3 : 4;
  const size_t count = static_cast<size_t>(image.width) * static_cast<size_t>(image.height);
  Array pixels({static_cast<size_t>(image.height), static_cast<size_t>(image.width), channels});
  float* out = pixels.mutable_data();
  for (size_t c = 0; c < 3; ++c) from_plane(&image.rgb[c * count], out, channels, c, count);
  if (channels == 4) from_plane(image.alpha.data(), out, channels, 3, count);
  return pixels;
}

Array array_of_planes(const std::vector<float>& planes, int width, int height) {
  return array_of(Image{width, height, planes, {}});
}

Mask mask_of(const std::optional<Array>& values) {
  if (!values) return {};
  check_rank(*values, 2);
  return {static_cast<int>(values->shape(1)), static_cast<int>(values->shape(0)),
          std::vector<float>(values->data(), values->data() + values->size())};
}

Array array_of(const Mask& mask) {
  Array values({mask.height, mask.width});
  std::ranges::copy(mask.values, values.mutable_data());
  return values;
}

py::tuple tuple_of(const Losses& losses) {
  return py::make_tuple(losses.content, losses.style, losses.total_variation, losses.total);
}

}  // namespace limn::python
