// The periods of pictures that are known to repeat, or not to.
#include "image/period.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/random.h"

namespace limn {
namespace {

// value(y, x), with some noise.
template <typename Value>
Image picture_of(int width, int height, double noise, const Value& value) {
  Image picture = {width, height, {}, {}};
  for (std::uint64_t c = 0; c < 3; ++c) {
    Random random(c + 1);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const double sum = value(y, x) + noise * (random.uniform() - 0.5);
        picture.rgb.push_back(static_cast<float>(sum));
      }
    }
  }
  return picture;
}

double wave(double place, double period) { return std::sin(2 * std::numbers::pi * place / period); }

// Bricks, every other course half a brick further.
double brick(int y, int x, int length, int height) {
  const int course = y / height;
  const int along = (x + course % 2 * length / 2) % length;
  return along < 3 || y % height < 3 ? 0.8 : 0.3;
}

TEST(Period, IsThatOfWavesAndOfBricks) {
  const Periods waves = periods_of(picture_of(
      200, 160, 0.3, [](int y, int x) { return 0.5 + 0.2 * wave(x, 25) + 0.2 * wave(y, 31); }));
  EXPECT_NEAR(waves.across, 25, 1);
  EXPECT_NEAR(waves.down, 31, 1);
  const Periods bricks =
      periods_of(picture_of(240, 200, 0.2, [](int y, int x) { return brick(y, x, 40, 15); }));
  EXPECT_EQ(bricks.across, 40);
  EXPECT_EQ(bricks.down, 30) << "two courses";
}

TEST(Period, OfALargePictureIsInItsOwnPixels) {
  const Periods bricks =
      periods_of(picture_of(1400, 700, 0.2, [](int y, int x) { return brick(y, x, 200, 60); }));
  EXPECT_NEAR(bricks.across, 200, 2);
  EXPECT_NEAR(bricks.down, 120, 2);
}

TEST(Period, IsNoneWhereNothingRepeats) {
  const auto none = [](const Image& picture) {
    const Periods periods = periods_of(picture);
    return periods.across == 0 && periods.down == 0;
  };
  EXPECT_TRUE(none(picture_of(128, 128, 1, [](int, int) { return 0.5; })));
  EXPECT_TRUE(none(picture_of(64, 64, 0, [](int, int) { return 0.5; })));
  EXPECT_TRUE(none(picture_of(5, 3, 1, [](int, int) { return 0.5; })));
  EXPECT_TRUE(none(picture_of(1, 1, 0, [](int, int) { return 0.5; })));
  // In one direction only.
  const Periods stripes =
      periods_of(picture_of(128, 128, 0.2, [](int, int x) { return x % 16 < 8 ? 0.2 : 0.8; }));
  EXPECT_EQ(stripes.across, 16);
  EXPECT_EQ(stripes.down, 0);
}

}  // namespace
}  // namespace limn
