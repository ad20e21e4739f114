#include "losses/sliced.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/random.h"
#include "kernels/kernels.h"
#include "losses/regions.h"

namespace limn {
namespace {

// Of a painting's positions, and of levels: as many as relu2_1 has positions at 512 pixels. A
// quantile estimated from so many is off by 1/500 of the deviation, which is far less than two
// paintings of one style differ.
constexpr size_t kMostQuantiles = size_t{1} << 16;

size_t levels_of(ConstFeatureMap shape) { return std::min(shape.positions(), kMostQuantiles); }

// Paintings' positions are gathered in rows of this many, which are the kernels' tasks.
constexpr size_t kRow = 256;

FeatureMap gathered_shape(int channels, size_t count) {
  const size_t width = std::min(count, kRow);
  return {nullptr, channels, static_cast<int>((count + width - 1) / width),
          static_cast<int>(width)};
}

// The positions that count, at most kMostQuantiles: of every few one, at random, since a regular
// grid might see only one phase of a regular pattern. All of them if none counts.
std::vector<size_t> places_of(size_t positions, std::span<const float> weights) {
  std::vector<size_t> all;
  all.reserve(positions);
  for (size_t p = 0; p < positions; ++p) {
    if (weights.empty() || weights[p] > 0) all.push_back(p);
  }
  if (all.empty()) return places_of(positions, {});
  if (all.size() <= kMostQuantiles) return all;
  std::vector<size_t> places;
  places.reserve(kMostQuantiles);
  Random random(all.size());
  const double step = static_cast<double>(all.size()) / kMostQuantiles;
  for (size_t i = 0; i < kMostQuantiles; ++i) {
    places.push_back(all[static_cast<size_t>((static_cast<double>(i) + random.uniform()) * step)]);
  }
  return places;
}

}  // namespace

SlicedTarget sliced_target(std::span<const Mask> regions, ConstFeatureMap shape) {
  SlicedTarget target;
  target.regions.resize(std::max<size_t>(1, regions.size()));
  const auto positions = static_cast<double>(shape.positions());
  for (size_t i = 0; i < target.regions.size(); ++i) {
    SlicedRegion& region = target.regions[i];
    region.total = positions;
    if (regions.empty()) continue;
    region.weights = layer_weights(regions[i], shape.height, shape.width);
    region.total = std::accumulate(region.weights.begin(), region.weights.end(), 0.0);
    region.share = region.total / positions;
  }
  return target;
}

SlicedPainting sliced_painting(ConstFeatureMap F, std::span<const float> weights, int region,
                               double share) {
  const std::vector<size_t> places = places_of(F.positions(), weights);
  SlicedPainting painting;
  painting.region = region;
  painting.share = share;
  painting.count = static_cast<int>(places.size());
  painting.shape = gathered_shape(F.channels, places.size());
  painting.features = Buffer<float>(painting.shape.floats());
  FeatureMap to = painting.shape;
  to.data = painting.features.data();
  painting.weights.reserve(weights.empty() ? 0 : places.size());
  for (size_t i = 0; i < places.size(); ++i) {
    const int y = static_cast<int>(places[i]) / F.width, x = static_cast<int>(places[i]) % F.width;
    const int row = static_cast<int>(i) / to.width, column = static_cast<int>(i) % to.width;
    for (int block = 0; block < F.blocks(); ++block) {
      std::copy_n(F.cell(block, y, x), kBlock, to.cell(block, row, column));
    }
    if (!weights.empty()) painting.weights.push_back(weights[places[i]]);
  }
  const auto none = [](float weight) { return weight == 0; };
  if (std::ranges::all_of(painting.weights, none)) painting.weights.clear();
  return painting;
}

// ------------------------------------------------------------------------------------- sorting --
//
// A value and its place in one word: the value's bits, in an order like that of the values, above
// the place. Words are sorted by the value alone, in three passes over 11 of its bits each, from
// the lowest on. Passes keep the order of equals, so equal values stay in the order of their
// places.

namespace {

using Word = std::uint64_t;

constexpr std::uint32_t kSign = 0x8000'0000u;

// Negative values come first, and their bits grow as they fall.
Word word_of(float value, size_t place) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t ordered = (bits & kSign) != 0 ? ~bits : bits | kSign;
  return Word{ordered} << 32 | place;
}
float value_of(Word word) {
  const auto ordered = static_cast<std::uint32_t>(word >> 32);
  return std::bit_cast<float>((ordered & kSign) != 0 ? ordered & ~kSign : ~ordered);
}
size_t place_of(Word word) { return word & 0xFFFF'FFFFu; }

// Sorts the first half of `memory`; the result is the second.
std::span<const Word> sorted(std::span<Word> memory) {
  constexpr int kPasses = 3, kBits = 11;
  constexpr size_t kDigits = size_t{1} << kBits;
  const size_t count = memory.size() / 2;
  std::span<Word> from = memory.first(count), to = memory.subspan(count);
  const auto digit = [](Word word, int pass) {
    return word >> (32 + pass * kBits) & (kDigits - 1);
  };
  std::uint32_t next[kPasses][kDigits] = {};  // where the next word with this digit goes
  for (const Word word : from) {
    for (int pass = 0; pass < kPasses; ++pass) ++next[pass][digit(word, pass)];
  }
  for (int pass = 0; pass < kPasses; ++pass) {
    std::exclusive_scan(next[pass], next[pass] + kDigits, next[pass], 0u);
    for (const Word word : from) to[next[pass][digit(word, pass)]++] = word;
    std::swap(from, to);
  }
  return from;
}

// The floats of sorting memory for this many values.
size_t sorting_floats(size_t count) { return 2 * count * sizeof(Word) / sizeof(float); }

// table += share times the quantile function of these sorted values.
void tabulate(std::span<const Word> values, std::span<const float> weights, double share,
              std::span<float> table) {
  const auto weight = [&](size_t i) {
    return weights.empty() ? 1.0 : double{weights[place_of(values[i])]};
  };
  double total = static_cast<double>(values.size());
  if (!weights.empty()) total = std::accumulate(weights.begin(), weights.end(), 0.0);
  const double step = total / static_cast<double>(table.size());
  size_t i = 0;
  double middle = weight(0) / 2;  // of value number i
  for (size_t k = 0; k < table.size(); ++k) {
    const double level = (static_cast<double>(k) + 0.5) * step;
    double next = middle;
    while (i + 1 < values.size()) {
      next = middle + (weight(i) + weight(i + 1)) / 2;
      if (next > level) break;
      middle = next;
      ++i;
    }
    const double value = value_of(values[i]);
    double at = value;
    if (level > middle && next > middle) {
      at += (level - middle) / (next - middle) * (value_of(values[i + 1]) - value);
    }
    table[k] += static_cast<float>(share * at);
  }
}

}  // namespace

// ------------------------------------------------------------------------------------- drawing --

SlicedLoss::SlicedLoss(double factor, std::uint64_t seed, int every, int tap,
                       const LayerShape& shape, const SlicedTarget& target,
                       const Imitation* imitation, Scratch& scratch)
    : Loss(Term::style, factor),
      seed_(seed),
      every_(every),
      tap_(tap),
      shape_(shape.whole),
      target_(target),
      imitation_(imitation),
      levels_(levels_of(shape_)),
      directions_(static_cast<size_t>(shape_.channels) * shape_.channels),
      quantiles_(target.regions.size() * shape_.channels * levels_),
      lines_(shape_.channels * shape_.positions()),
      losses_(shape_.channels) {
  Scratch::grow(scratch.weighed, shape.tile.floats());
  Scratch::grow(scratch.own, shape.tile.floats());
}

std::span<float> SlicedLoss::quantiles(size_t region, size_t n) {
  return {quantiles_.data() + (region * shape_.channels + n) * levels_, levels_};
}

// For the largest that is sorted, so that no evaluation finds it too small.
std::span<Word> SlicedLoss::sorting_memory(ThreadPool& pool, int thread) const {
  size_t most = shape_.positions();
  for (const SlicedPainting& painting : target_.paintings) {
    most = std::max(most, static_cast<size_t>(painting.count));
  }
  const std::span<float> memory = pool.thread_scratch(thread, sorting_floats(most));
  return {reinterpret_cast<Word*>(memory.data()), 2 * most};
}

void SlicedLoss::seek(ThreadPool& pool) {
  ++searches_;
  draw(pool);
}

void SlicedLoss::keep(State& state) {
  constexpr double kMost = 1e9;
  state.integer(fmt::format("sliced.{}", tap_), searches_, 0, kMost);
  if (state.restores()) stale_ = true;
}

// Row n of V. Every row has random numbers of its own, so rows may be drawn in any order.
void SlicedLoss::draw_direction(size_t n) {
  const auto C = static_cast<size_t>(shape_.channels);
  std::uint64_t seed = seed_;
  for (const std::uint64_t part :
       {std::uint64_t(tap_), std::uint64_t(searches_), std::uint64_t{n}}) {
    seed = Random(seed ^ part).bits();
  }
  Random random(seed);
  std::vector<double> v(C);
  double square = 0;
  for (double& value : v) {
    value = random.normal();
    square += value * value;
  }
  // The components of a teacher's direction beyond those that the student sees.
  const size_t all = imitation_ ? static_cast<size_t>(imitation_->channels) : C;
  for (size_t c = C; c < all; ++c) square += std::pow(random.normal(), 2);
  std::vector<double> mapped(imitation_ ? C : 0);  // R^T v
  for (size_t i = 0; i < mapped.size(); ++i) {
    for (size_t c = 0; c < C; ++c) mapped[c] += v[i] * imitation_->R[i * C + c];
  }
  const std::vector<double>& row = imitation_ ? mapped : v;
  const double scale = 1 / std::sqrt(square);
  for (size_t c = 0; c < C; ++c) directions_[n * C + c] = static_cast<float>(scale * row[c]);
}

void SlicedLoss::draw(ThreadPool& pool) {
  stale_ = false;
  for (int thread = 0; thread < pool.threads(); ++thread) sorting_memory(pool, thread);
  pool.run(shape_.channels, [this](size_t n) { draw_direction(n); });
  std::ranges::fill(quantiles_, 0.0f);
  for (const SlicedPainting& painting : target_.paintings) add_quantiles(painting, pool);
}

void SlicedLoss::add_quantiles(const SlicedPainting& painting, ThreadPool& pool) {
  ConstFeatureMap S = painting.shape;
  S.data = painting.features.data();
  Buffer<float> memory(S.floats());
  FeatureMap P = painting.shape;
  P.data = memory.data();
  kernels::project(directions_, S, P, pool);
  const auto count = static_cast<size_t>(painting.count);
  pool.run(shape_.channels, [&](size_t n, int thread) {
    const std::span<Word> words = sorting_memory(pool, thread).first(2 * count);
    for (size_t i = 0; i < count; ++i) {
      const auto position = static_cast<int>(i);
      const float value = P.at(static_cast<int>(n), position / P.width, position % P.width);
      words[i] = word_of(value, i);
    }
    tabulate(sorted(words), painting.weights, painting.share, quantiles(painting.region, n));
  });
}

// ---------------------------------------------------------------------------------------- loss --

namespace {

// Calls act(cells, line) for every row of every block of P, a tile's cells of a layer of this
// shape: the first of its cells, and the first of its values in the block's lines, which are as
// many floats apart as the layer has positions.
template <typename Act>
void each_row(FeatureMap P, const Window& cells, ConstFeatureMap shape, std::span<float> lines,
              ThreadPool& pool, const Act& act) {
  pool.run(static_cast<size_t>(P.blocks()) * P.height, [&](size_t task) {
    const size_t block = task / P.height, row = task % P.height;
    act(P.cell(static_cast<int>(block), static_cast<int>(row), 0),
        lines.data() + block * kBlock * shape.positions() + (cells.row + row) * shape.width +
            cells.column);
  });
}

// lines "=" the values of P, channel by channel, [C][M].
void to_lines(FeatureMap P, const Window& cells, ConstFeatureMap shape, std::span<float> lines,
              ThreadPool& pool) {
  const size_t M = shape.positions();
  each_row(P, cells, shape, lines, pool, [&](const float* values, float* line) {
    for (int x = 0; x < P.width; ++x) {
      for (int c = 0; c < kBlock; ++c) line[c * M + x] = values[x * kBlock + c];
    }
  });
}

// The inverse.
void from_lines(std::span<float> lines, const Window& cells, ConstFeatureMap shape, FeatureMap P,
                ThreadPool& pool) {
  const size_t M = shape.positions();
  each_row(P, cells, shape, lines, pool, [&](float* values, const float* line) {
    for (int x = 0; x < P.width; ++x) {
      for (int c = 0; c < kBlock; ++c) values[x * kBlock + c] = line[c * M + x];
    }
  });
}

// A way along a table, whose steps are 1 wide.
struct AlongTable {
  std::span<const float> table;
  size_t k = 0;  // the step it has come to
  double at = 0;

  // The integrals of value - q and of its square from here to `end`, which is reached then. The
  // last step ends there too, wherever rounding has put it.
  struct Integrals {
    double sum = 0, squares = 0;
  };
  Integrals integrals(double value, double end) {
    Integrals result;
    for (bool more = at < end; more;) {
      const bool last = k + 1 == table.size();
      const auto step_end = static_cast<double>(k + 1);
      const double until = last ? end : std::min(end, step_end);
      const double off = value - table[k];
      result.sum += (until - at) * off;
      result.squares += (until - at) * off * off;
      at = until;
      if (!last && until == step_end) ++k;
      more = at < end;
    }
    return result;
  }
};

}  // namespace

void SlicedLoss::measure(const View& view, std::span<double>, Scratch& scratch, ThreadPool& pool) {
  if (stale_) draw(pool);
  const View::Layer& layer = view.layers[tap_];
  const FeatureMap P = {scratch.weighed.data(), layer.F.channels, layer.F.height, layer.F.width};
  kernels::project(directions_, layer.F, P, pool);
  to_lines(P, layer.cells, shape_, lines_, pool);
}

// The loss of direction number n. Replaces its projections by their slopes.
double SlicedLoss::compare(size_t n, std::span<Word> memory) {
  const size_t M = shape_.positions();
  const std::span<float> line = {lines_.data() + n * M, M};
  const std::span<Word> words = memory.first(2 * M);
  for (size_t p = 0; p < M; ++p) words[p] = word_of(line[p], p);
  std::ranges::fill(line, 0.0f);
  const std::span<const Word> ranked = sorted(words);
  const double slope = unit() * (2 * factor() / shape_.channels);
  double loss = 0;
  for (size_t r = 0; r < target_.regions.size(); ++r) {
    const SlicedRegion& region = target_.regions[r];
    if (region.total == 0) continue;
    const std::span<const float> table = quantiles(r, n);
    const double steps = static_cast<double>(table.size()) / region.total;
    const double scale = region.share / static_cast<double>(table.size());
    AlongTable along = {table};
    double weights = 0;  // of the ranks up to this one
    for (const Word word : ranked) {
      const size_t p = place_of(word);
      const double weight = region.weights.empty() ? 1 : region.weights[p];
      if (weight == 0) continue;
      weights += weight;
      const auto [sum, squares] = along.integrals(value_of(word), weights * steps);
      loss += scale * squares;
      line[p] += static_cast<float>(slope * scale * sum);
    }
  }
  return loss;
}

double SlicedLoss::settle(std::span<const double>, Scratch&, ThreadPool& pool) {
  if (stale_) draw(pool);  // of a rank without a tile
  pool.run(shape_.channels,
           [&](size_t n, int thread) { losses_[n] = compare(n, sorting_memory(pool, thread)); });
  const double sum = std::accumulate(losses_.begin(), losses_.end(), 0.0);
  return factor() * sum / shape_.channels;
}

void SlicedLoss::spread(const View& view, std::span<Slope> slopes, Scratch& scratch,
                        ThreadPool& pool) {
  cells_ = view.layers[tap_].cells;
  scratch_ = &scratch;
  pool_ = &pool;
  slopes[tap_].sum = scratch.own.data();
  slopes[tap_].addends.emplace_back([this](ConstFeatureMap, FeatureMap d) { add_gradient(d); });
}

void SlicedLoss::add_gradient(FeatureMap d) {
  const FeatureMap P = {scratch_->weighed.data(), d.channels, d.height, d.width};
  from_lines(lines_, cells_, shape_, P, *pool_);
  kernels::add_projection_backward(directions_, P, d, *pool_);
}

// -------------------------------------------------------------------------------------- memory --

double sliced_painting_bytes(ConstFeatureMap painting) {
  const size_t count = std::min(painting.positions(), kMostQuantiles);
  return sizeof(float) * static_cast<double>(gathered_shape(painting.channels, count).floats());
}

double sliced_bytes(ConstFeatureMap shape, int regions, bool masks) {
  const double C = shape.channels, M = static_cast<double>(shape.positions());
  const double of_region = C * static_cast<double>(levels_of(shape)) + (masks ? M : 0);
  return sizeof(float) * (C * C + C * M + regions * of_region);
}

double sliced_scratch_bytes(const LayerShape& shape, int threads) {
  const auto map = static_cast<double>(shape.tile.floats());
  const auto sorting = static_cast<double>(sorting_floats(shape.whole.positions()));
  return sizeof(float) * (map + threads * sorting);
}

}  // namespace limn
