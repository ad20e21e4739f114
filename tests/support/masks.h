// Masks for tests.
#pragma once

#include <limn/limn.h>

#include <cstdint>

#include "base/random.h"

namespace limn {

// One value in the left half, another in the right half.
inline Mask halves(int width, int height, float left, float right) {
  Mask mask = {width, height, {}};
  for (int i = 0; i < width * height; ++i) {
    mask.values.push_back(i % width < width / 2 ? left : right);
  }
  return mask;
}

// Values drawn uniformly from 0 to 1.
inline Mask drawn_mask(int width, int height, std::uint64_t seed) {
  Random random(seed);
  Mask mask = {width, height, {}};
  for (int i = 0; i < width * height; ++i) {
    mask.values.push_back(static_cast<float>(random.uniform()));
  }
  return mask;
}

}  // namespace limn
