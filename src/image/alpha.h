// What is visible in a picture, and colours for the rest.
//
// The colours of a transparent pixel mean nothing: programs write black, or whatever was left. But
// a network reads them all the same, and they affect the features of visible pixels nearby. So
// invisible pixels are given colours that continue smoothly from the visible ones.
#pragma once

#include <limn/limn.h>

namespace limn {

// Whether any pixel is visible.
bool is_visible(const Image& image);

// The picture with the colours of visible pixels extended into the transparent ones; alpha is
// unchanged. A picture that is opaque, or transparent everywhere, is returned unchanged. Throws
// Error (usage) like check_shape.
Image filled(Image image);

// picture = alpha picture + (1 - alpha) behind: composites the picture onto another of its size.
// The result has no alpha.
void lay_on(Image& picture, const Image& behind);

// The picture's alpha as a mask; empty if opaque.
Mask alpha_mask(const Image& image);

// Intersects two masks: their product, at the size of the first. An empty mask selects everything.
Mask both(Mask a, const Mask& b);

}  // namespace limn
