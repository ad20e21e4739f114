// The sliced Wasserstein loss of one layer against its equation, in double.
#include "losses/sliced.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "losses/twins.h"
#include "support/losses_alone.h"
#include "support/random_values.h"
#include "support/same_bits.h"

namespace limn {
namespace {

constexpr int kC = 32;
constexpr int kHeight = 7, kWidth = 9;
constexpr size_t kPositions = size_t{kHeight} * kWidth;
constexpr double kFactor = 1.7;
constexpr std::uint64_t kSeed = 5;

using Map = MapOfValues;

Map features(int height, int width, std::uint64_t seed) {
  Random random(seed);
  return Map(kC, height, width, [&](int, int, int) { return std::abs(random_signed(random)); });
}

// The same positions, backwards.
Map backwards(const Map& F) {
  const FeatureMap map = F.map();
  return Map(map.channels, map.height, map.width,
             [&](int c, int y, int x) { return F.at(c, map.height - 1 - y, map.width - 1 - x); });
}

Imitation imitation_by(std::uint64_t seed, int channels) {
  Buffer<float> R(size_t{kC} * kC);
  Random random(seed);
  for (int i = 0; i < kC; ++i) {
    for (int j = i; j < kC; ++j) R[i * kC + j] = random_signed(random);
  }
  return imitation_of("relu3_1", 0, channels, std::move(R));
}

// ---- the twin ----

// Values in a line, each a step of this width along 0..1; widths need not sum to 1.
struct Step {
  double value, width;
  size_t place;
};
using Line = std::vector<Step>;

// Sorted; equal values stay in order.
Line line_of(const Vectors& columns, std::span<const float> weights, const Vector& v) {
  Line line;
  for (size_t p = 0; p < columns.size(); ++p) {
    const double weight = weights.empty() ? 1 : weights[p];
    if (weight > 0) line.push_back({product(v, columns[p]), weight, p});
  }
  std::ranges::stable_sort(line, std::less(), &Step::value);
  return line;
}

double width_of(const Line& line) {
  double sum = 0;
  for (const Step& step : line) sum += step.width;
  return sum;
}

// The middles of the steps, along 0..1.
Vector middles_of(const Line& line) {
  Vector middles;
  const double all = width_of(line);
  double before = 0;
  for (const Step& step : line) {
    middles.push_back((before + step.width / 2) / all);
    before += step.width;
  }
  return middles;
}

double quantile(const Line& line, double u) {
  const Vector middles = middles_of(line);
  for (size_t i = 0; i < line.size(); ++i) {
    if (u > middles[i]) continue;
    if (i == 0) return line.front().value;
    const double part = (u - middles[i - 1]) / (middles[i] - middles[i - 1]);
    return line[i - 1].value + part * (line[i].value - line[i - 1].value);
  }
  return line.back().value;
}

struct Painting {
  Vectors columns;
  std::vector<float> weights;
  int region = 0;
  double share = 1;
};

struct Twin {
  double loss = 0;
  Vectors gradient;
};

// By directions that are given, the rows of V.
Twin twin_of(const Vectors& F, const Vectors& V, std::span<const SlicedRegion> regions,
             const std::vector<Painting>& paintings) {
  Twin twin = {0, Vectors(F.size(), Vector(F.front().size()))};
  const auto M = static_cast<double>(F.size());
  for (const Vector& v : V) {
    for (size_t r = 0; r < regions.size(); ++r) {
      Line table;  // the paintings' mean quantiles at M levels
      for (size_t k = 0; k < F.size(); ++k) {
        double value = 0;
        for (const Painting& painting : paintings) {
          if (painting.region != static_cast<int>(r)) continue;
          value += painting.share * quantile(line_of(painting.columns, painting.weights, v),
                                             (static_cast<double>(k) + 0.5) / M);
        }
        table.push_back({value, 1, k});
      }
      // The picture's steps against all of the paintings' that they overlap.
      const Line line = line_of(F, regions[r].weights, v);
      const double all = width_of(line);
      double before = 0;
      for (const Step& step : line) {
        const double begin = before / all, end = (before += step.width) / all;
        for (size_t k = 0; k < table.size(); ++k) {
          const double from = std::max(begin, static_cast<double>(k) / M);
          const double until = std::min(end, static_cast<double>(k + 1) / M);
          if (until <= from) continue;
          const double off = step.value - table[k].value;
          const double scale = kFactor * all / M * (until - from) / static_cast<double>(V.size());
          twin.loss += scale * off * off;
          for (size_t c = 0; c < v.size(); ++c) {
            twin.gradient[step.place][c] += 2 * scale * off * v[c];
          }
        }
      }
    }
  }
  return twin;
}

// ---- the loss ----

SlicedRegion everywhere() { return {{}, kPositions, 1}; }

SlicedRegion region_of(std::vector<float> weights) {
  const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
  return {std::move(weights), total, total / kPositions};
}

class Sliced : public testing::TestWithParam<bool> {
 protected:
  SlicedPainting painting(const Map& S, int region = 0, double share = 1,
                          std::span<const float> weights = {}) const {
    return sliced_painting(S.map(), weights, region, share);
  }
  SlicedTarget target_of(const Map& S) const {
    SlicedTarget target;
    target.regions.push_back(everywhere());
    target.paintings.push_back(painting(S));
    return target;
  }

  // Sought this often, then measured at F.
  AtLayer measured(const SlicedTarget& target, const Map& F, int searches = 1) {
    scratch_ = std::make_unique<Scratch>();
    loss_ = std::make_unique<SlicedLoss>(kFactor, kSeed, 10, 0, F.map(), target, imitation(),
                                         *scratch_);
    for (int i = 0; i < searches; ++i) loss_->seek(pool_);
    return at_layer(*loss_, F.map(), {}, *scratch_, pool_);
  }
  const Imitation* imitation() const { return GetParam() ? &imitation_ : nullptr; }

  Vectors directions() const {
    Vectors V(kC, Vector(kC));
    for (int n = 0; n < kC; ++n) {
      for (int c = 0; c < kC; ++c) V[n][c] = loss_->directions()[n * kC + c];
    }
    return V;
  }

  Vectors gradient_at(const AtLayer& found, const Map& F) {
    const ConstFeatureMap map = F.map();
    const Map copy(map.channels, map.height, map.width,
                   [&](int c, int y, int x) { return F.at(c, y, x); });
    turn_into_gradient(copy.map(), found.slope, pool_);
    return columns_of(copy.map(), kC);
  }

  void expect_like_twin(const SlicedTarget& target, const Map& F,
                        const std::vector<Painting>& paintings) {
    const AtLayer found = measured(target, F);
    const Twin twin = twin_of(columns_of(F.map(), kC), directions(), target.regions, paintings);
    ASSERT_GT(twin.loss, 0);
    EXPECT_NEAR(found.loss, twin.loss, 1e-5 * twin.loss);
    EXPECT_LT(relative_distance(gradient_at(found, F), twin.gradient), 1e-5);
  }

  const Imitation imitation_ = imitation_by(77, kC + 19);
  ThreadPool pool_{2};
  std::unique_ptr<Scratch> scratch_;
  std::unique_ptr<SlicedLoss> loss_;
};

INSTANTIATE_TEST_SUITE_P(Of, Sliced, testing::Values(false, true),
                         [](const auto& info) { return info.param ? "AStudent" : "Vgg"; });

// ---- the equation ----

// Of paintings with fewer, as many and more positions; of more than a row of them.
TEST_P(Sliced, IsThatOfItsEquationAndSoIsItsSlope) {
  const Map F = features(kHeight, kWidth, 1);
  for (const auto& [height, width] : {std::pair{5, 8}, {kWidth, kHeight}, {11, 13}, {17, 31}}) {
    SCOPED_TRACE(height);
    const Map S = features(height, width, 2);
    expect_like_twin(target_of(S), F, {{columns_of(S.map(), kC), {}}});
  }
}

// The twin's slope, by differences of its loss.
TEST_P(Sliced, HasTheSlopeThatDifferencesShow) {
  const Map F = features(3, 4, 1), S = features(5, 3, 2);
  SlicedTarget target;
  target.regions.push_back({{}, 12, 1});
  target.paintings.push_back(painting(S));
  const AtLayer found = measured(target, F);
  const std::vector<Painting> paintings = {{columns_of(S.map(), kC), {}}};
  const auto loss = [&](const Vectors& there) {
    return twin_of(there, directions(), target.regions, paintings).loss;
  };
  const Vectors gradient = gradient_of(loss, columns_of(F.map(), kC));
  EXPECT_LT(relative_distance(gradient_at(found, F), gradient), 1e-4);
}

TEST_P(Sliced, OfRegionsAndMaskedPaintingsIsThatOfItsEquation) {
  const Map F = features(kHeight, kWidth, 1);
  const Map S = features(5, 13, 2), other = features(6, 4, 3);
  Random random(9);
  std::vector<float> left(kPositions), right(kPositions), masked(5 * 13);
  for (size_t p = 0; p < kPositions; ++p) {
    left[p] = p % kWidth < 4 ? static_cast<float>(random.uniform()) : 0;
    right[p] = 1 - left[p];
  }
  for (float& weight : masked) weight = std::max(0.0f, random_signed(random));
  SlicedTarget target;
  target.regions = {region_of(left), region_of(right),
                    region_of(std::vector<float>(kPositions))};  // the last is empty
  target.paintings.push_back(painting(S, 0, 1, masked));
  target.paintings.push_back(painting(other, 1));
  target.paintings.push_back(painting(other, 2));
  expect_like_twin(target, F,
                   {{columns_of(S.map(), kC), masked, 0}, {columns_of(other.map(), kC), {}, 1}});
}

// Positions that look alike have equal projections: the first comes first.
TEST_P(Sliced, OfEqualPositionsRanksTheFirstLowest) {
  const Map drawn = features(kHeight, kWidth, 1);
  const Map F(kC, kHeight, kWidth,
              [&](int c, int y, int x) { return x < 5 ? 0.0f : drawn.at(c, y / 3, x); });
  const Map S = features(kHeight, kWidth, 2);
  expect_like_twin(target_of(S), F, {{columns_of(S.map(), kC), {}}});
}

TEST_P(Sliced, OfTheSamePositionsInAnotherOrderIsNothing) {
  const Map F = features(kHeight, kWidth, 1);
  const AtLayer found = measured(target_of(backwards(F)), F);
  EXPECT_EQ(found.loss, 0);
  for (const Vector& d : gradient_at(found, F)) {
    for (const double value : d) ASSERT_EQ(value, 0);
  }
  Map changed = backwards(F);
  changed.at(3, 2, 1) += 1;
  EXPECT_GT(measured(target_of(changed), F).loss, 0);
}

// With all but one channel 0: the least mean square over all ways to pair the values.
TEST(SlicedOfOneChannel, IsTheWassersteinDistanceOfItsValues) {
  constexpr int kCount = 7;
  const Map F(kBlock, 1, kCount, [](int c, int, int x) { return c == 0 ? (x * 5 % 7) - 3.0f : 0; });
  const Map S(kBlock, 1, kCount,
              [](int c, int, int x) { return c == 0 ? 0.5f * (x * 3 % 7) - 0.25f : 0; });
  std::vector<int> partners(kCount);
  std::iota(partners.begin(), partners.end(), 0);
  double least = HUGE_VAL;
  do {
    double sum = 0;
    for (int i = 0; i < kCount; ++i) sum += std::pow(F.at(0, 0, i) - S.at(0, 0, partners[i]), 2);
    least = std::min(least, sum / kCount);
  } while (std::ranges::next_permutation(partners).found);
  SlicedTarget target;
  target.regions.push_back({{}, kCount, 1});
  target.paintings.push_back(sliced_painting(S.map(), {}, 0, 1));
  ThreadPool pool(2);
  Scratch scratch;
  SlicedLoss loss(1, kSeed, 10, 0, F.map(), target, nullptr, scratch);
  loss.seek(pool);
  double along = 0;  // the mean square of what directions have of the channel
  for (int n = 0; n < kBlock; ++n) along += std::pow(loss.directions()[n * kBlock], 2) / kBlock;
  EXPECT_NEAR(at_layer(loss, F.map(), {}, scratch, pool).loss, along * least, 1e-6 * least);
}

// Their gradients' mean; the losses differ by a term that F is not in.
TEST_P(Sliced, OfSeveralPaintingsIsTheMeanOfTheirLossesButForAConstant) {
  const Map F = features(kHeight, kWidth, 1), elsewhere = features(kHeight, kWidth, 4);
  const Map S = features(5, 13, 2), other = features(6, 4, 3);
  SlicedTarget both;
  both.regions.push_back(everywhere());
  both.paintings.push_back(painting(S, 0, 0.75));
  both.paintings.push_back(painting(other, 0, 0.25));
  expect_like_twin(
      both, F,
      {{columns_of(S.map(), kC), {}, 0, 0.75}, {columns_of(other.map(), kC), {}, 0, 0.25}});
  const SlicedTarget one = target_of(S), two = target_of(other);
  const auto gradient = [&](const SlicedTarget& target) {
    return gradient_at(measured(target, F), F);
  };
  Vectors mean = gradient(one);
  const Vectors of_other = gradient(two);
  for (size_t p = 0; p < mean.size(); ++p) {
    for (size_t c = 0; c < kC; ++c) mean[p][c] = 0.75 * mean[p][c] + 0.25 * of_other[p][c];
  }
  EXPECT_LT(relative_distance(gradient(both), mean), 1e-5);
  const auto change = [&](const SlicedTarget& target) {
    return measured(target, elsewhere).loss - measured(target, F).loss;
  };
  EXPECT_NEAR(change(both), 0.75 * change(one) + 0.25 * change(two), 1e-5 * measured(both, F).loss);
}

// ---- students ----

// Of a teacher with no more channels, directions are those of the features R F.
TEST(SlicedOfAStudent, IsThatOfRF) {
  const Imitation imitation = imitation_by(77, kC);
  const auto mapped = [&](const Map& F, int height, int width) {
    return Map(kC, height, width, [&](int i, int y, int x) {
      double sum = 0;
      for (int j = 0; j < kC; ++j) sum += double{imitation.R[i * kC + j]} * F.at(j, y, x);
      return static_cast<float>(sum);
    });
  };
  const Map F = features(kHeight, kWidth, 1), S = features(6, 8, 2);
  ThreadPool pool(2);
  const auto loss_of = [&](const Map& X, const Map& P, const Imitation* by) {
    SlicedTarget target;
    target.regions.push_back(everywhere());
    target.paintings.push_back(sliced_painting(P.map(), {}, 0, 1));
    Scratch scratch;
    SlicedLoss loss(1, kSeed, 10, 0, X.map(), target, by, scratch);
    loss.seek(pool);
    return at_layer(loss, X.map(), {}, scratch, pool).loss;
  };
  const double expected = loss_of(mapped(F, kHeight, kWidth), mapped(S, 6, 8), nullptr);
  EXPECT_NEAR(loss_of(F, S, &imitation), expected, 1e-5 * expected);
}

// The mean of (R^T v) (R^T v)^T over directions v of the teacher's space is K / C. Of n draws it is
// off by about 1 / sqrt(n) of its length times the square root of its rank.
TEST_P(Sliced, DirectionsAreSpreadEvenlyOverTheTeachersSpace) {
  const SlicedTarget target = target_of(features(5, 8, 2));
  const Map F = features(kHeight, kWidth, 1);
  measured(target, F);
  Vector mean(size_t{kC} * kC), expected(size_t{kC} * kC);
  constexpr int kSearches = 200;
  for (int i = 0; i < kSearches; ++i) {
    loss_->seek(pool_);
    for (const Vector& v : directions()) {
      if (!imitation()) {
        ASSERT_NEAR(product(v, v), 1, 1e-6);
      }
      for (int a = 0; a < kC; ++a) {
        for (int b = 0; b < kC; ++b) mean[a * kC + b] += v[a] * v[b] / (kSearches * kC);
      }
    }
  }
  for (int a = 0; a < kC; ++a) {
    for (int b = 0; b < kC; ++b) {
      expected[a * kC + b] = imitation() ? imitation_.K[a * kC + b] / imitation_.channels
                             : a == b    ? 1.0 / kC
                                         : 0;
    }
  }
  const double tolerance = 2 * std::sqrt(kC / double{kSearches * kC});
  EXPECT_LT(relative_distance({mean}, {expected}), tolerance);
}

// ---- searches ----

TEST_P(Sliced, HoldsItsDirectionsUntilItSeeksAndThenHasOthers) {
  const SlicedTarget target = target_of(features(5, 8, 2));
  const Map F = features(kHeight, kWidth, 1);
  measured(target, F);
  std::set<Vectors> seen = {directions()};
  const Vectors first = directions();
  const double loss = at_layer(*loss_, F.map(), {}, *scratch_, pool_).loss;
  EXPECT_EQ(at_layer(*loss_, F.map(), {}, *scratch_, pool_).loss, loss);
  EXPECT_EQ(directions(), first);
  for (int i = 0; i < 4; ++i) {
    loss_->seek(pool_);
    EXPECT_TRUE(seen.insert(directions()).second) << i;
    // Another sample of the same: the mean over directions varies little.
    EXPECT_NEAR(at_layer(*loss_, F.map(), {}, *scratch_, pool_).loss, loss, 0.5 * loss);
  }
  loss_->forget();
  loss_->seek(pool_);
  EXPECT_EQ(directions(), first);
  EXPECT_EQ(at_layer(*loss_, F.map(), {}, *scratch_, pool_).loss, loss);
  for (const auto& [seed, tap] : {std::pair<std::uint64_t, int>{kSeed + 1, 0}, {kSeed, 1}}) {
    loss_ = std::make_unique<SlicedLoss>(kFactor, seed, 10, tap, F.map(), target, imitation(),
                                         *scratch_);
    loss_->seek(pool_);
    EXPECT_TRUE(seen.insert(directions()).second) << "seed " << seed << ", tap " << tap;
  }
}

TEST_P(Sliced, GivesTheSameBitsForAnyNumberOfThreads) {
  const Map F = features(kHeight, kWidth, 1), S = features(17, 31, 2);
  SlicedTarget target = target_of(S);
  target.paintings.front().share = 0.5;
  target.paintings.push_back(painting(F, 0, 0.5));
  std::vector<float> expected;
  for (const int threads : {1, 2, 3, 7}) {
    ThreadPool pool(threads);
    Scratch scratch;
    SlicedLoss loss(kFactor, kSeed, 10, 0, F.map(), target, imitation(), scratch);
    loss.seek(pool);
    const AtLayer found = at_layer(loss, F.map(), {}, scratch, pool);
    const Map d = backwards(backwards(F));
    turn_into_gradient(d.map(), found.slope, pool);
    std::vector<float> values = {static_cast<float>(found.loss)};
    for (const Vector& column : columns_of(d.map(), kC)) {
      values.insert(values.end(), column.begin(), column.end());
    }
    if (expected.empty()) expected = values;
    EXPECT_TRUE(same_bits(values, expected)) << threads << " threads";
  }
}

// ---- large pictures ----

// More positions than a table has levels, and than a painting keeps: nearly nothing is lost.
TEST(SlicedOfLargePictures, IsNearlyNothingOfThePictureItself) {
  constexpr int kSide = 300;
  Random random(3);
  const Map F(kBlock, kSide, kSide,
              [&](int, int, int) { return std::max(0.0f, random_signed(random)); });
  const Map other(kBlock, kSide, kSide,
                  [&](int, int, int) { return 1.2f * std::max(0.0f, random_signed(random)); });
  ThreadPool pool(2);
  const auto loss_of = [&](const Map& S) {
    SlicedTarget target;
    target.regions.push_back({{}, kSide * kSide, 1});
    target.paintings.push_back(sliced_painting(S.map(), {}, 0, 1));
    EXPECT_EQ(target.paintings.front().count, 1 << 16);
    Scratch scratch;
    SlicedLoss loss(1, kSeed, 10, 0, F.map(), target, nullptr, scratch);
    loss.seek(pool);
    return at_layer(loss, F.map(), {}, scratch, pool).loss;
  };
  EXPECT_LT(loss_of(backwards(F)), 0.002 * loss_of(other));
}

TEST(SlicedPaintings, KeepThePositionsInsideTheirMask) {
  const Map S(kC, 4, 6, [](int c, int y, int x) { return 100.0f * c + 10.0f * y + x; });
  std::vector<float> weights(24);
  weights[3] = 0.5f;
  weights[13] = 1;
  const SlicedPainting painting = sliced_painting(S.map(), weights, 2, 0.3);
  EXPECT_EQ(painting.count, 2);
  EXPECT_EQ(painting.region, 2);
  EXPECT_EQ(painting.share, 0.3);
  EXPECT_EQ(painting.weights, (std::vector<float>{0.5f, 1}));
  ConstFeatureMap kept = painting.shape;
  kept.data = painting.features.data();
  EXPECT_EQ(kept.at(17, 0, 0), 1703);
  EXPECT_EQ(kept.at(17, 0, 1), 1721);
  // A mask that is too thin for this layer: everything, rather than nothing.
  std::ranges::fill(weights, 0.0f);
  EXPECT_EQ(sliced_painting(S.map(), weights, 0, 1).count, 24);
}

}  // namespace
}  // namespace limn
