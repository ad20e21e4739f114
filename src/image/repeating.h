// Pictures that repeat: laid beside themselves they continue without a seam.
#pragma once

#include <limn/limn.h>

namespace limn {

// Like resized(), but what lies beyond an edge is what lies at the opposite one, so that the result
// repeats too.
Image resized_repeating(const Image& image, int width, int height);

}  // namespace limn
