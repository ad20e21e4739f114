// The sizes at which a photo and its paintings are processed.
#pragma once

#include <limn/limn.h>

namespace limn {

// As set by recipe.picture and recipe.style.scale. Lengths that follow from the aspect ratio are
// rounded to whole pixels, at least 1. Throws Error: usage (no painting, or the number of scales
// does not match the styles), resources (a side of more than a million pixels).
WorkingSizes working_sizes(const PictureSizes& pictures, const Recipe& recipe);

// The same for loaded pictures. Also throws what sizes_of throws.
WorkingSizes working_sizes(const Pictures& pictures, const Recipe& recipe);
// The same for one style with one painting and one scale.
WorkingSizes working_sizes(const Image& photo, const Image& painting, const Recipe& recipe);

// The length scaled by to / from, rounded, at least 1. Throws Error (resources).
int scaled(int length, int from, int to);

}  // namespace limn
