// Masks: read from pictures, checked, resized.
#include "image/mask.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "image/resample.h"
#include "image/stored.h"

namespace limn {
namespace {

// How far a pixel's colours may be from grey, and the fraction of a mask's pixels that may be
// further: JPEG tints greys, and somebody may have left a red mark.
constexpr float kGreyUpTo = 0.1f;
constexpr double kMostColoured = 0.01;

// Makes a mask's row from a picture's planes; returns how many of its pixels are not grey.
int mask_row(const float* picture, int planes, size_t width, float* out) {
  int coloured = 0;
  for (size_t x = 0; x < width; ++x) {
    const float red = picture[x], green = picture[width + x], blue = picture[2 * width + x];
    const float alpha = planes == 4 ? picture[3 * width + x] : 1.0f;
    const auto [least, most] = std::minmax({red, green, blue});
    coloured += (most - least) * alpha > kGreyUpTo;
    out[x] = std::min((red + green + blue) / 3, 1.0f) * alpha;
  }
  return coloured;
}

// Decodes the pixels.
Mask decoded(const Stored& stored, const std::string& name) {
  const Orientation upright = stored.upright();
  Mask mask{upright.width(), upright.height(), {}};
  mask.values.resize(static_cast<size_t>(mask.width) * static_cast<size_t>(mask.height));
  const int width = stored.samples.image.width(), height = stored.samples.image.height();
  const auto put = [&](int y, const float* row) { upright.put_row(row, y, mask.values.data()); };
  RowResampler resampler(1, width, mean_blends(width, stored.width),
                         mean_blends(height, stored.height), put);
  std::vector<float> greys(static_cast<size_t>(width));
  double coloured = 0;
  each_decoded_row(stored, [&](int, const float* row) {
    coloured += mask_row(row, stored.planes(), greys.size(), greys.data());
    resampler.take(greys.data());
  });
  if (coloured > kMostColoured * width * height) {
    fail(ErrorKind::file,
         "'{}' has colours, but a mask must be grey: white inside, black outside; make one "
         "black-and-white mask for each PAINTING",
         name);
  }
  return mask;
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
         "a mask's values should be from 0 (outside) to 1 (inside), but the one at {}, {} is {}",
         i % mask.width, i / mask.width, mask.values[i]);
  }
}

Mask read_mask(const std::string& path, const ReadOptions& options) {
  return read_mask(open_picture(path), options);
}

Mask read_mask(const OpenedPicture& picture, const ReadOptions& options) {
  return with_reading_errors(picture.name, [&] {
    return decoded(opened_at_size(picture, options, ShrinkBy::resampling), picture.name);
  });
}

Mask resized(const Mask& mask, int width, int height) {
  if (width < 1 || height < 1) {
    fail(ErrorKind::usage, "cannot resize a mask to {} x {} pixels: each must be at least 1", width,
         height);
  }
  if (mask.empty()) return mask;
  check_shape(mask);
  if (width == mask.width && height == mask.height) return mask;
  Mask out{width, height, {}};
  out.values.reserve(static_cast<size_t>(width) * static_cast<size_t>(height));
  RowResampler resampler(
      1, mask.width, mean_blends(mask.width, width), mean_blends(mask.height, height),
      [&](int, const float* row) { out.values.insert(out.values.end(), row, row + width); });
  for (int y = 0; y < mask.height; ++y)
    resampler.take(&mask.values[static_cast<size_t>(y) * static_cast<size_t>(mask.width)]);
  for (float& value : out.values) value = std::clamp(value, 0.0f, 1.0f);
  return out;
}

Mask grown(Mask mask, int pixels) {
  const int height = mask.height, width = mask.width;
  // Along lines of `length` values, `stride` apart.
  std::vector<float> line;
  const auto grow = [&](float* first, int length, size_t stride) {
    line.resize(length);
    for (int i = 0; i < length; ++i) line[i] = first[i * stride];
    for (int i = 0; i < length; ++i) {
      const auto begin = line.begin() + std::max(0, i - pixels);
      const auto end = line.begin() + std::min(length, i + pixels + 1);
      first[i * stride] = *std::max_element(begin, end);
    }
  };
  for (int y = 0; y < height; ++y) grow(&mask.values[static_cast<size_t>(y) * width], width, 1);
  for (int x = 0; x < width; ++x) grow(&mask.values[x], height, width);
  return mask;
}

void lay_over(Image& picture, const Image& photo, const Mask& keep) {
  if (keep.empty()) return;
  for (size_t i = 0; i < picture.rgb.size(); ++i) {
    const float share = keep.values[i % keep.values.size()];
    picture.rgb[i] =
        share == 1 ? photo.rgb[i] : share * photo.rgb[i] + (1 - share) * picture.rgb[i];
  }
}

}  // namespace limn
