// Trained weights in memory, in the one form that every file format is read into.
#pragma once

#include <limn/limn.h>

#include <array>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "kernels/kernels.h"
#include "network/student.h"
#include "network/vgg.h"

namespace limn {

// The input a network expects, which is part of its weights. With RGB in 0..1, input channel c is
//   (scale * RGB[bgr ? 2 - c : c] - mean[c]) / deviation[c].
// It is applied to the picture rather than folded into conv1_1, because zero padding would then
// mean another colour.
struct InputConvention {
  bool bgr = false;
  float scale = 1.0f;
  std::array<float, 3> mean = {0, 0, 0};       // in the network's channel order, after scaling
  std::array<float, 3> deviation = {1, 1, 1};  // likewise
  bool operator==(const InputConvention&) const = default;
};

// Caffe and Keras: BGR, 0..255, minus the ImageNet mean.
inline constexpr InputConvention kCaffeConvention = {
    true, 255.0f, {103.939f, 116.779f, 123.68f}, {1, 1, 1}};
// MatConvNet and the VGG-16 .npz: the same in RGB.
inline constexpr InputConvention kMatConvNetConvention = {
    false, 255.0f, {123.68f, 116.779f, 103.939f}, {1, 1, 1}};
// Torchvision: RGB, 0..1, standardised.
inline constexpr InputConvention kTorchvisionConvention = {
    false, 1.0f, {0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};

// Caffe with the mean rounded to whole numbers, as some programs use it.
inline constexpr InputConvention kCaffeRoundedConvention = {
    true, 255.0f, {104.0f, 117.0f, 123.0f}, {1, 1, 1}};

// The convention with this name; for Convention::file, the file's own, `of_file`.
InputConvention input_convention(Convention convention, const InputConvention& of_file);

// One 3 x 3 convolution, which as in all frameworks is a cross-correlation:
//   out[o](y, x) = bias[o] + sum over i, ky, kx of kernel[o][i][ky][kx] * in[i](y + ky - 1, x + kx
//   - 1).
//
// The kernel is stored once, in the order convolutions read it: that of kernels::pack_kernel, or
// for the network's first convolution, whose inputs are the three planes,
// kernels::pack_input_kernel.
struct Convolution {
  std::string id;  // "4_2"
  kernels::PackedKernel kernel;
  Buffer<float> bias;  // [out]

  int in() const { return kernel.in; }
  int out() const { return kernel.out; }
};

// The 16 values kernel[16 * block + 0..15][i][ky][kx] of a convolution, which are contiguous; tap
// is 3 ky + kx.
std::span<float, kBlock> kernel_cell(kernels::PackedKernel& kernel, int block, int i, int tap);

// Converts a kernel from and to the order of papers and most files, [out][in][3][3]; exact.
kernels::PackedKernel packed(std::span<const float> kernel, int in, int out);
std::vector<float> unpacked(const kernels::PackedKernel& kernel);

// A network's convolutions in its table's order. They may end early (a file without the last layers
// still serves all layers above), but have no gaps.
struct Weights {
  const NetworkTable* network = nullptr;
  InputConvention convention;
  std::vector<Convolution> convolutions;
  std::string source;  // the file they were read from, for messages and reports
  std::string format;  // the file's format ("Keras .h5")
  // The student whose table `network` is, or null.
  std::shared_ptr<const Student> student = nullptr;
};

}  // namespace limn
