// A scale for each float of an optimiser's variable, learnt from the steps it has taken.
//
// A style loss curves thirty times less along a picture's large shapes than along its details, and
// some times less in a quiet sky than in a crowd. L-BFGS guesses one curvature for all of them
// before it knows better, and its ten pairs of steps do not suffice to learn so many. So it works
// in the variable x / r: where the steps s were long and the gradient changed by little, y, the
// loss curves less, and r is larger,
//
//   r^2 = sqrt(sum of s^2 / sum of y^2)   over the pairs and the float's neighbourhood, 13 x 13,
//
// up to a factor common to all: the geometric mean of the two step lengths of Barzilai and Borwein
// (IMA J. Numer. Anal. 8, 1988, equations 5 and 6), by place instead of once for all.
// A changed r leaves the loss what it was, and all that is known about it: steps become s / r, and
// gradient changes r y, with the same s . y.
#pragma once

#include <limn/limn.h>

#include <span>
#include <vector>

#include "base/buffer.h"
#include "base/parallel.h"

namespace limn {

class LocalScales {
 public:
  // For a variable made of planes, one after another. r is 1 at first. `pool` must outlive it.
  LocalScales(std::span<const Size> planes, ThreadPool& pool);

  std::span<const float> r() const { return r_; }
  std::span<float> r_to_restore() { return r_; }

  // Learns from the newest ten of these pairs, which are of the variable as it is scaled now, the
  // newest first, each as large as r; and takes all of them and the gradient over into what the
  // variable is scaled by from here on. Each pair counts as if its s were of length 1. In planes in
  // which all s or all y are 0, r stays.
  void learn(std::span<float* const> s, std::span<float* const> y, std::span<float> gradient);

 private:
  // mean: sum of s^2 / sum of y^2 over all planes, the latter times y_unit_.
  void learn_plane(const Size& plane, size_t offset, double mean, std::span<float* const> s,
                   std::span<float* const> y, std::span<float> gradient);

  std::vector<Size> planes_;
  std::vector<float> r_;
  std::vector<double> weights_;        // of the newest pairs
  double y_unit_ = 1;                  // what squares of y are multiplied with
  Buffer<float> square_s_, square_y_;  // of one plane: sums over pairs and along rows
  std::vector<double> row_s_, row_y_;  // sums of rows
  ThreadPool& pool_;
};

}  // namespace limn
