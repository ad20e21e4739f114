#include "losses/content.h"

#include <algorithm>
#include <cmath>

#include "kernels/kernels.h"
#include "losses/regions.h"

namespace limn {
namespace {

size_t row_floats(ConstFeatureMap map) { return static_cast<size_t>(map.width) * kBlock; }

}  // namespace

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

void ContentTarget::put_row(ConstFeatureMap shape, const Window& cells, int y, FeatureMap P) const {
  if (!is_kept()) return make_row(cells, y, P);
  shape.data = features.data();
  for (int block = 0; block < P.blocks(); ++block) {
    std::copy_n(shape.cell(block, cells.row + y, cells.column), row_floats(P), P.cell(block, y, 0));
  }
}

void ContentTarget::put(ConstFeatureMap shape, const Window& cells, FeatureMap P,
                        ThreadPool& pool) const {
  clear_around(P);
  pool.run(P.height, [&](size_t y) { put_row(shape, cells, static_cast<int>(y), P); });
}

void ContentTarget::subtract(ConstFeatureMap shape, const Window& cells, ConstFeatureMap F,
                             FeatureMap E, ThreadPool& pool) const {
  clear_around(E);
  pool.run(E.height, [&](size_t row) {
    const auto y = static_cast<int>(row);
    put_row(shape, cells, y, E);
    for (int block = 0; block < E.blocks(); ++block) {
      const float* f = F.cell(block, y, 0);
      float* e = E.cell(block, y, 0);
      for (size_t i = 0; i < row_floats(E); ++i) e[i] = f[i] - e[i];
    }
  });
}

ContentLoss::ContentLoss(double factor, int tap, const LayerShape& shape,
                         const ContentTarget& target, std::span<const double> K, Scratch& scratch,
                         Term term)
    : Loss(term, factor), tap_(tap), shape_(shape), target_(target), K_(K) {
  if (!is_in_place()) Scratch::grow(scratch.weighed, shape.tile.floats());
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

namespace {

// Scratch memory as a map like F.
FeatureMap map_like(ConstFeatureMap F, Scratch& scratch) {
  return {scratch.weighed.data(), F.channels, F.height, F.width};
}

}  // namespace

// P of the tile's cells.
ConstFeatureMap ContentLoss::target(const View::Layer& layer, Scratch& scratch, ThreadPool& pool) {
  if (is_in_place()) {
    ConstFeatureMap P = shape_.whole;
    P.data = target_.features.data();
    return P;
  }
  const FeatureMap P = map_like(layer.F, scratch);
  target_.put(shape_.whole, layer.cells, P, pool);
  return P;
}

// E = F - P.
FeatureMap ContentLoss::difference(const View::Layer& layer, Scratch& scratch, ThreadPool& pool) {
  const FeatureMap E = map_like(layer.F, scratch);
  target_.subtract(shape_.whole, layer.cells, layer.F, E, pool);
  return E;
}

void ContentLoss::measure(const View& view, std::span<double> sums, Scratch& scratch,
                          ThreadPool& pool) {
  const View::Layer& layer = view.layers[tap_];
  if (!K_.empty()) {
    sums[0] = sum_mapped(layer, scratch, pool);
  } else if (!target_.roots.empty()) {
    sums[0] = sum_weighed(layer, scratch, pool);
  } else {
    sums[0] = kernels::squared_distance(flat(layer.F), flat(target(layer, scratch, pool)), pool);
  }
}

// Takes the Gram matrix of the difference, not the difference of Gram matrices, which would cancel
// when F is near P.
double ContentLoss::sum_mapped(const View::Layer& layer, Scratch& scratch, ThreadPool& pool) {
  const std::span<const float> m = roots(layer);
  const FeatureMap E = difference(layer, scratch, pool);
  if (!m.empty()) kernels::weigh(E, m, {}, E, pool);
  kernels::gram(E, difference_gram_, scratch.sums, pool);
  double sum = 0;
  for (size_t i = 0; i < K_.size(); ++i) sum += K_[i] * difference_gram_[i];
  return sum;
}

double ContentLoss::sum_weighed(const View::Layer& layer, Scratch& scratch, ThreadPool& pool) {
  const FeatureMap E = difference(layer, scratch, pool);
  kernels::weigh(E, roots(layer), {}, E, pool);
  return kernels::dot(flat(E), flat(E), pool);
}

double ContentLoss::settle(std::span<const double> sums, Scratch&, ThreadPool&) {
  return factor() * sums[0];
}

// Scratch memory has served other layers by the time that the slope is read: w E, or the D such
// that the gradient is 2 factor (F - D), is made then.
void ContentLoss::spread(const View& view, std::span<Slope> slopes, Scratch& scratch,
                         ThreadPool& pool) {
  Slope& slope = slopes[tap_];
  layer_ = view.layers[tap_];
  scratch_ = &scratch;
  pool_ = &pool;
  const double twice = unit() * (2 * factor());
  for (size_t i = 0; i < slope_.size(); ++i) slope_[i] = static_cast<float>(twice * K_[i]);
  if (!K_.empty()) {
    slope.T = slope_;
    slope.difference = map_like(layer_.F, scratch);
    slope.prepare = [this] { prepare(); };
    return;
  }
  slope.factor = static_cast<float>(twice);
  if (is_plain() && target_.is_kept()) {
    slope.target = shape_.whole;
    slope.target.data = target_.features.data();
    slope.target = seen_from(slope.target, layer_.cells.row, layer_.cells.column);
    return;
  }
  slope.target = map_like(layer_.F, scratch);
  slope.prepare = [this] { prepare(); };
}

void ContentLoss::prepare() {
  if (is_plain()) {
    target(layer_, *scratch_, *pool_);
    return;
  }
  const std::span<const float> m = roots(layer_);
  const FeatureMap D = difference(layer_, *scratch_, *pool_);
  for (int i = 0; i < 2 && !m.empty(); ++i) kernels::weigh(D, m, {}, D, *pool_);
  if (K_.empty()) kernels::subtract_from(flat(layer_.F), flat(D), *pool_);
}

double content_bytes(ConstFeatureMap shape) {
  return sizeof(float) * static_cast<double>(shape.floats());
}

DistanceBytes distance_bytes(const LayerShape& shape, bool student, bool in_place) {
  DistanceBytes bytes;
  const double C = shape.whole.channels;
  if (!in_place) bytes.weighed = content_bytes(shape.tile);
  if (!student) return bytes;
  bytes.own = sizeof(float) * 2 * C * C;
  bytes.sums = sizeof(double) * static_cast<double>(kernels::gram_scratch_size(shape.tile));
  return bytes;
}

}  // namespace limn
