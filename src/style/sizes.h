// At which sizes a photo and a painting are worked on.
#pragma once

#include <limn/limn.h>

namespace limn {

// In pixels.
struct WorkingSizes {
  int height = 0, width = 0;                    // of the photo, and of the picture that is made
  int painting_height = 0, painting_width = 0;  // of the painting
};

// Each in its own proportions: the photo's longest side becomes `longest` (0: it keeps its size),
// the painting's as long as the photo's.
WorkingSizes working_sizes(const Image& photo, const Image& painting, int longest);

}  // namespace limn
