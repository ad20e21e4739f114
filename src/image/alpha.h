// What of a picture can be seen, and colours for what cannot.
//
// A transparent pixel's red, green and blue mean nothing: programs write black there, or whatever
// was left. A network that reads the picture reads them all the same, and so do features of visible
// pixels nearby. So invisible pixels are given colours that go on smoothly from the visible ones.
#pragma once

#include <limn/limn.h>

namespace limn {

// Whether there is a pixel that can be seen.
bool is_visible(const Image& image);

// The picture with colours of its visible pixels carried on into the transparent ones; alpha stays
// as it is. An opaque picture comes back unchanged, and so does one that is transparent everywhere.
// Throws Error (usage) as check_shape.
Image filled(Image image);

// picture = alpha picture + (1 - alpha) behind: what is seen of a picture that lies on another one
// of its size. It has no alpha then.
void lay_on(Image& picture, const Image& behind);

// The picture's alpha as a mask; empty where it is opaque.
Mask alpha_mask(const Image& image);

// What both masks select: their product, in the first one's size. An empty one selects everything.
Mask both(Mask a, const Mask& b);

}  // namespace limn
