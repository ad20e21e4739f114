// Masks of other sizes, and the one check of a mask at the border: loops behind it assume.
#pragma once

#include <limn/limn.h>

namespace limn {

// Throws Error (usage) unless the mask has pixels, as many values as its size promises, and all of
// them in 0..1 (which no NaN is). An empty mask, which selects everything, has no pixels: whoever
// allows it asks for that first.
void check_shape(const Mask& mask);

// The mask resampled to exactly width x height (each at least 1); an empty one stays empty. In each
// direction: the mean over the area of the new pixel when shrinking, linear when enlarging, where
// beyond the border the border's own value goes on. Neither overshoots, unlike the kernels that
// pictures are resized with: of a region's edge no echo is left outside it. Values are in 0..1.
// Throws Error (usage) for sizes below 1 and as check_shape.
Mask resized(const Mask& mask, int width, int height);

// picture = keep photo + (1 - keep) picture, all of one size; nothing for an empty mask.
void lay_over(Image& picture, const Image& photo, const Mask& keep);

}  // namespace limn
