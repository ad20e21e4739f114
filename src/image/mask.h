// Masks at other sizes, and their validation at the interface, on which all other code relies.
#pragma once

#include <limn/limn.h>

namespace limn {

// Throws Error (usage) unless the mask has pixels, as many values as its size implies, and all of
// them in 0..1 (which excludes NaN). An empty mask, which selects everything, has no pixels: code
// that allows it must check for it first.
void check_shape(const Mask& mask);

// The mask resampled to exactly width x height (each at least 1); an empty one stays empty. In each
// direction: the mean over the new pixel's area when shrinking, linear interpolation when
// enlarging, with the border's value extended outside. Unlike the kernels used for pictures,
// neither overshoots, so an edge leaves no ringing. Values are in 0..1. Throws Error (usage) for
// sizes below 1 and like check_shape.
Mask resized(const Mask& mask, int width, int height);

// Each value becomes the largest within `pixels` (0 or more) to every side, in a square: what the
// mask selects grows by as much. An empty mask, which selects everything, stays empty.
Mask grown(Mask mask, int pixels);

// picture = keep photo + (1 - keep) picture, all of the same size; does nothing for an empty mask.
void lay_over(Image& picture, const Image& photo, const Mask& keep);

}  // namespace limn
