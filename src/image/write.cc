// Writing: from planes of floats to a file, in the format of the file's ending.
//
// The optimiser's picture need not be clean: values outside 0..1 are clamped, and NaN becomes 0.
// Samples are rounded to nearest, in strips as the encoder requests them, so no second copy of the
// picture is made. JPEG has no transparency: there the picture is composited onto white, like
// paper. Every file carries an sRGB profile, so wide-gamut screens show the same picture. No
// metadata of the photograph (place, camera, owner) is passed on. Notes are stored as XMP.
#include "image/write.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <new>
#include <string_view>

#include "base/error.h"
#include "base/file.h"
#include "base/lower_case.h"
#include "base/standard_output.h"
#include "base/temporary_file.h"
#include "image/resolution.h"
#include "image/samples.h"
#include "image/shape.h"
#include "image/vips.h"
#include "image/xmp.h"

namespace limn {
namespace {

namespace fs = std::filesystem;
using vips::VImage;
using vips::VOption;

enum class Codec { png, jpeg, webp, tiff, avif, heic, jxl };

struct Format {
  Codec codec;
  std::string_view name;                    // for messages
  std::array<std::string_view, 2> endings;  // the second may be empty
  const char* saver;                        // libvips's
  bool has_16_bits;
  bool has_alpha;
  bool has_xmp;
  int longest_side;   // in pixels: the limit of the format, its library or libvips
  double kept_bytes;  // a pixel, that the encoder keeps until the end; half as many more for alpha
};

// JPEG keeps all coefficients (2 bytes each, 3 a pixel) to choose its Huffman codes by them; the
// encoders of the last four formats take whole pictures.
constexpr std::array<Format, 7> kFormats = {{
    {Codec::png, "PNG", {".png"}, "pngsave", true, true, true, 10'000'000, 0},
    {Codec::jpeg, "JPEG", {".jpg", ".jpeg"}, "jpegsave", false, false, true, 65'500, 6},
    {Codec::webp, "WebP", {".webp"}, "webpsave", false, true, true, 16'383, 16},
    {Codec::tiff, "TIFF", {".tif", ".tiff"}, "tiffsave", true, true, true, 10'000'000, 0},
    {Codec::avif, "AVIF", {".avif"}, "heifsave", false, true, false, 16'384, 41},
    {Codec::heic, "HEIC", {".heic", ".heif"}, "heifsave", false, true, false, 16'384, 27},
    {Codec::jxl, "JPEG XL", {".jxl"}, "jxlsave", false, true, false, 10'000'000, 53},
}};

VOption* heif_options(Codec codec, int quality) {
  // Phones decode HEVC in hardware that supports only 4:2:0; AV1 has no such legacy.
  return VImage::option()
      ->set("compression", codec == Codec::avif ? VIPS_FOREIGN_HEIF_COMPRESSION_AV1
                                                : VIPS_FOREIGN_HEIF_COMPRESSION_HEVC)
      ->set("subsample_mode",
            codec == Codec::avif ? VIPS_FOREIGN_SUBSAMPLE_OFF : VIPS_FOREIGN_SUBSAMPLE_ON)
      ->set("bitdepth", 8)
      ->set("Q", quality);
}

// The encoder's options. `bytes` is the size of the samples.
VOption* encoder_options(Codec codec, int quality, std::uint64_t bytes) {
  switch (codec) {
    case Codec::png:
      return VImage::option();
    case Codec::jpeg:
      // Full colour resolution (4:4:4): halved chroma smears a stroke of pure red on green, which
      // is what a painting is about.
      return VImage::option()
          ->set("Q", quality)
          ->set("subsample_mode", VIPS_FOREIGN_SUBSAMPLE_OFF)
          ->set("optimize_coding", true);
    case Codec::webp:
      // WebP always halves chroma; smart subsampling preserves edges between saturated colours.
      return VImage::option()->set("Q", quality)->set("smart_subsample", true);
    case Codec::tiff:
      return VImage::option()
          ->set("compression", VIPS_FOREIGN_TIFF_COMPRESSION_DEFLATE)
          ->set("predictor", VIPS_FOREIGN_TIFF_PREDICTOR_HORIZONTAL)
          ->set("bigtiff", is_big_tiff(bytes));
    case Codec::avif:
    case Codec::heic:
      return heif_options(codec, quality);
    case Codec::jxl:
      return VImage::option()->set("Q", quality);
  }
  return VImage::option();
}

// Whether this machine can write the format. libheif may lack an encoder for one of its two codecs,
// which only trying reveals.
bool is_available(const Format& format) {
  start_vips();
  if (vips_type_find("VipsForeignSave", format.saver) == 0) return false;
  if (format.codec != Codec::avif && format.codec != Codec::heic) return true;
  try {
    const VImage black =
        VImage::black(16, 16, VImage::option()->set("bands", 3))
            .copy(VImage::option()->set("interpretation", VIPS_INTERPRETATION_sRGB));
    VipsBlob* file = black.heifsave_buffer(heif_options(format.codec, 50));
    vips_area_unref(VIPS_AREA(file));
    return true;
  } catch (const vips::VError&) {
    vips_error_clear();
    return false;
  }
}

// ".png, .jpg, ...", or without the dots.
std::string available_endings(bool with_dots) {
  std::string endings;
  for (const Format& format : kFormats) {
    if (!is_available(format)) continue;
    for (const std::string_view ending : format.endings) {
      if (ending.empty()) continue;
      endings += endings.empty() ? "" : ", ";
      endings += ending.substr(with_dots ? 0 : 1);
    }
  }
  return endings;
}

// ".png, .tif, .tiff": those of formats that could hold such a picture.
std::string endings_for(int longest_side, int bits) {
  std::string endings;
  for (const Format& format : kFormats) {
    const bool holds = format.longest_side >= longest_side && (bits == 8 || format.has_16_bits);
    if (!holds || !is_available(format)) continue;
    endings += fmt::format("{}{}", endings.empty() ? "" : ", ", format.endings.front());
  }
  return endings.empty() ? "a smaller picture" : endings;
}

// The format with this ending, or null.
const Format* format_with(const std::string& name) {
  const std::string ending = lower_case(name);
  for (const Format& format : kFormats)
    if (std::find(format.endings.begin(), format.endings.end(), ending) != format.endings.end())
      return &format;
  return nullptr;
}

// The ending that selects the format, with its dot.
std::string ending_of(const std::string& path, const WriteOptions& options) {
  if (!options.format.empty()) return "." + options.format;
  if (path == kStandardOutput) return ".png";
  return fs::path(path).extension().string();
}

const Format& format_of(const std::string& path, const WriteOptions& options) {
  const std::string ending = ending_of(path, options);
  if (ending.empty()) {
    fail(ErrorKind::usage, "cannot write '{}': the name needs an extension: {}", path,
         available_endings(true));
  }
  const Format* const format = format_with(ending);
  if (format == nullptr && !options.format.empty()) {
    fail(ErrorKind::usage, "cannot write '{}': there is no format '{}'; use one of {}", path,
         options.format, available_endings(false));
  }
  if (format == nullptr) {
    fail(ErrorKind::usage, "cannot write '{}': '{}' is not a known extension; use one of {}", path,
         ending, available_endings(true));
  }
  if (is_available(*format)) return *format;
  fail(ErrorKind::usage, "cannot write '{}': this machine has no encoder for {}; use one of {}",
       path, format->name, available_endings(options.format.empty()));
}

void check_options(const std::string& path, const Format& format, const WriteOptions& options,
                   int longest_side) {
  if (options.bits != 8 && options.bits != 16)
    fail(ErrorKind::usage, "cannot write {} bits per channel: choose 8 or 16", options.bits);
  if (options.bits == 16 && !format.has_16_bits) {
    fail(ErrorKind::usage,
         "cannot write '{}': {} has 8 bits per channel; for 16 write .png or .tif", path,
         format.name);
  }
  if (options.quality < 1 || options.quality > 100)
    fail(ErrorKind::usage, "quality {} is out of range: choose 1 to 100", options.quality);
  if (longest_side > format.longest_side) {
    fail(ErrorKind::usage,
         "cannot write '{}': {} allows at most {} pixels a side, but this picture has {}; write {}",
         path, format.name, format.longest_side, longest_side,
         endings_for(longest_side, options.bits));
  }
  const bool has_dpi = options.dpi >= kLeastDpi && options.dpi <= kMostDpi;  // false for NaN
  if (options.dpi != 0 && !has_dpi) {
    fail(ErrorKind::usage, "{} dpi are out of range: choose {} to {}", options.dpi, kLeastDpi,
         kMostDpi);
  }
}

const Format& fitting_format(const std::string& path, const WriteOptions& options,
                             int longest_side) {
  const Format& format = format_of(path, options);
  check_options(path, format, options, longest_side);
  return format;
}

const Format& checked_format(const std::string& path, const WriteOptions& options,
                             int longest_side) {
  const Format& format = fitting_format(path, options, longest_side);
  if (path == kStandardOutput) {
    check_standard_output();
  } else {
    check_replaceable(path);
  }
  return format;
}

// In JPEG the packet must fit one 64 KB segment: the longest notes are dropped until it does.
void set_notes(VImage& samples, Notes notes, const Format& format) {
  constexpr size_t kMostInJpeg = 65'000;
  const std::string creator = fmt::format("limn {}", version());
  std::string packet = xmp_of(notes, creator);
  while (format.codec == Codec::jpeg && packet.size() > kMostInJpeg && !notes.empty()) {
    notes.erase(
        std::ranges::max_element(notes, {}, [](const auto& note) { return note.second.size(); }));
    packet = xmp_of(notes, creator);
  }
  VipsImage* const image = samples.get_image();
  vips_image_set_blob_copy(image, VIPS_META_XMP_NAME, packet.data(), packet.size());
}

// Encodes into an open file.
void save(const Image& image, const Format& format, const WriteOptions& options,
          const vips::VTarget& target) {
  const bool keep_alpha = !image.alpha.empty() && format.has_alpha;
  VImage samples = as_samples(image, keep_alpha, options.bits);
  if (!options.notes.empty() && format.has_xmp) set_notes(samples, options.notes, format);
  if (options.dpi > 0) samples = with_dpi(samples, options.dpi);
  const bool adds_jfif = options.dpi > 0 && format.codec == Codec::jpeg;
  const std::uint64_t bytes = VIPS_IMAGE_SIZEOF_IMAGE(samples.get_image());
  VImage::call((std::string(format.saver) + "_target").c_str(),
               encoder_options(format.codec, options.quality, bytes)
                   ->set("in", samples)
                   ->set("target", adds_jfif ? with_jfif(target, options.dpi) : target));
}

// Via an unnamed temporary file: some encoders seek back, and a failure half-way leaves nothing
// behind.
void save_to_standard_output(const Image& image, const Format& format,
                             const WriteOptions& options) {
  const Descriptor file(open_temporary_file("cannot write '-'"));
  save(image, format, options, vips::VTarget::new_to_descriptor(file.number()));
  copy_to_standard_output(file.number());
}

}  // namespace

double writing_bytes(const std::string& path, const WriteOptions& options, int width, int height,
                     bool has_alpha) {
  constexpr double kRows = 640;  // of samples, in libvips's strips and the TIFF's
  const Format* const named = format_with(ending_of(path, options));
  const Format& format = named == nullptr ? kFormats.front() : *named;
  const double rows = std::min<double>(kRows, height);
  const bool keeps_alpha = has_alpha && format.has_alpha;
  const double row = 1.0 * width * (keeps_alpha ? 4 : 3) * options.bits / 8;
  return rows * row + format.kept_bytes * (keeps_alpha ? 1.5 : 1) * width * height;
}

bool is_big_tiff(std::uint64_t sample_bytes) { return sample_bytes > 3'500'000'000u; }

void check_format(const std::string& path, const WriteOptions& options, int longest_side) {
  fitting_format(path, options, longest_side);
}

bool keeps_notes(const std::string& path, const WriteOptions& options) {
  return format_of(path, options).has_xmp;
}

void check_writable(const std::string& path, const WriteOptions& options, int longest_side) {
  checked_format(path, options, longest_side);
}

void write_image(const Image& image, const std::string& path, const WriteOptions& options) {
  check_shape(image);
  const Format& format = checked_format(path, options, std::max(image.width, image.height));
  try {
    if (path == kStandardOutput) return save_to_standard_output(image, format, options);
    replace_file(path, [&](const std::string& beside) {
      save(image, format, options, vips::VTarget::new_to_file(beside.c_str()));
    });
  } catch (const vips::VError& error) {
    fail(ErrorKind::file, "cannot write '{}': {}", path, condensed(error));
  } catch (const std::bad_alloc&) {
    fail(ErrorKind::resources, "no memory to write '{}'", path);
  }
}

std::string jpeg_in_memory(const Image& image, int quality) try {
  check_shape(image);
  start_vips();
  VipsBlob* const blob =
      as_samples(image, /*keep_alpha=*/false, 8)
          .jpegsave_buffer(VImage::option()
                               ->set("Q", quality)
                               ->set("subsample_mode", VIPS_FOREIGN_SUBSAMPLE_OFF)
                               ->set("strip", true));
  const std::unique_ptr<VipsArea, void (*)(VipsArea*)> area(VIPS_AREA(blob), vips_area_unref);
  return {static_cast<const char*>(area->data), area->length};
} catch (const vips::VError& error) {
  fail(ErrorKind::resources, "cannot encode a picture: {}", condensed(error));
}

}  // namespace limn
