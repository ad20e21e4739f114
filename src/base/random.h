// Random numbers that are the same on every platform, unlike the standard library's distributions.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace limn {

// SplitMix64 (Steele, Lea and Flood 2014): a counter passed through a mixing function.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() {
    state_ += 0x9E3779B97F4A7C15u;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

  // In [0, 1), a multiple of 2^-24: exact as a float.
  double uniform() { return static_cast<double>(bits() >> 40) * 0x1p-24; }

  // Mean 0, standard deviation 1 (Box-Muller transform, discarding its second value).
  double normal() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  std::uint64_t state_;
};

}  // namespace limn
