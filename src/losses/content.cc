#include "losses/content.h"

#include <cmath>

#include "kernels/kernels.h"
#include "losses/regions.h"

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

ContentLoss::ContentLoss(double factor, int tap, const LayerShape& shape,
                         const ContentTarget& target, std::span<const double> K, Scratch& scratch,
                         Term term)
    : Loss(term, factor), tap_(tap), shape_(shape), target_(target), K_(K) {
  const bool plain = K.empty() && target.roots.empty();
  if (!plain || shape.is_cut()) difference_ = Buffer<float>(shape.tile.floats());
  if (!plain && shape.is_cut()) Scratch::grow(scratch.own, shape.tile.floats());
  if (!target.roots.empty() && shape.is_cut()) roots_ = Buffer<float>(shape.tile.positions());
  if (K.empty()) return;
  difference_gram_ = Buffer<float>(K.size());
  slope_ = Buffer<float>(K.size());
  Scratch::grow(scratch.sums, kernels::gram_scratch_size(shape.tile));
}

// m of the tile's cells.
std::span<const float> ContentLoss::roots(const View::Layer& layer) {
  return part_of(target_.roots, shape_.whole.width, layer.cells, roots_);
}

// E = F - P.
FeatureMap ContentLoss::difference(const View::Layer& layer, ThreadPool& pool) {
  ConstFeatureMap P = shape_.whole;
  P.data = target_.features.data();
  const ConstFeatureMap F = layer.F;
  const FeatureMap E = {difference_.data(), F.channels, F.height, F.width};
  if (shape_.is_cut()) {
    kernels::crop(P, layer.cells, E, pool);
    kernels::subtract_from(flat(F), flat(E), pool);
  } else {
    kernels::scaled_sum(flat(F), -1, flat(P), flat(E), pool);
  }
  return E;
}

void ContentLoss::measure(const View& view, std::span<double> sums, Scratch& scratch,
                          ThreadPool& pool) {
  const View::Layer& layer = view.layers[tap_];
  if (!K_.empty()) {
    sums[0] = sum_mapped(layer, scratch, pool);
  } else if (!target_.roots.empty()) {
    sums[0] = sum_weighed(layer, pool);
  } else if (shape_.is_cut()) {
    const FeatureMap E = difference(layer, pool);
    sums[0] = kernels::dot(flat(E), flat(E), pool);
  } else {
    ConstFeatureMap P = shape_.whole;
    P.data = target_.features.data();
    sums[0] = kernels::squared_distance(flat(layer.F), flat(P), pool);
  }
}

// Takes the Gram matrix of the difference, not the difference of Gram matrices, which would cancel
// when F is near P.
double ContentLoss::sum_mapped(const View::Layer& layer, Scratch& scratch, ThreadPool& pool) {
  const std::span<const float> m = roots(layer);
  const FeatureMap D = difference(layer, pool);
  if (!m.empty()) kernels::weigh(D, m, {}, D, pool);
  kernels::gram(D, difference_gram_, scratch.sums, pool);
  if (!m.empty()) kernels::weigh(D, m, {}, D, pool);
  double sum = 0;
  for (size_t i = 0; i < K_.size(); ++i) sum += K_[i] * difference_gram_[i];
  return sum;
}

double ContentLoss::sum_weighed(const View::Layer& layer, ThreadPool& pool) {
  const std::span<const float> m = roots(layer);
  const FeatureMap D = difference(layer, pool);
  kernels::weigh(D, m, {}, D, pool);
  const double sum = kernels::dot(flat(D), flat(D), pool);
  kernels::weigh(D, m, {}, D, pool);
  if (!shape_.is_cut()) kernels::scaled_sum(flat(layer.F), -1, flat(D), flat(D), pool);
  return sum;
}

double ContentLoss::settle(std::span<const double> sums, Scratch&, ThreadPool&) {
  return factor() * sums[0];
}

// Of a tile, w E is gone by now: it is computed again when it is needed.
void ContentLoss::spread(const View& view, std::span<Slope> slopes, Scratch& scratch,
                         ThreadPool& pool) {
  Slope& slope = slopes[tap_];
  const double twice = unit() * (2 * factor());
  for (size_t i = 0; i < slope_.size(); ++i) slope_[i] = static_cast<float>(twice * K_[i]);
  const bool plain = K_.empty() && target_.roots.empty();
  if (shape_.is_cut() && !plain) {
    layer_ = view.layers[tap_];
    pool_ = &pool;
    slope.sum = scratch.own.data();
    slope.addends.emplace_back([this](ConstFeatureMap, FeatureMap d) { add_gradient(d); });
    return;
  }
  if (K_.empty()) {
    const Window& cells = view.layers[tap_].cells;
    slope.factor = static_cast<float>(twice);
    slope.target = shape_.whole;
    slope.target.data = target_.roots.empty() ? target_.features.data() : difference_.data();
    slope.target = seen_from(slope.target, cells.row, cells.column);
    return;
  }
  slope.T = slope_;
  slope.difference = shape_.whole;
  slope.difference.data = difference_.data();
}

// d += 2 factor w E, or 2 factor K w E, of the tile.
void ContentLoss::add_gradient(FeatureMap d) {
  const std::span<const float> m = roots(layer_);
  const FeatureMap D = difference(layer_, *pool_);
  for (int i = 0; i < 2 && !m.empty(); ++i) kernels::weigh(D, m, {}, D, *pool_);
  if (K_.empty()) {
    const auto twice = static_cast<float>(unit() * (2 * factor()));
    kernels::add_scaled(twice, flat(ConstFeatureMap(D)), flat(d), *pool_);
  } else {
    kernels::add_gram_gradient(slope_, D, d, *pool_);
  }
}

double content_bytes(const LayerShape& shape, bool student, bool seen_whole) {
  const double C = shape.whole.channels;
  auto floats = static_cast<double>(shape.whole.floats());  // P
  if (student || !seen_whole || shape.is_cut()) floats += static_cast<double>(shape.tile.floats());
  if (student) floats += 2 * C * C;
  return sizeof(float) * floats;
}

double content_scratch_bytes(ConstFeatureMap shape, bool student) {
  return student ? sizeof(double) * static_cast<double>(kernels::gram_scratch_size(shape)) : 0;
}

}  // namespace limn
