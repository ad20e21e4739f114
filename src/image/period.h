// How far apart a picture repeats itself: the period of a wall's bricks, of a cloth's threads.
#pragma once

#include <limn/limn.h>

namespace limn {

// In pixels, along rows and along columns; 0: it does not repeat in that direction.
struct Periods {
  int across = 0, down = 0;
};

// The shortest shift, from 8 pixels to half the side, at which the picture's luminance, less its
// mean, correlates with itself nearly as well as at any other: in a peak of at least nine tenths of
// the highest and of 0.1, and 0.1 above the lowest correlation of shorter shifts. Pictures longer
// than 512 pixels are judged at that size, so their periods are exact to as many pixels as one of
// those. Throws Error (usage) for pictures with planes of the wrong size.
Periods periods_of(const Image& picture);

}  // namespace limn
