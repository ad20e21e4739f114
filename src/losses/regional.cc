#include "losses/regional.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
#include <utility>

#include "losses/regions.h"
#include "network/network.h"

namespace limn {
namespace {

// A form's shifts at one layer, in its cells.
class ShiftsAt {
 public:
  ShiftsAt(const Recipe& recipe, ConstFeatureMap shape, int stride)
      : pixels_(recipe.style.shift_unit == ShiftUnit::pixels),
        around_(recipe.picture.tileable),
        stride_(stride),
        shape_(shape) {}

  // Of shifts in pixels, rounded, those of at least two cells count, because a neighbouring cell
  // sees nearly the same; of those that go around, the ones shorter than the map.
  void add(int shift, bool down, bool across) {
    if (pixels_) shift = (shift + stride_ / 2) / stride_;
    if (pixels_ && shift < 2) return;
    if (down && !(around_ && shift >= shape_.height)) add({shift, 0, around_});
    if (across && !(around_ && shift >= shape_.width)) add({0, shift, around_});
  }

  std::vector<Pairing> take() { return std::move(pairings_); }

 private:
  void add(kernels::Shift shift) {
    const Pairing pairing = {.shift = shift};
    if (std::ranges::find(pairings_, pairing) == pairings_.end()) pairings_.push_back(pairing);
  }

  bool pixels_, around_;
  int stride_;
  ConstFeatureMap shape_;
  std::vector<Pairing> pairings_;
};

std::vector<Pairing> shifts_at(const Recipe& recipe, ConstFeatureMap shape, int stride) {
  ShiftsAt found(recipe, shape, stride);
  for (const int shift : recipe.style.shifts) found.add(shift, /*down=*/true, /*across=*/true);
  for (const int shift : recipe.style.shifts_across) found.add(shift, false, true);
  for (const int shift : recipe.style.shifts_down) found.add(shift, true, false);
  return found.take();
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
  StatisticsForm form = {recipe.style.statistic, shifts_at(recipe, shape, stride),
                         recipe.style.shift_weight};
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
  const auto C = static_cast<size_t>(shape.channels);
  if (form.statistic != StyleStatistic::mean_deviation) {
    Scratch::grow(scratch.products, (form.pairings.empty() ? 1 : 2) * C * C);
  }
  if (form.statistic == StyleStatistic::covariance) Scratch::grow(scratch.centre, C);
}

StatisticsScratch view_of(Scratch& scratch, ConstFeatureMap shape) {
  StatisticsScratch view;
  view.weighed = {scratch.weighed.data(), shape.channels, shape.height, shape.width};
  view.gradient = {scratch.gradient.data(), shape.channels, shape.height, shape.width};
  view.mirrored = {scratch.mirrored.data(), shape.channels, shape.height, shape.width};
  view.sums = scratch.sums;
  view.matrices = scratch.matrices;
  view.products = scratch.products;
  view.centre = scratch.centre;
  return view;
}

StatisticsForm without_pairs(StatisticsForm form) {
  form.pairings.clear();
  return form;
}

// The largest part of a tile and around it that a shift reaches: of this many cells beyond it.
ConstFeatureMap reached_shape(const LayerShape& shape, int cells) {
  ConstFeatureMap reached = shape.tile;
  reached.height += cells;
  reached.width += cells;
  return reached;
}

int longest_shift(const StatisticsForm& form) {
  int longest = 0;
  for (const Pairing& t : form.pairings) {
    longest = std::max({longest, t.shift.dy, t.shift.dx});
  }
  return longest;
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

RegionalLoss::RegionalLoss(double factor, int tap, GramForm gram, const LayerShape& shape,
                           std::span<const RegionTarget> targets, std::span<const double> K,
                           Scratch& scratch)
    : Loss(Term::style, factor),
      tap_(tap),
      form_(targets.front().form),
      of_tile_(without_pairs(form_)),
      gram_(gram),
      shape_(shape),
      K_(K),
      targets_(targets) {
  bool any_roots = false;
  for (const RegionTarget& target : targets) {
    measured_.push_back(make_statistics(form_, shape.whole.channels));
    any_roots = any_roots || !target.roots.empty();
  }
  sums_ = Buffer<double>(sums_size());
  grow_to_measure(scratch, shape.is_cut() ? of_tile_ : form_, shape.tile, any_roots);
  Scratch::grow(scratch.own, shape.tile.floats());
  Scratch::grow(scratch.matrices, 3 * K.size());
  if (!shape.is_cut()) return;
  if (any_roots) roots_ = Buffer<float>(shape.tile.positions());
  if (form_.pairings.empty()) return;
  assert(longest_shift(form_) > 0);
  const ConstFeatureMap reached = reached_shape(shape, longest_shift(form_));
  if (any_roots) reached_roots_ = Buffer<float>(reached.positions());
  Scratch::grow(scratch.around, reached.floats());
  Scratch::grow(scratch.d_around, reached.floats());
  Scratch::grow(scratch.sums, kernels::gram_scratch_size(reached));
}

size_t RegionalLoss::sums_size() const {
  return targets_.size() * statistics_sums(form_, shape_.whole.channels);
}

StatisticsSums RegionalLoss::sums_of(size_t region, std::span<double> sums) const {
  const size_t size = sums.size() / targets_.size();
  return parts_of(form_, shape_.whole.channels, sums.subspan(region * size, size));
}

PositionWeights RegionalLoss::region(size_t i) const {
  return {targets_[i].roots, targets_[i].total, gram_};
}

// Its part in some of the layer's cells.
PositionWeights RegionalLoss::region_in(size_t i, const Window& cells,
                                        std::span<float> memory) const {
  if (!shape_.is_cut()) return region(i);
  PositionWeights part = region(i);
  part.total = static_cast<double>(cells.height()) * cells.width();
  part.roots = part_of(targets_[i].roots, shape_.whole.width, cells, memory);
  if (part.roots.empty()) return part;
  part.total = 0;
  for (const float root : part.roots) part.total += double{root} * root;
  return part;
}

void RegionalLoss::measure(const View& view, std::span<double> sums, Scratch& scratch,
                           ThreadPool& pool) {
  const View::Layer& layer = view.layers[tap_];
  const bool cut = shape_.is_cut();
  std::ranges::fill(sums, 0.0);
  for (size_t i = 0; i < targets_.size(); ++i) {
    const PositionWeights part = region_in(i, layer.cells, roots_);
    if (targets_[i].total == 0) continue;
    const StatisticsSums to = sums_of(i, sums);
    if (part.total > 0) {
      measure_sums(cut ? of_tile_ : form_, part, layer.F, cut, to, view_of(scratch, layer.F), pool);
    }
    if (cut) measure_shifts(layer, i, to, scratch, pool);
  }
}

// ------------------------------------------------------------------------- shifts between tiles --
//
// A pair belongs to the tile that holds its first position; the second may lie around it. The tile
// and exactly as many more rows, or columns, as the shift has, hold its pairs and no others.

RegionalLoss::Reached RegionalLoss::reached(const View::Layer& layer, size_t i,
                                            kernels::Shift shift, Scratch& scratch,
                                            ThreadPool& pool) {
  const Window& core = layer.core;
  Reached reached;
  reached.in_around = {core.row, std::min(core.end_row + shift.dy, layer.around.height),
                       core.column, std::min(core.end_column + shift.dx, layer.around.width)};
  reached.X = {scratch.around.data(), layer.F.channels, reached.in_around.height(),
               reached.in_around.width()};
  kernels::crop(layer.around, reached.in_around, reached.X, pool);
  const std::span<const float> all = targets_[i].roots;
  if (all.empty()) return reached;
  // What lies beyond the map's edge comes from the opposite one.
  const int height = shape_.whole.height, width = shape_.whole.width;
  const std::span<float> roots = std::span<float>(reached_roots_).first(reached.X.positions());
  for (int y = 0; y < reached.X.height; ++y) {
    for (int x = 0; x < reached.X.width; ++x) {
      const int from_y = (layer.cells.row + y) % height, from_x = (layer.cells.column + x) % width;
      roots[static_cast<size_t>(y) * reached.X.width + x] =
          all[static_cast<size_t>(from_y) * width + from_x];
    }
  }
  reached.roots = roots;
  kernels::weigh(reached.X, roots, {}, reached.X, pool);
  return reached;
}

void RegionalLoss::measure_shifts(const View::Layer& layer, size_t i, const StatisticsSums& sums,
                                  Scratch& scratch, ThreadPool& pool) {
  const auto C = static_cast<size_t>(layer.F.channels);
  for (size_t k = 0; k < form_.pairings.size(); ++k) {
    const kernels::Shift shift = form_.pairings[k].shift;
    const Reached X = reached(layer, i, shift, scratch, pool);
    measure_pairs(X.X, {shift.dy, shift.dx}, sums.paired.subspan(k * C * C, C * C),
                  std::span<float>(scratch.products).first(C * C), scratch.sums, pool);
  }
}

// d_around += their gradient.
void RegionalLoss::add_shifted_gradients(FeatureMap d_around) {
  const auto C = static_cast<size_t>(d_around.channels);
  for (size_t i = 0; i < targets_.size(); ++i) {
    if (targets_[i].total == 0) continue;
    for (size_t k = 0; k < form_.pairings.size(); ++k) {
      const kernels::Shift shift = form_.pairings[k].shift;
      const Reached X = reached(layer_, i, shift, *scratch_, *pool_);
      FeatureMap d = X.X;
      d.data = scratch_->d_around.data();
      std::fill_n(d.data, d.floats(), 0.0f);
      const std::span<const float> S = {measured_[i].paired.data() + k * C * C, C * C};
      kernels::add_shifted_gradient(S, X.X, {shift.dy, shift.dx}, d, *pool_);
      if (!X.roots.empty()) kernels::weigh(d, X.roots, {}, d, *pool_);
      kernels::add_pasted(d, X.in_around, d_around, *pool_);
    }
  }
}

// ------------------------------------------------------------------------------------- the loss --

double RegionalLoss::settle(std::span<const double> sums, Scratch& scratch, ThreadPool& pool) {
  std::ranges::copy(sums, sums_.begin());
  double sum = 0;
  for (size_t i = 0; i < targets_.size(); ++i) {
    if (targets_[i].total == 0) continue;
    take_statistics(form_, region(i), shape_.whole, shape_.is_cut(), sums_of(i, sums_),
                    measured_[i], pool);
    sum += statistics_loss(form_, region(i), factor() * targets_[i].share, K_, measured_[i],
                           targets_[i].statistics, view_of(scratch, shape_.tile), pool, unit());
  }
  return sum;
}

// Features are turned into their gradient in place, tap by tap: only then is there memory for the
// gradient that this loss sums itself.
void RegionalLoss::spread(const View& view, std::span<Slope> slopes, Scratch& scratch,
                          ThreadPool& pool) {
  layer_ = view.layers[tap_];
  scratch_ = &scratch;
  pool_ = &pool;
  Slope& slope = slopes[tap_];
  slope.sum = scratch.own.data();
  slope.addends.emplace_back([this](ConstFeatureMap F, FeatureMap d) { add_gradient(F, d); });
  if (!shape_.is_cut() || form_.pairings.empty()) return;
  slope.addends_around.emplace_back(
      [this](ConstFeatureMap, FeatureMap d) { add_shifted_gradients(d); });
}

void RegionalLoss::add_gradient(ConstFeatureMap F, FeatureMap d_F) {
  const StatisticsForm& form = shape_.is_cut() ? of_tile_ : form_;
  for (size_t i = 0; i < targets_.size(); ++i) {
    if (targets_[i].total == 0) continue;
    const PositionWeights part = region_in(i, layer_.cells, roots_);
    add_statistics_gradient(form, part, F, measured_[i], d_F, view_of(*scratch_, F), *pool_);
  }
}

// -------------------------------------------------------------------------------- what it is of --

bool has_shifts(const Recipe& recipe) {
  const auto& style = recipe.style;
  return !style.shifts.empty() || !style.shifts_across.empty() || !style.shifts_down.empty();
}

bool is_regional(const Recipe& recipe, bool masks) {
  return masks || recipe.style.statistic != StyleStatistic::gram || has_shifts(recipe) ||
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
  Buffer<double> sums(statistics_sums(form, F.channels));
  StatisticsScratch memory = view_of(scratch, F);
  memory.parts = sums;
  measure(form, {whole.roots, whole.total, gram}, F, measured, memory, pool);
  target.statistics.add(share, measured);
}

// --------------------------------------------------------------------------------------- memory --

double source_bytes(const Recipe& recipe, ConstFeatureMap shape, int stride, bool masks) {
  return sizeof(float) * static_cast<double>(shape.floats()) *
         scratch_maps(form_of(recipe, shape, stride), masks);
}

double regional_bytes(const Recipe& recipe, const LayerShape& shape, int stride, int regions) {
  const StatisticsForm form = form_of(recipe, shape.whole, stride);
  const auto C = static_cast<double>(shape.whole.channels);
  const double matrices = form.statistic == StyleStatistic::mean_deviation
                              ? 0
                              : 1 + static_cast<double>(form.pairings.size());
  // Target and picture, the weights of the positions, and the sums: the loss's and the
  // evaluation's.
  const auto sums = static_cast<double>(statistics_sums(form, shape.whole.channels));
  return regions * (sizeof(float) * (2 * (matrices * C * C + 2 * C) +
                                     static_cast<double>(shape.whole.positions())) +
                    (shape.is_cut() ? 3 : 2) * sizeof(double) * sums);
}

RegionalScratchBytes regional_scratch_bytes(const Recipe& recipe, const LayerShape& shape,
                                            int stride, bool masks, bool mapped) {
  const double C = shape.whole.channels;
  const StatisticsForm form = form_of(recipe, shape.whole, stride);
  const bool cut = shape.is_cut();
  const int maps = scratch_maps(cut ? without_pairs(form) : form, masks);
  const auto map = static_cast<double>(shape.tile.floats());
  double floats = map * std::max(1, maps) + (form.pairings.empty() ? 1 : 2) * C * C;
  auto doubles = static_cast<double>(statistics_sums_size(shape.tile));
  if (cut && !form.pairings.empty()) {
    const ConstFeatureMap reached = reached_shape(shape, longest_shift(form));
    floats += 2 * static_cast<double>(reached.floats()) +
              static_cast<double>(shape.around.floats() - shape.tile.floats());  // Slope::sum
    doubles = std::max(doubles, static_cast<double>(kernels::gram_scratch_size(reached)));
  }
  return {sizeof(float) * (maps > 0 ? map : 0),
          sizeof(float) * floats + sizeof(double) * (doubles + (mapped ? 3 * C * C : 0))};
}

int shifts_reach(const Recipe& recipe, ConstFeatureMap shape, int stride) {
  return longest_shift(form_of(recipe, shape, stride));
}

}  // namespace limn
