// Text on a picture.
#pragma once

#include <limn/limn.h>

#include <string>

namespace limn {

// A part of a picture, in pixels.
struct Area {
  int left = 0, top = 0, width = 0, height = 0;
};

// Draws the text in dark grey, centred in the area, which must lie within the opaque picture.
// Letters are `size` pixels from the top of the tallest to the bottom of the deepest, or smaller to
// make the text fit; lines break at the area's width. If no size fits, the text is cut off at the
// area's edge. Invalid UTF-8 is shown as replacement characters, control characters as blanks.
// Throws Error (resources) when libvips cannot draw.
void draw_label(Image& picture, const std::string& text, const Area& area, int size);

// Throws Error (usage) when this machine's libvips cannot draw text.
void check_labels();

}  // namespace limn
