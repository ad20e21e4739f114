// Starting libvips so that it may be given files from strangers.
//
// libvips brings loaders for some forty formats, many of them thin bridges to large libraries that
// nobody tests with broken files. It marks those itself as untrusted, and limn blocks them. Besides
// the exotic (OpenSlide, FITS, MATLAB, Analyze, CSV, raw) that shuts out SVG and PDF (which are
// programs more than pictures), all that ImageMagick would read (BMP among it), PPM, Radiance,
// OpenEXR and JPEG 2000. What is left is what a photograph comes in.
#include "image/vips.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace limn {
namespace {

void drop_message(const char*, GLogLevelFlags, const char*, void*) {}

void start_process() {
  if (VIPS_INIT("limn") != 0)
    fail(ErrorKind::resources, "cannot start the picture library: {}", condensed(vips::VError()));
  vips_block_untrusted_set(TRUE);
  // A text file whose first line is two numbers is a matrix to libvips, not a picture to us.
  vips_operation_block_set("VipsForeignLoadMatrix", TRUE);
  // JPEG XL is marked untrusted for its youth, of 2022. Its decoder is fuzzed without pause, and
  // limn writes the format, so it should read it.
  vips_operation_block_set("VipsForeignLoadJxl", FALSE);
  vips_operation_block_set("VipsForeignSaveJxl", FALSE);
  // Every picture is read once: a cache of operations would only keep their pixels.
  vips_cache_set_max(0);
  // Warnings about odd metadata in a picture are nobody's business on stderr. What matters is an
  // error, and comes as one.
  g_log_set_handler("VIPS", static_cast<GLogLevelFlags>(G_LOG_LEVEL_WARNING), drop_message,
                    nullptr);
}

// libvips keeps buffers for each thread that has used it and wants to be told of its end.
struct ThreadEnd {
  ~ThreadEnd() { vips_thread_shutdown(); }
};

using TakeRow = std::function<void(int, const float*)>;

int take_strip(VipsRegion* region, VipsRect* area, void* take) {
  for (int y = area->top; y < area->top + area->height; ++y) {
    (*static_cast<const TakeRow*>(take))(
        y, reinterpret_cast<const float*>(VIPS_REGION_ADDR(region, area->left, y)));
  }
  return 0;
}

}  // namespace

void start_vips() {
  static std::once_flag started;
  std::call_once(started, start_process);
  static thread_local ThreadEnd thread_end;
  vips_error_clear();
}

std::string condensed(const vips::VError& error) {
  vips_error_clear();
  // A broken file can bring a hundred lines and its own bytes into them.
  constexpr size_t kMostBytes = 300;
  std::vector<std::string> clauses;
  std::string condensed;
  std::string_view text = error.what();
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    std::replace_if(
        line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
    line.erase(line.find_last_not_of(' ') + 1);
    if (line.empty() || std::find(clauses.begin(), clauses.end(), line) != clauses.end()) continue;
    condensed += (clauses.empty() ? "" : "; ") + line;
    clauses.push_back(line);
  }
  if (condensed.empty()) return "libvips does not say why";
  if (condensed.size() > kMostBytes) condensed = condensed.substr(0, kMostBytes) + "...";
  return condensed;
}

void each_row(const vips::VImage& image, const TakeRow& take) {
  const vips::VImage floats = image.cast(VIPS_FORMAT_FLOAT);
  if (vips_sink_disc(floats.get_image(), take_strip, const_cast<TakeRow*>(&take)) != 0)
    throw vips::VError();
}

}  // namespace limn
