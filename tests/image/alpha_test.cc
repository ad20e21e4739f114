// What of a picture can be seen, and what takes the place of the rest.
#include "image/alpha.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/drawn.h"
#include "support/errors.h"
#include "support/masks.h"
#include "support/same_bits.h"

namespace limn {
namespace {

constexpr int kWidth = 45, kHeight = 31;

// Opaque inside an ellipse, transparent outside it, where its colours are these.
Image cut_out(Image image, float hidden) {
  const size_t pixels = image.rgb.size() / 3;
  for (size_t i = 0; i < pixels; ++i) {
    const double x = (i % image.width + 0.5) / image.width - 0.5;
    const double y = (i / image.width + 0.5) / image.height - 0.5;
    image.alpha.push_back(x * x + y * y < 0.1 ? 1.0f : 0.0f);
    for (size_t c = 0; c < 3 && image.alpha[i] == 0; ++c) image.rgb[c * pixels + i] = hidden;
  }
  return image;
}

Image plain(float value) {
  return {kWidth, kHeight, std::vector<float>(size_t{3} * kWidth * kHeight, value), {}};
}

TEST(Filled, AnOpaquePictureStaysAsItIs) {
  const Image image = smooth_picture(kWidth, kHeight, 1);
  EXPECT_TRUE(same_bits(filled(image).rgb, image.rgb));
}

TEST(Filled, WhatIsSeenStaysAndWhatIsHiddenMakesNoDifference) {
  const Image image = smooth_picture(kWidth, kHeight, 1);
  const Image black = filled(cut_out(image, 0)), white = filled(cut_out(image, 1));
  EXPECT_TRUE(same_bits(black.rgb, white.rgb));
  EXPECT_TRUE(same_bits(black.alpha, cut_out(image, 0).alpha));
  for (size_t i = 0; i < image.rgb.size(); ++i) {
    if (black.alpha[i % black.alpha.size()] == 1) ASSERT_EQ(black.rgb[i], image.rgb[i]);
  }
}

TEST(Filled, OneColourGoesOnEverywhere) {
  for (const float value : filled(cut_out(plain(0.75f), 0)).rgb) ASSERT_NEAR(value, 0.75f, 1e-6f);
}

// Two halves that are seen at the left and right edge: between them the colours go over into each
// other and never beyond either.
TEST(Filled, ColoursGoOnSmoothly) {
  Image image = plain(0);
  for (size_t i = 0; i < image.rgb.size(); ++i) {
    image.rgb[i] = static_cast<int>(i % kWidth) < kWidth / 2 ? 0.2f : 0.8f;
  }
  image.alpha.assign(size_t{kWidth} * kHeight, 0);
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < 5; ++x) {
      image.alpha[y * kWidth + x] = image.alpha[y * kWidth + kWidth - 1 - x] = 1;
    }
  }
  const Image whole = filled(image);
  const auto [least, most] = std::ranges::minmax(whole.rgb);
  EXPECT_GE(least, 0.2f - 1e-6f);
  EXPECT_LE(most, 0.8f + 1e-6f);
  for (size_t i = 1; i < whole.rgb.size(); ++i) {
    if (i % kWidth != 0) ASSERT_LT(std::abs(whole.rgb[i] - whole.rgb[i - 1]), 0.2f) << i;
  }
}

TEST(Filled, OneVisiblePixelIsEnoughAndNoneChangesNothing) {
  Image image = plain(0);
  image.alpha.assign(size_t{kWidth} * kHeight, 0);
  EXPECT_TRUE(same_bits(filled(image).rgb, image.rgb));
  EXPECT_FALSE(is_visible(image));
  image.alpha[kWidth + 7] = 0.01f;
  for (size_t c = 0; c < 3; ++c) image.rgb[c * image.alpha.size() + kWidth + 7] = 0.5f;
  EXPECT_TRUE(is_visible(image));
  for (const float value : filled(image).rgb) ASSERT_NEAR(value, 0.5f, 1e-5f);
}

TEST(Filled, APictureThatIsTornIsRefused) {
  Image image = plain(0);
  image.alpha.assign(3, 1);
  EXPECT_TRUE(says(error_of([&] { filled(image); }), ErrorKind::usage, "3 alpha values"));
}

TEST(LayOn, ShowsWhatIsBehind) {
  Image picture = plain(0.8f);
  picture.alpha.assign(size_t{kWidth} * kHeight, 0.25f);
  lay_on(picture, plain(0.4f));
  EXPECT_TRUE(picture.alpha.empty());
  for (const float value : picture.rgb) ASSERT_FLOAT_EQ(value, 0.5f);
}

TEST(Both, MasksMultiplyInTheFirstOnesSize) {
  const Mask left = halves(4, 2, 1, 0.5f);
  EXPECT_TRUE(both({}, {}).empty());
  EXPECT_EQ(both(left, {}).values, left.values);
  EXPECT_EQ(both({}, left).values, left.values);
  const std::vector<float> product = {0.5f, 0.5f, 0, 0, 0.5f, 0.5f, 0, 0};
  EXPECT_EQ(both(left, halves(4, 2, 0.5f, 0)).values, product);
  EXPECT_EQ(both(left, halves(8, 4, 0.5f, 0)).values, product);
}

}  // namespace
}  // namespace limn
