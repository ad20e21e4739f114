// Resampling: exact sizes, no shift, no dark borders, no bleeding, the same bytes every time.
#include <cmath>
#include <cstdlib>

#include "pictures.h"

namespace limn {
namespace {

struct Size {
  int width;
  int height;
};

// From large to small, small to large, both at once, primes, and the absurd.
const std::vector<std::pair<Size, Size>> kPairs = {
    {{100, 60}, {50, 30}},  {{100, 60}, {33, 17}},  {{97, 89}, {64, 64}},   {{64, 64}, {97, 89}},
    {{64, 64}, {100, 100}}, {{512, 16}, {517, 16}}, {{30, 200}, {200, 30}}, {{3, 3}, {5, 5}},
    {{5, 5}, {3, 3}},       {{2, 2}, {7, 7}},       {{1, 1}, {13, 8}},      {{13, 8}, {1, 1}},
    {{1, 50}, {50, 1}},     {{3000, 2}, {7, 90}},   {{2, 3000}, {90, 7}},   {{4000, 4}, {3, 4}},
    {{40000, 1}, {10, 2}},  {{8, 8}, {8, 9}},       {{100, 100}, {99, 101}}};

std::string name(const std::pair<Size, Size>& pair) {
  return std::to_string(pair.first.width) + "x" + std::to_string(pair.first.height) + " to " +
         std::to_string(pair.second.width) + "x" + std::to_string(pair.second.height);
}

float tint(int, int, int c) { return 0.25f + 0.3f * static_cast<float>(c); }

TEST(Resized, HasExactlyTheSizeAskedFor) {
  for (const int from : {1, 2, 3, 7, 16, 31, 100}) {
    const Image image = painted(from, from, tint);
    for (int to = 1; to <= 120; ++to) {
      const Image wide = resized(image, to, 5);
      ASSERT_EQ(wide.width, to) << from;
      ASSERT_EQ(wide.height, 5);
      ASSERT_EQ(wide.rgb.size(), static_cast<size_t>(15 * to));
    }
  }
  for (const auto& pair : kPairs) {
    const Image image = resized(painted(pair.first.width, pair.first.height, tint),
                                pair.second.width, pair.second.height);
    EXPECT_EQ(image.width, pair.second.width) << name(pair);
    EXPECT_EQ(image.height, pair.second.height) << name(pair);
    ASSERT_NO_FATAL_FAILURE(expect_sound(image)) << name(pair);
  }
}

TEST(Resized, LeavesAConstantPictureConstantUpToTheBorder) {
  for (const auto& pair : kPairs) {
    const Image image = resized(painted(pair.first.width, pair.first.height, tint),
                                pair.second.width, pair.second.height);
    for (int c = 0; c < 3; ++c)
      for (int y = 0; y < image.height; ++y)
        for (int x = 0; x < image.width; ++x)
          ASSERT_NEAR(at(image, x, y, c), tint(0, 0, c), 1e-6)
              << name(pair) << " " << x << " " << y;
  }
}

// How far off a resampler's positions may be, in old pixels. Enlarging computes the weights of each
// position. Shrinking takes them from a table of 64 positions to a pixel, and where a position
// falls between two, it rounds up on both sides of the middle: they differ by a whole step. A
// shrink beyond 32 shrinks by a box first, and then the table's pixels are the boxes.
double position_error(int from, int to) {
  return to < from ? std::max(1.0, from / 32.0 / to) / 64 : 1e-5;
}

// Lanczos's weights do not reproduce a slope exactly: their centre is off by up to 0.02 pixels near
// a scale of 1, and by less the more it shrinks.
double slope_error(int from, int to) {
  return position_error(from, to) / 2 + (to < from ? 0.02 : 0.0);
}

TEST(Resized, KeepsASymmetricPictureSymmetric) {
  for (const auto& pair : kPairs) {
    const auto [from, to] = pair;
    // A tent in both directions, of slope 2 / size; its colours differ.
    const Image image = resized(painted(from.width, from.height,
                                        [&, from = from](int x, int y, int c) {
                                          const float u = (x + 0.5f) / from.width * 2 - 1;
                                          const float v = (y + 0.5f) / from.height * 2 - 1;
                                          return (1 - std::abs(c == 1 ? v : u)) / (c + 1);
                                        }),
                                to.width, to.height);
    const double wide = 2.0 / from.width * position_error(from.width, to.width);
    const double high = 2.0 / from.height * position_error(from.height, to.height);
    const double tolerance = 2 * std::max(wide, high) + 1e-6;
    for (int y = 0; y < to.height; ++y) {
      for (int x = 0; x < to.width; ++x) {
        for (int c = 0; c < 3; ++c) {
          ASSERT_NEAR(at(image, x, y, c), at(image, to.width - 1 - x, y, c), tolerance)
              << name(pair) << " at " << x << " " << y;
          ASSERT_NEAR(at(image, x, y, c), at(image, x, to.height - 1 - y, c), tolerance)
              << name(pair) << " at " << x << " " << y;
        }
      }
    }
  }
}

TEST(Resized, KeepsARampWhereItWas) {
  for (const auto& [from, to] : std::vector<std::pair<int, int>>{{1000, 512},
                                                                 {1000, 333},
                                                                 {777, 100},
                                                                 {4000, 50},
                                                                 {100, 1000},
                                                                 {64, 100},
                                                                 {512, 517},
                                                                 {300, 299},
                                                                 {40, 41}}) {
    const auto ramp = [](int i, int n) { return (static_cast<float>(i) + 0.5f) / n; };
    const Image wide =
        resized(painted(from, 3, [&, n = from](int x, int, int) { return ramp(x, n); }), to, 3);
    const Image high =
        resized(painted(3, from, [&, n = from](int, int y, int) { return ramp(y, n); }), 3, to);
    // Away from the borders, where the ramp is continued by a constant: three lobes of Lanczos, or
    // two old pixels. An old pixel is 1 / from of the ramp.
    const int border = 4 + 3 * to / from;
    const double tolerance = slope_error(from, to) / from + 2e-6;
    for (int i = border; i < to - border; ++i) {
      ASSERT_NEAR(at(wide, i, 1, 0), ramp(i, to), tolerance) << from << " to " << to << " at " << i;
      ASSERT_NEAR(at(high, 1, i, 2), ramp(i, to), tolerance) << from << " to " << to << " at " << i;
    }
  }
}

TEST(Resized, PassesThroughTheOldPixelsWhenEnlarging) {
  // At three times the size every third pixel lies on an old one.
  const Image image = painted(10, 10, [](int x, int y, int c) {
    return static_cast<float>((7 * x + 13 * y + 5 * c) % 11) / 11.0f;
  });
  const Image three = resized(image, 30, 30);
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < 10; ++y)
      for (int x = 0; x < 10; ++x)
        ASSERT_NEAR(at(three, 3 * x + 1, 3 * y + 1, c), at(image, x, y, c), 1e-6);
}

TEST(Resized, AveragesFinePatternsWhenShrinking) {
  const Image board =
      painted(400, 400, [](int x, int y, int) { return static_cast<float>((x + y) % 2); });
  for (const int size : {200, 130, 97, 50, 5}) {
    const Image image = resized(board, size, size);
    for (int y = 3; y < size - 3; ++y)
      for (int x = 3; x < size - 3; ++x) ASSERT_NEAR(at(image, x, y, 0), 0.5f, 0.02) << size;
  }
  // Shrinking must not blur more than it has to: a stripe as wide as a new pixel survives.
  const Image stripes =
      painted(400, 8, [](int x, int, int) { return static_cast<float>(x / 8 % 2); });
  const Image image = resized(stripes, 100, 2);
  for (int x = 10; x < 90; ++x) EXPECT_NEAR(at(image, x, 1, 0), x / 2 % 2, 0.15) << x;
}

TEST(Resized, ClampsWhatTheKernelOvershoots) {
  const Image step =
      painted(64, 8, [](int x, int, int) { return x < 32 ? -3.0f : 4.0f; });  // an untidy picture
  for (const int width : {20, 63, 65, 200}) {
    const Image image = resized(step, width, 8);
    ASSERT_NO_FATAL_FAILURE(expect_sound(image)) << width;
    EXPECT_EQ(at(image, 0, 4, 0), 0.0f);
    EXPECT_EQ(at(image, width - 1, 4, 0), 1.0f);
  }
}

TEST(Resized, GivesTheSameBytesForTheSameSize) {
  Image image = painted(9, 7, [](int x, int y, int c) { return 0.01f * (x + 10 * y) - 0.3f * c; });
  image.alpha.assign(63, 0.5f);
  const Image same = resized(image, 9, 7);
  EXPECT_EQ(same.rgb, image.rgb);  // negative values and all: nothing was resampled
  EXPECT_EQ(same.alpha, image.alpha);
}

TEST(Resized, LetsNoColourOfTransparentPixelsShow) {
  // Opaque red on the left; on the right green that nobody was meant to see.
  Image image =
      painted(64, 64, [](int x, int, int c) { return (x < 32) == (c == 0) ? 1.0f : 0.0f; });
  for (int c = 2, i = 0; i < 64 * 64; ++i) image.rgb[static_cast<size_t>(c * 4096 + i)] = 0.0f;
  for (int i = 0; i < 64 * 64; ++i) image.alpha.push_back(i % 64 < 32 ? 1.0f : 0.0f);
  for (const int size : {21, 40, 63, 65, 100, 150}) {
    const Image out = resized(image, size, size);
    ASSERT_EQ(out.alpha.size(), static_cast<size_t>(size * size));
    ASSERT_NO_FATAL_FAILURE(expect_sound(out));
    EXPECT_NEAR(alpha_at(out, 0, size / 2), 1.0f, 1e-5) << size;
    EXPECT_NEAR(alpha_at(out, size - 1, size / 2), 0.0f, 1e-5) << size;
    for (int y = 0; y < size; ++y) {
      for (int x = 0; x < size; ++x) {
        const float alpha = alpha_at(out, x, y);
        // Nothing where there is nothing; next to nothing is not worth a check.
        const float red = alpha == 0.0f ? 0.0f : alpha < 1e-5f ? at(out, x, y, 0) : 1.0f;
        ASSERT_NEAR(at(out, x, y, 0), red, 1e-3) << size << " at " << x << " with alpha " << alpha;
        ASSERT_EQ(at(out, x, y, 1), 0.0f) << size;
      }
    }
  }
}

TEST(Resized, KeepsTheColoursOfASemiTransparentPicture) {
  Image image = painted(50, 40, tint);
  image.alpha.assign(2000, 0.3f);
  for (const auto& [width, height] : {std::pair{20, 20}, {80, 90}}) {
    const Image out = resized(image, width, height);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        ASSERT_NEAR(alpha_at(out, x, y), 0.3f, 1e-6);
        for (int c = 0; c < 3; ++c) ASSERT_NEAR(at(out, x, y, c), tint(0, 0, c), 2e-6);
      }
    }
  }
}

TEST(Resized, GivesTheSameBytesForAnyNumberOfThreads) {
  Image image = painted(700, 500, [sample = noise()](int, int, int) {
    return static_cast<float>(sample(0, 0, 0)) / 255.0f;
  });
  for (int i = 0; i < 700 * 500; ++i) image.alpha.push_back(static_cast<float>(i % 300) / 299.0f);
  const int threads = vips_concurrency_get();
  for (const auto& [width, height] : {std::pair{333, 222}, {900, 1001}, {300, 800}}) {
    vips_concurrency_set(1);
    const Image first = resized(image, width, height);
    for (const int count : {1, 2, 5}) {
      vips_concurrency_set(count);
      const Image again = resized(image, width, height);
      EXPECT_EQ(again.rgb, first.rgb) << count;
      EXPECT_EQ(again.alpha, first.alpha) << count;
    }
  }
  vips_concurrency_set(threads);
}

TEST(Resized, RefusesSizesAndPicturesThatMakeNoSense) {
  const Image image = painted(4, 4, tint);
  for (const auto& [width, height] : {std::pair{0, 5}, {5, 0}, {-1, 5}}) {
    const Error error = error_of([&, w = width, h = height] { resized(image, w, h); });
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_PRED2(contains, error.what(), std::to_string(width) + " x " + std::to_string(height));
  }
  Image torn = image;
  torn.rgb.pop_back();
  EXPECT_EQ(error_of([&] { resized(torn, 8, 8); }).kind(), ErrorKind::usage);
}

}  // namespace
}  // namespace limn
