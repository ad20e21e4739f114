// Copies weights, which the library never does.
#pragma once

#include <algorithm>
#include <utility>

#include "network/weights.h"

namespace limn {

inline Buffer<float> copy_of(const Buffer<float>& buffer) {
  Buffer<float> copy(buffer.size());
  std::copy(buffer.begin(), buffer.end(), copy.begin());
  return copy;
}

inline Convolution copy_of(const Convolution& convolution) {
  const kernels::PackedKernel& kernel = convolution.kernel;
  return {
      convolution.id, {kernel.in, kernel.out, copy_of(kernel.values)}, copy_of(convolution.bias)};
}

inline Weights copy_of(const Weights& weights) {
  Weights copy = {weights.network, weights.convention, {},
                  weights.source,  weights.format,     weights.student};
  for (const Convolution& c : weights.convolutions) copy.convolutions.push_back(copy_of(c));
  return copy;
}

}  // namespace limn
