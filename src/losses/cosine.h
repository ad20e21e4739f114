// The cosine distance of the picture's features F from a target T, position by position:
//
//   loss = factor * sum over positions p of  w(p) (1 - cos(a(p), T(p)))
//
// a is F or, if the distance is centred, F less its mean over positions. The gradient with respect
// to a(p) is
//
//   factor * w (cos a / |a|^2 - T / (|a| |T|))
//
// less, if it is centred, the mean of that. Where a or T is 0 the cosine and its gradient are 0.
#pragma once

#include <limn/limn.h>

#include <vector>

#include "losses/content.h"
#include "losses/loss.h"

namespace limn {

class CosineLoss : public Loss {
 public:
  // Reads the features of tap number `tap`, which have this shape. The target must outlive the
  // loss.
  CosineLoss(Term term, double factor, int tap, ConstFeatureMap shape, const ContentTarget& target,
             bool centred, Scratch& scratch);

  void measure(const View&, std::span<double>, Scratch&, ThreadPool&) override;
  double settle(std::span<const double>, Scratch&, ThreadPool&) override;
  void spread(const View&, std::span<Slope>, Scratch&, ThreadPool&) override;

 private:
  struct AtPosition {
    float product = 0, square = 0, target_square = 0;  // <a, T>, |a|^2, |T|^2
    double cosine() const;
  };
  double weight(size_t position) const;
  void take_mean(ConstFeatureMap F, ThreadPool& pool);
  ConstFeatureMap target(Scratch& scratch, ThreadPool& pool) const;
  void add_gradient(ConstFeatureMap F, FeatureMap d) const;

  const int tap_;
  const ConstFeatureMap shape_;
  const ContentTarget& target_;
  const bool centred_;
  std::vector<float> mean_;     // that is subtracted; [C]
  std::vector<AtPosition> at_;  // by position, row by row
  // For the slope's addend.
  Scratch* scratch_ = nullptr;
  ThreadPool* pool_ = nullptr;
};

// Bytes for the loss, besides its target and scratch memory.
double cosine_bytes(ConstFeatureMap shape);

}  // namespace limn
