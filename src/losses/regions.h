// Masks as the network sees them: weights for the positions of its layers.
//
// Style may be taken from part of a painting and applied to part of a picture (Gatys and others
// 2017, arXiv 1611.07865, section 4, spatial control). Each position of a layer then counts by how
// much of it lies in that part.
#pragma once

#include <limn/limn.h>

#include <span>
#include <vector>

#include "kernels/feature_map.h"

namespace limn {

// A window of a plane of this width, row by row, in `memory`; or the plane itself, if the window is
// all of it or the plane is empty.
std::span<const float> part_of(std::span<const float> plane, int width, const Window& window,
                               std::span<float> memory);

// The mask at a layer's resolution: its mean over each cell of a map of height x width (each at
// least 1), row by row, in 0..1; interpolated where cells are smaller than the mask's pixels. An
// empty mask selects everything: ones. Throws Error (usage) like check_shape.
std::vector<float> layer_weights(const Mask& mask, int height, int width);

// Weights of height x width, in 0..1, reduced near a region's edge, where features have seen the
// outside. With b the mean of the weights over the box of (2 radius + 1)^2 positions around a
// position, clipped at the picture's border,
//
//   w = weights max(0, 2 b - 1)
//
// which is 0 on a straight edge, rises with the distance from it, and leaves weights unchanged at
// `radius` inside. The picture's border is not an edge. A region too thin to keep any weight is
// returned unchanged, as is everything if radius is 0. The time does not depend on the radius.
std::vector<float> eroded(std::vector<float> weights, int height, int width, int radius);

// Turns masks of k regions of one picture (empty ones select everything) into k + 1 masks of width
// x height that sum to 1 at every pixel: each is resized and, where the sum exceeds 1, divided by
// it; the last is the rest, selected by no mask. Throws Error (usage) like check_shape.
std::vector<Mask> partition(std::vector<Mask> masks, int width, int height);

}  // namespace limn
