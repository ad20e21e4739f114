// In libvips an animation is one tall picture, with its frames stacked, that states the height of a
// frame. Frames are kept at 8 bits, three bytes a pixel, until all are there.
#include "image/animation.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <filesystem>
#include <new>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/lower_case.h"
#include "image/samples.h"
#include "image/shape.h"
#include "image/vips.h"

namespace limn {
namespace {

using vips::VImage;
using vips::VOption;

struct Format {
  std::string_view ending;
  std::string_view name;
  const char* saver;  // libvips's
  int longest_side;   // in pixels
};

constexpr std::array<Format, 2> kFormats = {{
    {".webp", "WebP", "webpsave", 16'383},
    {".gif", "GIF", "gifsave", 65'535},
}};

const Format& format_of(const std::string& path) {
  const std::string ending = lower_case(std::filesystem::path(path).extension().string());
  for (const Format& format : kFormats) {
    if (format.ending != ending) continue;
    start_vips();
    if (vips_type_find("VipsForeignSave", format.saver) != 0) return format;
    fail(ErrorKind::usage, "cannot write '{}': this machine has no encoder for {}", path,
         format.name);
  }
  fail(ErrorKind::usage, "cannot write '{}': an animation's name must end in .webp or .gif", path);
}

const Format& checked_format(const std::string& path, int longest_side) {
  const Format& format = format_of(path);
  if (longest_side > format.longest_side) {
    fail(ErrorKind::usage,
         "cannot write '{}': {} allows at most {} pixels a side, but the frames have {}", path,
         format.name, format.longest_side, longest_side);
  }
  check_replaceable(path);
  return format;
}

// 0 1 2 3 2 1: forward and back, so that the loop does not jump.
std::vector<VImage> there_and_back(std::vector<VImage> frames) {
  for (std::ptrdiff_t i = std::ssize(frames) - 2; i > 0; --i) frames.push_back(frames[i]);
  return frames;
}

VImage as_pages(const std::vector<VImage>& frames, int milliseconds) {
  // A copy of the header, because changes to it must not show elsewhere.
  const VImage pages = VImage::arrayjoin(frames, VImage::option()->set("across", 1)).copy();
  VImage with_times = pages;
  with_times.set(VIPS_META_PAGE_HEIGHT, frames.front().height());
  with_times.set("delay", std::vector<int>(frames.size(), milliseconds));
  with_times.set("loop", 0);  // for ever
  return with_times;
}

void save(const VImage& pages, const Format& format, int quality, const std::string& path) {
  VOption* options = VImage::option()->set("in", pages)->set("filename", path.c_str());
  if (format.ending == ".webp") options->set("Q", quality)->set("smart_subsample", true);
  VImage::call(format.saver, options);
}

}  // namespace

void write_animation(std::size_t count, const std::function<Image(std::size_t)>& frame,
                     const std::string& path, const AnimationOptions& options) {
  assert(count >= 1);
  start_vips();
  try {
    std::vector<VImage> frames;
    for (std::size_t i = 0; i < count; ++i) {
      const Image picture = frame(i);
      check_shape(picture);
      frames.push_back(in_memory(as_samples(picture, /*keep_alpha=*/false, /*bits=*/8)));
    }
    const Format& format =
        checked_format(path, std::max(frames.front().width(), frames.front().height()));
    const VImage pages = as_pages(there_and_back(std::move(frames)), options.milliseconds);
    replace_file(path,
                 [&](const std::string& beside) { save(pages, format, options.quality, beside); });
  } catch (const vips::VError& error) {
    fail(ErrorKind::file, "cannot write '{}': {}", path, condensed(error));
  } catch (const std::bad_alloc&) {
    fail(ErrorKind::resources, "no memory to write '{}'", path);
  }
}

void check_animation_writable(const std::string& path, int longest_side) {
  checked_format(path, longest_side);
}

}  // namespace limn
