// Reading: from any file that claims to be a picture to planes of sRGB floats.
//
// Files differ in what a sample means. A byte of a JPEG is sRGB-encoded light, or light encoded by
// the ICC profile inside the file, or ink. A 32-bit float of a TIFF is linear light. Lab is
// neither. Each becomes sRGB-encoded red, green and blue in 0..1:
//
//   RGB and grey integers     divided by the largest value; through the profile if there is one
//   CMYK                      through its profile, or through libvips's own when it has none
//   floats                    linear light with sRGB's primaries: clipped to 0..1 and encoded
//   Lab, XYZ                  by their definition
//
// The file is not to be trusted: its header is read first, and pixels are decoded only if they are
// few enough. They stream by in strips, so that the memory taken is the result's and little more.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

#include "base/error.h"
#include "image/loader.h"
#include "image/oklab.h"
#include "image/read.h"
#include "image/vips.h"

namespace limn {
namespace {

using vips::VImage;

// No photograph has a longer side, in pixels, whatever limit the caller sets on the area: what
// claims more is forged, and rows that long cost memory by themselves.
constexpr int kLongestSide = 1'000'000;

// Colours, alpha and then some: more channels than a picture for people has.
constexpr int kMostBands = 64;

// What two profiles that both mean sRGB may differ by, in steps of 16 bits: one step of 8, which
// the profile library's own tables are worth. (Gamma 2.2 instead of sRGB's curve makes three.)
constexpr int kSrgbTolerance = 257;

void check_size(const VImage& image, const std::string& path, std::int64_t max_pixels) {
  const int longest = std::max(image.width(), image.height());
  if (longest > kLongestSide) {
    fail(ErrorKind::resources, "'{}' is {} x {} pixels; a side may have at most {}", path,
         image.width(), image.height(), kLongestSide);
  }
  const std::int64_t pixels = std::int64_t{image.width()} * image.height();
  if (pixels > max_pixels) {
    fail(ErrorKind::resources,
         "'{}' is {} x {} = {} pixels, more than the limit of {}; make it smaller first, or raise "
         "the limit",
         path, image.width(), image.height(), pixels, max_pixels);
  }
  if (image.bands() > kMostBands) {
    fail(ErrorKind::file, "cannot read '{}': it has {} channels, and {} are the most", path,
         image.bands(), kMostBands);
  }
}

VImage upright(const VImage& image) {
  if (vips_image_get_orientation(image.get_image()) == 1) return image;
  // Turning needs the last row first, and a stream has it last.
  return in_memory(image).autorot();
}

// --------------------------------------------------------------------------------- the samples --

// A picture on its way: its bands are `colours` (1 or 3) and then, perhaps, one of alpha.
struct Samples {
  VImage image;
  int colours = 0;
  float white = 1;      // the sample that means 1
  bool linear = false;  // samples are light, not yet encoded
  float opaque = 0;     // the alpha sample that means 1; 0: there is no alpha
};

// The largest value of a format, which is its 1; 0 for complex numbers, which have none.
float largest(VipsBandFormat format) {
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

bool is_float(VipsBandFormat format) {
  return format == VIPS_FORMAT_FLOAT || format == VIPS_FORMAT_DOUBLE;
}

// Colours defined by what an eye sees rather than by a device: they convert without a profile.
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

// ---------------------------------------------------------------------------------- the profile --

// Whether the embedded profile speaks of as many channels as the picture has. (Its colour space is
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

// Through the embedded profile, or the named one, to sRGB in 16 bits: eight would round twice.
// Relative intent with black point compensation is what picture editors do unless told otherwise.
VImage transformed(const VImage& colour, bool embedded, const char* profile) {
  return colour.icc_transform("srgb", VImage::option()
                                          ->set("embedded", embedded)
                                          ->set("input_profile", profile)
                                          ->set("intent", VIPS_INTENT_RELATIVE)
                                          ->set("black_point_compensation", true)
                                          ->set("depth", 16));
}

// Whether the embedded RGB profile is sRGB under whatever name and make: it moves none of 6 x 6 x 6
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
    vips_error_clear();  // a broken profile is as good as none: the pixels are still there
  }
  return colour.bands() == 4 ? transformed(colour, false, "cmyk") : colour;
}

Samples understood(const VImage& stored, const std::string& path) {
  // Lab of 8 bits is packed by libvips into 10 and 11, with a format of its own.
  const VImage image = stored.coding() == VIPS_CODING_LABQ ? stored.LabQ2LabS() : stored;
  if (largest(image.format()) == 0.0f)
    fail(ErrorKind::file, "cannot read '{}': its samples are complex numbers", path);
  const int colour_count = colour_bands(image);
  Samples samples;
  samples.image = in_srgb(image.extract_band(0, VImage::option()->set("n", colour_count)));
  samples.colours = samples.image.bands();
  samples.white = largest(samples.image.format());
  samples.linear = is_float(samples.image.format());
  // Of several further bands the first is the transparency; the rest are somebody's masks.
  if (image.bands() > colour_count) {
    samples.opaque = largest(image.format());
    samples.image = samples.image.bandjoin(image.extract_band(colour_count));
  }
  return samples;
}

// ----------------------------------------------------------------------------------- the planes --

float in_range(float value) {
  if (!std::isfinite(value)) return 0.0f;
  return std::clamp(value, 0.0f, 1.0f);
}

// Decodes the pixels.
Image planes(const Samples& samples) {
  Image image;
  image.width = samples.image.width();
  image.height = samples.image.height();
  const size_t width = static_cast<size_t>(image.width);
  const size_t pixels = width * static_cast<size_t>(image.height);
  const int bands = samples.image.bands();
  image.rgb.resize(3 * pixels);
  if (samples.opaque > 0) image.alpha.resize(pixels);
  each_row(samples.image, [&](int y, const float* row) {
    for (int c = 0; c < 3; ++c) {
      const float* in = row + std::min(c, samples.colours - 1);  // grey serves all three
      float* out = &image.rgb[c * pixels + y * width];
      for (size_t x = 0; x < width; ++x) {
        const float value = in_range(in[x * bands] / samples.white);
        out[x] = samples.linear ? srgb_encoded(value) : value;
      }
    }
    if (image.alpha.empty()) return;
    for (size_t x = 0; x < width; ++x)
      image.alpha[y * width + x] = in_range(row[x * bands + samples.colours] / samples.opaque);
  });
  // Many programs write an alpha channel that says nothing.
  if (std::all_of(image.alpha.begin(), image.alpha.end(), [](float a) { return a == 1.0f; }))
    image.alpha = {};
  return image;
}

}  // namespace

double PictureHeader::reading_bytes(int asked_width, int asked_height) const {
  const auto side = [](int own, int asked) { return asked > 0 ? std::min(own, asked) : own; };
  const double pixels = 1.0 * side(width, asked_width) * side(height, asked_height);
  return decoder_bytes + row_bytes + pixels * (has_alpha ? 4 : 3) * sizeof(float);
}

PictureHeader read_header(const OpenedPicture& picture, const ReadOptions& options) {
  start_vips();
  try {
    const Loaded file = loaded(picture);
    check_size(file.image, picture.name, options.max_pixels);
    PictureHeader header;
    const bool turned = vips_image_get_orientation_swap(file.image.get_image());
    header.width = turned ? file.image.height() : file.image.width();
    header.height = turned ? file.image.width() : file.image.height();
    header.frames = file.frames;
    header.has_alpha = file.image.bands() > colour_bands(file.image);
    return header;
  } catch (const vips::VError& error) {
    fail(ErrorKind::file, "cannot read '{}': the file is damaged or incomplete ({})", picture.name,
         condensed(error));
  }
}

PictureHeader read_header(const std::string& name, const ReadOptions& options) {
  return read_header(open_picture(name), options);
}

Image read_image(const OpenedPicture& picture, const ReadOptions& options) {
  const std::string& path = picture.name;
  start_vips();
  try {
    const VImage image = loaded(picture).image;
    check_size(image, path, options.max_pixels);
    Image whole = planes(understood(upright(image), path));
    const auto side = [](int own, int asked) { return asked > 0 ? std::min(own, asked) : own; };
    return resized(whole, side(whole.width, options.width), side(whole.height, options.height));
  } catch (const vips::VError& error) {
    const std::string cause = condensed(error);
    if (cause.find("out of memory") == std::string::npos) {
      fail(ErrorKind::file, "cannot read '{}': the file is damaged or incomplete ({})", path,
           cause);
    }
  } catch (const std::bad_alloc&) {
  }
  fail(ErrorKind::resources, "no memory for the pixels of '{}'; make it smaller first", path);
}

Image read_image(const std::string& path, const ReadOptions& options) {
  return read_image(open_picture(path), options);
}

}  // namespace limn
