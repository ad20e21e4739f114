// The optimiser's variable, as a picture split into bands.
//
//   x = C (z_0 + sum over k of bands[k] U^k z_k)
//
// z_0 has the picture's size, z_k is smaller by 2^k, and U doubles the size by linear
// interpolation. A step of L-BFGS in z moves x along  -(1 + sum of bands^2 U^k U^k^T) H g.  So the
// picture's large shapes, along which the loss curves ten to a hundred times less than along its
// details, keep up instead of lagging behind (the pyramid: Burt and Adelson 1983; as the variable
// of style transfer: Kolkin and others 2022, arXiv 2203.13215).
#pragma once

#include <limn/limn.h>

#include <span>
#include <vector>

#include "base/buffer.h"
#include "base/parallel.h"

namespace limn {

class Bands {
 public:
  // For pictures of three planes of height x width. Bands with gain 0 are left out, as are those
  // with a side shorter than 4. If none is left, x is z. Otherwise, if grey_apart, the planes of z
  // are grey and two axes of colour rather than red, green and blue. repeats: U interpolates across
  // the picture's edges, which continue at the opposite ones; bands that would halve an odd side
  // are left out. `pool` must outlive this.
  Bands(int height, int width, std::span<const double> gains, ThreadPool& pool,
        bool grey_apart = true, bool repeats = false);

  // Whether x is z.
  bool trivial() const { return bands_.empty(); }
  size_t pixels() const { return 3 * static_cast<size_t>(height_) * width_; }  // floats of x
  size_t size() const { return size_; }                                        // floats of z

  // The planes of z, in order.
  std::vector<Size> planes() const;

  // The z of a picture x: all of it goes into z_0.
  std::vector<float> split(std::vector<float> x) const;
  // The x of z, "=".
  void join(std::span<const float> z, std::span<float> x);
  // Adds d_x to x by changing z_0 alone. Overwrites d_x.
  void move(std::span<float> d_x, std::span<float> z) const;
  // The gradient with respect to z, "=", from that with respect to x, which its first pixels()
  // floats hold.
  void split_gradient(std::span<float> d_z);

 private:
  struct Band {
    int height, width;
    float gain;     // 0: only a step to the next coarser band
    size_t offset;  // in z, unless its gain is 0
    Buffer<float> sum;
  };

  bool mirrors() const { return grey_apart_ && !trivial(); }

  int height_, width_;
  bool grey_apart_, repeats_;
  size_t size_;
  std::vector<Band> bands_;  // k = 1, 2, ...
  ThreadPool& pool_;
};

// What a picture (planes of height x width) loses when it is halved, by the mean of 2 x 2 pixels,
// and doubled again by U: its finest band in a Laplacian pyramid (Burt and Adelson 1983).
std::vector<float> finest_band(std::span<const float> x, int height, int width);

}  // namespace limn
