// The loader for a file is chosen by its first bytes, never by its name.
//
// The list below is the protection, not vips_block_untrusted_set alone: libvips 8.14 asks all its
// loaders, even blocked ones, whether a file is theirs, and some have parsed the whole file (PDF
// does) before they find out that they are blocked.
#include "image/loader.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "image/tiff_strips.h"
#include "image/vips.h"

namespace limn {
namespace {

using vips::VImage;
using vips::VOption;
using vips::VSource;

// How a decoder can shrink the picture while decoding.
enum class Shrinking { none, halves, anyhow };

struct Loader {
  const char* name;
  const char* formats;
  Shrinking shrinking;
};

constexpr Loader kLoaders[] = {
    {"jpegload_source", "JPEG", Shrinking::halves},
    {"pngload_source", "PNG", Shrinking::none},
    {"webpload_source", "WebP", Shrinking::anyhow},
    {"tiffload_source", "TIFF", Shrinking::none},
    {"heifload_source", "HEIC, AVIF", Shrinking::none},
    {"gifload_source", "GIF", Shrinking::none},
    {"jxlload_source", "JPEG XL", Shrinking::none},
};

// The formats in the list that this machine supports.
std::string known_formats() {
  std::string formats;
  for (const Loader& loader : kLoaders) {
    if (vips_type_find("VipsForeignLoad", loader.name) == 0) continue;
    formats += formats.empty() ? "" : ", ";
    formats += loader.formats;
  }
  return formats;
}

// The loader that recognises the bytes, or null.
const Loader* loader_of(const VSource& source) {
  for (const Loader& loader : kLoaders)
    if (vips_foreign_is_a_source(loader.name, source.get_source())) return &loader;
  return nullptr;
}

bool begins_with(std::string_view text, std::string_view lower_case) {
  return text.size() >= lower_case.size() &&
         std::equal(lower_case.begin(), lower_case.end(), text.begin(), [](char a, char b) {
           return a == std::tolower(static_cast<unsigned char>(b));
         });
}

// What bytes are that are not a picture, if easily recognised: "; this file is a web page".
std::string_view what_it_is(std::span<const std::byte> beginning) {
  std::string_view text(reinterpret_cast<const char*>(beginning.data()),
                        std::min<size_t>(beginning.size(), 1000));
  if (text.starts_with("%PDF")) return "; this file is a PDF";
  const bool is_text = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return c >= 0x20 ? c != 0x7f : c == '\n' || c == '\r' || c == '\t';
  });
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
    text.remove_prefix(1);
  for (const std::string_view tag : {"<!doctype html", "<html", "<head", "<body"}) {
    if (begins_with(text, tag)) {
      return "; this file is a web page: download the picture that the page shows";
    }
  }
  if (text.find("<svg") != text.npos) return "; this file is an SVG: make a PNG of it first";
  return is_text ? "; this file is text" : "";
}

[[noreturn]] void fail_as_unknown(const std::string& name, std::span<const std::byte> beginning) {
  fail(ErrorKind::file, "cannot read '{}': it is not a picture in a known format; limn reads {}{}",
       name, known_formats(), what_it_is(beginning));
}

std::vector<std::byte> beginning_of(const ByteSource& source) {
  std::vector<std::byte> bytes(1000);
  const ssize_t count = pread(source.descriptor(), bytes.data(), bytes.size(), 0);
  bytes.resize(static_cast<size_t>(std::max<ssize_t>(count, 0)));
  return bytes;
}

VSource rewound(const ByteSource& source) {
  lseek(source.descriptor(), 0, SEEK_SET);
  return VSource::new_from_descriptor(source.descriptor());
}

int whole_number(const VImage& image, const char* name, int otherwise) {
  return image.get_typeof(name) == 0 ? otherwise : image.get_int(name);
}

int halved(const Loader& loader, double shrink) {
  if (loader.shrinking != Shrinking::halves) return 1;
  return shrink >= 8 ? 8 : shrink >= 4 ? 4 : shrink >= 2 ? 2 : 1;
}

VImage opened(const Loader& loader, const OpenedPicture& picture, double shrink,
              std::optional<int> frame) {
  VImage image;
  // Errors include truncation and wrong checksums, but not the small oddities written by real
  // cameras, about which libvips only warns.
  VOption* options = VImage::option()
                         ->set("source", rewound(picture.source))
                         ->set("access", VIPS_ACCESS_SEQUENTIAL)
                         ->set("fail_on", VIPS_FAIL_ON_ERROR)
                         ->set("out", &image);
  if (loader.shrinking == Shrinking::halves) options->set("shrink", halved(loader, shrink));
  if (loader.shrinking == Shrinking::anyhow && shrink > 1) options->set("scale", 1 / shrink);
  if (frame) options->set("page", *frame);
  VImage::call(loader.name, options);
  return image;
}

// Bytes per sample.
double sample_bytes(const VImage& image) {
  return static_cast<double>(vips_format_sizeof(image.format()));
}

// A progressive JPEG arrives in passes over the whole picture, so all 2-byte coefficients are kept.
double coefficient_bytes(const VImage& image) {
  constexpr const char* kSubsampling = "jpeg-chroma-subsample";
  const bool halved_chroma = image.bands() == 3 && image.get_typeof(kSubsampling) != 0 &&
                             std::string_view(image.get_string(kSubsampling)) == "4:2:0";
  return 2 * (halved_chroma ? 1.5 : image.bands());
}

// Whether the first chunk of pixels in a WebP is lossy.
bool is_lossy_webp(const ByteSource& source) {
  constexpr off_t kFirstChunk = 12;  // bytes
  constexpr int kMostChunks = 20;    // metadata, before any pixels
  off_t at = kFirstChunk;
  for (int i = 0; i < kMostChunks; ++i) {
    std::array<unsigned char, 8> head = {};  // a four-letter name, the size of what follows
    if (pread(source.descriptor(), head.data(), head.size(), at) != std::ssize(head)) break;
    const std::string_view name(reinterpret_cast<const char*>(head.data()), 4);
    if (name == "VP8 " || name == "VP8L") return name == "VP8 ";
    const off_t size = head[4] | head[5] << 8 | head[6] << 16 | off_t{head[7]} << 24;
    at += std::ssize(head) + size + size % 2;
  }
  return false;
}

// A lossless WebP is decoded whole, then shrunk; a lossy one, a few rows at a time. An animation
// has a canvas on which its frames are composited.
DecoderMemory webp_memory(const ByteSource& source, int frames) {
  if (frames > 1) return {8, 4};
  return {is_lossy_webp(source) ? 0.0 : 4.0, 4.0};
}

// What decoders keep, measured with libvips 8.14 on pictures of 24 million pixels. DecoderMemory's
// `bytes` is per pixel here.
DecoderMemory memory_by_pixel(const Loader& loader, const ByteSource& source, const VImage& image,
                              int frames) {
  const std::string_view name = loader.name;
  const double samples = image.bands() * sample_bytes(image);
  if (name.starts_with("jpeg"))
    return {whole_number(image, "jpeg-multiscan", 0) ? coefficient_bytes(image) : 0.0, 0.0};
  if (name.starts_with("png")) return {whole_number(image, "interlaced", 0) ? samples : 0.0, 0.0};
  if (name.starts_with("webp")) return webp_memory(source, frames);
  if (name.starts_with("gif")) return {4, 0};
  if (name.starts_with("heif")) return {8 * sample_bytes(image), 0};
  if (name.starts_with("jxl")) return {samples + 4, 0};
  return {};
}

DecoderMemory memory_of(const Loader& loader, const ByteSource& source, const VImage& image,
                        int frames, int page) {
  const double pixels = 1.0 * image.width() * image.height();
  DecoderMemory memory = memory_by_pixel(loader, source, image, frames);
  memory.bytes *= pixels;
  // These loaders read the whole file, and that of TIFF each compressed strip, which may hold all
  // rows.
  const std::string_view name = loader.name;
  const auto file = static_cast<double>(source.bytes());
  const bool compressed = file < 0.95 * pixels * image.bands() * sample_bytes(image);
  if (name.starts_with("gif") || name.starts_with("webp") || name.starts_with("jxl")) {
    memory.bytes += file;
  } else if (name.starts_with("tiff") && compressed) {
    const std::optional<std::uint64_t> strip = largest_strip(source, page);
    memory.bytes += strip ? std::min(file, static_cast<double>(*strip)) : file;
  }
  return memory;
}

bool file_exists(const std::string& path) {
  struct stat status = {};
  return lstat(path.c_str(), &status) == 0;
}

}  // namespace

PictureName picture_name(const std::string& name) {
  const size_t open = name.rfind('[');
  if (open == std::string::npos || open == 0 || name.back() != ']') return {name, {}};
  int frame = 0;
  const char* const digits = name.data() + open + 1;
  const char* const end = name.data() + name.size() - 1;
  const auto [last, error] = std::from_chars(digits, end, frame);
  if (error != std::errc() || last != end || *digits == '-' || file_exists(name)) return {name, {}};
  return {name.substr(0, open), frame};
}

OpenedPicture open_picture(const std::string& name) {
  const PictureName parts = picture_name(name);
  const auto look = [&](std::span<const std::byte> beginning) {
    start_vips();
    const VSource source = VSource::new_from_memory(beginning.data(), beginning.size());
    if (loader_of(source) == nullptr) fail_as_unknown(name, beginning);
  };
  return {name, ByteSource(parts.path, "picture", look), parts.frame};
}

Loaded loaded(const OpenedPicture& picture, double shrink) {
  const Loader* const loader = loader_of(rewound(picture.source));
  if (loader == nullptr) fail_as_unknown(picture.name, beginning_of(picture.source));
  Loaded loaded{opened(*loader, picture, shrink, {}), {}, halved(*loader, shrink)};
  loaded.frames = std::max(1, whole_number(loaded.image, VIPS_META_N_PAGES, 1));
  loaded.memory =
      memory_of(*loader, picture.source, loaded.image, loaded.frames, picture.frame.value_or(0));
  // In a HEIC file, the first is the one it marks as primary.
  loaded.frame = whole_number(loaded.image, "heif-primary", 0);
  if (!picture.frame || *picture.frame == loaded.frame) return loaded;
  if (*picture.frame >= loaded.frames) {
    fail(ErrorKind::file, "cannot read '{}': it has {}, counted from 0", picture.name,
         loaded.frames == 1 ? "1 frame" : fmt::format("{} frames", loaded.frames));
  }
  loaded.frame = *picture.frame;
  loaded.image = opened(*loader, picture, shrink, loaded.frame);
  return loaded;
}

}  // namespace limn
