// Windows of maps: cut out and put back, and what kernels compute of a window against the same of a
// map that is nothing else. All values are whole numbers, so that sums are exact in any order.
#include <gtest/gtest.h>

#include <vector>

#include "kernels/kernels.h"
#include "support/guarded_memory.h"
#include "support/map_of_values.h"
#include "support/random_values.h"
#include "support/simd_targets.h"

namespace limn {
namespace {

constexpr int kC = 32, kHeight = 11, kWidth = 37;
constexpr Window kWindows[] = {
    {0, kHeight, 0, kWidth}, {0, 1, 0, 1}, {2, 7, 5, 30}, {10, 11, 36, 37}, {0, 11, 3, 4}};

class Windows : public testing::TestWithParam<Window> {
 protected:
  GuardedMap drawn(int height, int width) {
    return GuardedMap(kC, height, width, [&](int, int, int) { return random_whole(random_, 3); });
  }
  static bool inside(int y, int x) {
    const Window window = GetParam();
    return y >= window.row && y < window.end_row && x >= window.column && x < window.end_column;
  }
  // The window by itself.
  MapOfValues alone(const GuardedMap& F) const {
    return {kC, window_.height(), window_.width(),
            [&](int c, int y, int x) { return F.at(c, window_.row + y, window_.column + x); }};
  }
  std::vector<float> symmetric() {
    std::vector<float> S(kC * kC);
    for (int i = 0; i < kC; ++i) {
      for (int j = 0; j <= i; ++j) S[i * kC + j] = S[j * kC + i] = random_whole(random_, 2);
    }
    return S;
  }
  // expected(c, y, x)
  template <typename Expected>
  static void expect_values(const GuardedMap& F, const Expected& expected) {
    ASSERT_TRUE(F.written_inside_only());
    for (int c = 0; c < kC; ++c) {
      for (int y = 0; y < kHeight; ++y) {
        for (int x = 0; x < kWidth; ++x) ASSERT_EQ(F.at(c, y, x), expected(c, y, x)) << y << x;
      }
    }
  }
  // `part` where the window is, 0 elsewhere.
  void expect_pasted(const GuardedMap& F, const MapOfValues& part) const {
    expect_values(F, [&](int c, int y, int x) {
      return inside(y, x) ? part.at(c, y - window_.row, x - window_.column) : 0;
    });
  }

  const Window window_ = GetParam();
  Random random_{3};
  ThreadPool pool_{2};
};

INSTANTIATE_TEST_SUITE_P(Of, Windows, testing::ValuesIn(kWindows));

TEST_P(Windows, AreCutOutAndPutBack) {
  const GuardedMap F = drawn(kHeight, kWidth);
  GuardedMap part(kC, window_.height(), window_.width());
  const FeatureMap map = part;
  std::fill_n(map.data, map.floats(), 7.0f);
  kernels::crop(F, window_, part, pool_);
  for (int c = 0; c < kC; ++c) {
    for (int y = -1; y <= window_.height(); ++y) {
      for (int x = -1; x <= window_.width(); ++x) {
        const bool ring = y < 0 || x < 0 || y == window_.height() || x == window_.width();
        ASSERT_EQ(map.at(c, y, x), ring ? 0 : F.at(c, window_.row + y, window_.column + x));
      }
    }
  }
  for (const float value : flat(map).subspan(map.row_stride() * (map.height + 2), 16)) {
    ASSERT_EQ(value, 0) << "after a plane";
  }
  GuardedMap sum(kC, kHeight, kWidth);  // whose surroundings nobody may touch
  sum.fill([&](int, int, int) { return random_whole(random_, 3); });
  const MapOfValues before(kC, kHeight, kWidth,
                           [&](int c, int y, int x) { return sum.at(c, y, x); });
  kernels::add_pasted(part, window_, sum, pool_);
  expect_values(sum, [&](int c, int y, int x) {
    return before.at(c, y, x) + (inside(y, x) ? F.at(c, y, x) : 0);
  });
  kernels::clear_outside(sum, window_, pool_);
  expect_values(sum, [&](int c, int y, int x) {
    return inside(y, x) ? before.at(c, y, x) + F.at(c, y, x) : 0;
  });
  MapOfValues pasted(kC, kHeight, kWidth, [](int, int, int) { return 5.0f; });
  kernels::paste(part, window_, pasted.map(), pool_);
  for (int c = 0; c < kC; ++c) {
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        ASSERT_EQ(pasted.at(c, y, x), inside(y, x) ? F.at(c, y, x) : 0);
      }
    }
  }
}

TEST_P(Windows, HaveTheirOwnGramMatrices) {
  const GuardedMap F = drawn(kHeight, kWidth);
  const MapOfValues part = alone(F);
  on_every_target([&] {
    std::vector<float> G(kC * kC), expected(kC * kC);
    Buffer<double> scratch(kernels::gram_scratch_size(F));
    kernels::gram(part.map(), expected, scratch, pool_);
    kernels::gram(F, window_, G, scratch, pool_);
    EXPECT_EQ(G, expected);
  });
}

TEST_P(Windows, TurnIntoTheirGradients) {
  const GuardedMap F = drawn(kHeight, kWidth);
  const std::vector<float> S = symmetric();
  on_every_target([&] {
    const MapOfValues expected = alone(F);
    kernels::turn_into_gradient(expected.map(), S, 0, {}, pool_);
    GuardedMap found(kC, kHeight, kWidth);
    found.fill([&](int c, int y, int x) { return F.at(c, y, x); });
    kernels::turn_into_gradient(found, window_, S, pool_);
    expect_pasted(found, expected);

    GuardedHalves half(kC, kHeight, kWidth);
    kernels::round_to_half(F, half.map(), pool_);
    GuardedMap from_half(kC, kHeight, kWidth);
    kernels::gradient_from_half(half.map(), window_, S, from_half, pool_);
    expect_pasted(from_half, expected);

    // What features are compared with may be a part of a larger map.
    const MapOfValues difference = alone(F);
    const MapOfValues P(kC, kHeight, kWidth,
                        [&](int c, int y, int x) { return F.at(c, y, x) + c; });
    kernels::turn_into_gradient(difference.map(), {}, 2,
                                seen_from(P.map(), window_.row, window_.column), pool_);
    for (int c = 0; c < kC; ++c) ASSERT_EQ(difference.at(c, 0, 0), -2 * c);
  });
}

}  // namespace
}  // namespace limn
