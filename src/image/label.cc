// libvips draws the text, using Pango: a mask of how much of each pixel the letters cover. Pango
// reads the text as markup, so special characters are escaped.
#include "image/label.h"

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "image/vips.h"

namespace limn {
namespace {

using vips::VImage;

constexpr float kInk = 0.13f;  // RGB of the letters
// In pixels; smaller letters cannot be read.
constexpr int kSmallestLetters = 7;
// A label says how pictures differ; beyond this many bytes nobody reads on.
constexpr size_t kMostBytes = 300;

std::string as_markup(std::string text) {
  if (text.size() > kMostBytes) text = text.substr(0, kMostBytes) + "...";
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  using Chars = std::unique_ptr<gchar, void (*)(gpointer)>;
  const Chars valid(g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())), g_free);
  const Chars escaped(g_markup_escape_text(valid.get(), -1), g_free);
  return escaped.get();
}

// The coverage of each pixel by letters, 0..255, at most `width` pixels wide.
VImage mask_of(const std::string& markup, int width, int size) {
  // At 72 dots per inch a point is a pixel.
  return VImage::text(markup.c_str(), VImage::option()
                                          ->set("font", fmt::format("sans {}px", size).c_str())
                                          ->set("dpi", 72)
                                          ->set("width", width)
                                          ->set("wrap", VIPS_TEXT_WRAP_WORD_CHAR)
                                          ->set("align", VIPS_ALIGN_CENTRE));
}

VImage fitting_mask(const std::string& markup, const Area& area, int size) {
  VImage mask = mask_of(markup, area.width, size);
  while ((mask.height() > area.height || mask.width() > area.width) && size > kSmallestLetters) {
    size = std::max(kSmallestLetters, size * 7 / 8);
    mask = mask_of(markup, area.width, size);
  }
  return mask.crop(0, 0, std::min(mask.width(), area.width), std::min(mask.height(), area.height));
}

}  // namespace

void draw_label(Image& picture, const std::string& text, const Area& area, int size) {
  const std::string markup = as_markup(text);
  if (markup.find_first_not_of(' ') == std::string::npos) return;  // no letters, no mask
  start_vips();
  try {
    const VImage mask = fitting_mask(markup, area, size);
    const int left = area.left + (area.width - mask.width()) / 2;
    const int top = area.top + (area.height - mask.height()) / 2;
    const size_t plane_size = picture.rgb.size() / 3;
    each_row(mask, [&](int y, const float* row) {
      const size_t first = static_cast<size_t>(top + y) * picture.width + left;
      for (int x = 0; x < mask.width(); ++x) {
        const float cover = row[x] / 255.0f;
        for (int c = 0; c < 3; ++c) {
          float& value = picture.rgb[c * plane_size + first + x];
          value += cover * (kInk - value);
        }
      }
    });
  } catch (const vips::VError& error) {
    fail(ErrorKind::resources, "cannot draw the label '{}': {}", text, condensed(error));
  }
}

void check_labels() {
  start_vips();
  if (vips_type_find("VipsOperation", "text") != 0) return;
  fail(ErrorKind::usage,
       "this machine's picture library (libvips) cannot draw text, which labels need; install a "
       "libvips built with Pango");
}

}  // namespace limn
