// The style loss of one layer where a single Gram matrix is compared: that of the whole map, G = F
// F^T, which the network's pass computes.
//
//   loss = factor * sum over i, j of (g G - A)^2,    A = g' * (the painting's Gram matrix)
//
// The recipe chooses factor and g (StyleForm, GramForm); Gatys, Ecker and Bethge (arXiv
// 1508.06576), equations 3 to 5. Because G is symmetric, d loss / d G = 2 factor g (g G - A), and G
// = F F^T doubles it: the gradient with respect to F is S F with S = 4 factor g (g G - A).
//
// For a student's features (network/imitation.h), R G R^T is compared with R A R^T: with K = R^T R
// and D = g G - A the loss is factor <D, K D K>, and S = 4 factor g K D K.
#pragma once

#include <limn/limn.h>

#include <span>

#include "losses/loss.h"

namespace limn {

// g, the factor of a Gram matrix over M positions before it is compared.
double gram_scale(GramForm form, double M);

// The factor of the sum for C channels, M positions and a picture of `pixels` pixels.
double style_factor(StyleForm form, double C, double M, double pixels);

class GramLoss : public Loss {
 public:
  // Reads the Gram matrix of tap number `tap`. A: [C][C], symmetric. K: a student's, [C][C], or
  // empty. Both must outlive the loss.
  GramLoss(double factor, int tap, double g, std::span<const float> A, std::span<const double> K,
           Scratch& scratch);

  size_t sums_size() const override { return A_.size(); }  // G
  void measure(const View&, std::span<double> sums, Scratch&, ThreadPool&) override;
  double settle(std::span<const double> G, Scratch&, ThreadPool&) override;
  void spread(const View&, std::span<Slope>, Scratch&, ThreadPool&) override;

 private:
  double settle_plain(std::span<const double> G);
  double settle_mapped(std::span<const double> G, Scratch& scratch, ThreadPool& pool);

  const int tap_;
  const double g_;
  const std::span<const float> A_;
  const std::span<const double> K_;
  Buffer<float> S_;
};

// Bytes for a layer of C channels, with its target, and of the sums.
double gram_bytes(double C);
// Scratch bytes for a student's layer of C channels.
double gram_scratch_bytes(double C);

}  // namespace limn
