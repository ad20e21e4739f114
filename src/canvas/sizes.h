// At which sizes a photo and its paintings are worked on.
#pragma once

#include <limn/limn.h>

namespace limn {

// As recipe.picture and recipe.style.scale say. Lengths that follow from a proportion are rounded
// to whole pixels; none is less than 1. Throws Error: usage (no painting, scales for another number
// of styles), resources (a side of more than a million pixels).
WorkingSizes working_sizes(const PictureSizes& pictures, const Recipe& recipe);

// The same for pictures at hand. Throws like sizes_of too.
WorkingSizes working_sizes(const Pictures& pictures, const Recipe& recipe);
// The same for one style of one painting; one scale serves.
WorkingSizes working_sizes(const Image& photo, const Image& painting, const Recipe& recipe);

// The length in proportion, rounded and at least 1: of a picture of which another length goes from
// `from` to `to`. Throws Error (resources).
int scaled(int length, int from, int to);

}  // namespace limn
