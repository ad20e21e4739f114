// Half precision: rounding to it, back, and the gradient from features that were kept in it,
// against the slow twins.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <vector>

#include "kernels/kernels.h"
#include "kernels/pieces.h"
#include "kernels/reference.h"
#include "support/guarded_memory.h"
#include "support/random_values.h"
#include "support/simd_targets.h"
#include "support/tolerance.h"

namespace limn {
namespace {

constexpr std::uint16_t kInfinity = 0x7c00;  // the first pattern that is no number

// -0 is 0: some targets lose its sign.
std::uint16_t without_sign_of_zero(std::uint16_t half) { return half == 0x8000 ? 0 : half; }

class HalfPrecision : public testing::Test {
 protected:
  // Calls check(pool) on every target with 1 and 3 threads.
  template <typename Check>
  void in_every_way(Check&& check) {
    on_every_target([&] {
      check(one_thread_);
      if (!HasFailure()) check(three_threads_);
    });
  }

  // A map of one row and 16 channels that holds these values, and 0 behind them.
  static GuardedMap row_of(const std::vector<float>& values) {
    const size_t width = (values.size() + kBlock - 1) / kBlock;
    return GuardedMap(kBlock, 1, static_cast<int>(width), [&](int c, int, int x) {
      const size_t i = static_cast<size_t>(x) * kBlock + c;
      return i < values.size() ? values[i] : 0.0f;
    });
  }

  void expect_rounded_like_twin(const GuardedMap& F) {
    const ConstFeatureMap map = F;
    const GuardedHalves expected(map.channels, map.height, map.width);
    reference::round_to_half(F, expected.map());
    in_every_way([&](ThreadPool& pool) {
      const GuardedHalves half(map.channels, map.height, map.width);
      kernels::round_to_half(F, half.map(), pool);
      ASSERT_TRUE(half.guards_untouched());
      for (size_t i = 0; i < half.words().size(); ++i) {
        ASSERT_EQ(without_sign_of_zero(half.words()[i]), without_sign_of_zero(expected.words()[i]))
            << "at " << i << " of " << map.height << " x " << map.width;
      }
    });
  }

  GuardedMap random_map(int channels, int height, int width) {
    return GuardedMap(channels, height, width,
                      [&](int, int, int) { return random_signed(random_); });
  }
  std::vector<float> random_symmetric(size_t C) {
    std::vector<float> S(C * C);
    for (size_t i = 0; i < C; ++i) {
      for (size_t j = 0; j <= i; ++j) S[i * C + j] = S[j * C + i] = random_signed(random_);
    }
    return S;
  }

  void expect_gradient_like_twin(int channels, int height, int width) {
    SCOPED_TRACE(testing::Message() << channels << " channels, " << height << " x " << width);
    const GuardedMap F = random_map(channels, height, width);
    const GuardedHalves half(channels, height, width);
    reference::round_to_half(F, half.map());
    const std::vector<float> S = random_symmetric(channels);
    GuardedMap expected(channels, height, width);
    reference::gradient_from_half(half.map(), S, expected);

    // |S| |F|
    std::vector<float> absolute_S(S);
    for (float& s : absolute_S) s = std::abs(s);
    GuardedMap magnitude(channels, height, width);
    magnitude.fill([&](int c, int y, int x) { return std::abs(F.at(c, y, x)); });
    reference::turn_into_gradient(magnitude, absolute_S, 0, {});

    in_every_way([&](ThreadPool& pool) {
      GuardedMap gradient(channels, height, width);
      kernels::gradient_from_half(half.map(), window_of(gradient), S, gradient, pool);
      ASSERT_TRUE(gradient.written_inside_only());
      ASSERT_TRUE(half.guards_untouched());
      ASSERT_TRUE(
          near_values(gradient, expected, magnitude, kSumTolerance, channels, height, width));
    });
  }

  Random random_{11};
  ThreadPool one_thread_{1};
  ThreadPool three_threads_{3};
};

TEST_F(HalfPrecision, IsExactForEveryNumberThatItHas) {
  GuardedHalves half(kBlock, 2, kInfinity / kBlock);
  for (int y = 0; y < 2; ++y) {
    const std::uint16_t sign = y == 0 ? 0 : 0x8000;
    for (std::uint16_t i = 0; i < kInfinity; ++i) half.map().row(0, y)[i] = i | sign;
  }
  GuardedMap expected(kBlock, 2, kInfinity / kBlock);
  reference::expand_half(half.map(), expected);
  EXPECT_EQ(expected.at(1, 0, 0), 0x1p-24f);
  EXPECT_EQ(expected.at(0, 0, 0x3c00 / kBlock), 1.0f);
  EXPECT_EQ(expected.at(kBlock - 1, 1, kInfinity / kBlock - 1), -65504.0f);
  on_every_target([&] {
    GuardedMap F(kBlock, 2, kInfinity / kBlock);
    for (int y = 0; y < 2; ++y) kernels::expand_half_row(half.map(), y, F);
    ASSERT_TRUE(F.written_inside_only());
    ASSERT_TRUE(same_values(F, expected, kBlock, 2, kInfinity / kBlock));
    const GuardedHalves back(kBlock, 2, kInfinity / kBlock);
    kernels::round_to_half(F, back.map(), one_thread_);
    for (size_t i = 0; i < half.words().size(); ++i) {
      ASSERT_EQ(without_sign_of_zero(back.words()[i]), without_sign_of_zero(half.words()[i]));
    }
  });
}

// Between every two neighbours: the middle, which goes to the even one, and the floats beside it.
TEST_F(HalfPrecision, RoundsToTheNearestAndTiesToEven) {
  const GuardedHalves half(kBlock, 1, kInfinity / kBlock);
  for (std::uint16_t i = 0; i < kInfinity; ++i) half.map().row(0, 0)[i] = i;
  GuardedMap all(kBlock, 1, kInfinity / kBlock);
  reference::expand_half(half.map(), all);
  std::vector<float> values;
  for (int i = 0; i + 1 < kInfinity; ++i) {
    const float sign = i % 3 == 0 ? -1.0f : 1.0f;
    const float low = all.at(i % kBlock, 0, i / kBlock);
    const float high = all.at((i + 1) % kBlock, 0, (i + 1) / kBlock);
    const float middle = (low + high) / 2;  // exact
    for (const float value : {middle, std::nextafter(middle, low), std::nextafter(middle, high)}) {
      values.push_back(sign * value);
    }
  }
  expect_rounded_like_twin(row_of(values));
}

TEST_F(HalfPrecision, EndsAtItsLargestNumberAndAtZero) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float least = std::numeric_limits<float>::denorm_min();
  const std::vector<float> values = {65504, 65505, 65519, 65520,    1e30f,     infinity, -65520,
                                     -1e9f, 0,     least, 0x1p-25f, -0x1p-26f, -infinity};
  expect_rounded_like_twin(row_of(values));
  const GuardedMap F = row_of(values);
  const GuardedHalves half(kBlock, 1, 1);
  kernels::round_to_half(F, half.map(), one_thread_);
  EXPECT_EQ(half.words()[5], 0x7bff) << "65504, not infinity";
  EXPECT_EQ(half.words()[12], 0xfbff);
}

TEST_F(HalfPrecision, RoundsValuesOfAnySizeLikeTheTwin) {
  std::vector<float> values;
  for (int i = 0; i < 20'000; ++i) {
    values.push_back(
        std::ldexp(random_signed(random_), static_cast<int>(random_.bits() % 50) - 32));
  }
  expect_rounded_like_twin(row_of(values));
}

TEST_F(HalfPrecision, RoundsMapsOfEverySmallSizeLikeTheTwin) {
  for (int height = 1; height <= 4; ++height) {
    for (int width = 1; width <= 9; ++width) {
      expect_rounded_like_twin(random_map(48, height, width));
      if (HasFailure()) return;
    }
  }
}

TEST_F(HalfPrecision, GivesTheTwinsGradientAtEverySmallSize) {
  for (int height = 1; height <= 3; ++height) {
    for (int width = 1; width <= 14; ++width) {
      expect_gradient_like_twin(32, height, width);
      if (HasFailure()) return;
    }
  }
}

// Flat vectors, from starts that are not aligned, and of every length around a whole block.
TEST_F(HalfPrecision, RoundsAndExpandsPiecesLikeTheTwins) {
  for (const float factor : {1.0f, 0x1p-30f, 0x1p100f}) {
    on_every_target([&] {
      for (size_t n = 0; n <= 3 * kBlock + 1; ++n) {
        SCOPED_TRACE(testing::Message() << n << " values times " << factor);
        Guarded<float> x(n + 1), back(n + 1);
        Guarded<std::uint16_t> half(n + 1);
        std::vector<std::uint16_t> expected(n);
        std::vector<float> expected_back(n);
        for (size_t i = 0; i <= n; ++i) {
          x[i] = std::ldexp(random_signed(random_), static_cast<int>(random_.bits() % 40) - 28) /
                 factor;
        }
        const std::span<const float> values = std::span<const float>(x).subspan(1);
        kernels::round_to_half(values, factor, std::span<std::uint16_t>(half).subspan(1));
        reference::round_to_half(values, factor, expected);
        for (size_t i = 0; i < n; ++i) {
          ASSERT_EQ(without_sign_of_zero(half[i + 1]), without_sign_of_zero(expected[i])) << i;
        }
        kernels::expand_half(std::span<const std::uint16_t>(half).subspan(1), 1 / factor,
                             std::span<float>(back).subspan(1));
        reference::expand_half(expected, 1 / factor, expected_back);
        for (size_t i = 0; i < n; ++i) ASSERT_EQ(back[i + 1], expected_back[i]) << i;
        ASSERT_TRUE(half.guards_untouched());
        ASSERT_TRUE(back.guards_untouched());
        ASSERT_TRUE(is_sentinel(half[0]));
        ASSERT_TRUE(is_sentinel(back[0]));
      }
    });
  }
}

// Sums over more than 128 channels are taken in parts, rows wider than 96 in strips.
TEST_F(HalfPrecision, GivesTheTwinsGradientOfManyChannelsOrWideRows) {
  for (const auto& [channels, width] : {std::pair{144, 23}, {272, 9}, {16, 97}, {32, 205}}) {
    expect_gradient_like_twin(channels, 2, width);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace limn
