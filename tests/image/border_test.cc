// Borders of mirror images, and without them again.
#include "image/border.h"

#include <cstdlib>

#include "pictures.h"

namespace limn {
namespace {

// Every value is another one.
Image numbered(int width, int height, bool transparent) {
  Image image = painted(width, height, [&](int x, int y, int c) {
    return static_cast<float>((c * height + y) * width + x);
  });
  if (transparent)
    for (int i = 0; i < width * height; ++i) image.alpha.push_back(-1.0f - static_cast<float>(i));
  return image;
}

// Where a ball is that started at 0 and rolled i steps between two walls.
int bounced(int i, int size) {
  int place = 0;
  int step = 1;  // at 0 a ball can roll one way only, whichever way it was sent
  for (int k = 0; k < std::abs(i); ++k) {
    if (size == 1) return 0;
    if (place + step < 0 || place + step >= size) step = -step;
    place += step;
  }
  return place;
}

TEST(WithBorder, ShowsThePictureMirrored) {
  const Image row = with_border(painted(4, 1, [](int x, int, int) { return x; }), 2);
  EXPECT_EQ(row.width, 8);
  EXPECT_EQ(row.height, 5);
  const std::vector<float> right = {2, 1, 0, 1, 2, 3, 2, 1};
  for (int x = 0; x < 8; ++x)
    for (int y = 0; y < 5; ++y) EXPECT_EQ(at(row, x, y, 1), right[x]) << x << " " << y;
}

TEST(WithBorder, ReflectsAgainAndAgain) {
  for (const bool transparent : {false, true}) {
    for (const auto& [width, height] : {std::pair{1, 1}, {2, 1}, {2, 3}, {5, 4}, {3, 9}}) {
      const Image image = numbered(width, height, transparent);
      for (const int pixels : {0, 1, 2, 3, 4, 9, 20}) {
        const Image out = with_border(image, pixels);
        ASSERT_EQ(out.width, width + 2 * pixels);
        ASSERT_EQ(out.height, height + 2 * pixels);
        ASSERT_EQ(out.rgb.size(), 3u * out.width * out.height);
        ASSERT_EQ(out.alpha.size(), transparent ? out.rgb.size() / 3 : 0);
        for (int y = 0; y < out.height; ++y) {
          for (int x = 0; x < out.width; ++x) {
            const int u = bounced(x - pixels, width);
            const int v = bounced(y - pixels, height);
            for (int c = 0; c < 3; ++c) ASSERT_EQ(at(out, x, y, c), at(image, u, v, c));
            if (transparent) {
              ASSERT_EQ(alpha_at(out, x, y), alpha_at(image, u, v));
            }
          }
        }
      }
    }
  }
}

TEST(WithBorder, DoesTheSameToMasks) {
  const Image image = painted(5, 3, [](int x, int y, int) { return (x + 5 * y) / 15.0f; });
  const Mask mask = with_border(Mask{5, 3, {image.rgb.begin(), image.rgb.begin() + 15}}, 7);
  const Image out = with_border(image, 7);
  EXPECT_EQ(mask.width, out.width);
  EXPECT_EQ(mask.height, out.height);
  EXPECT_EQ(mask.values, std::vector<float>(out.rgb.begin(), out.rgb.begin() + 19 * 17));
  EXPECT_TRUE(with_border(Mask{}, 7).empty());
}

TEST(WithoutBorder, GivesThePictureBack) {
  for (const bool transparent : {false, true}) {
    for (const auto& [width, height] : {std::pair{1, 1}, {2, 3}, {5, 4}}) {
      const Image image = numbered(width, height, transparent);
      for (const int pixels : {0, 1, 2, 11}) {
        const Image out = without_border(with_border(image, pixels), pixels);
        EXPECT_EQ(out.width, width);
        EXPECT_EQ(out.height, height);
        EXPECT_EQ(out.rgb, image.rgb);
        EXPECT_EQ(out.alpha, image.alpha);
      }
    }
  }
}

TEST(WithoutBorder, RefusesToLeaveNothing) {
  for (const int pixels : {2, 3, 1 << 30}) {
    const Error error = error_of([&] { without_border(numbered(4, 9, false), pixels); });
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_PRED2(contains, error.what(), "4 x 9");
  }
  Image torn = numbered(4, 9, true);
  torn.alpha.pop_back();
  EXPECT_EQ(error_of([&] { with_border(torn, 1); }).kind(), ErrorKind::usage);
  EXPECT_EQ(error_of([&] { without_border(torn, 1); }).kind(), ErrorKind::usage);
}

}  // namespace
}  // namespace limn
