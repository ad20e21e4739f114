// Values for tests, the same in every run.
#pragma once

#include <cstdint>
#include <vector>

#include "base/random.h"

namespace limn {

// In [-1, 1).
inline float random_signed(Random& random) { return static_cast<float>(2 * random.uniform() - 1); }

// A whole number from -most to most. Sums of products of a few such numbers are exact in float, so
// in any order of addition the result must equal the twin's to the bit.
inline float random_whole(Random& random, int most) {
  const auto choices = static_cast<unsigned>(2 * most + 1);
  return static_cast<float>(static_cast<int>(random.bits() % choices) - most);
}

inline std::vector<float> random_values(std::size_t size, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values(size);
  for (float& value : values) value = random_signed(random);
  return values;
}

inline std::vector<float> random_wholes(std::size_t size, std::uint64_t seed, int most) {
  Random random(seed);
  std::vector<float> values(size);
  for (float& value : values) value = random_whole(random, most);
  return values;
}

}  // namespace limn
