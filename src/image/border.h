// A picture surrounded by its mirror image, so that painting sees no edge.
//
//   2 1 | 0 1 2 3 | 2 1     a row of four pixels with a border of two: the edge pixel is not
//                           repeated, so the picture continues smoothly
#pragma once

#include <limn/limn.h>

namespace limn {

// The picture with `pixels` (0 or more) added on all four sides, alpha too. A border wider than the
// picture reflects it repeatedly; a single pixel is repeated. Throws Error (usage) like
// check_shape.
Image with_border(const Image& image, int pixels);

// The same for a mask; an empty one, which selects everything, stays empty.
Mask with_border(const Mask& mask, int pixels);

// The picture without the outermost `pixels` (0 or more) on each side, as added by with_border.
// Throws Error (usage) when nothing would be left, and like check_shape.
Image without_border(Image image, int pixels);

}  // namespace limn
