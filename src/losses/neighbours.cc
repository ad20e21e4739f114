#include "losses/neighbours.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>

namespace limn {
namespace {

// Of one painting. A picture of 512 pixels has 12,288 positions at relu3_1, and 196,608 at relu1_1,
// where finding the best of all would take longer than everything else.
constexpr size_t kMostCandidates = 8192;

kernels::Vectors vectors_of(const Buffer<float>& cells, int channels, size_t count) {
  return {cells.data(), channels, static_cast<int>(count), count * kBlock};
}

// z = K a, or a without K; both [C].
void map_by(std::span<const double> K, std::span<const double> a, std::span<double> z) {
  if (K.empty()) {
    std::ranges::copy(a, z.begin());
    return;
  }
  const size_t C = a.size();
  for (size_t i = 0; i < C; ++i) {
    z[i] = 0;
    for (size_t j = 0; j < C; ++j) z[i] += K[i * C + j] * a[j];
  }
}

double product(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// The vector at number `vector`, [C].
void unpack(const kernels::Vectors& vectors, size_t vector, std::span<double> values) {
  for (size_t c = 0; c < values.size(); ++c) {
    values[c] = vectors.cell(static_cast<int>(c / kBlock), static_cast<int>(vector))[c % kBlock];
  }
}

// By its features and the mean.
void make_candidates(NeighbourSource& source, std::span<const double> K, ThreadPool& pool) {
  const size_t C = source.mean.size();
  const size_t count = source.features.size() / C;
  const kernels::Vectors S = vectors_of(source.features, static_cast<int>(C), count);
  Buffer<float> directions(C * count);
  pool.run(count, [&](size_t q) {
    std::vector<double> a(C), z(C);
    unpack(S, q, a);
    for (size_t c = 0; c < C; ++c) a[c] -= source.mean[c];
    map_by(K, a, z);
    const double square = product(a, z);
    const double scale = square > 0 ? 1 / std::sqrt(square) : 0;
    for (size_t c = 0; c < C; ++c) {
      directions[(c / kBlock * count + q) * kBlock + c % kBlock] = static_cast<float>(scale * z[c]);
    }
  });
  source.candidates = kernels::pack_candidates(vectors_of(directions, S.channels, count), pool);
}

}  // namespace

Searched searched_positions(ConstFeatureMap shape, std::span<const float> weights, bool all) {
  const float least = weights.empty() ? 0.0f : std::min(0.5f, *std::ranges::max_element(weights));
  // Calls visit(y, x) for those that count, on a grid.
  const auto visit_grid = [&](int step, auto&& visit) {
    for (int y = 0; y < shape.height; y += step) {
      for (int x = 0; x < shape.width; x += step) {
        if (weights.empty() || weights[static_cast<size_t>(y) * shape.width + x] >= least) {
          visit(y, x);
        }
      }
    }
  };
  const auto count = [&](int step) {
    size_t found = 0;
    visit_grid(step, [&](int, int) { ++found; });
    return found;
  };
  const size_t most = all ? shape.positions() : kMostCandidates;
  int step = 1;
  size_t found = count(step);
  const size_t on_finest = found;
  while (found > most) found = count(++step);
  Searched positions;
  positions.reserve(std::max<size_t>(found, most));
  if (found > 0) {
    visit_grid(step, [&](int y, int x) { positions.emplace_back(y, x); });
    return positions;
  }
  // Every grid misses a region as thin as a line: take some of what it has.
  const size_t part = on_finest / most + 1;
  size_t number = 0;
  visit_grid(1, [&](int y, int x) {
    if (number++ % part == 0) positions.emplace_back(y, x);
  });
  return positions;
}

void gather_searched(const Searched& positions, ConstFeatureMap F, const Window& cells,
                     std::span<float> S, ThreadPool& pool) {
  const size_t count = positions.size();
  pool.run(F.blocks(), [&](size_t block) {
    for (size_t q = 0; q < count; ++q) {
      const auto [y, x] = positions[q];
      if (y < cells.row || y >= cells.end_row || x < cells.column || x >= cells.end_column)
        continue;
      const float* cell = F.cell(static_cast<int>(block), y - cells.row, x - cells.column);
      std::copy_n(cell, kBlock, S.data() + (block * count + q) * kBlock);
    }
  });
}

NeighbourSource neighbour_source(ConstFeatureMap F, std::span<const float> weights,
                                 std::span<const double> K, ThreadPool& pool, bool all) {
  const Searched positions = searched_positions(F, weights, all);
  Buffer<float> S(static_cast<size_t>(F.channels) * positions.size());
  gather_searched(positions, F, window_of(F), S, pool);
  return neighbour_source(std::move(S), F.channels, K, pool);
}

NeighbourSource neighbour_source(Buffer<float> features, int channels, std::span<const double> K,
                                 ThreadPool& pool) {
  const auto C = static_cast<size_t>(channels);
  const size_t count = features.size() / C;
  NeighbourSource source;
  source.features = std::move(features);
  const kernels::Vectors S = vectors_of(source.features, channels, count);

  std::vector<double>& mean = source.mean;
  mean.resize(C);
  std::vector<double> vector(C);
  for (size_t q = 0; q < count; ++q) {
    unpack(S, q, vector);
    for (size_t c = 0; c < C; ++c) mean[c] += vector[c] / static_cast<double>(count);
  }
  std::vector<double> squares(count);
  pool.run(count, [&](size_t q) {
    std::vector<double> a(C), z(C);
    unpack(S, q, a);
    map_by(K, a, z);
    squares[q] = product(a, z);
  });
  for (const double square : squares) source.square += square / static_cast<double>(count);
  return source;
}

void centre(std::span<NeighbourSource> sources, std::span<const double> K, ThreadPool& pool) {
  std::vector<double> mean(sources.front().mean.size());
  double values = 0;
  for (const NeighbourSource& source : sources) {
    values += static_cast<double>(source.features.size());
  }
  for (const NeighbourSource& source : sources) {
    const double share = static_cast<double>(source.features.size()) / values;
    for (size_t c = 0; c < mean.size(); ++c) mean[c] += source.mean[c] * share;
  }
  for (NeighbourSource& source : sources) {
    source.mean = mean;
    make_candidates(source, K, pool);
  }
}

// ------------------------------------------------------------------------------------- the loss --

namespace {

// 1 / (positions * mean |S|^2), each painting weighing by its share.
double scale_of(ConstFeatureMap shape, const NeighbourTarget& target) {
  double square = 0, shares = 0;
  for (const NeighbourSource& source : target.sources) {
    square += source.share * source.square;
    shares += source.share;
  }
  return square > 0 ? shares / square / static_cast<double>(shape.positions()) : 0;
}

// Of the distance's sum over positions.
double factor_of(NeighbourDistance distance, ConstFeatureMap shape, const NeighbourTarget& target) {
  return distance == NeighbourDistance::squared ? scale_of(shape, target)
                                                : 1 / static_cast<double>(shape.positions());
}

}  // namespace

NeighboursLoss::NeighboursLoss(double weight, const NeighboursForm& form, int tap,
                               const LayerShape& shape, const NeighbourTarget& target,
                               std::span<const double> K, Scratch& scratch)
    : Loss(Term::style, weight * factor_of(form.distance, shape.whole, target)),
      form_(form),
      tap_(tap),
      shape_(shape),
      target_(target),
      compared_{{}, target.roots, [this](const Window& cells, int y, FeatureMap T) {
                  gather_row(cells, y, T);
                }} {
  if (form.distance == NeighbourDistance::squared) {
    distance_ =
        std::make_unique<ContentLoss>(factor(), tap, shape, compared_, K, scratch, Term::style);
  } else {
    assert(!shape.is_cut());  // columns are not
    distance_ = std::make_unique<CosineLoss>(Term::style, factor(), tap, shape.whole, compared_,
                                             centred(), scratch);
  }
  for (size_t i = 0; i < target.sources.size(); ++i) {
    const NeighbourSource& source = target.sources[i];
    if (i == 0 || source.style != target.sources[i - 1].style) styles_.push_back({i, i, 0});
    styles_.back().end = i + 1;
    styles_.back().candidates += source.candidates.count;
    prices_.emplace_back(source.candidates.count);
  }
  matches_ = Buffer<std::uint32_t>(styles_.size() * shape.whole.positions());
}

void NeighboursLoss::multiply(double weight, double unit) {
  Loss::multiply(weight, unit);
  distance_->multiply(weight, unit);
}

void NeighboursLoss::measure(const View& view, std::span<double> sums, Scratch& scratch,
                             ThreadPool& pool) {
  distance_->measure(view, sums, scratch, pool);
}

double NeighboursLoss::settle(std::span<const double> sums, Scratch& scratch, ThreadPool& pool) {
  return distance_->settle(sums, scratch, pool);
}

void NeighboursLoss::spread(const View& view, std::span<Slope> slopes, Scratch& scratch,
                            ThreadPool& pool) {
  distance_->spread(view, slopes, scratch, pool);
}

float NeighboursLoss::share(const NeighbourSource& source, int y, int x) const {
  const auto share = static_cast<float>(source.share);
  if (target_.regions.empty()) return share;
  return share * target_.regions[source.region][static_cast<size_t>(y) * shape_.whole.width + x];
}

template <typename T>
std::span<T> NeighboursLoss::uses_of(size_t i, std::span<T> found) const {
  size_t begin = 0;
  for (size_t k = 0; k < i; ++k) begin += prices_[k].size() + 2;
  return found.subspan(begin, prices_[i].size() + 2);
}

// Of a window of the layer.
void NeighboursLoss::count_uses(size_t i, const Window& cells, const Found& of_source,
                                std::span<double> uses) const {
  double& positions = uses[uses.size() - 2];
  double& score = uses[uses.size() - 1];
  for (int y = 0; y < cells.height(); ++y) {
    for (int x = 0; x < cells.width(); ++x) {
      if (share(target_.sources[i], cells.row + y, cells.column + x) == 0) continue;
      const size_t place = static_cast<size_t>(y) * (cells.width() + 2) + x;
      ++uses[of_source.match[place]];
      score += std::max(0.0f, of_source.score[place]);
      ++positions;
    }
  }
}

void NeighboursLoss::change_prices(size_t i, std::span<const double> uses) {
  // In units of the mean score: being used twice as often as the limit costs as much as a cosine
  // that is 0.3 times the mean one worse.
  constexpr double kRate = 0.3;
  constexpr double kMostOctaves = 3, kLeastOctaves = -1;  // that one change takes into account
  std::vector<float>& prices = prices_[i];
  const double positions = uses[prices.size()];
  double score = uses[prices.size() + 1];
  if (positions == 0 || !std::isfinite(score)) return;
  score /= positions;
  const double limit = form_.uses * std::max(1.0, positions / static_cast<double>(prices.size()));
  for (size_t j = 0; j < prices.size(); ++j) {
    const double octaves = uses[j] == 0 ? kLeastOctaves : std::log2(uses[j] / limit);
    const double change = kRate * score * std::clamp(octaves, kLeastOctaves, kMostOctaves);
    prices[j] = static_cast<float>(std::max(0.0, prices[j] + change));
  }
}

namespace {

// <mean, y> of every candidate.
std::vector<double> products_with(std::span<const double> mean,
                                  const kernels::PackedCandidates& y) {
  const size_t C = mean.size();
  std::vector<double> products(y.count);
  for (int j = 0; j < y.count; ++j) {
    const float* direction = y.values.data() + j / kBlock * kBlock * C + j % kBlock;
    for (size_t c = 0; c < C; ++c) products[j] += mean[c] * direction[c * kBlock];
  }
  return products;
}

}  // namespace

Loss::Sought NeighboursLoss::sought() const {
  Sought sought = {2 * static_cast<size_t>(shape_.whole.channels), 0};
  for (const std::vector<float>& prices : prices_) sought.found += prices.size() + 2;
  return sought;
}

void NeighboursLoss::look(const View& view, std::span<double> looked, ThreadPool& pool) {
  const ConstFeatureMap F = view.layers[tap_].F;
  const auto C = static_cast<size_t>(F.channels);
  std::vector<double> partial(kernels::moments_scratch_size(F));
  kernels::moments(F, {}, looked.first(C), looked.subspan(C), partial, pool);
}

// By source, what is added to its candidates' scores: less their prices, and less <mean, y>, for
// <F - mean, y> = <F, y> - <mean, y>.
std::vector<std::vector<float>> NeighboursLoss::biases_at(std::span<const double> mean) const {
  std::vector<std::vector<float>> biases(prices_);
  for (size_t i = 0; i < biases.size(); ++i) {
    const std::vector<double> off_centre = products_with(mean, target_.sources[i].candidates);
    for (size_t j = 0; j < biases[i].size(); ++j) {
      biases[i][j] = static_cast<float>(-(prices_[i][j] + off_centre[j]));
    }
  }
  return biases;
}

void NeighboursLoss::find(const View& view, std::span<const double> looked, std::span<double> found,
                          ThreadPool& pool) {
  const View::Layer& layer = view.layers[tap_];
  std::vector<double> mean(looked.begin(), looked.begin() + layer.F.channels);
  for (double& sum : mean) sum /= static_cast<double>(shape_.whole.positions());
  const std::vector<std::vector<float>> biases = biases_at(mean);

  std::ranges::fill(found, 0.0);
  // Positions searched at a time: a thousand tasks of nearest, and 1.2 MB for what they find.
  constexpr int kSearched = 98304;
  const int rows = std::max(1, kSearched / (layer.F.width + 2));
  for (int row = 0; row < layer.F.height; row += rows) {
    const int end_row = std::min(row + rows, layer.F.height);
    search(layer, {row, end_row, 0, layer.F.width}, biases, found, pool);
  }
}

// Whole rows of the tile.
void NeighboursLoss::search(const View::Layer& layer, const Window& rows,
                            std::span<const std::vector<float>> biases, std::span<double> found,
                            ThreadPool& pool) {
  kernels::Vectors positions = kernels::positions_of(layer.F);
  const int row_positions = layer.F.width + 2;
  positions.cells = positions.cell(0, rows.row * row_positions);
  positions.count = (rows.height() - 1) * row_positions + rows.width();
  const Window cells = {layer.cells.row + rows.row, layer.cells.row + rows.end_row,
                        layer.cells.column, layer.cells.end_column};
  const auto count = static_cast<size_t>(positions.count);
  Found of_source = {std::vector<int>(count), std::vector<float>(count)};
  std::vector<float> best(count);
  for (size_t style = 0; style < styles_.size(); ++style) {
    std::uint32_t first = 1;  // the number of the source's first candidate
    for (size_t i = styles_[style].first; i < styles_[style].end; ++i) {
      const kernels::PackedCandidates& y = target_.sources[i].candidates;
      kernels::nearest(positions, y, biases[i], of_source.match, of_source.score, pool);
      if (form_.uses > 0) count_uses(i, cells, of_source, uses_of(i, found));
      take_better(cells, first, of_source, best,
                  matches_of(style, std::span<std::uint32_t>(matches_)));
      first += y.count;
    }
  }
}

// Where a source, whose candidates' numbers begin at `first`, has found something better than the
// style's sources before it, or is the first of them.
void NeighboursLoss::take_better(const Window& cells, std::uint32_t first, const Found& found,
                                 std::span<float> best, std::span<std::uint32_t> matches) const {
  for (int y = 0; y < cells.height(); ++y) {
    std::uint32_t* row =
        matches.data() + static_cast<size_t>(cells.row + y) * shape_.whole.width + cells.column;
    for (int x = 0; x < cells.width(); ++x) {
      const size_t place = static_cast<size_t>(y) * (cells.width() + 2) + x;
      if (first > 1 && !(found.score[place] > best[place])) continue;
      best[place] = found.score[place];
      row[x] = first + found.match[place];
    }
  }
}

void NeighboursLoss::learn(std::span<const double> found) {
  for (size_t i = 0; i < prices_.size() && form_.uses > 0; ++i) {
    change_prices(i, uses_of(i, found));
  }
}

// The sum over styles of u S(match).
void NeighboursLoss::gather_row(const Window& cells, int y, FeatureMap T) const {
  for (int block = 0; block < T.blocks(); ++block) {
    std::fill_n(T.cell(block, y, 0), static_cast<size_t>(T.width) * kBlock, 0.0f);
  }
  for (size_t style = 0; style < styles_.size(); ++style) {
    for (int x = 0; x < T.width; ++x) add_match(style, cells, y, x, T);
  }
}

// At row y and column x of these cells, T "+=" one style's part.
void NeighboursLoss::add_match(size_t style, const Window& cells, int y, int x,
                               FeatureMap T) const {
  const int row = cells.row + y, column = cells.column + x;
  const std::span<const std::uint32_t> matches = matches_;
  std::uint32_t number =
      matches_of(style, matches)[static_cast<size_t>(row) * shape_.whole.width + column];
  if (number-- == 0) return;
  size_t i = styles_[style].first;
  while (number >= static_cast<std::uint32_t>(target_.sources[i].candidates.count)) {
    number -= target_.sources[i++].candidates.count;
  }
  const NeighbourSource& source = target_.sources[i];
  const float u = share(source, row, column);
  if (u == 0) return;
  const kernels::Vectors S =
      vectors_of(source.features, T.channels, static_cast<size_t>(source.candidates.count));
  for (int block = 0; block < T.blocks(); ++block) {
    const float* from = S.cell(block, static_cast<int>(number));
    float* to = T.cell(block, y, x);
    for (int c = 0; c < kBlock; ++c) to[c] += u * from[c];
    if (!centred()) continue;
    const double* mean = source.mean.data() + static_cast<size_t>(block) * kBlock;
    for (int c = 0; c < kBlock; ++c) to[c] -= u * static_cast<float>(mean[c]);
  }
}

void NeighboursLoss::forget() {
  for (std::vector<float>& prices : prices_) std::ranges::fill(prices, 0.0f);
}

void NeighboursLoss::keep(State& state) {
  for (size_t style = 0; style < styles_.size(); ++style) {
    state.integers(fmt::format("neighbours.{}.matches.{}", tap_, style),
                   matches_of(style, std::span<std::uint32_t>(matches_)),
                   styles_[style].candidates);
  }
  for (size_t i = 0; i < prices_.size(); ++i) {
    state.floats(fmt::format("neighbours.{}.prices.{}", tap_, i), prices_[i]);
  }
}

// --------------------------------------------------------------------------------------- memory --

double neighbours_bytes(ConstFeatureMap shape, int styles) {
  return sizeof(std::uint32_t) * static_cast<double>(shape.positions()) * styles;
}

double neighbour_source_bytes(ConstFeatureMap painting) {
  return 2 * searched_features_bytes(painting);
}

double searched_features_bytes(ConstFeatureMap painting) {
  const double positions =
      std::min(static_cast<double>(painting.positions()), static_cast<double>(kMostCandidates));
  return sizeof(float) * positions * painting.channels;
}

double columns_source_bytes(ConstFeatureMap painting) {
  return 2 * sizeof(float) * static_cast<double>(painting.positions()) * painting.channels;
}

}  // namespace limn
