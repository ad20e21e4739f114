// Masks as the network sees them: weights of the positions of its layers.
//
// A style may be taken from a part of a painting and laid on a part of a picture (Gatys and others
// 2017, arXiv 1611.07865, section 4, spatial control). Then each position of a layer counts as much
// as it lies in the part.
#pragma once

#include <limn/limn.h>

#include <vector>

namespace limn {

// The mask at a layer's resolution: its mean over each cell of a map of height x width (each at
// least 1), row by row, in 0..1; where cells are smaller than the mask's pixels, it is
// interpolated. An empty mask selects everything: ones. Throws Error (usage) as check_shape.
std::vector<float> layer_weights(const Mask& mask, int height, int width);

// Weights of height x width, in 0..1, without what lies near a region's edge: features there have
// seen what is outside. With b the mean of the weights over the box of (2 radius + 1)^2 positions
// around a position, cut off at the picture's border,
//
//   w = weights max(0, 2 b - 1)
//
// which is 0 on a straight edge, rises with the distance from it and leaves weights whole `radius`
// inside. The picture's border is no edge. A region so thin that nothing would be left comes back
// as it was, and so does everything for a radius of 0. The time does not depend on the radius.
std::vector<float> eroded(std::vector<float> weights, int height, int width, int radius);

// Masks of k regions of one picture (empty ones select everything) as k + 1 masks of width x height
// that sum to 1 at every pixel: each resized, divided by the sum where that is above 1, and last
// the rest, which no mask selects. Throws Error (usage) as check_shape.
std::vector<Mask> partition(std::vector<Mask> masks, int width, int height);

}  // namespace limn
