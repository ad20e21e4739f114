// Validation of a picture's sizes at the interface, on which all other code relies.
#pragma once

#include <limn/limn.h>
#include "base/error.h"

namespace limn {

// Throws Error (usage) unless the planes have the sizes that width and height imply.
inline void check_shape(const Image& image) {
  if (image.width < 1 || image.height < 1) {
    fail(ErrorKind::usage, "a picture of {} x {} pixels has no pixels", image.width, image.height);
  }
  const size_t pixels = static_cast<size_t>(image.width) * static_cast<size_t>(image.height);
  if (image.rgb.size() != 3 * pixels) {
    fail(ErrorKind::usage, "a picture of {} x {} pixels has {} colour values instead of {}",
         image.width, image.height, image.rgb.size(), 3 * pixels);
  }
  if (!image.alpha.empty() && image.alpha.size() != pixels) {
    fail(ErrorKind::usage, "a picture of {} x {} pixels has {} alpha values instead of {} or none",
         image.width, image.height, image.alpha.size(), pixels);
  }
}

}  // namespace limn
