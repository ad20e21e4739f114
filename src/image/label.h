// Words on a picture.
#pragma once

#include <limn/limn.h>

#include <string>

namespace limn {

// A part of a picture, in pixels.
struct Area {
  int left = 0, top = 0, width = 0, height = 0;
};

// Draws the text in dark grey, centred in the area, which must lie within the opaque picture.
// Letters are `size` pixels high from the top of the tallest to the bottom of the deepest, or
// smaller where the text would not fit otherwise; lines break at the area's width. Of a text that
// no size makes fit, what reaches beyond the area is cut off. Bytes that are no UTF-8 and control
// characters are shown as replacements. Throws Error (resources) when libvips cannot draw.
void draw_label(Image& picture, const std::string& text, const Area& area, int size);

// Throws Error (usage) when this machine's libvips cannot draw text.
void check_labels();

}  // namespace limn
