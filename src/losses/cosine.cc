#include "losses/cosine.h"

#include <cmath>

#include "kernels/kernels.h"

namespace limn {

CosineLoss::CosineLoss(Term term, double factor, int tap, ConstFeatureMap shape,
                       const ContentTarget& target, bool centred, Scratch& scratch)
    : Loss(term, factor),
      tap_(tap),
      shape_(shape),
      target_(target),
      centred_(centred),
      mean_(shape.channels),
      at_(shape.positions()) {
  Scratch::grow(scratch.own, shape.floats());
  Scratch::grow(scratch.weighed, shape.floats());
}

// T, in scratch memory.
ConstFeatureMap CosineLoss::target(Scratch& scratch, ThreadPool& pool) const {
  const FeatureMap T = {scratch.weighed.data(), shape_.channels, shape_.height, shape_.width};
  target_.put(shape_, window_of(shape_), T, pool);
  return T;
}

void CosineLoss::take_mean(ConstFeatureMap F, ThreadPool& pool) {
  std::vector<double> sums(F.channels), squares(F.channels);
  std::vector<double> partial(kernels::moments_scratch_size(F));
  kernels::moments(F, {}, sums, squares, partial, pool);
  for (size_t c = 0; c < sums.size(); ++c) {
    mean_[c] = static_cast<float>(sums[c] / static_cast<double>(F.positions()));
  }
}

double CosineLoss::AtPosition::cosine() const {
  const double squares = double{square} * target_square;
  return squares > 0 ? product / std::sqrt(squares) : 0;
}

double CosineLoss::weight(size_t position) const {
  const double root = target_.roots.empty() ? 1 : target_.roots[position];
  return root * root;
}

void CosineLoss::measure(const View& view, std::span<double>, Scratch& scratch, ThreadPool& pool) {
  const ConstFeatureMap F = view.layers[tap_].F;
  if (centred_) take_mean(F, pool);
  const ConstFeatureMap T = target(scratch, pool);
  pool.run(F.height, [&](size_t row) {
    const auto y = static_cast<int>(row);
    for (int x = 0; x < F.width; ++x) {
      float product[kBlock] = {}, square[kBlock] = {}, target_square[kBlock] = {};
      for (int block = 0; block < F.blocks(); ++block) {
        const float* f = F.cell(block, y, x);
        const float* t = T.cell(block, y, x);
        const float* o = mean_.data() + static_cast<size_t>(block) * kBlock;
        for (int c = 0; c < kBlock; ++c) {
          const float a = f[c] - o[c];
          product[c] += a * t[c];
          square[c] += a * a;
          target_square[c] += t[c] * t[c];
        }
      }
      AtPosition at;
      for (int c = 0; c < kBlock; ++c) {
        at.product += product[c];
        at.square += square[c];
        at.target_square += target_square[c];
      }
      at_[row * F.width + x] = at;
    }
  });
}

double CosineLoss::settle(std::span<const double>, Scratch&, ThreadPool&) {
  double sum = 0;
  for (size_t p = 0; p < at_.size(); ++p) sum += weight(p) * (1 - at_[p].cosine());
  return factor() * sum;
}

void CosineLoss::spread(const View&, std::span<Slope> slopes, Scratch& scratch, ThreadPool& pool) {
  scratch_ = &scratch;
  pool_ = &pool;
  slopes[tap_].sum = scratch.own.data();
  slopes[tap_].addends.emplace_back(
      [this](ConstFeatureMap F, FeatureMap d) { add_gradient(F, d); });
}

void CosineLoss::add_gradient(ConstFeatureMap F, FeatureMap d) const {
  const ConstFeatureMap T = target(*scratch_, *pool_);
  const double all = unit() * factor();
  pool_->run(F.blocks(), [&](size_t task) {
    const auto block = static_cast<int>(task);
    const float* mean = mean_.data() + task * kBlock;
    double sum[kBlock] = {};
    for (int y = 0; y < F.height; ++y) {
      for (int x = 0; x < F.width; ++x) {
        const size_t p = static_cast<size_t>(y) * F.width + x;
        const double squares = double{at_[p].square} * at_[p].target_square;
        if (!(squares > 0)) continue;
        const double factor = all * weight(p);
        const auto of_a = static_cast<float>(factor * at_[p].cosine() / at_[p].square);
        const auto of_T = static_cast<float>(factor / std::sqrt(squares));
        const float* f = F.cell(block, y, x);
        const float* t = T.cell(block, y, x);
        float* to = d.cell(block, y, x);
        for (int c = 0; c < kBlock; ++c) {
          const float slope = of_a * (f[c] - mean[c]) - of_T * t[c];
          to[c] += slope;
          sum[c] += slope;
        }
      }
    }
    if (!centred_) return;
    for (double& part : sum) part /= static_cast<double>(F.positions());
    for (int y = 0; y < F.height; ++y) {
      for (int x = 0; x < F.width; ++x) {
        float* to = d.cell(block, y, x);
        for (int c = 0; c < kBlock; ++c) to[c] -= static_cast<float>(sum[c]);
      }
    }
  });
}

double cosine_bytes(ConstFeatureMap shape) {
  constexpr double kAtPosition = 3 * sizeof(float);  // CosineLoss::AtPosition
  return kAtPosition * static_cast<double>(shape.positions());
}

}  // namespace limn
