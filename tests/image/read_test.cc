// Reading good files: every depth, alpha, orientation and format, and none of it off by a shift, a
// turn or a rounding. (Colour spaces are in read_colour_test.cc.)

#include <cmath>
#include <set>
#include <thread>

#include "pictures.h"

namespace limn {
namespace {

using vips::VImage;

class ReadImage : public InAFolderOfPictures {};

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
  const Image deep =
      through(made<std::uint16_t>(256, 1, 1, VIPS_FORMAT_USHORT, VIPS_INTERPRETATION_GREY16,
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
  const VImage flag = made_rgb(30, 8, [](int x, int, int b) { return x / 10 == b ? 255 : 0; });
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
  const VImage rgba =
      made<std::uint8_t>(20, 2, 4, VIPS_FORMAT_UCHAR, VIPS_INTERPRETATION_sRGB, sample);
  for (const char* name : {"a.png", "a.tif"}) {
    const Image image = through(rgba, name);
    ASSERT_EQ(image.alpha.size(), 40u) << name;
    for (int x = 0; x < 20; ++x) {
      EXPECT_EQ(alpha_at(image, x, 1), static_cast<float>(10 * x) / 255.0f) << name;
      EXPECT_EQ(at(image, x, 1, 2), 198 / 255.0f) << name;
    }
  }
  const Image grey =
      through(made<std::uint16_t>(5, 1, 2, VIPS_FORMAT_USHORT, VIPS_INTERPRETATION_GREY16,
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

TEST_F(ReadImage, TurnsAPictureTooLongToKeepInAStream) {
  // Upside down: the first row wanted is the last one in the file.
  VImage stored = made_rgb(40, 4000, [](int x, int y, int b) { return (x + y / 20 + b) % 256; });
  stored.set(VIPS_META_ORIENTATION, 3);
  stored.write_to_file(path("a.jpg").c_str(), VImage::option()->set("Q", 100));
  const Image image = read_image(path("a.jpg"));
  ASSERT_EQ(image.height, 4000);
  for (const int y : {0, 1000, 3999})
    EXPECT_NEAR(at(image, 30, y, 1), static_cast<float>(9 + (3999 - y) / 20 + 1) / 255.0f, 0.02);
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
  for (const char* name : {"a.webp", "a.avif", "a.heic", "a.jxl"}) {
    if (!can_write(path(name))) continue;
    const Image image = through(plain, name, VImage::option()->set("Q", 95));
    ASSERT_EQ(image.width, 64) << name;
    ASSERT_EQ(image.height, 48) << name;
    double sum = 0;
    for (size_t i = 0; i < image.rgb.size(); ++i) sum += std::abs(image.rgb[i] - right.rgb[i]);
    EXPECT_LT(sum / static_cast<double>(image.rgb.size()), 2.0 / 255) << name;
  }
}

TEST_F(ReadImage, SpreadsTenBitHeifOverTheWholeRange) {
  if (!can_write(path("deep.heic"))) GTEST_SKIP() << "no encoder for HEIC";
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
  for (const char* name :
       {"p[page=1].png", "p.png[shrink=2]", "100%s.png", "été 夜.png", "noending"})
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
