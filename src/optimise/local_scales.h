// A scale for each float of an optimiser's variable, learnt from the steps taken.
//
// A style loss curves thirty times less along a picture's large shapes than along its details, and
// a few times less in a quiet sky than in a crowd. L-BFGS starts from one curvature for all of
// them, and its ten pairs of steps are too few to learn so many. So it works in the variable x / r:
// where the steps s were long and changed the gradient little (y), the loss curves less, and r is
// larger,
//
//   r^2 = sqrt(sum of s^2 / sum of y^2)   over the pairs and the float's neighbourhood, 13 x 13,
//
// up to a common factor. That is the geometric mean of the two step lengths of Barzilai and Borwein
// (IMA J. Numer. Anal. 8, 1988, equations 5 and 6), per place instead of once for all. Changing r
// changes neither the loss nor what is known about it: steps become s / r, gradient changes r y,
// with the same s . y.
//
// Ranks that paint together keep a share of the pairs each (base/share.h), and all of r. Each adds
// up the rows that begin in what it owns; these sums, 8 bytes for each float of the variable, are
// exchanged, and every rank computes all of r from them.
#pragma once

#include <limn/limn.h>

#include <span>
#include <vector>

#include "base/buffer.h"
#include "base/parallel.h"
#include "base/share.h"
#include "optimise/history.h"

namespace limn {

// The longest row of these planes.
size_t widest_row(std::span<const Size> planes);

class LocalScales {
 public:
  // For a variable made of consecutive planes, of whose pairs this rank keeps a share, rows whole.
  // r starts at 1. `pool` must outlive this.
  LocalScales(std::span<const Size> planes, const Share& share, ThreadPool& pool);

  std::span<const float> r() const { return r_; }
  std::span<float> r_to_restore() { return r_; }

  // Learns from the newest ten of the history's pairs at these places, newest first, in the
  // variable as scaled now; then converts all the pairs and the gradient to the new scale
  // (History::end_rescaling is the caller's). Each pair counts as if its s had length 1. In planes
  // where all s or all y are 0, r does not change.
  void learn(History& history, std::span<const size_t> places, std::span<float> gradient);

 private:
  // mean: sum of s^2 / sum of y^2 over all planes, the latter times y_unit_.
  void learn_plane(const Size& plane, size_t offset, double mean, History& history,
                   std::span<const size_t> places, std::span<float> gradient);

  void sum_rows(const Size& plane, size_t offset, const History& history,
                std::span<const size_t> newest);

  std::vector<Size> planes_;
  const Share share_;
  std::vector<float> r_;
  std::vector<double> weights_;        // of the newest pairs
  double y_unit_ = 1;                  // the factor for squares of y
  Buffer<float> square_s_, square_y_;  // of one plane: sums over pairs, along rows
  std::vector<double> row_s_, row_y_;  // sums of rows
  ThreadPool& pool_;
};

}  // namespace limn
