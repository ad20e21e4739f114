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

// The places of a painting's positions that are searched: those that count, on the finest grid that
// has no more than `most`. At least one.
std::vector<std::pair<int, int>> places_of(ConstFeatureMap F, std::span<const float> weights,
                                           size_t most) {
  const float least = weights.empty() ? 0.0f : std::min(0.5f, *std::ranges::max_element(weights));
  const auto on_grid = [&](int step) {
    std::vector<std::pair<int, int>> places;
    for (int y = 0; y < F.height; y += step) {
      for (int x = 0; x < F.width; x += step) {
        if (weights.empty() || weights[static_cast<size_t>(y) * F.width + x] >= least) {
          places.emplace_back(y, x);
        }
      }
    }
    return places;
  };
  const std::vector<std::pair<int, int>> all = on_grid(1);
  std::vector<std::pair<int, int>> places = all;
  for (int step = 2; places.size() > most; ++step) places = on_grid(step);
  if (!places.empty()) return places;
  // Every grid misses a region as thin as a line: take some of what it has.
  const size_t step = all.size() / most + 1;
  for (size_t i = 0; i < all.size(); i += step) places.push_back(all[i]);
  return places;
}

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

NeighbourSource neighbour_source(ConstFeatureMap F, std::span<const float> weights,
                                 std::span<const double> K, ThreadPool& pool, bool all) {
  const std::vector<std::pair<int, int>> places =
      places_of(F, weights, all ? F.positions() : kMostCandidates);
  const auto C = static_cast<size_t>(F.channels);
  const size_t count = places.size();
  NeighbourSource source;
  source.features = Buffer<float>(C * count);
  pool.run(F.blocks(), [&](size_t block) {
    for (size_t q = 0; q < count; ++q) {
      const float* cell = F.cell(static_cast<int>(block), places[q].first, places[q].second);
      std::copy_n(cell, kBlock, source.features.data() + (block * count + q) * kBlock);
    }
  });
  const kernels::Vectors S = vectors_of(source.features, F.channels, count);

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
      gathered_{Buffer<float>(shape.whole.floats()), target.roots} {
  if (form.distance == NeighbourDistance::squared) {
    distance_ =
        std::make_unique<ContentLoss>(factor(), tap, shape, gathered_, K, scratch, Term::style);
  } else {
    assert(!shape.is_cut());  // columns are not
    distance_ = std::make_unique<CosineLoss>(Term::style, factor(), tap, shape.whole, gathered_,
                                             centred(), scratch);
  }
  const auto places = static_cast<size_t>(kernels::positions_of(shape.tile).count);
  matches_.assign(target.sources.size(), std::vector<int>(places));
  scores_.assign(target.sources.size(), std::vector<float>(places));
  for (const NeighbourSource& source : target.sources) {
    prices_.emplace_back(source.candidates.count);
  }
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

// Matches and scores of source number i, by its prices. off_centre: <mean, y> of its candidates,
// for <F - mean, y> = <F, y> - <mean, y>.
void NeighboursLoss::search(size_t i, ConstFeatureMap F, std::span<const double> off_centre,
                            ThreadPool& pool) {
  const kernels::PackedCandidates& y = target_.sources[i].candidates;
  std::vector<float> bias(y.count);
  for (size_t j = 0; j < bias.size(); ++j) {
    bias[j] = static_cast<float>(-(prices_[i][j] + off_centre[j]));
  }
  const kernels::Vectors positions = kernels::positions_of(F);
  const auto count = static_cast<size_t>(positions.count);
  kernels::nearest(positions, y, bias, std::span(matches_[i]).first(count),
                   std::span(scores_[i]).first(count), pool);
}

template <typename T>
std::span<T> NeighboursLoss::uses_of(size_t i, std::span<T> found) const {
  size_t begin = 0;
  for (size_t k = 0; k < i; ++k) begin += prices_[k].size() + 2;
  return found.subspan(begin, prices_[i].size() + 2);
}

void NeighboursLoss::count_uses(size_t i, const Window& cells, std::span<double> uses) const {
  double& positions = uses[uses.size() - 2];
  double& score = uses[uses.size() - 1];
  for (int y = 0; y < cells.height(); ++y) {
    for (int x = 0; x < cells.width(); ++x) {
      if (share(target_.sources[i], cells.row + y, cells.column + x) == 0) continue;
      const size_t place = static_cast<size_t>(y) * (cells.width() + 2) + x;
      ++uses[matches_[i][place]];
      score += std::max(0.0f, scores_[i][place]);
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

void NeighboursLoss::find(const View& view, std::span<const double> looked, std::span<double> found,
                          ThreadPool& pool) {
  const View::Layer& layer = view.layers[tap_];
  std::vector<double> mean(looked.begin(), looked.begin() + layer.F.channels);
  for (double& sum : mean) sum /= static_cast<double>(shape_.whole.positions());

  std::ranges::fill(found, 0.0);
  for (size_t i = 0; i < target_.sources.size(); ++i) {
    const std::vector<double> off_centre = products_with(mean, target_.sources[i].candidates);
    search(i, layer.F, off_centre, pool);
    if (form_.uses > 0) count_uses(i, layer.cells, uses_of(i, found));
  }

  for (size_t first = 0, end = 0; first < target_.sources.size(); first = end) {
    const int style = target_.sources[first].style;
    while (end < target_.sources.size() && target_.sources[end].style == style) ++end;
    gather(first, end, layer.cells, pool);
  }
}

void NeighboursLoss::learn(std::span<const double> found) {
  for (size_t i = 0; i < prices_.size() && form_.uses > 0; ++i) {
    change_prices(i, uses_of(i, found));
  }
}

// T "=", or from the second style on "+=", u S(match) for one style: the sources first..end - 1.
void NeighboursLoss::gather(size_t first, size_t end, const Window& cells, ThreadPool& pool) {
  FeatureMap T = {gathered_.features.data(), shape_.whole.channels, shape_.whole.height,
                  shape_.whole.width};
  pool.run(cells.height(), [&](size_t row) {
    const int y = cells.row + static_cast<int>(row);
    for (int column = 0; column < cells.width(); ++column) {
      const int x = cells.column + column;
      const size_t place = row * (cells.width() + 2) + column;
      for (int block = 0; block < T.blocks() && first == 0; ++block) {
        std::fill_n(T.cell(block, y, x), kBlock, 0.0f);
      }
      size_t best = first;
      for (size_t i = first + 1; i < end; ++i) {
        if (scores_[i][place] > scores_[best][place]) best = i;
      }
      const NeighbourSource& found = target_.sources[best];
      const float u = share(found, y, x);
      if (u == 0) continue;
      const kernels::Vectors S =
          vectors_of(found.features, T.channels, static_cast<size_t>(found.candidates.count));
      for (int block = 0; block < T.blocks(); ++block) {
        const float* from = S.cell(block, matches_[best][place]);
        float* to = T.cell(block, y, x);
        for (int c = 0; c < kBlock; ++c) to[c] += u * from[c];
        if (!centred()) continue;
        const double* mean = found.mean.data() + static_cast<size_t>(block) * kBlock;
        for (int c = 0; c < kBlock; ++c) to[c] -= u * static_cast<float>(mean[c]);
      }
    }
  });
}

void NeighboursLoss::forget() {
  for (std::vector<float>& prices : prices_) std::ranges::fill(prices, 0.0f);
}

void NeighboursLoss::keep(State& state) {
  state.floats(fmt::format("neighbours.{}", tap_), gathered_.features);
  for (size_t i = 0; i < prices_.size(); ++i) {
    state.floats(fmt::format("neighbours.{}.prices.{}", tap_, i), prices_[i]);
  }
}

// --------------------------------------------------------------------------------------- memory --

double neighbours_bytes(const LayerShape& shape, bool student, bool seen_whole) {
  return content_bytes(shape, student, seen_whole);
}

double neighbour_source_bytes(ConstFeatureMap painting) {
  const double positions =
      std::min(static_cast<double>(painting.positions()), static_cast<double>(kMostCandidates));
  return 2 * sizeof(float) * positions * painting.channels;
}

double columns_source_bytes(ConstFeatureMap painting) {
  return 2 * sizeof(float) * static_cast<double>(painting.positions()) * painting.channels;
}

}  // namespace limn
