// Gram matrices, and features turned into the gradient of losses that read them, against the slow
// twins.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>

#include "kernels/kernels.h"
#include "kernels/reference.h"
#include "support/guarded_memory.h"
#include "support/random_values.h"
#include "support/simd_targets.h"
#include "support/tolerance.h"

namespace limn {
namespace {

class GramMatrix : public testing::Test {
 protected:
  // Chunks of at most 192 positions are added up in float, the sums of the chunks in double.
  void expect_gram_like_twin(const GuardedMap& F, bool whole) {
    const ConstFeatureMap map = F;
    const size_t C = map.channels;
    std::vector<float> expected(C * C);
    std::vector<float> magnitude(C * C);
    reference::gram(map, expected);
    reference::gram(absolute(F), magnitude);
    const double tolerance =
        whole ? 0 : positive_sum_tolerance(std::min<size_t>(map.positions(), 192));
    on_every_target([&] {
      for (ThreadPool* pool : {&one_thread_, &three_threads_}) {
        SCOPED_TRACE(testing::Message()
                     << map.channels << " channels, " << map.height << " x " << map.width);
        Guarded<float> G(C * C);
        Guarded<double> scratch(kernels::gram_scratch_size(map));
        std::fill_n(scratch.data(), scratch.size(), std::nan(""));
        kernels::gram(map, G, scratch, *pool);
        ASSERT_TRUE(G.guards_untouched());
        ASSERT_TRUE(scratch.guards_untouched());
        for (size_t i = 0; i < C; ++i) {
          for (size_t j = 0; j < C; ++j) {
            const size_t place = i * C + j;
            ASSERT_LE(std::abs(double{G[place]} - expected[place]), tolerance * magnitude[place])
                << "G[" << i << "][" << j << "]";
            ASSERT_EQ(std::bit_cast<std::uint32_t>(G[place]),
                      std::bit_cast<std::uint32_t>(G[j * C + i]))
                << "not symmetric";
          }
        }
      }
    });
  }

  // Which losses read the features: G, the features themselves, or both.
  struct Losses {
    bool gram, features;
  };
  static constexpr Losses kLosses[] = {{true, false}, {false, true}, {true, true}};

  void expect_gradient_like_twin(const Losses& losses, int channels, int height, int width,
                                 bool whole) {
    const auto value = [&] { return whole ? random_whole(random_, 3) : random_signed(random_); };
    const size_t C = channels;
    std::vector<float> S(losses.gram ? C * C : 0);
    for (size_t i = 0; i < C && losses.gram; ++i) {
      for (size_t j = 0; j <= i; ++j) S[i * C + j] = S[j * C + i] = value();
    }
    const GuardedMap F(channels, height, width, [&](int, int, int) { return value(); });
    const GuardedMap P(channels, height, width, [&](int, int, int) { return value(); });
    const ConstFeatureMap target = losses.features ? P.map() : ConstFeatureMap{};
    const float factor = whole ? -2.0f : 1.3f;
    const auto from = [](const GuardedMap& map) {
      return [&map](int c, int y, int x) { return map.at(c, y, x); };
    };
    GuardedMap expected(channels, height, width);
    expected.fill(from(F));
    reference::turn_into_gradient(expected, S, factor, target);

    // |S| |F| + |factor| (|F| + |P|)
    std::vector<float> absolute_S(S);
    for (float& s : absolute_S) s = std::abs(s);
    GuardedMap magnitude = absolute(F);
    const GuardedMap minus_P(channels, height, width,
                             [&](int c, int y, int x) { return -std::abs(P.at(c, y, x)); });
    reference::turn_into_gradient(magnitude, absolute_S, std::abs(factor),
                                  losses.features ? minus_P.map() : ConstFeatureMap{});

    on_every_target([&] {
      for (ThreadPool* pool : {&one_thread_, &three_threads_}) {
        GuardedMap gradient(channels, height, width);
        gradient.fill(from(F));
        kernels::turn_into_gradient(gradient, S, factor, target, *pool);
        SCOPED_TRACE(testing::Message()
                     << channels << " channels, " << height << " x " << width << ", of G "
                     << losses.gram << ", of F " << losses.features);
        ASSERT_TRUE(gradient.written_inside_only());
        ASSERT_TRUE(near_values(gradient, expected, magnitude, whole ? 0 : kSumTolerance, channels,
                                height, width));
      }
    });
  }

  static GuardedMap absolute(const GuardedMap& F) {
    const ConstFeatureMap map = F;
    return GuardedMap(map.channels, map.height, map.width,
                      [&](int c, int y, int x) { return std::abs(map.at(c, y, x)); });
  }
  GuardedMap random_map(int channels, int height, int width) {
    return GuardedMap(channels, height, width,
                      [&](int, int, int) { return random_signed(random_); });
  }
  GuardedMap whole_map(int channels, int height, int width) {
    return GuardedMap(channels, height, width,
                      [&](int, int, int) { return random_whole(random_, 4); });
  }

  Random random_{5};
  ThreadPool one_thread_{1};
  ThreadPool three_threads_{3};
};

TEST_F(GramMatrix, IsItsTwinAtEverySmallSize) {
  for (int height = 1; height <= 5; ++height) {
    for (int width = 1; width <= 14; ++width) {
      expect_gram_like_twin(random_map(32, height, width), false);
      if (HasFailure()) return;
    }
  }
}

TEST_F(GramMatrix, IsItsTwinForEveryNumberOfChannels) {
  for (const int channels : {16, 32, 48, 64}) {
    for (const int width : {1, 17, 31, 33, 50}) {
      expect_gram_like_twin(random_map(channels, 3, width), false);
      expect_gram_like_twin(whole_map(channels, 3, width), true);
      if (HasFailure()) return;
    }
  }
}

// From 128 channels on the matrix is cut into squares; the last may be smaller.
TEST_F(GramMatrix, OfManyChannelsIsItsTwin) {
  for (const int channels : {128, 144, 272}) {
    expect_gram_like_twin(random_map(channels, 3, 17), false);
    expect_gram_like_twin(whole_map(channels, 3, 17), true);
    if (HasFailure()) return;
  }
}

// From 2 * 4096 positions on a map is cut into slices of rows, however the rows divide.
TEST_F(GramMatrix, OfAMapLargeEnoughToBeCutIsItsTwin) {
  for (const auto& [height, width] : {std::pair{131, 130}, {8193, 2}, {3, 8192}, {1, 17000}}) {
    const GuardedMap F = random_map(16, height, width);
    if (height > 1) {
      EXPECT_GT(kernels::gram_scratch_size(F), 16u * 16u) << "this map was not cut";
    }
    expect_gram_like_twin(F, false);
    expect_gram_like_twin(whole_map(16, height, width), true);
    if (HasFailure()) return;
  }
}

TEST_F(GramMatrix, IsTheSumOverPositionsDividedByNothing) {
  // Channel c is c + 1 everywhere, so G[i][j] = (i + 1) (j + 1) * positions.
  GuardedMap F(16, 2, 3, [](int c, int, int) { return static_cast<float>(c + 1); });
  std::vector<float> G(256);
  Buffer<double> scratch(kernels::gram_scratch_size(F));
  kernels::gram(F, G, scratch, one_thread_);
  for (int i = 0; i < 16; ++i) {
    for (int j = 0; j < 16; ++j)
      EXPECT_EQ(G[i * 16 + j], static_cast<float>((i + 1) * (j + 1) * 6));
  }
}

TEST_F(GramMatrix, TurnsFeaturesIntoTheTwinsGradientAtEverySmallSize) {
  for (int height = 1; height <= 3; ++height) {
    for (int width = 1; width <= 14; ++width) {
      for (const Losses& losses : kLosses) {
        expect_gradient_like_twin(losses, 32, height, width, false);
        if (HasFailure()) return;
      }
    }
  }
}

TEST_F(GramMatrix, TurnsFeaturesIntoTheTwinsGradientForEveryNumberOfChannels) {
  for (const int channels : {16, 32, 48, 64}) {
    for (const int width : {17, 31, 33, 50}) {
      for (const Losses& losses : kLosses) {
        expect_gradient_like_twin(losses, channels, 2, width, false);
        expect_gradient_like_twin(losses, channels, 2, width, true);
        if (HasFailure()) return;
      }
    }
  }
}

// Sums over more than 128 channels are taken in parts, rows wider than 96 in strips.
TEST_F(GramMatrix, TurnsFeaturesOfManyChannelsOrWideRowsIntoTheTwinsGradient) {
  for (const auto& [channels, width] : {std::pair{144, 23}, {272, 9}, {16, 97}, {32, 205}}) {
    for (const Losses& losses : kLosses) {
      expect_gradient_like_twin(losses, channels, 2, width, false);
      expect_gradient_like_twin(losses, channels, 2, width, true);
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace limn
