// Forward and backward through a network, against a plain composition of the slow kernels. All
// numbers are whole (or halves and quarters of averages), so the two must be equal.
#include <gtest/gtest.h>

#include <string>

#include "network/network.h"
#include "support/composed_network.h"
#include "support/random_values.h"
#include "support/same_bits.h"
#include "support/simd_targets.h"

namespace limn {
namespace {

using Layers = std::vector<std::string>;
using Purpose = Pass::Purpose;

// Every way in which layers may be read: one alone, before and after the same ReLU, poolings, the
// deepest before its ReLU only, in no order, all at once.
const Layers kTapSets[] = {
    {"relu1_1"},
    {"conv1_1"},
    {"conv1_1", "relu1_1"},
    {"pool1"},
    {"relu1_2", "pool1"},
    {"conv2_1"},
    {"relu1_1", "conv2_1"},
    {"conv2_1", "relu2_1"},
    {"relu3_1", "conv1_2", "pool2"},
    {"pool3", "conv3_1"},
    {"relu4_1"},
    {"conv4_1"},
    {"relu4_1", "relu1_1"},
    {"conv4_1", "relu4_1", "pool1", "relu2_1"},
    {"conv1_1", "relu1_1", "conv1_2", "relu1_2", "pool1", "conv2_1", "relu2_1", "pool2", "conv3_1",
     "relu3_1", "pool3", "conv4_1", "relu4_1"},
};

class WholePass : public testing::TestWithParam<Pooling> {
 protected:
  // A picture of whole numbers.
  GuardedPlanes picture(int height, int width, std::uint64_t seed) const {
    Random random(seed);
    return GuardedPlanes(height, width, [&](int, int, int) { return random_whole(random, 4); });
  }
  static void fill(Pass& pass, const GuardedPlanes& picture, int height, int width) {
    for_each_value(3, height, width,
                   [&](int c, int y, int x) { pass.input().row(c, y)[x] = picture.at(c, y, x); });
  }

  // Features and gradient of one picture, by both.
  void expect_like_composition(const Layers& layers, int height, int width) {
    SCOPED_TRACE(testing::Message() << height << " x " << width << ", down to " << layers[0]);
    std::vector<LayerPosition> taps;
    int deepest = 0;
    for (const std::string& layer : layers) {
      taps.push_back(whole_.position(layer));
      deepest = std::max(deepest, taps.back().row);
    }
    const GuardedPlanes x = picture(height, width, 3);
    ComposedNetwork composed(whole_.weights, GetParam());
    composed.forward(x, height, width, deepest);

    std::vector<GuardedMap> u;
    std::vector<ComposedNetwork::Gradient> gradients;
    u.reserve(taps.size());
    Random random(4);
    for (const LayerPosition& tap : taps) {
      const ConstFeatureMap F = composed.features(tap);
      u.emplace_back(F.channels, F.height, F.width,
                     [&](int, int, int) { return random_whole(random, 1); });
      gradients.push_back({tap, &u.back()});
    }
    const GuardedPlanes expected = composed.backward(gradients);

    const Network network(whole_.weights, GetParam(), deepest);
    for (const Purpose purpose : {Purpose::gradients, Purpose::features}) {
      Pass pass(network, height, width, taps, purpose);
      fill(pass, x, height, width);
      pass.forward(pool_);
      expect_features(pass, taps, composed);
      if (purpose == Purpose::gradients) {
        const std::vector<int> order = run_backward(pass, u);
        expect_deepest_first(order, taps);
        expect_gradient(pass, expected, height, width);
      }
    }
  }

  void expect_features(const Pass& pass, std::span<const LayerPosition> taps,
                       const ComposedNetwork& composed) {
    for (size_t tap = 0; tap < taps.size(); ++tap) {
      const ConstFeatureMap F = pass.features(static_cast<int>(tap));
      const ConstFeatureMap expected = composed.features(taps[tap]);
      ASSERT_EQ(F.channels, expected.channels);
      ASSERT_EQ(F.height, expected.height);
      ASSERT_EQ(F.width, expected.width);
      ASSERT_TRUE(same_values(F, expected, F.channels, F.height, F.width)) << "tap " << tap;
    }
  }

  // Adds u[tap] at each tap; returns the taps in the order in which they were asked for.
  std::vector<int> run_backward(Pass& pass, const std::vector<GuardedMap>& u) {
    std::vector<int> order;
    pass.backward(
        [&](int tap, FeatureMap d_F) {
          order.push_back(tap);
          for_each_value(d_F.channels, d_F.height, d_F.width,
                         [&](int c, int y, int x) { d_F.at(c, y, x) += u[tap].at(c, y, x); });
        },
        pool_);
    return order;
  }

  static void expect_gradient(const Pass& pass, const GuardedPlanes& expected, int height,
                              int width) {
    double largest = 0;
    for_each_value(3, height, width, [&](int c, int y, int x) {
      ASSERT_EQ(pass.d_input().row(c, y)[x], expected.at(c, y, x))
          << "plane " << c << ", row " << y << ", column " << x;
      largest = std::max(largest, std::abs(double{expected.at(c, y, x)}));
    });
    // Sums below 2^24 in steps of 2^-6 (three averages of 4) are exact only up to 2^18.
    ASSERT_LT(largest, 0x1p17) << "too large for sums to be exact";
  }

  static void expect_deepest_first(const std::vector<int>& order,
                                   std::span<const LayerPosition> taps) {
    ASSERT_EQ(order.size(), taps.size());
    const auto depth = [&](int tap) {
      return 2 * taps[tap].row + (taps[tap].tap == Tap::output ? 1 : 0);
    };
    for (size_t i = 1; i < order.size(); ++i) EXPECT_GT(depth(order[i - 1]), depth(order[i]));
  }

  // The smallest side for which the deepest row of all has a cell.
  int smallest() const { return GetParam() == Pooling::max ? 8 : 1; }

  const WholeNetwork whole_;
  ThreadPool pool_{2};
};

INSTANTIATE_TEST_SUITE_P(With, WholePass, testing::Values(Pooling::max, Pooling::average),
                         [](const auto& info) {
                           return info.param == Pooling::max ? "MaxPooling" : "AveragePooling";
                         });

TEST_P(WholePass, ReadsAnySetOfLayersLikeTheComposition) {
  for (const Layers& layers : kTapSets) {
    expect_like_composition(layers, 13, 18);
    if (HasFailure()) return;
  }
}

TEST_P(WholePass, IsTheCompositionDownToOneCellAtTheDeepestRow) {
  const Layers layers = {"relu4_1", "conv3_1", "pool2"};
  for (int height = smallest(); height < smallest() + 10; height += 3) {
    for (int width = smallest(); width < smallest() + 10; ++width) {
      expect_like_composition(layers, height, width);
      if (HasFailure()) return;
    }
  }
}

TEST_P(WholePass, IsTheCompositionForPicturesOfOneRowOrColumn) {
  const Layers layers = GetParam() == Pooling::max ? Layers{"conv1_1", "relu1_2"}
                                                   : Layers{"relu1_1", "pool3", "conv4_1"};
  for (int side = 1; side < 20; ++side) {
    expect_like_composition(layers, 1, side);
    expect_like_composition(layers, side, 1);
    if (HasFailure()) return;
  }
}

TEST_P(WholePass, IsTheCompositionOnEveryTarget) {
  on_every_target([&] { expect_like_composition(kTapSets[std::size(kTapSets) - 1], 17, 25); });
}

// Work maps change their shape from row to row: what a run leaves in them must not show in the
// next one, in particular not as padding.
TEST_P(WholePass, GivesTheSameBitsWhenItsBuffersAreUsedAgain) {
  // The second ends in a single cell.
  const std::pair<int, int> sizes[] = {{13, 18}, {smallest() + 3, std::max(smallest(), 5)}};
  for (const auto& size : sizes) {
    const int height = size.first, width = size.second;
    for (const Layers& layers : kTapSets) {
      std::vector<LayerPosition> taps;
      int deepest = 0;
      for (const std::string& layer : layers) {
        taps.push_back(whole_.position(layer));
        deepest = std::max(deepest, taps.back().row);
      }
      const Network network(whole_.weights, GetParam(), deepest);
      Pass pass(network, height, width, taps, Purpose::gradients);
      const auto run = [&](std::uint64_t seed) {
        fill(pass, picture(height, width, seed), height, width);
        pass.forward(pool_);
        std::vector<float> numbers;
        for (size_t tap = 0; tap < taps.size(); ++tap) {
          const ConstFeatureMap F = pass.features(static_cast<int>(tap));
          numbers.insert(numbers.end(), F.data, F.data + F.floats());
        }
        pass.backward(
            [&](int tap, FeatureMap d_F) {
              const ConstFeatureMap F = pass.features(tap);
              for (size_t i = 0; i < F.plane_stride() * F.blocks(); ++i) d_F.data[i] += F.data[i];
            },
            pool_);
        const ConstInputPlanes d = pass.d_input();
        numbers.insert(numbers.end(), d.data, d.data + d.floats());
        return numbers;
      };
      const std::vector<float> first = run(1);
      const std::vector<float> other = run(2);
      EXPECT_FALSE(same_bits(first, other));
      EXPECT_TRUE(same_bits(first, run(1))) << "down to " << layers[0];
    }
  }
}

// Losses compare maps as a whole, and the Gram matrix of one must not see the ring.
TEST_P(WholePass, LeavesRingAndPaddingOfFeaturesZero) {
  const Layers& layers = kTapSets[std::size(kTapSets) - 1];
  std::vector<LayerPosition> taps;
  for (const std::string& layer : layers) taps.push_back(whole_.position(layer));
  const Network network(whole_.weights, GetParam(), 7);
  Pass pass(network, 13, 18, taps, Purpose::gradients);
  fill(pass, picture(13, 18, 5), 13, 18);
  pass.forward(pool_);
  for (size_t tap = 0; tap < taps.size(); ++tap) {
    const ConstFeatureMap F = pass.features(static_cast<int>(tap));
    double all = 0, inside = 0;
    for (size_t i = 0; i < F.floats(); ++i) all += std::abs(double{F.data[i]});
    for_each_value(F.channels, F.height, F.width,
                   [&](int c, int y, int x) { inside += std::abs(double{F.at(c, y, x)}); });
    EXPECT_EQ(all, inside) << layers[tap];
    EXPECT_GT(inside, 0) << layers[tap] << " is all 0: this tests nothing";
  }
}

// Features alone need no gradient's maps, and no work map where every row is tapped.
TEST_P(WholePass, TakesNoMemoryForWhatIsNotAskedFor) {
  const Network network(whole_.weights, GetParam(), 7);
  const auto bytes = [&](const Layers& layers, Purpose purpose) {
    std::vector<LayerPosition> taps;
    for (const std::string& layer : layers) taps.push_back(whole_.position(layer));
    return Pass(network, 40, 40, taps, purpose).bytes();
  };
  EXPECT_LT(bytes({"relu1_1"}, Purpose::features), bytes({"relu1_1"}, Purpose::gradients));
  // One tapped map and the picture.
  const size_t map = FeatureMap{nullptr, 16, 40, 40}.floats() * sizeof(float);
  EXPECT_LT(bytes({"relu1_1"}, Purpose::features), 2 * map);
}

}  // namespace
}  // namespace limn
