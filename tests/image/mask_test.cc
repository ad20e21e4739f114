// Masks: from pictures, of other sizes, and refused.
#include "image/mask.h"

#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "pictures.h"

namespace limn {
namespace {

Mask made_mask(int width, int height, const std::function<float(int, int)>& value) {
  Mask mask{width, height, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) mask.values.push_back(value(x, y));
  return mask;
}

float at(const Mask& mask, int x, int y) {
  return mask.values[static_cast<size_t>(y) * mask.width + x];
}

double mean_of(const Mask& mask) {
  return std::accumulate(mask.values.begin(), mask.values.end(), 0.0) / mask.values.size();
}

// Values without a pattern, in 0..1.
Mask uneven(int width, int height) {
  return made_mask(width, height, [sample = noise()](int, int) {
    return static_cast<float>(sample(0, 0, 0) / 255);
  });
}

class ReadMask : public InAFolderOfPictures {};

TEST_F(ReadMask, IsTheMeanOfTheColours) {
  Image image =
      painted(3, 2, [](int x, int y, int c) { return ((x + 3 * y) * 15 + 6 * c) / 255.0f; });
  write_image(image, path("a.png"));
  const Mask mask = read_mask(path("a.png"));
  EXPECT_EQ(mask.width, 3);
  EXPECT_EQ(mask.height, 2);
  ASSERT_EQ(mask.values.size(), 6u);
  for (int i = 0; i < 6; ++i) EXPECT_NEAR(mask.values[i], (i * 15 + 6) / 255.0, 1e-6) << i;
}

TEST_F(ReadMask, CountsWhatIsTransparentAsOutside) {
  Image image = painted(4, 1, [](int, int, int) { return 1.0f; });
  image.alpha = {0.0f, 0.2f, 0.6f, 1.0f};
  write_image(image, path("a.png"));
  const Mask mask = read_mask(path("a.png"));
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(mask.values[i], image.alpha[i], 1e-6) << i;
}

TEST_F(ReadMask, OfAnyPictureIsSound) {
  write_image(painted(16, 16, [](int, int, int) { return 1.0f; }), path("white.png"));
  check_shape(read_mask(path("white.png")));
  EXPECT_EQ(mean_of(read_mask(path("white.png"))), 1.0);
  EXPECT_EQ(error_of([&] { read_mask(path("none.png")); }).kind(), ErrorKind::file);
  const Error error = error_of([&] { read_mask(path("white.png"), {.max_pixels = 255}); });
  EXPECT_EQ(error.kind(), ErrorKind::resources);
}

TEST_F(ReadMask, ShrinksLikeResizedMasks) {
  Image image =
      painted(64, 48, [](int x, int y, int) { return (x / 3 + y / 5) % 2 ? 0.9f : 0.1f; });
  for (int i = 0; i < 64 * 48; ++i) image.alpha.push_back(i % 64 < 40 ? 1.0f : 0.3f);
  for (const char* name : {"a.png", "a.webp", "a.jpg"}) {
    write_image(image, path(name));
    const Mask whole = read_mask(path(name));
    for (const auto& [width, height] : {std::pair{20, 11}, {64, 5}, {1, 1}, {9, 48}, {99, 7}}) {
      const Mask small = read_mask(path(name), {.width = width, .height = height});
      const Mask right = resized(whole, std::min(width, 64), std::min(height, 48));
      ASSERT_EQ(small.width, right.width) << name;
      ASSERT_EQ(small.height, right.height) << name;
      for (size_t i = 0; i < right.values.size(); ++i)
        ASSERT_NEAR(small.values[i], right.values[i], 1e-6) << name << " at " << i;
    }
  }
}

TEST_F(ReadMask, IsTurnedByExif) {
  vips::VImage lying = made_grey(40, 20, [](int x, int, int) { return x < 20 ? 255 : 0; });
  lying.set(VIPS_META_ORIENTATION, 6);
  lying.write_to_file(path("a.tif").c_str());
  for (const int height : {40, 10}) {
    const Mask mask = read_mask(path("a.tif"), {.width = 20, .height = height});
    ASSERT_EQ(mask.width, 20);
    ASSERT_EQ(mask.height, height);
    EXPECT_EQ(at(mask, 10, 0), 1.0f);
    EXPECT_EQ(at(mask, 10, height - 1), 0.0f);
  }
}

TEST_F(ReadMask, RefusesColours) {
  const auto refuses = [&](const Image& image, const ReadOptions& options = {}) {
    write_image(image, path("m.png"));
    const Error error = error_of([&] { read_mask(path("m.png"), options); });
    EXPECT_EQ(error.kind(), ErrorKind::file);
    EXPECT_PRED2(
        contains, error.what(),
        fmt::format("'{}' has colours, but a mask must be grey: white inside, black outside; "
                    "make one black-and-white mask for each PAINTING",
                    path("m.png")));
  };
  const auto striped = [](int coloured) {
    return painted(100, 10, [&](int x, int y, int c) {
      return x + 100 * y < coloured ? (c == 0 ? 1.0f : 0.0f) : (x < 50 ? 1.0f : 0.0f);
    });
  };
  refuses(striped(1000));
  refuses(striped(11), {.width = 5, .height = 1});
  write_image(striped(10), path("m.png"));  // somebody's mark: 1 %
  read_mask(path("m.png"));
  Image unseen = striped(1000);  // colours of transparent pixels mean nothing
  unseen.alpha.assign(1000, 0.0f);
  write_image(unseen, path("m.png"));
  EXPECT_EQ(mean_of(read_mask(path("m.png"))), 0.0);
}

TEST_F(ReadMask, ToleratesTheTintsOfJpeg) {
  const Image mask = painted(
      96, 96, [](int x, int y, int) { return std::hypot(x - 48, y - 48) < 30 ? 1.0f : 0.0f; });
  write_image(mask, path("m.jpg"), {.quality = 30});
  EXPECT_NEAR(mean_of(read_mask(path("m.jpg"))), 3.1416 * 30 * 30 / (96 * 96), 0.02);
}

TEST(CheckMask, RefusesWhatMakesNoSense) {
  const auto refuses = [](const Mask& mask, const std::string& cause) {
    const Error error = error_of([&] { check_shape(mask); });
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_PRED2(contains, error.what(), cause);
  };
  refuses({}, "0 x 0 pixels has no pixels");
  refuses({-2, -2, std::vector<float>(4)}, "-2 x -2");
  refuses({3, 2, std::vector<float>(5)}, "5 values instead of 6");
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float value : {-0.01f, 1.01f, std::nanf(""), kInfinity, -kInfinity}) {
    Mask mask{3, 2, std::vector<float>(6, 0.5f)};
    mask.values[4] = value;
    refuses(mask, "at 1, 1 is " + fmt::format("{}", value));
    EXPECT_EQ(error_of([&] { resized(mask, 7, 7); }).kind(), ErrorKind::usage);
  }
  check_shape({1, 2, {0.0f, 1.0f}});
  for (const auto& [width, height] : {std::pair{0, 5}, {5, -1}}) {
    const Error error = error_of([&, w = width, h = height] { resized(uneven(3, 3), w, h); });
    EXPECT_EQ(error.kind(), ErrorKind::usage);
  }
}

TEST(ResizedMask, IsTheMeanOverEachNewPixelWhenShrinking) {
  const Mask mask = uneven(23, 17);
  for (const auto& [width, height] : {std::pair{23, 5}, {1, 1}, {7, 17}, {10, 16}, {22, 3}}) {
    const Mask small = resized(mask, width, height);
    ASSERT_EQ(small.values.size(), static_cast<size_t>(width) * height);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        // In parts of which width x height go into an old pixel, and 23 x 17 into a new one.
        double sum = 0;
        for (int v = y * 17; v < (y + 1) * 17; ++v)
          for (int u = x * 23; u < (x + 1) * 23; ++u) sum += at(mask, u / width, v / height);
        ASSERT_NEAR(at(small, x, y), sum / (17 * 23), 1e-6) << width << " x " << height;
      }
    }
    EXPECT_NEAR(mean_of(small), mean_of(mask), 1e-6);  // the region's share of the picture
  }
}

TEST(ResizedMask, IsLinearBetweenOldPixelsWhenEnlarging) {
  const Mask mask = made_mask(2, 2, [](int x, int y) { return 0.6f * x + 0.3f * y; });
  const Mask large = resized(mask, 8, 6);
  for (int y = 0; y < 6; ++y) {
    for (int x = 0; x < 8; ++x) {
      const double u = std::clamp((x + 0.5) / 4 - 0.5, 0.0, 1.0);
      const double v = std::clamp((y + 0.5) / 3 - 0.5, 0.0, 1.0);
      EXPECT_NEAR(at(large, x, y), 0.6 * u + 0.3 * v, 1e-6) << x << " " << y;
    }
  }
}

TEST(ResizedMask, LeavesNoEchoOfAnEdge) {
  const Mask edge = made_mask(64, 8, [](int x, int) { return x < 32 ? 0.25f : 0.75f; });
  for (const int width : {1, 5, 20, 63, 65, 200}) {
    const Mask out = resized(edge, width, 5);
    for (int x = 0; x < width; ++x) {
      ASSERT_GE(at(out, x, 2), x == 0 ? 0.25f : at(out, x - 1, 2)) << width;
      ASSERT_LE(at(out, x, 2), 0.75f) << width;
    }
  }
}

TEST(ResizedMask, KeepsAllAndNothingAsTheyAre) {
  for (const float value : {0.0f, 1.0f}) {
    const Mask mask = made_mask(13, 7, [&](int, int) { return value; });
    for (const auto& [width, height] : {std::pair{5, 5}, {50, 3}, {1, 40}, {13, 8}})
      for (const float v : resized(mask, width, height).values) ASSERT_EQ(v, value);
  }
  const Mask mask = uneven(13, 7);
  EXPECT_EQ(resized(mask, 13, 7).values, mask.values);
  EXPECT_TRUE(resized(Mask{}, 13, 7).empty());
}

TEST(MaskGrown, SelectsWhatIsNear) {
  Mask mask = {7, 5, std::vector<float>(35)};
  mask.values[2 * 7 + 1] = 0.5f;
  mask.values[4 * 7 + 6] = 1;
  for (const int pixels : {0, 1, 2, 9}) {
    const Mask found = grown(mask, pixels);
    for (int y = 0; y < 5; ++y) {
      for (int x = 0; x < 7; ++x) {
        const bool by_first = std::max(std::abs(y - 2), std::abs(x - 1)) <= pixels;
        const bool by_second = std::max(std::abs(y - 4), std::abs(x - 6)) <= pixels;
        EXPECT_EQ(found.values[static_cast<size_t>(y) * 7 + x], by_second  ? 1.0f
                                                                : by_first ? 0.5f
                                                                           : 0.0f)
            << pixels << " at " << x << ", " << y;
      }
    }
  }
  EXPECT_TRUE(grown(Mask(), 3).empty());
}

}  // namespace
}  // namespace limn
