#include "image/stored.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "image/oklab.h"

namespace limn {
namespace {

using vips::VImage;

// No photograph has a longer side, in pixels, whatever limit the caller sets on the area. Larger
// claims are forged, and rows that long cost memory by themselves.
constexpr int kLongestSide = 1'000'000;

// Colours, alpha and more: enough channels for any picture meant for people.
constexpr int kMostBands = 64;

void check_header(const VImage& image, const std::string& name, std::int64_t max_pixels) {
  const int longest = std::max(image.width(), image.height());
  if (longest > kLongestSide) {
    fail(ErrorKind::resources, "'{}' is {} x {} pixels; a side may have at most {}", name,
         image.width(), image.height(), kLongestSide);
  }
  const std::int64_t pixels = std::int64_t{image.width()} * image.height();
  if (pixels > max_pixels) {
    fail(ErrorKind::resources,
         "'{}' is {} x {} = {} pixels, more than the limit of {}; make it smaller first, or raise "
         "the limit with --max-pixels {}",
         name, image.width(), image.height(), pixels, max_pixels, pixels);
  }
  if (image.bands() > kMostBands) {
    fail(ErrorKind::file, "cannot read '{}': it has {} channels, but at most {} are allowed", name,
         image.bands(), kMostBands);
  }
  if (is_complex(image.format()))
    fail(ErrorKind::file, "cannot read '{}': its samples are complex numbers", name);
}

// libvips packs 8-bit Lab into 10 and 11 bits, in a format of its own.
VImage unpacked(const VImage& image) {
  return image.coding() == VIPS_CODING_LABQ ? image.LabQ2LabS() : image;
}

void note_frames(const Loaded& file, const OpenedPicture& picture, const ReadOptions& options) {
  if (file.frames == 1 || picture.frame || !options.note) return;
  const std::string& name = picture.name;
  options.note(file.frame == 0
                   ? fmt::format("'{}' has {} frames; the first is used, '{}[1]' is the second",
                                 name, file.frames, name)
                   : fmt::format("'{}' has {} frames; its main one, '{}[{}]', is used", name,
                                 file.frames, name, file.frame));
}

int smaller(int own, int asked) { return asked > 0 ? std::min(own, asked) : own; }

float in_range(float value) {
  if (!std::isfinite(value)) return 0.0f;
  return std::clamp(value, 0.0f, 1.0f);
}

// Converts a row of interleaved samples to planes.
void decode_row(const Samples& samples, const float* row, float* out) {
  const auto width = static_cast<size_t>(samples.image.width());
  const int bands = samples.image.bands();
  for (int c = 0; c < 3; ++c) {
    const float* in = row + std::min(c, samples.colours - 1);  // grey serves all three
    for (size_t x = 0; x < width; ++x) {
      const float value = in_range(in[x * bands] / samples.white);
      *out++ = samples.linear ? srgb_encoded(value) : value;
    }
  }
  if (samples.opaque == 0) return;
  for (size_t x = 0; x < width; ++x)
    *out++ = in_range(row[x * bands + samples.colours] / samples.opaque);
}

// Scans the floats of a picture, which must be opened again afterwards.
FloatMeaning looked_through(const VImage& image, int orientation, const std::string& name,
                            const ReadOptions& options) {
  const int colours = colour_bands(image);
  if (!is_absolute(image.interpretation()))
    return meaning_of_floats(image, colours, orientation, name, options.note);
  check_finite(image, colours, orientation, name);
  return {};
}

}  // namespace

VImage checked(const Loaded& file, const std::string& name, const ReadOptions& options) {
  check_header(file.image, name, options.max_pixels);
  return unpacked(file.image);
}

Stored opened_at_size(const OpenedPicture& picture, const ReadOptions& options,
                      ShrinkBy shrink_by) {
  Loaded file = loaded(picture);
  VImage image = checked(file, picture.name, options);
  note_frames(file, picture, options);
  Stored stored;
  stored.orientation = vips_image_get_orientation(image.get_image());
  const Orientation own(stored.orientation, image.width(), image.height());
  stored.width = smaller(own.width(), options.width);
  stored.height = smaller(own.height(), options.height);
  if (own.swaps_axes()) std::swap(stored.width, stored.height);
  stored.columns = image.width();
  stored.rows = image.height();
  // Decoding at twice the size leaves the visible part of shrinking to the better filter.
  const double shrink = std::min(stored.columns / stored.width, stored.rows / stored.height) / 2;
  FloatMeaning floats;
  if (is_float(image.format())) {
    floats = looked_through(image, stored.orientation, picture.name, options);
    image = unpacked(loaded(picture).image);
  } else if (shrink_by == ShrinkBy::decoder_first && shrink > 1) {
    file = loaded(picture, shrink);
    image = unpacked(file.image);
    stored.columns = file.halved > 1 ? stored.columns / file.halved : image.width();
    stored.rows = file.halved > 1 ? stored.rows / file.halved : image.height();
  }
  stored.samples = understood(image, floats);
  return stored;
}

void each_decoded_row(const Stored& stored, const std::function<void(int, float*)>& take) {
  const VImage& image = stored.samples.image;
  std::vector<float> planes(static_cast<size_t>(stored.planes()) * image.width());
  each_row(image, [&](int y, const float* row) {
    decode_row(stored.samples, row, planes.data());
    take(y, planes.data());
  });
}

void fail_to_read(const std::string& name, const vips::VError& error) {
  const std::string cause = condensed(error);
  if (cause.find("out of memory") != std::string::npos) fail_for_memory(name);
  fail(ErrorKind::file, "cannot read '{}': the file is damaged or incomplete ({})", name, cause);
}

void fail_for_memory(const std::string& name) {
  fail(ErrorKind::resources, "no memory for the pixels of '{}'; make it smaller first", name);
}

}  // namespace limn
