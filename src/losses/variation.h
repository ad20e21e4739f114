// The total variation of a picture: how much neighbouring pixels differ. It favours smoothness.
//
//   loss = weight * sum over planes and pixels of t(dx, dy)
//
// with dx and dy the differences to the right and lower neighbours, 0 past the edge, and t one of
// the published forms (VariationForm): |dx| + |dy|, (dx^2 + dy^2) / 2, or (dx^2 + dy^2)^1.25 (only
// for pixels with both neighbours). The derivative of |difference| at 0 is taken as 0.
#pragma once

#include <limn/limn.h>

#include "losses/loss.h"

namespace limn {

class VariationLoss : public Loss {
 public:
  // repeats: the picture continues at the opposite edge, so every pixel has all neighbours.
  VariationLoss(double weight, VariationForm form, bool repeats = false)
      : Loss(Term::total_variation, weight), form_(form), repeats_(repeats) {}

  size_t sums_size() const override { return 1; }
  void measure(const View&, std::span<double> sums, Scratch&, ThreadPool&) override;
  double settle(std::span<const double> sums, Scratch&, ThreadPool&) override;
  void spread_to_picture(const View&, std::span<float> d_x, ThreadPool&) override;

 private:
  const VariationForm form_;
  const bool repeats_;
};

}  // namespace limn
