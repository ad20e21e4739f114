// Weights and pictures from a stream of random numbers.
#pragma once

#include <limn/limn.h>

#include <cstddef>
#include <vector>

#include "base/random.h"
#include "network/weights.h"

namespace limn {

// The first `most` convolutions of the table. Kernels are uniform within sqrt(6 / (9 in)), which
// keeps the scale of features from row to row; biases are within 0.1. (tools/make_golden.py draws
// the same numbers in the same order.)
std::vector<Convolution> draw_convolutions(const NetworkTable& table, Random& stream,
                                           std::size_t most = 100);

// A picture of uniform noise.
Image draw_picture(int width, int height, Random& stream);

// VGG-19 in Caffe's convention, ending after conv1_2: the smallest weights that paint() can use.
Model small_vgg19(std::uint64_t seed = 1);

// A smooth picture, different for every seed.
Image smooth_picture(int width, int height, std::uint64_t seed);

// A recipe for small_vgg19: content from relu1_2, style from relu1_1 and relu1_2, few iterations,
// the photo's own size.
Recipe small_recipe();

}  // namespace limn
