// The optimiser's variable as a picture in bands.
//
//   x = C (z_0 + sum over k of bands[k] U^k z_k)
//
// z_0 has the picture's size, z_k one that is smaller by 2^k, and U doubles a size with linear
// interpolation. L-BFGS steps in z are steps in x along  -(1 + sum of bands^2 U^k U^k^T) H g:  the
// picture's large shapes, whose losses curve ten to a hundred times less than those of its details,
// come along with them instead of lagging behind (Burt and Adelson 1983 for the pyramid; as a
// variable of style transfer: Kolkin and others 2022, arXiv 2203.13215).
#pragma once

#include <limn/limn.h>

#include <span>
#include <vector>

#include "base/buffer.h"
#include "base/parallel.h"

namespace limn {

class Bands {
 public:
  // For pictures of three planes of height x width. Bands of gain 0 are left out, and so are those
  // whose picture would have a side of less than 4. With none left x is z. `pool` must outlive it.
  Bands(int height, int width, std::span<const double> gains, ThreadPool& pool);

  // Whether x is z.
  bool trivial() const { return bands_.empty(); }
  size_t pixels() const { return 3 * static_cast<size_t>(height_) * width_; }  // floats of x
  size_t size() const { return size_; }                                        // floats of z

  // The planes of z, one after another.
  std::vector<Size> planes() const;

  // z of the picture x: all of it in z_0.
  std::vector<float> split(std::vector<float> x) const;
  // x, "=".
  void join(std::span<const float> z, std::span<float> x);
  // Adds d_x to x, by way of z_0 alone. d_x: scratch afterwards.
  void move(std::span<float> d_x, std::span<float> z) const;
  // The gradient by z, "=", from that by x.
  void split_gradient(std::span<const float> d_x, std::span<float> d_z);

 private:
  struct Band {
    int height, width;
    float gain;     // 0: only on the way to a coarser one
    size_t offset;  // in z, unless its gain is 0
    Buffer<float> sum;
  };

  int height_, width_;
  size_t size_;
  std::vector<Band> bands_;  // k = 1, 2, ...
  ThreadPool& pool_;
};

}  // namespace limn
