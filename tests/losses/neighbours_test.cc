// The neighbours loss of one layer against its equation, in double, over all pairs of positions.
#include "losses/neighbours.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.h"
#include "support/losses_alone.h"
#include "support/map_of_values.h"
#include "support/random_values.h"
#include "support/same_bits.h"

namespace limn {
namespace {

constexpr int kC = 32;
constexpr int kHeight = 7, kWidth = 9;
constexpr size_t kPositions = static_cast<size_t>(kHeight) * kWidth;
constexpr double kWeight = 1.7;

using Map = MapOfValues;

Map features(int height, int width, std::uint64_t seed) {
  Random random(seed);
  return Map(kC, height, width, [&](int, int, int) { return std::abs(random_signed(random)); });
}

// Symmetric and positive: R^T R.
std::vector<double> student_matrix() {
  const std::vector<float> R = random_values(static_cast<size_t>(kC) * kC, 77);
  std::vector<double> K(R.size());
  for (int i = 0; i < kC; ++i) {
    for (int j = 0; j < kC; ++j) {
      for (int k = 0; k < kC; ++k) K[i * kC + j] += double{R[k * kC + i]} * R[k * kC + j];
    }
  }
  return K;
}

using Vector = std::vector<double>;

Vector at(const Map& F, int y, int x) {
  Vector values(kC);
  for (int c = 0; c < kC; ++c) values[c] = F.at(c, y, x);
  return values;
}

Vector minus(Vector a, const Vector& b) {
  for (int c = 0; c < kC; ++c) a[c] -= b[c];
  return a;
}

class Neighbours : public testing::TestWithParam<bool> {
 protected:
  double product(const Vector& a, const Vector& b) const {
    double sum = 0;
    for (int i = 0; i < kC; ++i) {
      for (int j = 0; j < kC; ++j) {
        const double k = K_.empty() ? (i == j ? 1.0 : 0.0) : K_[i * kC + j];
        sum += a[i] * k * b[j];
      }
    }
    return sum;
  }

  static Vector mean(const Map& F, int height, int width) {
    Vector sum(kC);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        for (int c = 0; c < kC; ++c) sum[c] += F.at(c, y, x) / (height * width);
      }
    }
    return sum;
  }

  // The painting's feature most like F(y, x), and how alike they are.
  std::pair<Vector, double> neighbour(const Map& F, int y, int x, const Map& S, int height,
                                      int width) const {
    const Vector f = minus(at(F, y, x), mean(F, kHeight, kWidth));
    const Vector centre = mean(S, height, width);
    std::pair<Vector, double> best = {{}, -2};
    for (int v = 0; v < height; ++v) {
      for (int u = 0; u < width; ++u) {
        const Vector s = minus(at(S, v, u), centre);
        const double cosine = product(f, s) / std::sqrt(product(f, f) * product(s, s));
        if (cosine > best.second) best = {at(S, v, u), cosine};
      }
    }
    return best;
  }

  double mean_square(const Map& S, int height, int width) const {
    double sum = 0;
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) sum += product(at(S, y, x), at(S, y, x)) / (height * width);
    }
    return sum;
  }

  NeighbourSource centred_source(const Map& S, std::span<const float> weights = {}) {
    NeighbourSource found = neighbour_source(S.map(), weights, K_, pool_);
    centre({&found, 1}, K_, pool_);
    return found;
  }

  NeighbourSource source(const Map& S, int style, int region, double share) {
    NeighbourSource found = centred_source(S);
    found.style = style;
    found.region = region;
    found.share = share;
    return found;
  }

  // Sought at F this often, and measured there. forgetting: before the last search.
  AtLayer sought(const NeighbourTarget& target, const Map& F, double uses = 0, int searches = 1,
                 bool forgetting = false) {
    scratch_ = std::make_unique<Scratch>();
    loss_ = std::make_unique<NeighboursLoss>(kWeight,
                                             NeighboursForm{NeighbourDistance::squared, 0, uses}, 0,
                                             F.map(), target, K_, *scratch_);
    const View::Layer layer(F.map());
    for (int i = 1; i <= searches; ++i) {
      if (forgetting && i == searches) loss_->forget();
      seek_at(*loss_, {{&layer, 1}, {}, {}}, pool_);
    }
    AtLayer found = at_layer(*loss_, F.map(), {}, *scratch_, pool_);
    found.slope.prepare();
    return found;
  }

  // Two styles, the first of two paintings, blended by soft masks.
  NeighbourTarget blended_target() {
    NeighbourTarget target;
    target.sources.push_back(source(features(5, 13, 2), 0, 0, 0.25));
    target.sources.push_back(source(features(6, 4, 3), 0, 0, 0.25));
    target.sources.push_back(source(features(3, 11, 4), 1, 1, 0.75));
    target.regions.assign(2, std::vector<float>(kPositions));
    for (size_t p = 0; p < kPositions; ++p) {
      target.regions[0][p] = p % 9 < 2 ? 0.0f : 0.125f * static_cast<float>(p % 9);
      target.regions[1][p] = 1 - target.regions[0][p];
    }
    return target;
  }

  const std::vector<double> K_ = GetParam() ? student_matrix() : std::vector<double>();
  ThreadPool pool_{2};
  std::unique_ptr<Scratch> scratch_;
  std::unique_ptr<NeighboursLoss> loss_;
};

INSTANTIATE_TEST_SUITE_P(Of, Neighbours, testing::Values(false, true),
                         [](const auto& info) { return info.param ? "AStudent" : "Vgg"; });

TEST_P(Neighbours, AreThoseOfTheEquation) {
  const Map F = features(kHeight, kWidth, 1);
  const Map S = features(5, 13, 2);
  NeighbourTarget target;
  target.sources.push_back(source(S, 0, 0, 1));
  double expected = 0;
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const Vector e = minus(at(F, y, x), neighbour(F, y, x, S, 5, 13).first);
      expected += product(e, e);
    }
  }
  expected *= kWeight / (kPositions * mean_square(S, 5, 13));
  EXPECT_NEAR(sought(target, F).loss, expected, 1e-5 * expected);
}

TEST_P(Neighbours, OfThePaintingItselfAreItself) {
  const Map S = features(kHeight, kWidth, 2);
  NeighbourTarget target;
  target.sources.push_back(source(S, 0, 0, 1));
  EXPECT_LT(sought(target, S).loss, 1e-10);
}

// Of two paintings of one style the one with the better match; of two styles the blend of both.
TEST_P(Neighbours, OfOneStyleAreSoughtTogetherAndOfTwoAreBlended) {
  const Map F = features(kHeight, kWidth, 1);
  const Map S = features(5, 13, 2), other = features(6, 4, 3);
  for (const bool one_style : {true, false}) {
    SCOPED_TRACE(one_style);
    NeighbourTarget target;
    target.sources.push_back(source(S, 0, 0, one_style ? 1 : 0.25));
    target.sources.push_back(source(other, one_style ? 0 : 1, 0, one_style ? 1 : 0.75));
    double expected = 0;
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        const auto [a, a_cosine] = neighbour(F, y, x, S, 5, 13);
        const auto [b, b_cosine] = neighbour(F, y, x, other, 6, 4);
        Vector T = a_cosine >= b_cosine ? a : b;
        for (int c = 0; c < kC && !one_style; ++c) T[c] = 0.25 * a[c] + 0.75 * b[c];
        const Vector e = minus(at(F, y, x), T);
        expected += product(e, e);
      }
    }
    const double squares[] = {mean_square(S, 5, 13), mean_square(other, 6, 4)};
    const double square =
        one_style ? (squares[0] + squares[1]) / 2 : 0.25 * squares[0] + 0.75 * squares[1];
    expected *= kWeight / (kPositions * square);
    EXPECT_NEAR(sought(target, F).loss, expected, 1e-5 * expected);
  }
}

TEST_P(Neighbours, AreSoughtInTheStyleOfTheirRegion) {
  const Map F = features(kHeight, kWidth, 1);
  const Map S = features(5, 13, 2), other = features(6, 4, 3);
  NeighbourTarget target;
  target.sources.push_back(source(S, 0, 0, 1));
  target.sources.push_back(source(other, 1, 1, 1));
  target.regions.assign(2, std::vector<float>(kPositions));
  double expected = 0;
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const bool left = x < 4;
      target.regions[left ? 0 : 1][y * kWidth + x] = 1;
      const Vector T =
          left ? neighbour(F, y, x, S, 5, 13).first : neighbour(F, y, x, other, 6, 4).first;
      const Vector e = minus(at(F, y, x), T);
      expected += product(e, e);
    }
  }
  expected *= kWeight * 2 / (kPositions * (mean_square(S, 5, 13) + mean_square(other, 6, 4)));
  EXPECT_NEAR(sought(target, F).loss, expected, 1e-5 * expected);
}

TEST_P(Neighbours, OfWhatIsHiddenAreNone) {
  const Map F = features(kHeight, kWidth, 1);
  const Map S = features(5, 13, 2);
  NeighbourTarget target;
  target.sources.push_back(source(S, 0, 0, 1));
  const double whole = sought(target, F).loss;
  target.roots.assign(kPositions, 1.0f);
  EXPECT_NEAR(sought(target, F).loss, whole, 1e-5 * whole);
  std::fill(target.roots.begin(), target.roots.end(), 0.0f);
  EXPECT_EQ(sought(target, F).loss, 0);
}

TEST_P(Neighbours, ThatWereNeverSoughtAreZero) {
  const Map F = features(kHeight, kWidth, 1);
  const NeighbourTarget target = blended_target();
  double square = 0, shares = 0;
  for (const NeighbourSource& source : target.sources) {
    square += source.share * source.square;
    shares += source.share;
  }
  const double expected = kWeight * mean_square(F, kHeight, kWidth) * shares / square;
  EXPECT_NEAR(sought(target, F, 0, /*searches=*/0).loss, expected, 1e-5 * expected);
}

// Each position's is the sum over styles of its share times what that style has of most alike.
TEST_P(Neighbours, AreGatheredBySharesFromTheirStyles) {
  const Map F = features(kHeight, kWidth, 1);
  const NeighbourTarget target = blended_target();
  sought(target, F);
  const Map T(kC, kHeight, kWidth);
  loss_->compared().put(T.map(), window_of(T.map()), T.map(), pool_);
  const Map first = features(5, 13, 2), second = features(6, 4, 3), other = features(3, 11, 4);
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const auto [a, a_cosine] = neighbour(F, y, x, first, 5, 13);
      const auto [b, b_cosine] = neighbour(F, y, x, second, 6, 4);
      const Vector c = neighbour(F, y, x, other, 3, 11).first;
      const double u = 0.25 * target.regions[0][y * kWidth + x];
      const double v = 0.75 * target.regions[1][y * kWidth + x];
      for (int i = 0; i < kC; ++i) {
        // Three roundings of values below 1.
        const double expected = u * (a_cosine >= b_cosine ? a : b)[i] + v * c[i];
        EXPECT_NEAR(T.at(i, y, x), expected, 3 * std::numeric_limits<float>::epsilon());
      }
    }
  }
}

// What tiles find and gather, one after the other in the same memory, is what the whole has there.
TEST_P(Neighbours, OfTilesAreThoseOfTheWhole) {
  const Map F = features(kHeight, kWidth, 1);
  const NeighbourTarget target = blended_target();
  const double whole_loss = sought(target, F).loss;
  const Map whole(kC, kHeight, kWidth);
  loss_->compared().put(F.map(), window_of(whole.map()), whole.map(), pool_);

  const Window tiles[] = {
      {0, 4, 0, 5}, {0, 4, 5, kWidth}, {4, kHeight, 0, 5}, {4, kHeight, 5, kWidth}};
  LayerShape shape = F.map();
  shape.tile.height = 4;
  shape.tile.width = 5;
  Scratch scratch;
  NeighboursLoss loss(kWeight, {}, 0, shape, target, K_, scratch);
  const auto [looked_size, found_size] = loss.sought();
  std::vector<double> looked(looked_size), part(looked_size), found(found_size);
  const auto each_tile = [&](const auto& act) {
    for (const Window& cells : tiles) {
      const Map part_of_F(kC, cells.height(), cells.width(), [&](int c, int y, int x) {
        return F.at(c, cells.row + y, cells.column + x);
      });
      View::Layer layer(part_of_F.map());
      layer.cells = cells;
      act(View{{&layer, 1}, {}, {}}, cells);
    }
  };
  each_tile([&](const View& view, const Window&) {
    loss.look(view, part, pool_);
    for (size_t i = 0; i < looked.size(); ++i) looked[i] += part[i];
  });
  each_tile([&](const View& view, const Window&) { loss.find(view, looked, found, pool_); });
  double sum = 0;
  each_tile([&](const View& view, const Window& cells) {
    const FeatureMap T = {scratch.weighed.data(), kC, cells.height(), cells.width()};
    std::fill_n(T.data, T.floats(), NAN);
    loss.compared().put(shape.whole, cells, T, pool_);
    const Map expected(kC, cells.height(), cells.width(), [&](int c, int y, int x) {
      return whole.at(c, cells.row + y, cells.column + x);
    });
    EXPECT_TRUE(same_bits(flat(T), flat(expected.map())));
    const Map difference(kC, cells.height(), cells.width(), [&](int c, int y, int x) {
      return F.at(c, cells.row + y, cells.column + x) - expected.at(c, y, x);
    });
    std::fill_n(T.data, T.floats(), NAN);
    loss.compared().subtract(shape.whole, cells, view.layers[0].F, T, pool_);
    EXPECT_TRUE(same_bits(flat(T), flat(difference.map())));
    double of_tile = 0;
    loss.measure(view, {&of_tile, 1}, scratch, pool_);
    sum += of_tile;
  });
  EXPECT_NEAR(loss.settle({&sum, 1}, scratch, pool_), whole_loss, 1e-5 * whole_loss);
}

// Only what a mask shows of the painting is found.
TEST_P(Neighbours, AreFoundInsideTheMask) {
  const Map F = features(kHeight, kWidth, 1);
  const Map S = features(6, 8, 2);
  const Map left(kC, 6, 4, [&](int c, int y, int x) { return S.at(c, y, x); });
  std::vector<float> weights(6 * 8);
  for (int i = 0; i < 6 * 8; ++i) weights[i] = i % 8 < 4 ? 0.9f : 0.2f;
  NeighbourTarget masked, cut;
  masked.sources.push_back(centred_source(S, weights));
  masked.sources.back().share = 1;
  cut.sources.push_back(source(left, 0, 0, 1));
  const double expected = sought(cut, F).loss;
  EXPECT_NEAR(sought(masked, F).loss, expected, 1e-6 * expected);
}

// The only row that counts is one that every coarser grid misses.
TEST_P(Neighbours, AreFoundOnALineOfALargePainting) {
  constexpr int kWide = 9000;
  const Map S(kC, 3, kWide, [](int c, int y, int x) { return 100.0f * y + c + 1e-4f * x; });
  std::vector<float> weights(3 * kWide);
  std::fill_n(weights.begin() + kWide, kWide, 1.0f);
  const NeighbourSource line = centred_source(S, weights);
  const int count = line.candidates.count;
  EXPECT_GT(count, 2000);
  EXPECT_LE(count, 8192);
  for (int i = 0; i < count; ++i) {
    EXPECT_GE(line.features[i * kBlock], 100);
    EXPECT_LT(line.features[i * kBlock], 102);
  }
}

// Of a large painting a sample is searched, whatever its shape.
TEST_P(Neighbours, AreSampledEvenly) {
  for (const auto& [height, width] : {std::pair{200, 200}, {3, 20000}, {20000, 1}}) {
    const Map S(kC, height, width, [](int c, int y, int x) { return 1.0f * c + y + x; });
    const int count = centred_source(S).candidates.count;
    EXPECT_LE(count, 8192);
    EXPECT_GE(count, 2000);
  }
}

// A painting that is even but for one thing, and a picture of which a third resembles that.
TEST_P(Neighbours, AreNotUsedForEverything) {
  Random random(4);
  const auto near = [&](bool thing, int c) {
    return (thing == (c < kC / 2) ? 1.0f : 0.2f) + 0.3f * random_signed(random);
  };
  const Map S(kC, 6, 6, [&](int c, int y, int x) { return near(y == 2 && x == 3, c); });
  const Map F(kC, kHeight, kWidth, [&](int c, int, int x) { return near(x < 3, c); });
  NeighbourTarget target;
  target.sources.push_back(source(S, 0, 0, 1));
  const auto found = [&](double uses, int searches, bool forgetting = false) {
    const Slope slope = sought(target, F, uses, searches, forgetting).slope;
    int count = 0;
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        bool is_thing = true;
        for (int c = 0; c < kC; ++c) {
          const float T =
              K_.empty() ? slope.target.at(c, y, x) : F.at(c, y, x) - slope.difference.at(c, y, x);
          is_thing = is_thing && std::abs(T - S.at(c, 2, 3)) < 1e-5f;
        }
        count += is_thing ? 1 : 0;
      }
    }
    return count;
  };
  const int unlimited = found(0, 4);
  EXPECT_GE(unlimited, kHeight * 2);
  EXPECT_EQ(found(2, 1), unlimited);
  EXPECT_LT(found(2, 4), unlimited / 2);
  EXPECT_EQ(found(2, 4, /*forgetting=*/true), unlimited);
}

// Along a line, while matches are held: the loss is a parabola there.
TEST_P(Neighbours, HaveTheSlopeOfTheirLoss) {
  const Map F = features(kHeight, kWidth, 1);
  const Map S = features(5, 13, 2);
  const Map direction = features(kHeight, kWidth, 5);
  NeighbourTarget target;
  target.sources.push_back(source(S, 0, 0, 1));
  const Slope slope = sought(target, F).slope;
  double expected = 0;  // the gradient times the direction
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      for (int c = 0; c < kC; ++c) {
        double gradient = 0;
        if (K_.empty()) {
          gradient = slope.factor * (double{F.at(c, y, x)} - slope.target.at(c, y, x));
        } else {
          for (int k = 0; k < kC; ++k) {
            gradient += double{slope.T[c * kC + k]} * slope.difference.at(k, y, x);
          }
        }
        expected += gradient * direction.at(c, y, x);
      }
    }
  }
  const auto loss_at = [&](float t) {
    const Map moved(kC, kHeight, kWidth,
                    [&](int c, int y, int x) { return F.at(c, y, x) + t * direction.at(c, y, x); });
    return at_layer(*loss_, moved.map(), {}, *scratch_, pool_).loss;
  };
  EXPECT_NEAR((loss_at(0.5f) - loss_at(-0.5f)), expected, 1e-4 * std::abs(expected));
}

}  // namespace
}  // namespace limn
