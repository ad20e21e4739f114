#include "losses/content.h"

#include <cmath>

#include "kernels/kernels.h"

namespace limn {

double content_factor(ContentForm form, double C, double M) {
  switch (form) {
    case ContentForm::sum:
      return 1.0;
    case ContentForm::half_sum:
      return 0.5;
    case ContentForm::mean:
      return 1.0 / (C * M);
    case ContentForm::root:
      return 1.0 / (2.0 * std::sqrt(C) * std::sqrt(M));
  }
  return 0;
}

ContentLoss::ContentLoss(double factor, int tap, ConstFeatureMap shape, const ContentTarget& target,
                         std::span<const double> K, Scratch& scratch, Term term)
    : Loss(term, factor), tap_(tap), shape_(shape), target_(target), K_(K) {
  if (!K.empty() || !target.roots.empty()) difference_ = Buffer<float>(shape.floats());
  if (K.empty()) return;
  difference_gram_ = Buffer<float>(K.size());
  slope_ = Buffer<float>(K.size());
  Scratch::grow(scratch.sums, kernels::gram_scratch_size(shape));
}

void ContentLoss::measure(const View& view, Scratch& scratch, ThreadPool& pool) {
  const ConstFeatureMap F = view.layers[tap_].F;
  ConstFeatureMap P = shape_;
  P.data = target_.features.data();
  if (!K_.empty()) {
    measure_mapped(F, P, scratch, pool);
  } else if (!target_.roots.empty()) {
    measure_weighed(F, P, pool);
  } else {
    sum_ = kernels::squared_distance(flat(F), flat(P), pool);
  }
}

// Takes the Gram matrix of the difference, not the difference of Gram matrices, which would cancel
// when F is near P.
void ContentLoss::measure_mapped(ConstFeatureMap F, ConstFeatureMap P, Scratch& scratch,
                                 ThreadPool& pool) {
  const std::span<const float> m = target_.roots;
  const FeatureMap D = {difference_.data(), shape_.channels, shape_.height, shape_.width};
  kernels::scaled_sum(flat(F), -1, flat(P), flat(D), pool);
  if (!m.empty()) kernels::weigh(D, m, {}, D, pool);
  kernels::gram(D, difference_gram_, scratch.sums, pool);
  if (!m.empty()) kernels::weigh(D, m, {}, D, pool);
  sum_ = 0;
  for (size_t i = 0; i < K_.size(); ++i) sum_ += K_[i] * difference_gram_[i];
}

void ContentLoss::measure_weighed(ConstFeatureMap F, ConstFeatureMap P, ThreadPool& pool) {
  const std::span<const float> m = target_.roots;
  const FeatureMap D = {difference_.data(), shape_.channels, shape_.height, shape_.width};
  kernels::scaled_sum(flat(F), -1, flat(P), flat(D), pool);
  kernels::weigh(D, m, {}, D, pool);
  sum_ = kernels::dot(flat(D), flat(D), pool);
  kernels::weigh(D, m, {}, D, pool);
  kernels::scaled_sum(flat(F), -1, flat(D), flat(D), pool);
}

double ContentLoss::settle(const View&, Scratch&, ThreadPool&) { return factor() * sum_; }

void ContentLoss::spread(const View&, std::span<Slope> slopes, Scratch&, ThreadPool&) {
  Slope& slope = slopes[tap_];
  const double twice = unit() * (2 * factor());
  if (K_.empty()) {
    slope.factor = static_cast<float>(twice);
    slope.target = shape_;
    slope.target.data = target_.roots.empty() ? target_.features.data() : difference_.data();
    return;
  }
  for (size_t i = 0; i < K_.size(); ++i) slope_[i] = static_cast<float>(twice * K_[i]);
  slope.T = slope_;
  slope.difference = shape_;
  slope.difference.data = difference_.data();
}

double content_bytes(ConstFeatureMap shape, bool student, bool seen_whole) {
  const double C = shape.channels;
  double floats = static_cast<double>(shape.floats());  // P
  if (student || !seen_whole) floats += static_cast<double>(shape.floats());
  if (student) floats += 2 * C * C;
  return sizeof(float) * floats;
}

double content_scratch_bytes(ConstFeatureMap shape, bool student) {
  return student ? sizeof(double) * static_cast<double>(kernels::gram_scratch_size(shape)) : 0;
}

}  // namespace limn
