// The unit of the optimiser's variable (Recipe::optimiser.space): 0..1 RGB, or the network's input.
// The two differ by an affine map per plane.
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

  // Maps to the network's input: from a picture in 0..1 RGB, and from one in the variable's unit.
  const InputMap& of_rgb() const { return of_rgb_; }
  const InputMap& of_variable() const { return of_variable_; }
  // Maps a value in 0..1 RGB to the variable's unit.
  const Affine& plane(int plane) const { return rgb_to_variable_[plane]; }

  // A picture's red, green and blue planes in the variable's unit; alpha is dropped.
  std::vector<float> encode(Image picture) const;
  // Back to a picture: not clamped, without alpha.
  Image decode(std::vector<float> x, const Size& size) const;
  // Clamps x, of this size, to 0..1 RGB.
  void clip(std::span<float> x, const Size& size, ThreadPool& pool) const;
  // x "=" by how much clip() would change it.
  void replace_by_clipping(std::span<float> x, const Size& size, ThreadPool& pool) const;

 private:
  // value "=" of(value, the same clamped) for each of x.
  template <typename Of>
  void map_clamped(std::span<float> x, const Size& size, ThreadPool& pool, Of&& of) const;

  InputMap of_rgb_, of_variable_;
  std::array<Affine, 3> rgb_to_variable_;
};

}  // namespace limn
