#include "network/weights.h"

namespace limn {
namespace {

constexpr int kTaps = 9;  // 3 x 3

// The offset of a cell of 16 outputs. Packed kernels have inputs in blocks of 16, except the first
// convolution, whose three inputs are separate: [out / 16][in / step][3][3][step in][16 out].
size_t cell_begin(const kernels::PackedKernel& kernel, int block, int i, int tap) {
  const int step = kernel.in % kBlock == 0 ? kBlock : 1;
  const size_t input = static_cast<size_t>(block) * (kernel.in / step) + i / step;
  return ((input * kTaps + tap) * step + i % step) * kBlock;
}

}  // namespace

InputConvention input_convention(Convention convention, const InputConvention& of_file) {
  switch (convention) {
    case Convention::file:
      return of_file;
    case Convention::caffe:
      return kCaffeConvention;
    case Convention::caffe_rounded:
      return kCaffeRoundedConvention;
    case Convention::matconvnet:
      return kMatConvNetConvention;
    case Convention::torchvision:
      return kTorchvisionConvention;
  }
  return of_file;
}

std::span<float, kBlock> kernel_cell(kernels::PackedKernel& kernel, int block, int i, int tap) {
  return std::span<float, kBlock>(kernel.values.data() + cell_begin(kernel, block, i, tap), kBlock);
}

kernels::PackedKernel packed(std::span<const float> kernel, int in, int out) {
  if (in % kBlock == 0) return kernels::pack_kernel(kernel, in, out);
  return {in, out, kernels::pack_input_kernel(kernel, out)};
}

std::vector<float> unpacked(const kernels::PackedKernel& kernel) {
  std::vector<float> values;
  values.reserve(kernel.values.size());
  for (int o = 0; o < kernel.out; ++o) {
    for (int i = 0; i < kernel.in; ++i) {
      for (int tap = 0; tap < kTaps; ++tap) {
        values.push_back(kernel.values[cell_begin(kernel, o / kBlock, i, tap) + o % kBlock]);
      }
    }
  }
  return values;
}

}  // namespace limn
