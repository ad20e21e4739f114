#include "losses/regional.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "losses/regions.h"
#include "network/network.h"

namespace limn {
namespace {

// The recipe's shifts at a layer, in its cells. Of those in pixels, rounded, the ones of at least
// two cells, because a neighbouring cell sees nearly the same. Shifts that go around are shorter
// than the map.
std::vector<int> shifts_at(const Recipe& recipe, ConstFeatureMap shape, int stride) {
  std::vector<int> shifts;
  const bool pixels = recipe.style.shift_unit == ShiftUnit::pixels;
  for (int shift : recipe.style.shifts) {
    if (pixels) shift = (shift + stride / 2) / stride;
    if (pixels && shift < 2) continue;
    if (recipe.picture.tileable && shift >= std::min(shape.height, shape.width)) continue;
    if (std::ranges::find(shifts, shift) == shifts.end()) shifts.push_back(shift);
  }
  return shifts;
}

std::vector<kernels::Mirror> mirrors_of(Symmetry symmetry) {
  using kernels::Mirror;
  switch (symmetry) {
    case Symmetry::none:
      break;
    case Symmetry::left_right:
      return {Mirror::left_right};
    case Symmetry::up_down:
      return {Mirror::up_down};
    case Symmetry::both:
      return {Mirror::left_right, Mirror::up_down};
    case Symmetry::rotate_180:
      return {Mirror::both};
  }
  return {};
}

// For the picture. shape: of its map at the layer.
StatisticsForm form_of(const Recipe& recipe, ConstFeatureMap shape, int stride) {
  StatisticsForm form = {recipe.style.statistic, {}, recipe.style.shift_weight};
  const bool around = recipe.picture.tileable;
  for (const int s : shifts_at(recipe, shape, stride)) {
    form.pairings.push_back({.shift = {s, 0, around}});
    form.pairings.push_back({.shift = {0, s, around}});
  }
  for (const kernels::Mirror mirror : mirrors_of(recipe.style.symmetry)) {
    form.pairings.push_back({.mirror = mirror});
  }
  return form;
}

// The same for a painting, which ends at its edges.
StatisticsForm of_painting(StatisticsForm form) {
  for (Pairing& t : form.pairings) t.shift.around = false;
  return form;
}

// Replaces the weights w by their roots m; returns W.
double take_roots(std::vector<float>& weights) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (float& weight : weights) weight = std::sqrt(weight);
  return total;
}

// Grows scratch to what measuring a layer of this shape needs.
void grow_to_measure(Scratch& scratch, const StatisticsForm& form, ConstFeatureMap shape,
                     bool roots) {
  const int maps = scratch_maps(form, roots);
  if (maps > 0) Scratch::grow(scratch.weighed, shape.floats());
  if (maps > 1) Scratch::grow(scratch.gradient, shape.floats());
  if (maps > 2) Scratch::grow(scratch.mirrored, shape.floats());
  Scratch::grow(scratch.sums, statistics_sums_size(shape));
}

StatisticsScratch view_of(Scratch& scratch, ConstFeatureMap shape) {
  StatisticsScratch view;
  view.weighed = {scratch.weighed.data(), shape.channels, shape.height, shape.width};
  view.gradient = {scratch.gradient.data(), shape.channels, shape.height, shape.width};
  view.mirrored = {scratch.mirrored.data(), shape.channels, shape.height, shape.width};
  view.sums = scratch.sums;
  view.matrices = scratch.matrices;
  return view;
}

// How many of a layer's cells, to each side, lie in the middle half of its receptive field. The
// outer half has little influence, because few paths lead there (Luo and others 2016, arXiv
// 1701.04128).
int seen_cells(std::span<const Row> rows, int row) {
  int radius = 0;  // in pixels
  for (int i = 0; i <= row; ++i) {
    const int stride = stride_of(rows, i);
    radius += rows[i].kind == RowKind::convolution ? stride : stride / 4;
  }
  return static_cast<int>(std::lround(0.5 * radius / stride_of(rows, row)));
}

}  // namespace

RegionalLoss::RegionalLoss(double factor, int tap, GramForm gram, ConstFeatureMap shape,
                           std::span<const RegionTarget> targets, std::span<const double> K,
                           Scratch& scratch)
    : Loss(Term::style, factor),
      tap_(tap),
      form_(targets.front().form),
      gram_(gram),
      shape_(shape),
      K_(K),
      targets_(targets) {
  bool any_roots = false;
  for (const RegionTarget& target : targets) {
    measured_.push_back(make_statistics(form_, shape.channels));
    any_roots = any_roots || !target.roots.empty();
  }
  grow_to_measure(scratch, form_, shape, any_roots);
  Scratch::grow(scratch.own, shape.floats());
  Scratch::grow(scratch.matrices, 3 * K.size());
}

PositionWeights RegionalLoss::region(size_t i) const {
  return {targets_[i].roots, targets_[i].total, gram_};
}

void RegionalLoss::measure(const View& view, Scratch& scratch, ThreadPool& pool) {
  for (size_t i = 0; i < targets_.size(); ++i) {
    if (targets_[i].total == 0) continue;
    limn::measure(form_, region(i), view.layers[tap_].F, measured_[i], view_of(scratch, shape_),
                  pool);
  }
}

double RegionalLoss::settle(const View&, Scratch& scratch, ThreadPool& pool) {
  double sum = 0;
  for (size_t i = 0; i < targets_.size(); ++i) {
    if (targets_[i].total == 0) continue;
    sum += statistics_loss(form_, region(i), factor() * targets_[i].share, K_, measured_[i],
                           targets_[i].statistics, view_of(scratch, shape_), pool, unit());
  }
  return sum;
}

// Features are turned into their gradient in place, tap by tap: only then is there memory for the
// gradient that this loss sums itself.
void RegionalLoss::spread(const View&, std::span<Slope> slopes, Scratch& scratch,
                          ThreadPool& pool) {
  scratch_ = &scratch;
  pool_ = &pool;
  slopes[tap_].sum = scratch.own.data();
  slopes[tap_].addends.emplace_back(
      [this](ConstFeatureMap F, FeatureMap d) { add_gradient(F, d, *scratch_, *pool_); });
}

void RegionalLoss::add_gradient(ConstFeatureMap F, FeatureMap d_F, Scratch& scratch,
                                ThreadPool& pool) const {
  for (size_t i = 0; i < targets_.size(); ++i) {
    if (targets_[i].total == 0) continue;
    add_statistics_gradient(form_, region(i), F, measured_[i], d_F, view_of(scratch, shape_), pool);
  }
}

// -------------------------------------------------------------------------------- what it is of --

bool is_regional(const Recipe& recipe, bool masks) {
  return masks || recipe.style.statistic != StyleStatistic::gram || !recipe.style.shifts.empty() ||
         recipe.style.symmetry != Symmetry::none;
}

std::vector<RegionTarget> region_targets(const Recipe& recipe, std::span<const Mask> regions,
                                         ConstFeatureMap shape, int stride) {
  std::vector<RegionTarget> targets(std::max<size_t>(1, regions.size()));
  const auto positions = static_cast<double>(shape.positions());
  for (size_t i = 0; i < targets.size(); ++i) {
    RegionTarget& target = targets[i];
    if (regions.empty()) {
      target.total = positions;
    } else {
      target.roots = layer_weights(regions[i], shape.height, shape.width);
      target.total = take_roots(target.roots);
      target.share = target.total / positions;
    }
    target.form = form_of(recipe, shape, stride);
    target.statistics = make_statistics(target.form, shape.channels);
  }
  return targets;
}

std::vector<float> source_weights(const Mask& from, std::span<const Row> rows, int row,
                                  ConstFeatureMap shape) {
  return eroded(layer_weights(from, shape.height, shape.width), shape.height, shape.width,
                seen_cells(rows, row));
}

void add_source(GramForm gram, const Mask& from, double share, std::span<const Row> rows, int row,
                ConstFeatureMap F, RegionTarget& target, ThreadPool& pool) {
  RegionTarget whole;
  whole.total = static_cast<double>(F.positions());
  if (!from.empty()) {
    whole.roots = source_weights(from, rows, row, F);
    whole.total = take_roots(whole.roots);
  }
  const StatisticsForm form = of_painting(target.form);
  LayerStatistics measured = make_statistics(form, F.channels);
  Scratch scratch;
  grow_to_measure(scratch, form, F, !whole.roots.empty());
  measure(form, {whole.roots, whole.total, gram}, F, measured, view_of(scratch, F), pool);
  target.statistics.add(share, measured);
}

// --------------------------------------------------------------------------------------- memory --

double source_bytes(const Recipe& recipe, ConstFeatureMap shape, int stride, bool masks) {
  return sizeof(float) * static_cast<double>(shape.floats()) *
         scratch_maps(form_of(recipe, shape, stride), masks);
}

double regional_bytes(const Recipe& recipe, ConstFeatureMap shape, int stride, int regions) {
  const StatisticsForm form = form_of(recipe, shape, stride);
  const auto C = static_cast<double>(shape.channels);
  const double matrices = form.statistic == StyleStatistic::mean_deviation
                              ? 0
                              : 1 + static_cast<double>(form.pairings.size());
  // Target and picture, and the weights of the positions.
  return regions * sizeof(float) *
         (2 * (matrices * C * C + 2 * C) + static_cast<double>(shape.positions()));
}

double regional_scratch_bytes(const Recipe& recipe, ConstFeatureMap shape, int stride, bool masks,
                              bool mapped) {
  const double C = shape.channels;
  return sizeof(float) * static_cast<double>(shape.floats()) *
             (1 + scratch_maps(form_of(recipe, shape, stride), masks)) +
         sizeof(double) *
             (static_cast<double>(statistics_sums_size(shape)) + (mapped ? 3 * C * C : 0));
}

}  // namespace limn
