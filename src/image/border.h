// A picture surrounded by its own mirror image, so that what is painted has no edge to notice.
//
//   2 1 | 0 1 2 3 | 2 1     of a row of four pixels with a border of two: the edge's own pixel is
//                           not repeated, so that the picture goes on as smoothly as it came
#pragma once

#include <limn/limn.h>

namespace limn {

// The picture with `pixels` (0 or more) added on each of its four sides, alpha too. A border wider
// than the picture reflects it again and again; one pixel is repeated. Throws Error (usage) as
// check_shape.
Image with_border(const Image& image, int pixels);

// The same for a mask; an empty one, which selects everything, stays empty.
Mask with_border(const Mask& mask, int pixels);

// The picture without the outermost `pixels` (0 or more) on each side: what with_border added.
// Throws Error (usage) when nothing would be left, and as check_shape.
Image without_border(Image image, int pixels);

}  // namespace limn
