// From a picture's planes to what a network reads, and back for gradients.
#pragma once

#include <array>
#include <span>

#include "base/parallel.h"
#include "kernels/feature_map.h"

namespace limn {

// value -> gain value + offset
struct Affine {
  float gain = 1, offset = 0;
  float operator()(float value) const { return gain * value + offset; }
};

// Planes red, green and blue, each in a unit of its own, become the network's three channels.
struct InputMap {
  bool bgr = false;              // the network's channels are blue, green, red
  std::array<Affine, 3> planes;  // by the picture's planes

  // input "=" the picture x, [3][height][width] of the input's size; its ring is left alone.
  void fill(std::span<const float> x, InputPlanes input, ThreadPool& pool) const;
  // d_x "=" the gradient with respect to x, from that with respect to the input.
  void pull(ConstInputPlanes d_input, std::span<float> d_x, ThreadPool& pool) const;
};

}  // namespace limn
