// At which sizes a photo and a painting are worked on.
#pragma once

#include <limn/limn.h>

namespace limn {

// In pixels.
struct WorkingSizes {
  int height = 0, width = 0;                    // of the photo, and of the picture that is made
  int painting_height = 0, painting_width = 0;  // of the painting
  bool operator==(const WorkingSizes&) const = default;
};

// As recipe.picture says. Lengths that follow from a proportion are cut to whole pixels, as the
// reference systems do it; none is less than 1. Throws Error: usage (a picture without pixels, or
// with too few values), resources (a side of more than a million pixels).
WorkingSizes working_sizes(const Image& photo, const Image& painting, const Recipe& recipe);

}  // namespace limn
