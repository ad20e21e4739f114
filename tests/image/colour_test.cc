// Pictures with the colours of others: the statistics promised, and no surprise where there is
// little to be measured.
#include "image/colour.h"

#include <cmath>
#include <random>

#include "image/oklab.h"
#include "image/transport.h"
#include "measured_spread.h"
#include "pictures.h"

namespace limn {
namespace {

// A picture whose colours are spread around `mean` by `scale`, channels more or less together.
Image cloud(int width, int height, std::array<float, 3> mean, float scale, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  Image image = painted(width, height, [&](int, int, int c) { return mean[c]; });
  const size_t pixels = image.rgb.size() / 3;
  for (size_t i = 0; i < pixels; ++i) {
    const float shared = uniform(random);
    for (size_t c = 0; c < 3; ++c)
      image.rgb[c * pixels + i] += scale * (0.6f * shared + 0.4f * uniform(random));
  }
  return image;
}

// The picture, half transparent, and below it as many pixels of rubbish that nobody can see.
Image with_hidden_rubbish(const Image& image) {
  Image wide = painted(image.width, 2 * image.height, [&](int x, int y, int c) {
    return y < image.height ? at(image, x, y, c) : (x % 2 == 0 ? 1.0f : 0.0f);
  });
  for (int y = 0; y < wide.height; ++y)
    for (int x = 0; x < wide.width; ++x) wide.alpha.push_back(y < image.height ? 0.5f : 0.0f);
  return wide;
}

Image top_half(const Image& wide) {
  return painted(wide.width, wide.height / 2,
                 [&](int x, int y, int c) { return at(wide, x, y, c); });
}

float largest_difference(const Image& one, const Image& other) {
  float largest = 0;
  for (size_t i = 0; i < one.rgb.size(); ++i)
    largest = std::max(largest, std::abs(one.rgb[i] - other.rgb[i]));
  return largest;
}

const Image kPainting = cloud(60, 40, {0.6f, 0.4f, 0.3f}, 0.2f, 1);
const Image kPhoto = cloud(50, 50, {0.35f, 0.45f, 0.55f}, 0.3f, 2);

TEST(LightnessOf, IsAGreyThatIsAsLight) {
  Image image = kPainting;
  image.alpha.assign(2400, 0.3f);
  const Image grey = lightness_of(image);
  EXPECT_EQ(grey.alpha, image.alpha);
  for (int y = 0; y < 40; ++y) {
    for (int x = 0; x < 60; ++x) {
      ASSERT_EQ(at(grey, x, y, 0), at(grey, x, y, 1));
      ASSERT_EQ(at(grey, x, y, 0), at(grey, x, y, 2));
      ASSERT_NEAR(colour_at(grey, x, y).L, colour_at(image, x, y).L, 1e-5);
    }
  }
  // Not the mean of the channels: of the three, green is lightest by far.
  const Image three = lightness_of(painted(3, 1, [](int x, int, int c) { return x == c; }));
  EXPECT_GT(at(three, 1, 0, 0), at(three, 0, 0, 0) + 0.2f);
  EXPECT_GT(at(three, 0, 0, 0), at(three, 2, 0, 0) + 0.1f);
}

TEST(LightnessMatched, HasThePhotosMeanAndDeviation) {
  const Image out = lightness_matched(kPainting, kPhoto);
  const Spread right = measured(kPhoto);
  const Spread found = measured(out);
  ASSERT_GT(std::abs(measured(kPainting).mean[0] - right.mean[0]), 0.01);
  EXPECT_NEAR(found.mean[0], right.mean[0], 1e-4);
  EXPECT_NEAR(std::sqrt(found.covariance[0][0]), std::sqrt(right.covariance[0][0]), 1e-3);
  for (size_t i = 0; i < 2400; ++i) ASSERT_EQ(out.rgb[i], out.rgb[4800 + i]);
  // Lighter stays lighter.
  for (int x = 1; x < 60; ++x) {
    const bool lighter = colour_at(kPainting, x, 0).L > colour_at(kPainting, x - 1, 0).L;
    EXPECT_EQ(at(out, x, 0, 0) > at(out, x - 1, 0, 0), lighter) << x;
  }
}

TEST(WithColoursOf, JoinsLightnessAndColours) {
  // Nearly all of these are colours that sRGB has.
  const Image photo = cloud(60, 40, {0.5f, 0.5f, 0.6f}, 0.1f, 3);
  Image painted = cloud(60, 40, {0.55f, 0.5f, 0.45f}, 0.2f, 4);
  painted.alpha.assign(2400, 0.7f);
  const Image out = with_colours_of(painted, photo);
  EXPECT_EQ(out.alpha, painted.alpha);
  for (int y = 0; y < 40; ++y) {
    for (int x = 0; x < 60; ++x) {
      ASSERT_NEAR(colour_at(out, x, y).L, colour_at(painted, x, y).L, 1e-4);
      ASSERT_NEAR(colour_at(out, x, y).a, colour_at(photo, x, y).a, 1e-4);
      ASSERT_NEAR(colour_at(out, x, y).b, colour_at(photo, x, y).b, 1e-4);
    }
  }
}

TEST(WithColoursOf, KeepsLightnessWhereColoursDoNotFit) {
  const Image greys = painted(64, 4, [](int x, int, int) { return static_cast<float>(x) / 63; });
  const Image vivid = painted(64, 4, [](int, int y, int c) { return y == c || (y == 3 && c < 2); });
  const Image out = with_colours_of(greys, vivid);
  ASSERT_NO_FATAL_FAILURE(expect_sound(out));
  for (int y = 0; y < 4; ++y)
    for (int x = 0; x < 64; ++x)
      ASSERT_NEAR(grey_of(colour_at(out, x, y).L), at(greys, x, y, 0), 5e-4) << x << " " << y;
}

TEST(WithColoursOf, ResizesThePhoto) {
  const Image photo = painted(7, 9, [](int, int, int c) { return 0.3f + 0.1f * c; });
  const Image out = with_colours_of(kPainting, photo);
  EXPECT_EQ(out.width, 60);
  EXPECT_EQ(out.height, 40);
  EXPECT_NEAR(colour_at(out, 20, 30).a, colour_at(photo, 0, 0).a, 1e-4);
}

TEST(ColoursMatched, HasThePhotosMeanAndCovariance) {
  const Image out = colours_matched(kPainting, kPhoto);
  ASSERT_NO_FATAL_FAILURE(expect_sound(out));
  const Spread right = measured(kPhoto);
  const Spread found = measured(out);
  for (int p = 0; p < 3; ++p) {
    EXPECT_NEAR(found.mean[p], right.mean[p], 1e-3);
    for (int q = 0; q < 3; ++q) {
      const double scale = std::sqrt(right.covariance[p][p] * right.covariance[q][q]);
      EXPECT_NEAR(found.covariance[p][q], right.covariance[p][q], 0.02 * scale) << p << q;
    }
  }
}

TEST(ColoursMatched, LeavesAPictureAsItIsForItself) {
  EXPECT_LT(largest_difference(colours_matched(kPhoto, kPhoto), kPhoto), 1e-4f);
  EXPECT_LT(largest_difference(lightness_matched(kPhoto, kPhoto), lightness_of(kPhoto)), 1e-4f);
}

TEST(ColoursMatched, CountsNothingThatIsTransparent) {
  for (const auto match : {colours_matched, lightness_matched}) {
    const Image right = match(kPainting, kPhoto);
    EXPECT_LT(largest_difference(match(kPainting, with_hidden_rubbish(kPhoto)), right), 1e-5f);
    const Image wide = with_hidden_rubbish(kPainting);
    const Image out = match(wide, kPhoto);
    EXPECT_EQ(out.alpha, wide.alpha);
    EXPECT_LT(largest_difference(top_half(out), right), 1e-5f);
  }
  // With nothing to be seen there is nothing to match.
  Image hidden = kPhoto;
  hidden.alpha.assign(2500, 0.0f);
  EXPECT_EQ(colours_matched(kPainting, hidden).rgb, kPainting.rgb);
  EXPECT_EQ(colours_matched(hidden, kPainting).rgb, hidden.rgb);
  EXPECT_EQ(lightness_matched(kPainting, hidden).rgb, lightness_of(kPainting).rgb);
}

TEST(ColoursMatched, StretchesGrainNoMoreThanFourfold) {
  // One 8-bit step of grain, in greys: all the colour there is comes from the mean.
  const Image flat = painted(64, 64, [](int x, int y, int) {
    return 0.5f + static_cast<float>((x * 7 + y * 3) % 2) / 255;
  });
  const Image constant = painted(8, 8, [](int, int, int) { return 0.5f; });
  const Spread photo = measured(kPhoto);
  for (const Image& painting : {flat, constant}) {
    const Image out = colours_matched(painting, kPhoto);
    ASSERT_NO_FATAL_FAILURE(expect_sound(out));
    const Spread found = measured(out);
    const double least = std::sqrt(measured(painting).covariance[0][0]);
    for (int p = 0; p < 3; ++p) {
      EXPECT_NEAR(found.mean[p], photo.mean[p], 1e-3);
      EXPECT_LT(std::sqrt(found.covariance[p][p]), 4.1 * least + 1e-5);
    }
    const Spread grey = measured(lightness_matched(painting, kPhoto));
    EXPECT_NEAR(grey.mean[0], photo.mean[0], 1e-3);
    EXPECT_LT(std::sqrt(grey.covariance[0][0]), 4.1 * least + 1e-5);
  }
}

TEST(ColoursMatched, WithAGreyOrFlatPhotoIsGreyOrFlat) {
  const Image grey = colours_matched(kPainting, lightness_of(kPhoto));
  const Spread right = measured(kPhoto);
  const Spread found = measured(grey);
  EXPECT_NEAR(found.mean[0], right.mean[0], 1e-3);
  EXPECT_NEAR(found.covariance[0][0], right.covariance[0][0], 0.02 * right.covariance[0][0]);
  for (int p = 1; p < 3; ++p) {
    EXPECT_NEAR(found.mean[p], 0, 1e-4);
    EXPECT_LT(std::sqrt(found.covariance[p][p]), 1.5e-3);
  }
  const Image flat =
      colours_matched(kPainting, painted(3, 3, [](int, int, int c) { return 0.3f + 0.2f * c; }));
  for (int c = 0; c < 3; ++c)
    for (int x = 0; x < 60; ++x) ASSERT_NEAR(at(flat, x, 7, c), 0.3f + 0.2f * c, 0.01f);
}

TEST(ColoursMatched, StaysInRangeWhereTheMapDoesNot) {
  // A few highlights on a dark ground, stretched to a photo of black and white halves.
  const Image painting = painted(40, 40, [](int x, int y, int c) {
    return x % 10 == 0 && y % 10 == 0 ? 0.9f : 0.3f + 0.002f * static_cast<float>(x + c);
  });
  const Image photo = painted(40, 40, [](int x, int, int) { return x < 20 ? 0.0f : 1.0f; });
  for (const auto match : {colours_matched, lightness_matched}) {
    const Image out = match(painting, photo);
    ASSERT_NO_FATAL_FAILURE(expect_sound(out));
    EXPECT_NEAR(at(out, 0, 0, 1), 1.0f, 1e-3);
  }
}

TEST(Colours, OfTornPicturesAreRefused) {
  Image torn = kPhoto;
  torn.rgb.pop_back();
  for (const auto match : {colours_matched, lightness_matched}) {
    EXPECT_EQ(error_of([&] { match(torn, kPhoto); }).kind(), ErrorKind::usage);
    EXPECT_EQ(error_of([&] { match(kPhoto, torn); }).kind(), ErrorKind::usage);
  }
  EXPECT_EQ(error_of([&] { with_colours_of(torn, kPhoto); }).kind(), ErrorKind::usage);
  EXPECT_EQ(error_of([&] { with_colours_of(kPhoto, torn); }).kind(), ErrorKind::usage);
  EXPECT_EQ(error_of([&] { lightness_of(torn); }).kind(), ErrorKind::usage);
}

}  // namespace
}  // namespace limn
