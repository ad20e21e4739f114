// The style loss of one layer, where one Gram matrix tells all there is to compare: that of the
// whole map, G = F F^T, which the network's pass takes on its way.
//
//   loss = factor * sum over i, j of (g G - A)^2,    A = g' * (the painting's Gram matrix)
//
// Factor and g are the recipe's choice (StyleForm, GramForm); Gatys, Ecker and Bethge (arXiv
// 1508.06576), equations 3 to 5. Because G is symmetric, d loss / d G = 2 factor g (g G - A), and
// G = F F^T doubles it: the gradient with respect to F is S F with S = 4 factor g (g G - A).
//
// Of a student's features (network/imitation.h) R G R^T is compared with R A R^T: with K = R^T R
// and D = g G - A the loss is factor <D, K D K>, and S = 4 factor g K D K.
#pragma once

#include <limn/limn.h>

#include <span>

#include "losses/loss.h"

namespace limn {

// What a Gram matrix over M positions is multiplied with before it is compared: g.
double gram_scale(GramForm form, double M);

// The factor of the sum for C channels, M positions and a picture of `pixels`.
double style_factor(StyleForm form, double C, double M, double pixels);

class GramLoss : public Loss {
 public:
  // Reads the Gram matrix of tap number `tap`. A: [C][C], symmetric. K: a student's, [C][C], or
  // empty. Both must outlive the loss.
  GramLoss(double factor, int tap, double g, std::span<const float> A, std::span<const double> K,
           Scratch& scratch);

  // Turns G into S.
  double settle(const View&, Scratch&, ThreadPool&) override;
  void spread(const View&, std::span<Slope>, Scratch&, ThreadPool&) override;

 private:
  double settle_plain(std::span<float> G) const;
  double settle_mapped(std::span<float> G, Scratch& scratch, ThreadPool& pool) const;

  const int tap_;
  const double g_;
  const std::span<const float> A_;
  const std::span<const double> K_;
};

// Bytes that a student's layer of C channels takes for a while.
double gram_scratch_bytes(double C);

}  // namespace limn
