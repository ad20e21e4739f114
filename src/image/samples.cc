#include "image/samples.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "image/resolution.h"
#include "image/write.h"

namespace limn {

using vips::VImage;

namespace {

// A NaN fails every comparison and becomes 0.
float in_range(float value) { return value > 0.0f ? std::min(value, 1.0f) : 0.0f; }

// 0..1 to 0..max, rounded to nearest.
template <typename T>
T rounded(float value) {
  return static_cast<T>(std::lround(in_range(value) * std::numeric_limits<T>::max()));
}

// Pixels [left, left + width) of one row, interleaved: red, green, blue and, if `bands` is 4,
// alpha. With 3 bands, a transparent picture is composited onto white.
template <typename T>
void put_row(const Image& image, int bands, int y, int left, int width, T* out) {
  const size_t pixels = static_cast<size_t>(image.width) * static_cast<size_t>(image.height);
  const size_t first =
      static_cast<size_t>(y) * static_cast<size_t>(image.width) + static_cast<size_t>(left);
  const bool on_white = bands == 3 && !image.alpha.empty();
  for (size_t x = 0; x < static_cast<size_t>(width); ++x, out += bands) {
    for (size_t c = 0; c < 3; ++c) {
      float value = image.rgb[c * pixels + first + x];
      if (on_white) {
        const float alpha = in_range(image.alpha[first + x]);
        value = in_range(value) * alpha + (1.0f - alpha);
      }
      out[c] = rounded<T>(value);
    }
    if (bands == 4) out[3] = rounded<T>(image.alpha[first + x]);
  }
}

// libvips requests rectangles of samples, from any of its threads.
int put_region(VipsRegion* region, void*, void* image, void*, gboolean*) {
  const Image& from = *static_cast<const Image*>(image);
  const VipsRect& area = region->valid;
  const int bands = region->im->Bands;
  for (int y = area.top; y < area.top + area.height; ++y) {
    VipsPel* row = VIPS_REGION_ADDR(region, area.left, y);
    if (region->im->BandFmt == VIPS_FORMAT_USHORT) {
      put_row(from, bands, y, area.left, area.width, reinterpret_cast<std::uint16_t*>(row));
    } else {
      put_row(from, bands, y, area.left, area.width, row);
    }
  }
  return 0;
}

}  // namespace

VImage as_samples(const Image& image, bool keep_alpha, int bits) {
  constexpr double kPixelsPerMm = kUnstatedDpi / kMmPerInch;  // which all programs ignore
  const bool deep = bits == 16;
  VImage samples(vips_image_new());
  VipsImage* raw = samples.get_image();
  vips_image_init_fields(raw, image.width, image.height, keep_alpha ? 4 : 3,
                         deep ? VIPS_FORMAT_USHORT : VIPS_FORMAT_UCHAR, VIPS_CODING_NONE,
                         deep ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB, kPixelsPerMm,
                         kPixelsPerMm);
  if (vips_image_pipelinev(raw, VIPS_DEMAND_STYLE_THINSTRIP, nullptr) != 0 ||
      vips_image_generate(raw, nullptr, put_region, nullptr, const_cast<Image*>(&image), nullptr) !=
          0) {
    throw vips::VError();
  }
  VipsBlob* profile = nullptr;
  if (vips_profile_load("srgb", &profile, nullptr) != 0) throw vips::VError();
  size_t bytes = 0;
  const void* data = vips_blob_get(profile, &bytes);
  vips_image_set_blob_copy(raw, VIPS_META_ICC_NAME, data, bytes);
  vips_area_unref(VIPS_AREA(profile));
  return samples;
}

}  // namespace limn
