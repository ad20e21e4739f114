// Forward and backward through a network, against a plain composition of the slow kernels: whatever
// layers are read, and whether their features, their Gram matrices or both.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>

#include "kernels/reference.h"
#include "network/network.h"
#include "support/composed_network.h"
#include "support/random_values.h"
#include "support/same_bits.h"
#include "support/simd_targets.h"

namespace limn {
namespace {

using Layers = std::vector<std::string>;

// Of the largest value of a map, matrix or gradient. A convolution's error is some 1e-6 of its
// output (winograd_test.cc); those of this network, forth and back, make up to 3.9e-6 of it here,
// in a Gram matrix. Allowed is some four times that. A lost term is some 1e-2.
constexpr double kTolerance = 1.5e-5;

// Every way in which layers may be read: one alone, before and after the same ReLU, poolings, the
// deepest before its ReLU only, in no order, all at once.
const Layers kTapSets[] = {
    {"relu1_1"},
    {"conv1_1"},
    {"conv1_1", "relu1_1"},
    {"pool1"},
    {"relu1_2", "pool1"},
    {"conv1_2", "pool1"},
    {"relu1_1", "pool1"},
    {"conv2_1"},
    {"relu1_1", "conv2_1"},
    {"conv1_1", "relu2_1"},
    {"conv2_1", "relu2_1"},
    {"relu2_1", "relu2_2"},
    {"relu3_1", "conv1_2", "pool2"},
    {"pool3", "conv3_1"},
    {"relu4_1"},
    {"conv4_1"},
    {"relu4_1", "relu1_1"},
    {"conv4_1", "relu1_1", "conv2_2"},
    {"conv1_1", "relu1_1", "pool2"},
    {"conv4_1", "relu4_1", "pool1", "relu2_1"},
    {"conv1_1", "relu1_1", "conv1_2", "relu1_2", "pool1", "conv2_1", "relu2_1", "conv2_2",
     "relu2_2", "pool2", "conv3_1", "relu3_1", "pool3", "conv4_1", "relu4_1"},
};
const Layers& all_layers() { return kTapSets[std::size(kTapSets) - 1]; }

// What is read of the layers: of all the same, or of each something else.
enum class Reads { features, gram, both, mixed };
constexpr Reads kReads[] = {Reads::features, Reads::gram, Reads::both, Reads::mixed};

const InputMap kAsItIs;

// The losses at a tap: some of S F + factor (F - P).
struct Reader {
  TapRequest request;
  std::vector<float> S;
  std::optional<GuardedMap> P;
  static constexpr float kFactor = 0.7f;
  Slope slope() const {
    return {S, P ? kFactor : 0, P ? ConstFeatureMap(*P) : ConstFeatureMap{}, {}, {}, {}};
  }
};

class NetworkPass : public testing::TestWithParam<Pooling> {
 protected:
  static GuardedPlanes picture(int height, int width, std::uint64_t seed,
                               Edges edges = Edges::zero) {
    Random random(seed);
    GuardedPlanes x(height, width, [&](int, int, int) { return 2 * random_signed(random); });
    if (edges == Edges::periodic) reference::wrap_ring(x);
    return x;
  }
  // The planes one after another, which the network takes as they are (kAsItIs).
  static std::vector<float> planes_of(const GuardedPlanes& picture, int height, int width) {
    std::vector<float> planes;
    for_each_value(3, height, width,
                   [&](int c, int y, int x) { planes.push_back(picture.at(c, y, x)); });
    return planes;
  }

  static std::vector<float> drawn(int height, int width, std::uint64_t seed) {
    return planes_of(picture(height, width, seed), height, width);
  }

  // What is asked for of the layers, and their deepest row.
  std::vector<TapRequest> requests_of(const Layers& layers, Reads reads, bool half = false) const {
    std::vector<TapRequest> requests;
    for (const std::string& layer : layers) {
      const Reads read = reads == Reads::mixed ? kReads[(layer[0] + requests.size()) % 3] : reads;
      requests.push_back(
          {small_.position(layer), read != Reads::gram, read != Reads::features, half});
    }
    return requests;
  }
  static int deepest_of(std::span<const TapRequest> requests) {
    int deepest = 0;
    for (const TapRequest& request : requests) deepest = std::max(deepest, request.position.row);
    return deepest;
  }

  // Losses on each tap, whose shapes are those of the composition.
  static std::vector<Reader> readers_of(std::span<const TapRequest> requests,
                                        const ComposedNetwork& composed) {
    Random random(4);
    std::vector<Reader> readers;
    for (const TapRequest& request : requests) {
      Reader& reader = readers.emplace_back();
      reader.request = request;
      const ConstFeatureMap F = composed.features(request.position);
      const int C = F.channels;
      if (request.features) {
        reader.P.emplace(C, F.height, F.width,
                         [&](int, int, int) { return random_signed(random); });
      }
      if (!request.gram) continue;
      reader.S.resize(static_cast<size_t>(C) * C);
      for (int i = 0; i < C; ++i) {
        for (int j = 0; j <= i; ++j) {
          reader.S[i * C + j] = reader.S[j * C + i] = random_signed(random) / 4;
        }
      }
    }
    return readers;
  }

  // The same for a picture of this size.
  std::vector<Reader> readers_of(std::span<const TapRequest> requests, int height,
                                 int width) const {
    ComposedNetwork composed(small_.weights, GetParam());
    composed.forward(picture(height, width, 1), height, width, deepest_of(requests));
    return readers_of(requests, composed);
  }

  // All that a run gives.
  struct Numbers {
    std::vector<float> measured;  // features and Gram matrices
    std::vector<float> gradient;
  };
  Numbers run(Pass& pass, const std::vector<Reader>& readers, std::span<const float> x) {
    pass.forward(x, kAsItIs, pool_);
    Numbers numbers;
    std::vector<Slope> slopes;
    for (int tap = 0; tap < static_cast<int>(readers.size()); ++tap) {
      const ConstFeatureMap F = pass.features(tap);
      const std::span<const float> G = pass.gram(tap);
      if (F.data) numbers.measured.insert(numbers.measured.end(), F.data, F.data + F.floats());
      numbers.measured.insert(numbers.measured.end(), G.begin(), G.end());
      slopes.push_back(readers[tap].slope());
    }
    numbers.gradient.resize(x.size());
    pass.backward(slopes, numbers.gradient, pool_);
    return numbers;
  }

  // |a - b| / |b|
  static double relative_distance(std::span<const float> a, std::span<const float> b) {
    double distance = 0, length = 0;
    for (size_t i = 0; i < b.size(); ++i) {
      distance += (double{a[i]} - b[i]) * (double{a[i]} - b[i]);
      length += double{b[i]} * b[i];
    }
    return std::sqrt(distance / length);
  }

  // The gradient by the picture, by the composition.
  static GuardedPlanes composed_gradient(const std::vector<Reader>& readers,
                                         const ComposedNetwork& composed) {
    std::vector<GuardedMap> u;
    std::vector<ComposedNetwork::Gradient> gradients;
    u.reserve(readers.size());
    for (const Reader& reader : readers) {
      const ConstFeatureMap F = composed.features(reader.request.position);
      GuardedMap& map = u.emplace_back(F.channels, F.height, F.width,
                                       [&](int c, int y, int x) { return F.at(c, y, x); });
      const Slope slope = reader.slope();
      reference::turn_into_gradient(map, slope.S, slope.factor, slope.target);
      gradients.push_back({reader.request.position, &map});
    }
    return composed.backward(gradients);
  }

  // The first picture for which no gradient hangs on a rounding, gone through the composition.
  GuardedPlanes decided_picture(ComposedNetwork& composed, int height, int width, int deepest,
                                Edges edges) {
    for (std::uint64_t seed = 1; seed < 200; ++seed) {
      GuardedPlanes x = picture(height, width, seed, edges);
      composed.forward(x, height, width, deepest);
      if (composed.is_decided(kTolerance)) return x;
    }
    ADD_FAILURE() << "every picture has a value next to 0, or two next to each other";
    return picture(height, width, 0);
  }

  void expect_like_composition(const Layers& layers, std::span<const Reads> all_reads, int height,
                               int width, Edges edges = Edges::zero) {
    ComposedNetwork composed(small_.weights, GetParam(), edges);
    const int deepest = deepest_of(requests_of(layers, Reads::both));
    const GuardedPlanes x = decided_picture(composed, height, width, deepest, edges);
    const Network network(small_.weights, GetParam(), deepest);
    for (const Reads reads : all_reads) {
      SCOPED_TRACE(testing::Message() << height << " x " << width << ", down to " << layers[0]
                                      << ", reads " << static_cast<int>(reads));
      const std::vector<TapRequest> requests = requests_of(layers, reads);
      const std::vector<Reader> readers = readers_of(requests, composed);
      for (const Purpose purpose : {Purpose::gradients, Purpose::features}) {
        Pass pass(network, height, width, requests, purpose, 1, edges);
        const std::vector<float> planes = planes_of(x, height, width);
        pass.forward(planes, kAsItIs, pool_);
        expect_taps(pass, requests, composed);
        if (purpose == Purpose::features) continue;
        std::vector<Slope> slopes;
        for (const Reader& reader : readers) slopes.push_back(reader.slope());
        std::vector<float> d_x(planes.size(), NAN);
        pass.backward(slopes, d_x, pool_);
        ASSERT_TRUE(near_all(DPicture{d_x, height, width}, composed_gradient(readers, composed),
                             kTolerance, 3, height, width));
      }
      if (HasFailure()) return;
    }
  }

  struct DPicture {
    std::span<const float> d_x;
    int height, width;
    float at(int c, int y, int x) const { return d_x[(c * height + y) * width + x]; }
  };

  static void expect_taps(Pass& pass, std::span<const TapRequest> requests,
                          const ComposedNetwork& composed) {
    for (int tap = 0; tap < static_cast<int>(requests.size()); ++tap) {
      SCOPED_TRACE(testing::Message() << "tap " << tap);
      const ConstFeatureMap expected = composed.features(requests[tap].position);
      const ConstFeatureMap shape = pass.shape(tap);
      ASSERT_EQ(shape.channels, expected.channels);
      ASSERT_EQ(shape.height, expected.height);
      ASSERT_EQ(shape.width, expected.width);
      if (requests[tap].features) {
        ASSERT_TRUE(near_all(pass.features(tap), expected, kTolerance, expected.channels,
                             expected.height, expected.width));
      }
      if (!requests[tap].gram) {
        ASSERT_TRUE(pass.gram(tap).empty());
        continue;
      }
      const auto C = static_cast<size_t>(expected.channels);
      const std::span<const float> G = pass.gram(tap);
      std::vector<float> expected_G(C * C);
      reference::gram(expected, expected_G);
      ASSERT_EQ(G.size(), expected_G.size());
      const float largest = *std::ranges::max_element(expected_G);  // on the diagonal
      for (size_t i = 0; i < G.size(); ++i) {
        ASSERT_NEAR(G[i], expected_G[i], kTolerance * largest) << "G, at " << i;
      }
    }
  }

  void expect_zero_around_features(int height, int width, Edges edges) {
    const std::vector<TapRequest> requests = requests_of(all_layers(), Reads::both);
    const Network network(small_.weights, GetParam(), small_.last_row());
    Pass pass(network, height, width, requests, Purpose::gradients, 1, edges);
    for (const std::uint64_t seed : {5, 6}) {  // the second time after gradients
      const std::vector<float> x = drawn(height, width, seed);
      pass.forward(x, kAsItIs, pool_);
      std::vector<Slope> slopes;
      for (size_t tap = 0; tap < requests.size(); ++tap) {
        const ConstFeatureMap F = pass.features(static_cast<int>(tap));
        double all = 0, inside = 0;
        for (size_t i = 0; i < F.floats(); ++i) all += std::abs(double{F.data[i]});
        for_each_value(F.channels, F.height, F.width,
                       [&](int c, int y, int x) { inside += std::abs(double{F.at(c, y, x)}); });
        EXPECT_NEAR(all, inside, 1e-12 * all) << all_layers()[tap];
        EXPECT_GT(inside, 0) << all_layers()[tap] << " is all 0: this tests nothing";
        slopes.emplace_back().S = pass.gram(static_cast<int>(tap));
      }
      std::vector<float> d_x(x.size());
      pass.backward(slopes, d_x, pool_);
    }
  }

  // The smallest side for which the deepest row of all has a cell.
  int smallest() const { return GetParam() == Pooling::max ? 8 : 1; }

  const SmallNetwork small_;
  ThreadPool pool_{2};
};

INSTANTIATE_TEST_SUITE_P(With, NetworkPass, testing::Values(Pooling::max, Pooling::average),
                         [](const auto& info) {
                           return info.param == Pooling::max ? "MaxPooling" : "AveragePooling";
                         });

TEST_P(NetworkPass, ReadsAnySetOfLayersLikeTheComposition) {
  for (const Layers& layers : kTapSets) {
    expect_like_composition(layers, kReads, 13, 18);
    if (HasFailure()) return;
  }
}

TEST_P(NetworkPass, WithPeriodicEdgesReadsAnySetOfLayersLikeTheComposition) {
  for (const Layers& layers : kTapSets) {
    expect_like_composition(layers, kReads, 16, 24, Edges::periodic);
    if (HasFailure()) return;
  }
}

TEST_P(NetworkPass, IsTheCompositionDownToOneCellAtTheDeepestRow) {
  const Layers layers = {"relu4_1", "conv3_1", "pool2", "relu1_1"};
  for (int height = smallest(); height < smallest() + 10; height += 3) {
    for (int width = smallest(); width < smallest() + 10; ++width) {
      expect_like_composition(layers, std::array{kReads[width % 4]}, height, width);
      if (HasFailure()) return;
    }
  }
  for (const auto& [height, width] : {std::pair{8, 8}, {8, 16}, {24, 8}}) {
    expect_like_composition(layers, kReads, height, width, Edges::periodic);
    if (HasFailure()) return;
  }
}

TEST_P(NetworkPass, IsTheCompositionForPicturesOfOneRowOrColumn) {
  const Layers layers = GetParam() == Pooling::max ? Layers{"conv1_1", "relu1_2"}
                                                   : Layers{"relu1_1", "pool3", "conv4_1"};
  for (int side = 1; side < 20; ++side) {
    expect_like_composition(layers, std::array{kReads[side % 4]}, 1, side);
    expect_like_composition(layers, std::array{kReads[(side + 1) % 4]}, side, 1);
    if (HasFailure()) return;
  }
}

// Wider than a piece of the first level, which is fused where only its Gram matrix is read.
TEST_P(NetworkPass, IsTheCompositionForWidePictures) {
  for (const Layers& layers : {Layers{"conv1_1", "conv2_1"}, Layers{"relu1_1", "relu2_1"}}) {
    expect_like_composition(layers, std::array{Reads::features, Reads::gram}, 11, 101);
    expect_like_composition(layers, std::array{Reads::gram}, 10, 130, Edges::periodic);
    if (HasFailure()) return;
  }
}

TEST_P(NetworkPass, IsTheCompositionOnEveryTarget) {
  on_every_target([&] {
    expect_like_composition(all_layers(), std::array{Reads::both}, 17, 25);
    expect_like_composition({"relu4_1", "conv1_1"}, std::array{Reads::gram}, 17, 25);
    expect_like_composition(all_layers(), std::array{Reads::both}, 16, 24, Edges::periodic);
  });
}

// Maps lie where others of another shape have lain: what a run leaves there must not show in the
// next one, in particular not as padding. Nor must gradients, which take the place of features.
TEST_P(NetworkPass, GivesTheSameBitsWhenItsBuffersAreUsedAgain) {
  struct Size {
    int height, width;
    Edges edges = Edges::zero;
  };
  // The second and the last end in a single cell.
  const Size sizes[] = {{13, 18},
                        {smallest() + 3, std::max(smallest(), 5)},
                        {16, 24, Edges::periodic},
                        {8, 8, Edges::periodic}};
  for (const auto& [height, width, edges] : sizes) {
    for (const Layers& layers : kTapSets) {
      for (const bool half : {false, true}) {
        for (const Reads reads : {Reads::gram, Reads::mixed}) {
          const std::vector<TapRequest> requests = requests_of(layers, reads, half);
          const std::vector<Reader> readers = readers_of(requests, height, width);
          const Network network(small_.weights, GetParam(), deepest_of(requests));
          Pass pass(network, height, width, requests, Purpose::gradients, 1, edges);
          const Numbers first = run(pass, readers, drawn(height, width, 1));
          const Numbers other = run(pass, readers, drawn(height, width, 2));
          EXPECT_FALSE(same_bits(first.measured, other.measured));
          EXPECT_FALSE(same_bits(first.gradient, other.gradient));
          const Numbers again = run(pass, readers, drawn(height, width, 1));
          EXPECT_TRUE(same_bits(first.measured, again.measured)) << "down to " << layers[0];
          EXPECT_TRUE(same_bits(first.gradient, again.gradient)) << "down to " << layers[0];
        }
      }
    }
  }
}

// A tap without a slope costs nothing, and its gradient is that of slopes that are all 0. Nor need
// the forward pass reach deeper.
TEST_P(NetworkPass, GoesNoDeeperThanTheDeepestTapThatHasASlope) {
  enum { plain, zeros, ending, ways };
  constexpr int kHeight = 17, kWidth = 22;
  const std::vector<float> x = drawn(kHeight, kWidth, 1);
  for (const Layers& layers : kTapSets) {
    for (const bool half : {false, true}) {
      const std::vector<TapRequest> requests = requests_of(layers, Reads::gram, half);
      const Network network(small_.weights, GetParam(), deepest_of(requests));
      Pass pass(network, kHeight, kWidth, requests, Purpose::gradients);
      for (size_t only = 0; only <= requests.size(); ++only) {
        std::vector<float> gradients[ways];
        for (const int way : {plain, zeros, ending}) {
          const int row = only < requests.size() ? requests[only].position.row : -1;
          pass.forward(x, kAsItIs, pool_, way == ending ? Extent{.row = row} : Extent());
          // At most three rows are run as one.
          for (size_t after = row + 3; way == ending && after < pass.seconds().size(); ++after) {
            ASSERT_EQ(pass.seconds()[after].forward, 0) << "row " << after << " was run";
          }
          std::vector<Slope> slopes(requests.size());
          std::vector<std::vector<float>> S(requests.size());
          for (size_t tap = 0; tap < requests.size(); ++tap) {
            const std::span<const float> G = pass.gram(static_cast<int>(tap));
            S[tap].assign(G.begin(), G.end());
            if (tap != only) std::ranges::fill(S[tap], 0.0f);
            if (tap == only || way == zeros) slopes[tap].S = S[tap];
          }
          gradients[way].assign(x.size(), NAN);
          pass.backward(slopes, gradients[way], pool_);
        }
        SCOPED_TRACE(testing::Message() << "tap " << only << " of those down to " << layers[0]);
        for (size_t i = 0; i < x.size(); ++i) {
          ASSERT_EQ(gradients[plain][i], gradients[zeros][i]) << i;
          ASSERT_EQ(gradients[plain][i], gradients[ending][i]) << i;
        }
      }
    }
  }
}

// What losses read is taken before features are rounded. Rounding moves each by at most 2^-11 of
// itself, up or down alike, and S F sums as many such errors as features: relative to each other
// both stay what they were.
TEST_P(NetworkPass, InHalfPrecisionMeasuresTheSameAndHasNearlyTheSameGradient) {
  for (const Edges edges : {Edges::zero, Edges::periodic}) {
    const int height = edges == Edges::zero ? 21 : 24;
    const int width = edges == Edges::zero ? 34 : 32;
    int rounded = 0;
    for (const Layers& layers : kTapSets) {
      for (const Reads reads : {Reads::gram, Reads::mixed}) {
        SCOPED_TRACE(testing::Message() << "down to " << layers[0]);
        Numbers numbers[2];
        for (const bool half : {false, true}) {
          const std::vector<TapRequest> requests = requests_of(layers, reads, half);
          const Network network(small_.weights, GetParam(), deepest_of(requests));
          Pass pass(network, height, width, requests, Purpose::gradients, 1, edges);
          numbers[half] = run(pass, readers_of(requests, height, width), drawn(height, width, 1));
        }
        EXPECT_TRUE(same_bits(numbers[0].measured, numbers[1].measured));
        const double distance = relative_distance(numbers[1].gradient, numbers[0].gradient);
        EXPECT_LT(distance, 0x1p-11);
        rounded += distance > 0 ? 1 : 0;
      }
    }
    EXPECT_GT(rounded, static_cast<int>(std::size(kTapSets)) / 2) << "hardly anything was in half";
  }
}

// Losses compare maps as a whole, and the Gram matrix of one must not see the ring.
TEST_P(NetworkPass, LeavesRingAndPaddingOfFeaturesZero) {
  expect_zero_around_features(13, 18, Edges::zero);
  expect_zero_around_features(16, 24, Edges::periodic);
}

}  // namespace
}  // namespace limn
