// Which loader knows a file is found by its first bytes, never by its name.
//
// The list below is the wall, not vips_block_untrusted_set alone: libvips 8.14 asks all its loaders
// whether a file is theirs, the blocked ones too, and some of those have parsed the whole file (PDF
// does) by the time they learn that they are blocked.
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

#include "base/error.h"
#include "image/vips.h"

namespace limn {
namespace {

using vips::VImage;
using vips::VOption;
using vips::VSource;

// How a decoder shrinks the picture while it decodes.
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

// What is in the list and on this machine.
std::string known_formats() {
  std::string formats;
  for (const Loader& loader : kLoaders) {
    if (vips_type_find("VipsForeignLoad", loader.name) == 0) continue;
    formats += formats.empty() ? "" : ", ";
    formats += loader.formats;
  }
  return formats;
}

// The loader that knows the bytes, or none.
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

// What some bytes are that are no picture, where that is easily seen: "; this file is a web page".
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
  // Errors include truncation and wrong checksums, but not the small oddities that real cameras
  // write and libvips merely warns of.
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
  Loaded loaded{opened(*loader, picture, shrink, {}), loader->formats, halved(*loader, shrink)};
  loaded.frames = std::max(1, whole_number(loaded.image, VIPS_META_N_PAGES, 1));
  // Of a HEIC file the first is the one that it calls its primary picture.
  loaded.frame = whole_number(loaded.image, "heif-primary", 0);
  if (!picture.frame || *picture.frame == loaded.frame) return loaded;
  if (*picture.frame >= loaded.frames) {
    fail(ErrorKind::file, "cannot read '{}': there {} in it, counted from 0", picture.name,
         loaded.frames == 1 ? "is 1 frame" : fmt::format("are {} frames", loaded.frames));
  }
  loaded.frame = *picture.frame;
  loaded.image = opened(*loader, picture, shrink, loaded.frame);
  return loaded;
}

}  // namespace limn
