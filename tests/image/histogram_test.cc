// Pictures with others' histograms.
#include "image/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/errors.h"
#include "support/random_values.h"

namespace limn {
namespace {

constexpr int kSide = 64;
constexpr size_t kPlane = size_t{kSide} * kSide;

Image random_picture(std::uint64_t seed, float power) {
  Image picture = {kSide, kSide, random_values(3 * kPlane, seed), {}};
  for (float& value : picture.rgb) value = std::pow(std::abs(value), power);
  return picture;
}

std::vector<float> sorted_plane(const Image& picture, size_t c) {
  std::vector<float> plane(picture.rgb.begin() + static_cast<std::ptrdiff_t>(c * kPlane),
                           picture.rgb.begin() + static_cast<std::ptrdiff_t>((c + 1) * kPlane));
  std::ranges::sort(plane);
  return plane;
}

PaletteSource source_of(const Image& painting) { return {&painting, nullptr, 1}; }

TEST(Histogram, OfTheResultIsThePaintings) {
  const Image painting = random_picture(1, 3), picture = random_picture(2, 0.5);
  const std::vector<PaletteSource> sources = {source_of(painting)};
  const Image result = with_histogram(picture, histogram_of(sources));
  for (size_t c = 0; c < 3; ++c) {
    const std::vector<float> expected = sorted_plane(painting, c), found = sorted_plane(result, c);
    for (size_t i = 0; i < kPlane; ++i) ASSERT_NEAR(found[i], expected[i], 1e-3) << i;
  }
}

// So what is symmetric or repeats still does.
TEST(Histogram, ComesByAnIncreasingMapOfEachChannel) {
  const Image painting = random_picture(1, 2);
  Image picture = random_picture(2, 1);
  for (size_t i = 1; i < 3 * kPlane; i += 5) picture.rgb[i] = picture.rgb[i - 1];
  const std::vector<PaletteSource> sources = {source_of(painting)};
  const Image result = with_histogram(picture, histogram_of(sources));
  for (size_t c = 0; c < 3; ++c) {
    for (size_t i = c * kPlane + 1; i < (c + 1) * kPlane; ++i) {
      if (picture.rgb[i] == picture.rgb[i - 1]) {
        ASSERT_EQ(result.rgb[i], result.rgb[i - 1]);
      } else {
        ASSERT_EQ(picture.rgb[i] < picture.rgb[i - 1], result.rgb[i] < result.rgb[i - 1]);
      }
    }
  }
}

TEST(Histogram, CountsPaintingsByTheirSharesAndMasks) {
  Image black = {kSide, kSide, std::vector<float>(3 * kPlane, 0.0f), {}};
  const Image white = {1, 1, std::vector<float>(3, 1.0f), {}};
  // A painting of one pixel counts as much as a large one.
  const std::vector<PaletteSource> sources = {{&black, nullptr, 0.25}, {&white, nullptr, 0.75}};
  const ColourHistograms histogram = histogram_of(sources);
  const auto dark = std::ranges::count(histogram.quantiles[0], 0.0f);
  EXPECT_NEAR(static_cast<double>(dark) / static_cast<double>(histogram.quantiles[0].size()), 0.25,
              1e-3);
  // A mask that is white on the right half.
  for (size_t i = 0; i < 3 * kPlane; ++i) {
    if (i % kSide >= kSide / 2) black.rgb[i] = 0.5f;
  }
  Mask right = {kSide, kSide, std::vector<float>(kPlane)};
  for (size_t i = 0; i < kPlane; ++i) right.values[i] = i % kSide >= kSide / 2 ? 1.0f : 0.0f;
  const std::vector<PaletteSource> masked = {{&black, &right, 1}};
  const ColourHistograms on_the_right = histogram_of(masked);
  for (const float value : on_the_right.quantiles[2]) ASSERT_EQ(value, 0.5f);
}

TEST(Histogram, OfNothingChangesNothing) {
  const Image picture = random_picture(3, 1);
  EXPECT_EQ(with_histogram(picture, histogram_of({})).rgb, picture.rgb);
}

}  // namespace
}  // namespace limn
