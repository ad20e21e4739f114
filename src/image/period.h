// How far apart a picture repeats itself: the period of a wall's bricks, of a cloth's threads.
#pragma once

#include <limn/limn.h>

namespace limn {

// In pixels, along rows and along columns; 0: it does not repeat in that direction.
struct Periods {
  int across = 0, down = 0;
};

// The shortest shift at which the picture's luminance, less its mean, correlates with itself nearly
// as well as at any other (at least nine tenths of the highest peak, and 0.1), from 8 pixels to
// half the side. Pictures longer than 512 pixels are judged at that size, so their periods are
// exact to as many pixels as one of those. Throws Error (usage) for pictures with planes of the
// wrong size.
Periods periods_of(const Image& picture);

}  // namespace limn
