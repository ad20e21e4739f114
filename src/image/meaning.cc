// Integers are interpreted by their profile; floats are scanned first (float_samples.h).
#include "image/meaning.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "image/vips.h"

namespace limn {
namespace {

using vips::VImage;

// How far two profiles that mean sRGB may differ, in 16-bit steps: one 8-bit step, the accuracy of
// the profile library's tables. (Gamma 2.2 instead of sRGB's curve differs by three.)
constexpr int kSrgbTolerance = 257;

// The largest value of a format, which represents 1.
float largest_of(VipsBandFormat format) {
  switch (format) {
    case VIPS_FORMAT_UCHAR:
      return 255.0f;
    case VIPS_FORMAT_CHAR:
      return 127.0f;
    case VIPS_FORMAT_USHORT:
      return 65535.0f;
    case VIPS_FORMAT_SHORT:
      return 32767.0f;
    case VIPS_FORMAT_UINT:
      return 4294967295.0f;
    case VIPS_FORMAT_INT:
      return 2147483647.0f;
    case VIPS_FORMAT_FLOAT:
    case VIPS_FORMAT_DOUBLE:
      return 1.0f;
    default:
      return 0.0f;
  }
}

// Whether the embedded profile is for as many channels as the picture has. (Its colour space is
// four letters at byte 16.) Programs that convert a picture often forget to drop its old profile.
bool has_fitting_profile(const VImage& colour) {
  constexpr size_t kHeaderBytes = 128;
  if (colour.get_typeof(VIPS_META_ICC_NAME) == 0) return false;
  size_t bytes = 0;
  const auto* profile = static_cast<const char*>(colour.get_blob(VIPS_META_ICC_NAME, &bytes));
  if (bytes < kHeaderBytes) return false;
  const char* expected = colour.bands() == 1 ? "GRAY" : colour.bands() == 3 ? "RGB " : "CMYK";
  return std::memcmp(profile + 16, expected, 4) == 0;
}

// Through the embedded or the named profile to sRGB in 16 bits: 8 would round twice. Relative
// intent with black point compensation is the default of picture editors.
VImage transformed(const VImage& colour, bool embedded, const char* profile) {
  return colour.icc_transform("srgb", VImage::option()
                                          ->set("embedded", embedded)
                                          ->set("input_profile", profile)
                                          ->set("intent", VIPS_INTENT_RELATIVE)
                                          ->set("black_point_compensation", true)
                                          ->set("depth", 16));
}

// Whether the embedded RGB profile is sRGB, whatever its name and maker: it moves none of 6 x 6 x 6
// colours by more than kSrgbTolerance. Most profiles are, and then the samples are best left alone:
// faster, and exactly what programs without colour management see.
bool has_srgb_profile(const VImage& colour) {
  std::vector<std::uint8_t> samples;
  for (int i = 0; i < 6 * 6 * 6; ++i)
    for (const int level : {i / 36, i / 6 % 6, i % 6})
      samples.push_back(static_cast<std::uint8_t>(51 * level));
  VImage probe =
      VImage::new_from_memory(samples.data(), samples.size(), 6 * 6 * 6, 1, 3, VIPS_FORMAT_UCHAR)
          .copy(VImage::option()->set("interpretation", VIPS_INTERPRETATION_sRGB));
  size_t bytes = 0;
  const void* profile = colour.get_blob(VIPS_META_ICC_NAME, &bytes);
  vips_image_set_blob_copy(probe.get_image(), VIPS_META_ICC_NAME, profile, bytes);
  bool same = true;
  each_row(transformed(probe, true, "srgb"), [&](int, const float* row) {
    for (size_t i = 0; i < samples.size(); ++i)
      same = same && std::abs(row[i] - 257.0f * samples[i]) <= kSrgbTolerance;
  });
  return same;
}

// The colour bands in sRGB, encoded unless they are floats; 1 (grey) or 3.
VImage in_srgb(VImage colour) {
  if (is_absolute(colour.interpretation())) return colour.colourspace(VIPS_INTERPRETATION_RGB16);
  if (is_float(colour.format())) return colour;
  try {
    if (has_fitting_profile(colour)) {
      if (colour.bands() == 3 && has_srgb_profile(colour)) return colour;
      return transformed(colour, true, colour.bands() == 4 ? "cmyk" : "srgb");
    }
  } catch (const vips::VError&) {
    vips_error_clear();  // a broken profile is ignored: the pixels are still there
  }
  return colour.bands() == 4 ? transformed(colour, false, "cmyk") : colour;
}

}  // namespace

bool is_float(VipsBandFormat format) {
  return format == VIPS_FORMAT_FLOAT || format == VIPS_FORMAT_DOUBLE;
}

bool is_complex(VipsBandFormat format) {
  return format == VIPS_FORMAT_COMPLEX || format == VIPS_FORMAT_DPCOMPLEX;
}

bool is_absolute(VipsInterpretation space) {
  switch (space) {
    case VIPS_INTERPRETATION_LAB:
    case VIPS_INTERPRETATION_LABS:
    case VIPS_INTERPRETATION_LCH:
    case VIPS_INTERPRETATION_XYZ:
    case VIPS_INTERPRETATION_YXY:
      return true;
    default:
      return false;
  }
}

int colour_bands(const VImage& image) {
  switch (image.interpretation()) {
    case VIPS_INTERPRETATION_B_W:
    case VIPS_INTERPRETATION_GREY16:
      return 1;
    case VIPS_INTERPRETATION_CMYK:
      return std::min(image.bands(), 4);
    default:
      return image.bands() < 3 ? 1 : 3;
  }
}

Samples understood(const VImage& image, const FloatMeaning& floats) {
  const int colour_count = colour_bands(image);
  Samples samples;
  samples.image = in_srgb(image.extract_band(0, VImage::option()->set("n", colour_count)));
  samples.colours = samples.image.bands();
  const bool stays_float = is_float(samples.image.format());
  samples.white = stays_float ? floats.white : largest_of(samples.image.format());
  samples.linear = stays_float && floats.linear;
  // If there are several more bands, the first is alpha; the rest are somebody's masks.
  if (image.bands() > colour_count) {
    samples.opaque = is_float(image.format()) ? floats.opaque : largest_of(image.format());
    samples.image = samples.image.bandjoin(image.extract_band(colour_count));
  }
  return samples;
}

}  // namespace limn
