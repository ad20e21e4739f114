// Starting libvips so that it can safely be given untrusted files.
//
// libvips has loaders for some forty formats, many of them thin wrappers around large libraries
// that nobody tests with broken files. libvips marks those as untrusted, and limn blocks them: SVG
// and PDF (programs more than pictures), everything read by ImageMagick (including BMP), PPM,
// Radiance, OpenEXR, JPEG 2000, FITS, MATLAB, Analyze, OpenSlide, CSV, raw and libvips's own. In
// addition, loader.cc lists the loaders that limn uses; the block is a second line of defence.
#include "image/vips.h"

#include <algorithm>
#include <memory>
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
  // JPEG XL is marked untrusted because it is young (2022). Its decoder is fuzzed, and limn reads
  // it because limn writes it.
  vips_operation_block_set("VipsForeignLoadJxl", FALSE);
  vips_operation_block_set("VipsForeignSaveJxl", FALSE);
  // Every picture is read once: a cache of operations would only hold on to pixels.
  vips_cache_set_max(0);
  // Warnings about odd metadata do not belong on stderr. What matters is reported as an error.
  g_log_set_handler("VIPS", static_cast<GLogLevelFlags>(G_LOG_LEVEL_WARNING), drop_message,
                    nullptr);
}

// libvips keeps buffers for each thread that has used it, and must be told when the thread ends.
struct ThreadEnd {
  ~ThreadEnd() { vips_thread_shutdown(); }
};

// Calls take(y, row) with each row's bytes.
template <typename Take>
void each_raw_row(const vips::VImage& image, const Take& take) {
  // Enough rows to share work between neighbours, few enough for the cache.
  constexpr int kStrip = 16;
  static thread_local ThreadEnd thread_end;
  const std::unique_ptr<VipsRegion, void (*)(void*)> region(vips_region_new(image.get_image()),
                                                            g_object_unref);
  if (!region) throw vips::VError();
  for (int top = 0; top < image.height(); top += kStrip) {
    const VipsRect strip = {0, top, image.width(), std::min(kStrip, image.height() - top)};
    if (vips_region_prepare(region.get(), &strip) != 0) throw vips::VError();
    for (int y = top; y < top + strip.height; ++y) take(y, VIPS_REGION_ADDR(region.get(), 0, y));
  }
}

}  // namespace

void start_vips() {
  static std::once_flag started;
  std::call_once(started, start_process);
  vips_error_clear();
}

std::string condensed(const vips::VError& error) {
  // A broken file can cause a hundred lines, and put its own bytes into them.
  constexpr size_t kMostBytes = 300;
  std::vector<std::string> clauses;
  std::string condensed;
  std::string_view text = error.what();
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string line(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    std::replace_if(
        line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c >= 0x7f; }, '?');
    if (line.empty() || std::find(clauses.begin(), clauses.end(), line) != clauses.end()) continue;
    condensed += (clauses.empty() ? "" : "; ") + line;
    clauses.push_back(line);
  }
  if (condensed.empty()) return "the picture library gives no reason";
  if (condensed.size() > kMostBytes) condensed = condensed.substr(0, kMostBytes) + "...";
  return condensed;
}

void each_row(const vips::VImage& image, const std::function<void(int, const float*)>& take) {
  each_raw_row(image.cast(VIPS_FORMAT_FLOAT),
               [&](int y, const VipsPel* row) { take(y, reinterpret_cast<const float*>(row)); });
}

vips::VImage in_memory(const vips::VImage& image) {
  vips::VImage memory(vips_image_new_memory());
  if (vips_image_pipelinev(memory.get_image(), VIPS_DEMAND_STYLE_ANY, image.get_image(), nullptr))
    throw vips::VError();
  each_raw_row(image, [&](int y, VipsPel* row) {
    if (vips_image_write_line(memory.get_image(), y, row) != 0) throw vips::VError();
  });
  return memory;
}

}  // namespace limn
