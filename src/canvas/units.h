// The unit of the optimiser's variable, by Recipe::optimiser.space: 0..1 RGB, or what the network
// reads. Both are affine in each other, plane by plane.
#pragma once

#include <limn/limn.h>

#include <array>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "network/input.h"
#include "network/weights.h"

namespace limn {

class Units {
 public:
  Units(Space space, const InputConvention& convention);

  // What the network reads of a picture in 0..1 RGB, and of one in the variable's unit.
  const InputMap& of_rgb() const { return of_rgb_; }
  const InputMap& of_variable() const { return of_variable_; }
  // The variable of a value of 0..1 RGB.
  const Affine& plane(int plane) const { return rgb_to_variable_[plane]; }

  // A picture's planes red, green and blue in the variable's unit; its alpha is left behind.
  std::vector<float> encode(Image picture) const;
  // The picture again: not clamped, without alpha.
  Image decode(std::vector<float> x, const Size& size) const;
  // Clamps x, of this size, to the pictures within 0..1 RGB.
  void clip(std::span<float> x, const Size& size, ThreadPool& pool) const;

 private:
  InputMap of_rgb_, of_variable_;
  std::array<Affine, 3> rgb_to_variable_;
};

}  // namespace limn
