// Periodic edges: the picture repeats itself in all directions. So a pass gives what it gives of
// the picture tiled 3 x 3, in the middle; and when the picture is rolled, everything rolls along.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernels/reference.h"
#include "network/network.h"
#include "support/composed_network.h"
#include "support/drawn.h"
#include "support/drawn_student.h"
#include "support/map_of_values.h"
#include "support/random_values.h"
#include "support/same_bits.h"

namespace limn {
namespace {

// Of the largest value of a map, matrix or gradient, where Winograd's tiles lie differently: some
// times what a pass is off (pass_test.cc).
constexpr double kTilesElsewhere = 1.5e-5;
// Of the largest value of a Gram matrix: sums of the same values in another order.
constexpr double kOtherOrder = 1e-6;

const InputMap kUnchanged;

struct Texture {
  template <typename Value>
  Texture(int height, int width, Value&& value) : height(height), width(width) {
    planes.reserve(3 * static_cast<size_t>(height) * width);
    for_each_value(3, height, width,
                   [&](int c, int y, int x) { planes.push_back(value(c, y, x)); });
  }
  float at(int c, int y, int x) const {
    return planes[(static_cast<size_t>(c) * height + y) * width + x];
  }
  int height, width;
  std::vector<float> planes;
};

Texture drawn_texture(int height, int width, std::uint64_t seed) {
  Random random(seed);
  return {height, width, [&](int, int, int) { return 2 * random_signed(random); }};
}

// What lies dy rows further down and dx columns further right.
template <typename Map>
struct Rolled {
  const Map& map;
  int dy, dx;
  float at(int c, int y, int x) const {
    return map.at(c, (y + dy) % map.height, (x + dx) % map.width);
  }
};

std::vector<float> symmetric_matrix(int C, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> S(static_cast<size_t>(C) * C);
  for (int i = 0; i < C; ++i) {
    for (int j = 0; j <= i; ++j) {
      S[i * C + j] = S[j * C + i] = random_signed(random) / static_cast<float>(C);
    }
  }
  return S;
}

// A pass after forward, and then the gradient of sum S G / 2 at every tap that has a Gram matrix.
struct Evaluation {
  Evaluation(const Network& network, Texture texture, std::span<const TapRequest> taps, Edges edges,
             ThreadPool& pool)
      : x(std::move(texture)),
        pass(network, x.height, x.width, taps, Purpose::gradients, pool.threads(), edges),
        pool(pool) {
    pass.forward(x.planes, kUnchanged, pool);
  }
  Texture gradient(std::span<const TapRequest> taps) {
    std::vector<std::vector<float>> S(taps.size());
    std::vector<Slope> slopes(taps.size());
    for (size_t tap = 0; tap < taps.size(); ++tap) {
      if (!taps[tap].gram) continue;
      S[tap] = symmetric_matrix(pass.shape(static_cast<int>(tap)).channels, tap);
      slopes[tap].S = S[tap];
    }
    Texture d_x = x;
    pass.backward(slopes, d_x.planes, pool);
    return d_x;
  }
  Texture x;
  Pass pass;
  ThreadPool& pool;
};

// ------------------------------------------------------------------------------- rolled pictures
// --

// Networks of five levels.
enum class Which { vgg19_max, vgg19_average, student };
std::string name_of(Which which) {
  const char* const names[] = {"Vgg19", "Vgg19WithAveragePooling", "AStudent"};
  return names[static_cast<int>(which)];
}

const Weights& weights_of(Which which) {
  static const DrawnStudent student =
      draw_student({{16, 16}, {32, 32}, {48, 32}, {32, 48}, {16}}, 3);
  static const Weights vgg19 = [] {
    Random random(2);
    Weights weights;
    weights.network = &kVgg19;
    weights.source = "drawn.h5";
    weights.convolutions = draw_convolutions(kVgg19, random);
    return weights;
  }();
  return which == Which::student ? student.weights : vgg19;
}

class PeriodicEdges : public testing::TestWithParam<Which> {
 protected:
  PeriodicEdges()
      : weights_(weights_of(GetParam())),
        rows_(weights_.network->rows),
        network_(weights_, GetParam() == Which::vgg19_average ? Pooling::average : Pooling::max,
                 last_row()) {}

  // Down to the first convolution of the last level.
  int last_row() const {
    for (int row = 0;; ++row) {
      if (rows_[row].id == "5_1") return row;
    }
  }
  int stride(int row) const { return smallest_side(rows_, Pooling::max, row); }

  // Every layer, features and Gram matrix; so nothing is fused.
  std::vector<TapRequest> every_layer() const {
    std::vector<TapRequest> taps;
    taps.reserve(2 * rows_.size());
    for (int row = 0; row <= last_row(); ++row) {
      taps.push_back({{row, Tap::output}, true, true});
      if (rows_[row].kind == RowKind::pooling) continue;
      taps.push_back({{row, Tap::before_relu}, true, true});
    }
    return taps;
  }
  // The first Gram matrix of each level, some before their ReLU, and no features: fused, and kept
  // in half precision.
  std::vector<TapRequest> styles() const {
    std::vector<TapRequest> taps;
    taps.reserve(rows_.size());
    for (int row = 0; row <= last_row(); ++row) {
      if (!rows_[row].id.ends_with("_1")) continue;
      const Tap tap = taps.size() % 2 == 0 ? Tap::output : Tap::before_relu;
      taps.push_back({{row, tap}, false, true, true});
    }
    return taps;
  }

  // How far a rolled tap may be off: not at all if Winograd's tiles roll along.
  double allowed(int stride, const Texture& x, int dy, int dx) const {
    for (const int length : {x.height, x.width, dy, dx}) {
      if (length % (4 * stride) != 0) return kTilesElsewhere;
    }
    return 0;
  }

  testing::AssertionResult features_roll(Evaluation& run, Evaluation& rolled,
                                         std::span<const TapRequest> taps, int dy, int dx) const {
    for (int tap = 0; tap < static_cast<int>(taps.size()); ++tap) {
      const ConstFeatureMap F = run.pass.features(tap);
      const ConstFeatureMap rolled_F = rolled.pass.features(tap);
      if (!F.data) continue;
      const int s = stride(taps[tap].position.row);
      const testing::AssertionResult result =
          near_all(Rolled<ConstFeatureMap>{rolled_F, dy / s, dx / s}, F, allowed(s, run.x, dy, dx),
                   F.channels, F.height, F.width);
      if (!result) return testing::AssertionFailure() << "tap " << tap << ", " << result.message();
    }
    return testing::AssertionSuccess();
  }

  void expect_same_grams(Evaluation& run, Evaluation& rolled, std::span<const TapRequest> taps,
                         int dy, int dx) const {
    for (int tap = 0; tap < static_cast<int>(taps.size()); ++tap) {
      const std::span<const float> G = run.pass.gram(tap);
      const std::span<const float> rolled_G = rolled.pass.gram(tap);
      const int s = stride(taps[tap].position.row);
      const double tolerance = std::max(kOtherOrder, allowed(s, run.x, dy, dx));
      const float largest = *std::ranges::max_element(G);  // on the diagonal
      for (size_t i = 0; i < G.size(); ++i) {
        ASSERT_NEAR(rolled_G[i], G[i], tolerance * largest) << "tap " << tap << ", at " << i;
      }
    }
  }

  void expect_everything_rolls(std::span<const TapRequest> taps, const Texture& x, int dy, int dx) {
    SCOPED_TRACE(testing::Message() << x.height << " x " << x.width << " by " << dy << ", " << dx);
    Evaluation run(network_, x, taps, Edges::periodic, pool_);
    Evaluation rolled(network_, roll(x, dy, dx), taps, Edges::periodic, pool_);
    ASSERT_TRUE(features_roll(run, rolled, taps, dy, dx));
    ASSERT_NO_FATAL_FAILURE(expect_same_grams(run, rolled, taps, dy, dx));
    const Texture d_x = run.gradient(taps);
    const Texture rolled_d_x = rolled.gradient(taps);
    ASSERT_TRUE(
        near_all(Rolled<Texture>{rolled_d_x, dy, dx}, d_x, kTilesElsewhere, 3, x.height, x.width));
  }

  // x moved down and to the right.
  static Texture roll(const Texture& x, int dy, int dx) {
    const Rolled<Texture> back = {x, x.height - dy, x.width - dx};
    return {x.height, x.width, [&](int c, int y, int i) { return back.at(c, y, i); }};
  }

  const Weights& weights_;
  std::span<const Row> rows_;
  const Network network_;
  ThreadPool pool_{2};
};

INSTANTIATE_TEST_SUITE_P(Of, PeriodicEdges,
                         testing::Values(Which::vgg19_max, Which::vgg19_average, Which::student),
                         [](const auto& info) { return name_of(info.param); });

TEST_P(PeriodicEdges, RollEveryLayerGramMatrixAndGradientWithThePicture) {
  const Texture x = drawn_texture(48, 32, 1);
  for (const auto& [dy, dx] : {std::pair{16, 0}, {0, 16}, {16, 16}, {32, 16}}) {
    expect_everything_rolls(every_layer(), x, dy, dx);
    expect_everything_rolls(styles(), x, dy, dx);
    if (HasFailure()) return;
  }
  expect_everything_rolls(every_layer(), drawn_texture(16, 32, 2), 0, 16);  // down to one row
}

// 64: the deepest stride times the side of a tile.
TEST_P(PeriodicEdges, RollEveryLayerToTheBitWhereTilesRollAlong) {
  ASSERT_EQ(stride(last_row()), 16);
  expect_everything_rolls(every_layer(), drawn_texture(64, 128, 3), 0, 64);
  expect_everything_rolls(every_layer(), drawn_texture(128, 64, 4), 64, 0);
}

TEST_P(PeriodicEdges, AreNotZeroEdges) {
  const std::vector<TapRequest> taps = every_layer();
  const Texture x = drawn_texture(48, 32, 1);
  for (const auto& [dy, dx] : {std::pair{16, 0}, {0, 16}}) {
    Evaluation run(network_, x, taps, Edges::zero, pool_);
    Evaluation rolled(network_, roll(x, dy, dx), taps, Edges::zero, pool_);
    EXPECT_FALSE(features_roll(run, rolled, taps, dy, dx));
  }
}

TEST_P(PeriodicEdges, GiveTheSameBitsWithAnyNumberOfThreads) {
  for (const std::vector<TapRequest>& taps : {every_layer(), styles()}) {
    std::vector<float> expected;
    for (const int threads : {1, 2, 3, 7}) {
      ThreadPool pool(threads);
      Evaluation run(network_, drawn_texture(48, 32, 1), taps, Edges::periodic, pool);
      std::vector<float> found;
      for (int tap = 0; tap < static_cast<int>(taps.size()); ++tap) {
        const ConstFeatureMap F = run.pass.features(tap);
        if (F.data) found.insert(found.end(), F.data, F.data + F.floats());
        const std::span<const float> G = run.pass.gram(tap);
        found.insert(found.end(), G.begin(), G.end());
      }
      const Texture d_x = run.gradient(taps);
      found.insert(found.end(), d_x.planes.begin(), d_x.planes.end());
      if (threads == 1) expected = found;
      EXPECT_TRUE(same_bits(expected, found)) << threads << " threads";
    }
  }
}

// -------------------------------------------------------------------------------- tiled pictures
// --

// 3 x 3 times.
template <typename Map>
Texture tiled(const Map& x) {
  return {3 * x.height, 3 * x.width,
          [&](int c, int y, int i) { return x.at(c, y % x.height, i % x.width); }};
}
MapOfValues tiled(const MapOfValues& values) {
  const FeatureMap map = values.map();
  return {map.channels, 3 * map.height, 3 * map.width,
          [&](int c, int y, int x) { return map.at(c, y % map.height, x % map.width); }};
}

class TiledPicture : public testing::TestWithParam<Pooling> {
 protected:
  std::vector<TapRequest> features_of(std::span<const char* const> layers) const {
    std::vector<TapRequest> taps;
    taps.reserve(layers.size());
    for (const char* layer : layers) taps.push_back({small_.position(layer), true, false});
    return taps;
  }
  Network network(std::span<const TapRequest> taps) const {
    int deepest = 0;
    for (const TapRequest& tap : taps) deepest = std::max(deepest, tap.position.row);
    return {small_.weights, GetParam(), deepest};
  }

  // A picture for which no gradient hangs on a rounding (composed_network.h).
  Texture decided_texture(int height, int width, int deepest) const {
    ComposedNetwork composed(small_.weights, GetParam(), Edges::periodic);
    for (std::uint64_t seed = 1; seed < 300; ++seed) {
      Texture x = drawn_texture(height, width, seed);
      GuardedPlanes planes(height, width, [&](int c, int y, int i) { return x.at(c, y, i); });
      reference::wrap_ring(planes);
      composed.forward(planes, height, width, deepest);
      if (composed.is_decided(kTilesElsewhere)) return x;
    }
    ADD_FAILURE() << "every picture has a value next to 0, or two next to each other";
    return drawn_texture(height, width, 1);
  }

  // The gradient of what the taps are compared with: S F + factor (F - P).
  struct Comparison {
    std::vector<float> S;
    std::optional<MapOfValues> P, tiled_P;
    Slope slope(bool of_tiles) const {
      Slope slope;
      slope.S = S;
      if (!P) return slope;
      slope.factor = 0.7f;
      slope.target = (of_tiles ? *tiled_P : *P).map();
      return slope;
    }
  };

  const SmallNetwork small_;
  ThreadPool pool_{2};
};

INSTANTIATE_TEST_SUITE_P(With, TiledPicture, testing::Values(Pooling::max, Pooling::average),
                         [](const auto& info) {
                           return info.param == Pooling::max ? "MaxPooling" : "AveragePooling";
                         });

// The deepest row sees 2 + 2 2 + 4 + 8 = 18 pixels around its own: its middle tile sees no edge.
TEST_P(TiledPicture, HasTheFeaturesOfPeriodicEdgesInItsMiddle) {
  constexpr const char* kLayers[] = {"conv1_1", "relu1_2", "pool1", "conv2_1", "relu2_2",
                                     "pool2",   "relu3_1", "pool3", "conv4_1", "relu4_1"};
  const std::vector<TapRequest> taps = features_of(kLayers);
  const Network network = this->network(taps);
  const Texture x = drawn_texture(24, 32, 1);
  Evaluation periodic(network, x, taps, Edges::periodic, pool_);
  Evaluation of_tiles(network, tiled(x), taps, Edges::zero, pool_);
  for (int tap = 0; tap < static_cast<int>(taps.size()); ++tap) {
    const ConstFeatureMap F = periodic.pass.features(tap);
    const ConstFeatureMap tiles = of_tiles.pass.features(tap);
    EXPECT_TRUE(near_all(Rolled<ConstFeatureMap>{tiles, F.height, F.width}, F, kTilesElsewhere,
                         F.channels, F.height, F.width))
        << kLayers[tap];
  }
}

// A pixel's gradient hangs on features 6 pixels away and on theirs, down to level 2, and on the
// cells of up to 4 pixels that these are in: 18 at most.
TEST_P(TiledPicture, HasTheGradientOfPeriodicEdgesInItsMiddle) {
  constexpr int kHeight = 20, kWidth = 24;
  const auto tap = [&](const char* layer, bool features, bool gram) {
    return TapRequest{small_.position(layer), features, gram};
  };
  const std::vector<TapRequest> sets[] = {
      {tap("relu1_1", false, true), tap("conv2_2", true, true)},  // the first level fused
      {tap("conv1_1", false, true), tap("pool2", true, false)},
      {tap("conv1_1", true, false), tap("pool1", false, true), tap("relu2_1", true, true)},
      {tap("relu1_2", true, true), tap("relu2_2", false, true)}};
  for (const std::vector<TapRequest>& taps : sets) {
    const Network network = this->network(taps);
    const Texture x = decided_texture(kHeight, kWidth, 5);
    Texture gradients[] = {x, tiled(x)};
    std::vector<Comparison> comparisons(taps.size());
    for (const bool of_tiles : {false, true}) {
      Evaluation run(network, gradients[of_tiles], taps, of_tiles ? Edges::zero : Edges::periodic,
                     pool_);
      std::vector<Slope> slopes(taps.size());
      for (size_t i = 0; i < taps.size(); ++i) {
        Comparison& comparison = comparisons[i];
        const ConstFeatureMap shape = run.pass.shape(static_cast<int>(i));
        if (!of_tiles && taps[i].gram) comparison.S = symmetric_matrix(shape.channels, i);
        if (!of_tiles && taps[i].features) {
          Random random(i);
          comparison.P.emplace(shape.channels, shape.height, shape.width,
                               [&](int, int, int) { return random_signed(random); });
          comparison.tiled_P.emplace(tiled(*comparison.P));
        }
        slopes[i] = comparison.slope(of_tiles);
      }
      run.pass.backward(slopes, gradients[of_tiles].planes, pool_);
    }
    EXPECT_TRUE(near_all(Rolled<Texture>{gradients[1], kHeight, kWidth}, gradients[0],
                         kTilesElsewhere, 3, kHeight, kWidth))
        << "down to row " << taps.back().position.row;
  }
}

}  // namespace
}  // namespace limn
