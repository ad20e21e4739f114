// Trained weights in memory: the one form that every file format is read into.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "network/vgg.h"

namespace limn {

// How a network wants its input, which belongs to its weights. With RGB in 0..1, input channel c is
//   (scale * RGB[bgr ? 2 - c : c] - mean[c]) / deviation[c].
// It is applied to the picture, not folded into conv1_1, whose zero padding would then mean another
// colour.
struct InputConvention {
  bool bgr = false;
  float scale = 1.0f;
  std::array<float, 3> mean = {0, 0, 0};       // in the network's channel order, after scaling
  std::array<float, 3> deviation = {1, 1, 1};  // likewise
  bool operator==(const InputConvention&) const = default;
};

// Caffe's and Keras's: BGR, 0..255, minus the mean of ImageNet.
inline constexpr InputConvention kCaffeConvention = {
    true, 255.0f, {103.939f, 116.779f, 123.68f}, {1, 1, 1}};
// Torchvision's: RGB, 0..1, standardised.
inline constexpr InputConvention kTorchvisionConvention = {
    false, 1.0f, {0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};

// One 3 x 3 convolution, a cross-correlation as all frameworks have it:
//   out[o](y, x) = bias[o] + sum over i, ky, kx of kernel[o][i][ky][kx] * in[i](y + ky - 1, x + kx
//   - 1).
struct Convolution {
  std::string id;  // "4_2"
  int in = 0;
  int out = 0;
  std::vector<float> kernel;  // [out][in][3][3]
  std::vector<float> bias;    // [out]
};

// The convolutions of a network in its table's order. They may end early (a file without the last
// layers still serves all layers above), but leave no gap.
struct Weights {
  const NetworkTable* network = nullptr;
  InputConvention convention;
  std::vector<Convolution> convolutions;
  std::string source;  // the file they came from, for messages and reports
};

}  // namespace limn
