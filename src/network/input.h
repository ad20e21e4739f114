// Maps a picture's planes to a network's input, and gradients back.
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

// Maps red, green and blue planes, each in its own unit, to the network's three channels.
struct InputMap {
  bool bgr = false;              // the network's channel order is blue, green, red
  std::array<Affine, 3> planes;  // one per plane of the picture

  // input "=" the picture x, [3][height][width], of the input's size; leaves the ring alone.
  void fill(std::span<const float> x, InputPlanes input, ThreadPool& pool) const;
  // d_x "=" the gradient with respect to x, from that with respect to the input.
  void pull(ConstInputPlanes d_input, std::span<float> d_x, ThreadPool& pool) const;
};

}  // namespace limn
