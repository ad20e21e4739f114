// Reading colours: what the samples of each colour space become in sRGB, with profiles and without.
#include <cmath>

#include "pictures.h"
#include "profile.h"

namespace limn {
namespace {

using vips::VImage;

class ReadColours : public InAFolderOfPictures {};

VImage with_profile(const VImage& image, const std::string& profile) {
  VImage copy = image.copy();
  vips_image_set_blob_copy(copy.get_image(), VIPS_META_ICC_NAME, profile.data(), profile.size());
  return copy;
}

float encoded(double light) {
  return static_cast<float>(light <= 0.0031308 ? 12.92 * light
                                               : 1.055 * std::pow(light, 1 / 2.4) - 0.055);
}

TEST_F(ReadColours, ConvertsAWideGamutProfileToSrgb) {
  const VImage srgb = made<std::uint16_t>(8, 8, 3, VIPS_FORMAT_USHORT, VIPS_INTERPRETATION_RGB16,
                                          [](int x, int y, int b) {
                                            return 20000 + 4000 * (b == 0 ? x : b == 1 ? y : 7 - x);
                                          });
  const VImage p3 = srgb.icc_transform("p3", VImage::option()->set("depth", 16));
  const auto* stored = static_cast<const std::uint16_t*>(p3.data());
  const Image image = through(p3, "p3.png");
  float worst = 0;
  float without = 0;  // the same had the profile been ignored
  for (int y = 0; y < 8; ++y) {
    for (int x = 0; x < 8; ++x) {
      for (int c = 0; c < 3; ++c) {
        const float right = static_cast<float>(20000 + 4000 * (c == 0   ? x
                                                               : c == 1 ? y
                                                                        : 7 - x)) /
                            65535.0f;
        worst = std::max(worst, std::abs(at(image, x, y, c) - right));
        without = std::max(without, std::abs(stored[(y * 8 + x) * 3 + c] / 65535.0f - right));
      }
    }
  }
  EXPECT_LT(worst, 0.5f / 255);
  EXPECT_GT(without, 5.0f / 255);
}

TEST_F(ReadColours, FollowsTheCurveOfAGreyProfile) {
  const VImage grey = made_grey(256, 1, [](int x, int, int) { return x; });
  const Image image = through(with_profile(grey, grey_profile(1.8)), "grey.tif");
  // A step and a half of 8 bits: near black the profile library's tables are no finer. Ignoring the
  // profile would be wrong by 18 steps in the middle.
  for (int x = 0; x < 256; ++x)
    for (int c = 0; c < 3; ++c)
      ASSERT_NEAR(at(image, x, 0, c), encoded(std::pow(x / 255.0, 461.0 / 256)), 1.5 / 255) << x;
}

TEST_F(ReadColours, LeavesSamplesAloneThatAreTaggedAsSrgb) {
  const VImage plain =
      made_rgb(64, 64, [](int x, int y, int b) { return (4 * x + y + 80 * b) % 256; });
  const Image bare = through(plain, "bare.png");
  EXPECT_EQ(through(with_profile(plain, rgb_profile(srgb_curve_tag())), "srgb.png").rgb, bare.rgb);
  // The same primaries with another curve are no sRGB: the dark end differs by several steps.
  EXPECT_NE(through(with_profile(plain, rgb_profile(gamma_tag(2.2))), "2.2.png").rgb, bare.rgb);
  const Image linear = through(with_profile(plain, rgb_profile(gamma_tag(1.0))), "linear.png");
  EXPECT_NEAR(at(linear, 12, 0, 0), encoded(48 / 255.0), 1.0 / 255);
}

TEST_F(ReadColours, IgnoresAProfileThatIsBrokenOrOfAnotherKindOfPicture) {
  const VImage plain = made_rgb(4, 4, [](int x, int y, int b) { return 60 * x + 10 * y + b; });
  const Image bare = through(plain, "bare.png");
  std::string broken = rgb_profile(gamma_tag(1.0));
  broken.resize(200);
  for (const std::string& profile :
       {std::string("rubbish"), std::string(500, 'x'), broken, grey_profile(1.0)}) {
    EXPECT_EQ(through(with_profile(plain, profile), "odd.tif").rgb, bare.rgb);
  }
}

TEST_F(ReadColours, ConvertsInkWithAndWithoutAProfile) {
  // Colours that CMYK can print, so that the way there and back changes little.
  const VImage srgb = made_rgb(32, 32, [](int x, int y, int b) {
    return b == 0 ? 90 + 3 * x : b == 1 ? 100 + 2 * y : 120;
  });
  const VImage ink =
      srgb.icc_transform("cmyk", VImage::option()->set("black_point_compensation", true));
  ASSERT_EQ(ink.bands(), 4);
  VImage bare = ink.copy();
  bare.remove(VIPS_META_ICC_NAME);
  for (const auto& [image, name] :
       {std::pair{ink, "ink.tif"}, {bare, "bare.tif"}, {ink, "ink.jpg"}, {bare, "bare.jpg"}}) {
    const Image read = through(image, name, nullptr);
    ASSERT_EQ(read.width, 32);
    EXPECT_TRUE(read.alpha.empty()) << name;
    for (const int i : {4, 16, 28}) {
      // Eight bits of ink, and JPEG: a few steps.
      EXPECT_NEAR(at(read, i, i, 0), (90 + 3 * i) / 255.0f, 6.0 / 255) << name;
      EXPECT_NEAR(at(read, i, i, 1), (100 + 2 * i) / 255.0f, 6.0 / 255) << name;
      EXPECT_NEAR(at(read, i, i, 2), 120 / 255.0f, 6.0 / 255) << name;
    }
  }
}

TEST_F(ReadColours, KeepsAlphaApartFromTheColoursThatAProfileChanges) {
  // The colours come out of the profile in 16 bits, the alpha stays in its 8.
  const VImage rgba = made<std::uint8_t>(10, 1, 4, VIPS_FORMAT_UCHAR, VIPS_INTERPRETATION_sRGB,
                                         [](int x, int, int b) { return b == 3 ? 20 * x : 100; });
  const Image image = through(with_profile(rgba, rgb_profile(gamma_tag(1.0))), "a.png");
  ASSERT_EQ(image.alpha.size(), 10u);
  for (int x = 0; x < 10; ++x) {
    EXPECT_EQ(alpha_at(image, x, 0), static_cast<float>(20 * x) / 255.0f);
    EXPECT_NEAR(at(image, x, 0, 1), encoded(100 / 255.0), 0.5 / 255);
  }
}

TEST_F(ReadColours, ConvertsLabOfEveryDepth) {
  const VImage lab = made_rgb(8, 8, [](int x, int y, int b) {
                       return b == 0 ? 60 + 20 * x : b == 1 ? 80 + 15 * y : 100;
                     }).colourspace(VIPS_INTERPRETATION_LAB);
  // A step of a or b moves blue by up to three steps of 8 bits, so that 8 bits of Lab are coarse.
  const std::vector<std::pair<VImage, double>> depths = {
      {lab, 0.6 / 255},                                         // floats
      {lab.colourspace(VIPS_INTERPRETATION_LABS), 0.6 / 255},   // 16 bits
      {lab.colourspace(VIPS_INTERPRETATION_LABQ), 6.0 / 255}};  // 8 bits
  for (const auto& [image, tolerance] : depths) {
    const Image read = through(image, "lab.tif");
    for (int y = 0; y < 8; ++y) {
      for (int x = 0; x < 8; ++x) {
        EXPECT_NEAR(at(read, x, y, 0), (60 + 20 * x) / 255.0f, tolerance);
        EXPECT_NEAR(at(read, x, y, 1), (80 + 15 * y) / 255.0f, tolerance);
        EXPECT_NEAR(at(read, x, y, 2), 100 / 255.0f, tolerance);
      }
    }
  }
}

TEST_F(ReadColours, EncodesLinearFloats) {
  const std::vector<std::pair<float, float>> pairs = {
      {0.0f, 0.0f}, {0.001f, 0.01292f}, {0.18f, encoded(0.18)}, {0.5f, encoded(0.5)},
      {1.0f, 1.0f}, {-1.0f, 0.0f},      {1e-40f, 0.0f}};
  const auto sample = [&](int x, int, int b) { return b == 3 ? 0.25f : pairs[x].first; };
  for (const int bands : {1, 3, 4}) {
    const Image image = through(
        made<float>(static_cast<int>(pairs.size()), 1, bands, VIPS_FORMAT_FLOAT,
                    bands == 1 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_scRGB, sample),
        "light.tif");
    ASSERT_NO_FATAL_FAILURE(expect_sound(image));
    for (size_t i = 0; i < pairs.size(); ++i)
      for (int c = 0; c < 3; ++c)
        EXPECT_NEAR(at(image, static_cast<int>(i), 0, c), pairs[i].second, 1e-6)
            << pairs[i].first << " in " << bands << " bands";
    ASSERT_EQ(image.alpha.empty(), bands != 4);
    if (bands == 4) {
      EXPECT_EQ(image.alpha[2], 0.25f);
    }
  }
}

TEST_F(ReadColours, ScalesIntegersOf32Bits) {
  const Image image =
      through(made<std::uint32_t>(3, 1, 3, VIPS_FORMAT_UINT, VIPS_INTERPRETATION_sRGB,
                                  [](int x, int, int) { return x * 2147483647.0; }),
              "wide.tif");
  EXPECT_EQ(at(image, 0, 0, 1), 0.0f);
  EXPECT_NEAR(at(image, 1, 0, 1), 0.5f, 1e-6);
  EXPECT_NEAR(at(image, 2, 0, 1), 1.0f, 1e-6);
}

}  // namespace
}  // namespace limn
