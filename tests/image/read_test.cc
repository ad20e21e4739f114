// Reading good files: what each kind of sample becomes, and that none of it is off by a shift, a
// turn or a rounding.
#include <sys/stat.h>

#include <cmath>
#include <limits>
#include <set>
#include <thread>

#include "pictures.h"
#include "profile.h"

namespace limn {
namespace {

using vips::VImage;

class ReadImage : public InAFolder {
 protected:
  // The image as `name`, read by limn.
  Image through(const VImage& image, const std::string& name, vips::VOption* options = nullptr) {
    image.write_to_file(path(name).c_str(), options);
    return read_image(path(name));
  }
};

VImage with_profile(const VImage& image, const std::string& profile) {
  VImage copy = image.copy();
  vips_image_set_blob_copy(copy.get_image(), VIPS_META_ICC_NAME, profile.data(), profile.size());
  return copy;
}

float encoded(double light) {
  return static_cast<float>(light <= 0.0031308 ? 12.92 * light
                                               : 1.055 * std::pow(light, 1 / 2.4) - 0.055);
}

TEST_F(ReadImage, GivesBytesDividedBy255InPlanes) {
  const Image image = through(
      made_rgb(256, 3, [](int x, int y, int b) { return (x + 50 * y + 100 * b) % 256; }), "a.png");
  ASSERT_EQ(image.width, 256);
  ASSERT_EQ(image.height, 3);
  EXPECT_TRUE(image.alpha.empty());
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < 3; ++y)
      for (int x = 0; x < 256; ++x)
        ASSERT_EQ(at(image, x, y, c), ((x + 50 * y + 100 * c) % 256) / 255.0f);
}

TEST_F(ReadImage, KeepsThePrecisionOf16Bits) {
  const VImage deep = made<std::uint16_t>(4096, 2, 3, VIPS_FORMAT_USHORT, VIPS_INTERPRETATION_RGB16,
                                          [](int x, int, int b) { return 16 * x + b; });
  for (const char* name : {"a.png", "a.tif"}) {
    const Image image = through(deep, name);
    std::set<float> levels(image.rgb.begin(), image.rgb.begin() + 4096);
    EXPECT_EQ(levels.size(), 4096u) << name;
    for (int x = 0; x < 4096; ++x)
      ASSERT_EQ(at(image, x, 1, 2), static_cast<float>(16 * x + 2) / 65535.0f) << name;
  }
}

TEST_F(ReadImage, MakesGreyOf8And16BitsToEqualRgb) {
  const Image shallow = through(made_grey(256, 1, [](int x, int, int) { return x; }), "8.png");
  const Image deep = through(
      made<std::uint16_t>(256, 1, 1, VIPS_FORMAT_USHORT, VIPS_INTERPRETATION_GREY16,
                          [](int x, int, int) { return 250 * x; }),
      "16.png");
  for (int x = 0; x < 256; ++x) {
    for (int c = 0; c < 3; ++c) {
      ASSERT_EQ(at(shallow, x, 0, c), x / 255.0f);
      ASSERT_EQ(at(deep, x, 0, c), static_cast<float>(250 * x) / 65535.0f);
    }
  }
}

TEST_F(ReadImage, UnpacksOneBitAndPaletteFiles) {
  const VImage stripes = made_grey(20, 2, [](int x, int, int) { return x % 2 * 255; });
  const Image png = through(stripes, "bits.png", VImage::option()->set("bitdepth", 1));
  const Image tif = through(stripes, "bits.tif", VImage::option()->set("bitdepth", 1));
  for (int x = 0; x < 20; ++x) {
    EXPECT_EQ(at(png, x, 0, 1), static_cast<float>(x % 2));
    EXPECT_EQ(at(tif, x, 0, 1), static_cast<float>(x % 2));
  }
  const VImage flag =
      made_rgb(30, 8, [](int x, int, int b) { return x / 10 == b ? 255 : 0; });
  const Image palette = through(flag, "flag.png", VImage::option()->set("palette", true));
  const Image gif = through(flag, "flag.gif");
  for (int x = 0; x < 30; ++x) {
    for (int c = 0; c < 3; ++c) {
      EXPECT_EQ(at(palette, x, 3, c), x / 10 == c ? 1.0f : 0.0f);
      EXPECT_EQ(at(gif, x, 3, c), x / 10 == c ? 1.0f : 0.0f);
    }
  }
}

TEST_F(ReadImage, KeepsStraightAlphaInItsOwnUnits) {
  const auto sample = [](int x, int, int b) { return b == 3 ? 10 * x : 200 - b; };
  const VImage rgba = made<std::uint8_t>(20, 2, 4, VIPS_FORMAT_UCHAR, VIPS_INTERPRETATION_sRGB,
                                         sample);
  for (const char* name : {"a.png", "a.tif"}) {
    const Image image = through(rgba, name);
    ASSERT_EQ(image.alpha.size(), 40u) << name;
    for (int x = 0; x < 20; ++x) {
      EXPECT_EQ(alpha_at(image, x, 1), static_cast<float>(10 * x) / 255.0f) << name;
      EXPECT_EQ(at(image, x, 1, 2), 198 / 255.0f) << name;
    }
  }
  const Image grey = through(
      made<std::uint16_t>(5, 1, 2, VIPS_FORMAT_USHORT, VIPS_INTERPRETATION_GREY16,
                          [](int x, int, int b) { return b == 1 ? 1000 * x : 7; }),
      "grey.png");
  ASSERT_EQ(grey.alpha.size(), 5u);
  EXPECT_EQ(grey.alpha[4], 4000 / 65535.0f);
  EXPECT_EQ(grey.rgb[14], 7 / 65535.0f);
}

TEST_F(ReadImage, DropsAnAlphaThatIsOpaqueEverywhere) {
  const auto reads = [&](int last) {
    return through(made<std::uint8_t>(4, 4, 4, VIPS_FORMAT_UCHAR, VIPS_INTERPRETATION_sRGB,
                                      [&](int x, int y, int b) {
                                        return b == 3 && x == 3 && y == 3 ? last : 255;
                                      }),
                   "a.png");
  };
  EXPECT_TRUE(reads(255).alpha.empty());
  EXPECT_EQ(reads(254).alpha.size(), 16u);
}

// The EXIF orientations by their definition: which stored pixel stands at (x, y) of the upright
// picture of w x h.
std::pair<int, int> stored_at(int orientation, int x, int y, int w, int h) {
  switch (orientation) {
    case 2:
      return {w - 1 - x, y};
    case 3:
      return {w - 1 - x, h - 1 - y};
    case 4:
      return {x, h - 1 - y};
    case 5:
      return {y, x};
    case 6:
      return {y, w - 1 - x};
    case 7:
      return {h - 1 - y, w - 1 - x};
    case 8:
      return {h - 1 - y, x};
    default:
      return {x, y};
  }
}

TEST_F(ReadImage, AppliesAllEightOrientations) {
  for (int orientation = 1; orientation <= 8; ++orientation) {
    VImage stored = made_rgb(5, 3, [](int x, int y, int b) { return 50 * x + 10 * y + b; });
    stored.set(VIPS_META_ORIENTATION, orientation);
    const Image image = through(stored, "a.tif");
    ASSERT_EQ(image.width, orientation < 5 ? 5 : 3) << orientation;
    ASSERT_EQ(image.height, orientation < 5 ? 3 : 5) << orientation;
    for (int y = 0; y < image.height; ++y) {
      for (int x = 0; x < image.width; ++x) {
        const auto [sx, sy] = stored_at(orientation, x, y, image.width, image.height);
        ASSERT_EQ(at(image, x, y, 2), static_cast<float>(50 * sx + 10 * sy + 2) / 255.0f)
            << orientation;
      }
    }
  }
}

TEST_F(ReadImage, TurnsJpegPngAndWebpByTheirExif) {
  // Stored lying: left half white. Orientation 6 (turn clockwise) puts the left on top.
  VImage stored = made_rgb(64, 32, [](int x, int, int) { return x < 32 ? 255 : 0; });
  stored.set(VIPS_META_ORIENTATION, 6);
  stored.write_to_file(path("a.jpg").c_str());
  const VImage with_exif = VImage::new_from_file(path("a.jpg").c_str());
  with_exif.write_to_file(path("a.png").c_str());
  with_exif.write_to_file(path("a.webp").c_str());
  for (const char* name : {"a.jpg", "a.png", "a.webp"}) {
    const Image image = read_image(path(name));
    ASSERT_EQ(image.width, 32) << name;
    ASSERT_EQ(image.height, 64) << name;
    EXPECT_GT(at(image, 16, 8, 0), 0.98f) << name;
    EXPECT_LT(at(image, 16, 56, 0), 0.02f) << name;
  }
}

TEST_F(ReadImage, ConvertsAWideGamutProfileToSrgb) {
  const VImage srgb = made<std::uint16_t>(
      8, 8, 3, VIPS_FORMAT_USHORT, VIPS_INTERPRETATION_RGB16,
      [](int x, int y, int b) { return 20000 + 4000 * (b == 0 ? x : b == 1 ? y : 7 - x); });
  const VImage p3 = srgb.icc_transform("p3", VImage::option()->set("depth", 16));
  const auto* stored = static_cast<const std::uint16_t*>(p3.data());
  const Image image = through(p3, "p3.png");
  float worst = 0;
  float without = 0;  // the same had the profile been ignored
  for (int y = 0; y < 8; ++y) {
    for (int x = 0; x < 8; ++x) {
      for (int c = 0; c < 3; ++c) {
        const float right =
            static_cast<float>(20000 + 4000 * (c == 0 ? x : c == 1 ? y : 7 - x)) / 65535.0f;
        worst = std::max(worst, std::abs(at(image, x, y, c) - right));
        without = std::max(without, std::abs(stored[(y * 8 + x) * 3 + c] / 65535.0f - right));
      }
    }
  }
  EXPECT_LT(worst, 0.5f / 255);
  EXPECT_GT(without, 5.0f / 255);
}

TEST_F(ReadImage, FollowsTheCurveOfAGreyProfile) {
  const VImage grey = made_grey(256, 1, [](int x, int, int) { return x; });
  const Image image = through(with_profile(grey, grey_profile(1.8)), "grey.tif");
  // One step of 8 bits: near black the profile library's tables are no finer. Ignoring the profile
  // would be wrong by 30 steps in the middle.
  for (int x = 0; x < 256; ++x)
    for (int c = 0; c < 3; ++c)
      ASSERT_NEAR(at(image, x, 0, c), encoded(std::pow(x / 255.0, 461.0 / 256)), 1.0 / 255) << x;
}

TEST_F(ReadImage, LeavesSamplesAloneThatAreTaggedAsSrgb) {
  const VImage plain =
      made_rgb(64, 64, [](int x, int y, int b) { return (4 * x + y + 80 * b) % 256; });
  const Image bare = through(plain, "bare.png");
  EXPECT_EQ(through(with_profile(plain, rgb_profile(srgb_curve_tag())), "srgb.png").rgb, bare.rgb);
  // The same primaries with another curve are no sRGB: the dark end differs by several steps.
  EXPECT_NE(through(with_profile(plain, rgb_profile(gamma_tag(2.2))), "2.2.png").rgb, bare.rgb);
  const Image linear = through(with_profile(plain, rgb_profile(gamma_tag(1.0))), "linear.png");
  EXPECT_NEAR(at(linear, 12, 0, 0), encoded(48 / 255.0), 1.0 / 255);
}

TEST_F(ReadImage, IgnoresAProfileThatIsBrokenOrOfAnotherKindOfPicture) {
  const VImage plain = made_rgb(4, 4, [](int x, int y, int b) { return 60 * x + 10 * y + b; });
  const Image bare = through(plain, "bare.png");
  std::string broken = rgb_profile(gamma_tag(1.0));
  broken.resize(200);
  for (const std::string& profile :
       {std::string("rubbish"), std::string(500, 'x'), broken, grey_profile(1.0)}) {
    EXPECT_EQ(through(with_profile(plain, profile), "odd.tif").rgb, bare.rgb);
  }
}

TEST_F(ReadImage, ConvertsInkWithAndWithoutAProfile) {
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

TEST_F(ReadImage, ConvertsLabOfEveryDepth) {
  const VImage lab = made_rgb(8, 8, [](int x, int y, int b) {
                       return b == 0 ? 60 + 20 * x : b == 1 ? 80 + 15 * y : 100;
                     }).colourspace(VIPS_INTERPRETATION_LAB);
  // A step of a or b moves blue by up to three steps of 8 bits, so that 8 bits of Lab are coarse.
  const std::vector<std::pair<VImage, double>> depths = {
      {lab, 0.6 / 255},                                        // floats
      {lab.colourspace(VIPS_INTERPRETATION_LABS), 0.6 / 255},  // 16 bits
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

TEST_F(ReadImage, EncodesLinearFloatsAndLetsNothingUnfiniteOut) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::vector<std::pair<float, float>> pairs = {
      {0.0f, 0.0f},       {0.001f, 0.01292f},  {0.18f, encoded(0.18)}, {0.5f, encoded(0.5)},
      {1.0f, 1.0f},       {3.0f, 1.0f},        {-1.0f, 0.0f},          {std::nanf(""), 0.0f},
      {kInfinity, 0.0f},  {-kInfinity, 0.0f},  {1e-40f, 0.0f}};
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

TEST_F(ReadImage, ScalesIntegersOf32Bits) {
  const Image image = through(made<std::uint32_t>(3, 1, 3, VIPS_FORMAT_UINT,
                                                  VIPS_INTERPRETATION_sRGB,
                                                  [](int x, int, int) { return x * 2147483647.0; }),
                              "wide.tif");
  EXPECT_EQ(at(image, 0, 0, 1), 0.0f);
  EXPECT_NEAR(at(image, 1, 0, 1), 0.5f, 1e-6);
  EXPECT_NEAR(at(image, 2, 0, 1), 1.0f, 1e-6);
}

TEST_F(ReadImage, TakesTheFirstPageOfSeveral) {
  VImage pages = made_rgb(16, 32, [](int, int y, int b) { return y < 16 ? 255 * (b == 0) : 90; });
  pages.set(VIPS_META_PAGE_HEIGHT, 16);
  for (const char* name : {"pages.tif", "pages.gif", "pages.webp"}) {
    const Image image = through(pages, name);
    EXPECT_EQ(image.height, 16) << name;
    EXPECT_NEAR(at(image, 8, 8, 0), 1.0f, 0.02) << name;
    EXPECT_NEAR(at(image, 8, 8, 1), 0.0f, 0.02) << name;
  }
}

TEST_F(ReadImage, ReadsTheNewerFormatsWhereTheirLibrariesAre) {
  const VImage plain = made_rgb(64, 48, [](int x, int y, int b) { return 2 * x + y + 30 * b; });
  const Image right = through(plain, "right.png");
  for (const auto& [loader, name] : {std::pair{"webpload", "a.webp"},
                                     {"heifload", "a.avif"},
                                     {"heifload", "a.heic"},
                                     {"jxlload", "a.jxl"}}) {
    if (vips_type_find("VipsForeignLoad", loader) == 0) continue;
    const Image image = through(plain, name, VImage::option()->set("Q", 95));
    ASSERT_EQ(image.width, 64) << name;
    ASSERT_EQ(image.height, 48) << name;
    double sum = 0;
    for (size_t i = 0; i < image.rgb.size(); ++i) sum += std::abs(image.rgb[i] - right.rgb[i]);
    EXPECT_LT(sum / static_cast<double>(image.rgb.size()), 2.0 / 255) << name;
  }
}

TEST_F(ReadImage, SpreadsTenBitHeifOverTheWholeRange) {
  if (vips_type_find("VipsForeignSave", "heifsave") == 0) GTEST_SKIP() << "no libheif";
  const VImage deep = made<std::uint16_t>(64, 64, 3, VIPS_FORMAT_USHORT, VIPS_INTERPRETATION_RGB16,
                                          [](int x, int, int) { return 1000 * x; });
  const Image image = through(deep, "deep.heic",
                              VImage::option()
                                  ->set("bitdepth", 10)
                                  ->set("subsample_mode", VIPS_FOREIGN_SUBSAMPLE_ON)
                                  ->set("Q", 95)
                                  ->set("compression", VIPS_FOREIGN_HEIF_COMPRESSION_HEVC));
  for (const int x : {8, 32, 56})
    EXPECT_NEAR(at(image, x, 32, 1), 1000.0f * static_cast<float>(x) / 65535.0f, 0.01);
}

TEST_F(ReadImage, TakesNamesLiterally) {
  // libvips would read "[...]" as options, and "p[page=1].png" as a missing "p".
  const VImage plain = made_rgb(3, 2, [](int, int, int) { return 9; });
  const std::string bytes = [&] {
    plain.write_to_file(path("plain.png").c_str());
    return file_bytes(path("plain.png"));
  }();
  for (const char* name : {"p[page=1].png", "p.png[shrink=2]", "100%s.png", "été 夜.png", "noending"})
    EXPECT_EQ(read_image(with_bytes(path(name), bytes)).width, 3) << name;
}

TEST_F(ReadImage, GoesByContentAndNotByEnding) {
  const VImage plain = made_rgb(3, 2, [](int, int, int) { return 9; });
  plain.write_to_file(path("a.png").c_str());
  std::filesystem::rename(path("a.png"), path("a.jpg"));
  EXPECT_EQ(read_image(path("a.jpg")).width, 3);
}

TEST_F(ReadImage, FollowsALinkToAFile) {
  made_rgb(3, 2, [](int, int, int) { return 9; }).write_to_file(path("a.png").c_str());
  std::filesystem::create_symlink(path("a.png"), path("link.png"));
  EXPECT_EQ(read_image(path("link.png")).height, 2);
}

TEST_F(ReadImage, GivesTheSameOnSeveralThreadsAtOnce) {
  std::vector<Image> alone;
  for (int i = 0; i < 4; ++i) {
    const std::string name = std::to_string(i) + (i % 2 == 0 ? ".jpg" : ".png");
    alone.push_back(through(
        made_rgb(300 + i, 200, [&](int x, int y, int b) { return (x * (i + 1) + y + b) % 256; }),
        name));
  }
  std::vector<std::thread> threads;
  std::vector<int> same(4, 0);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 5; ++round) {
        const std::string name = std::to_string(i) + (i % 2 == 0 ? ".jpg" : ".png");
        same[static_cast<size_t>(i)] += read_image(path(name)).rgb == alone[i].rgb;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(same, std::vector<int>(4, 5));
}

}  // namespace
}  // namespace limn
