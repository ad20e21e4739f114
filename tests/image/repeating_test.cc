// Resizing pictures that repeat.
#include "image/repeating.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "support/random_values.h"

namespace limn {
namespace {

Image random_picture(int width, int height) {
  return {width, height, random_values(3 * static_cast<size_t>(width) * height, 1), {}};
}

Image rolled(const Image& image, int down, int right) {
  Image result = image;
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < image.height; ++y) {
      for (int x = 0; x < image.width; ++x) {
        const int to_y = (y + down) % image.height, to_x = (x + right) % image.width;
        result.rgb[(static_cast<size_t>(c) * image.height + to_y) * image.width + to_x] =
            image.rgb[(static_cast<size_t>(c) * image.height + y) * image.width + x];
      }
    }
  }
  return result;
}

// A picture that is rolled before it is resized is one that is rolled afterwards: no place, and so
// no edge, differs from the others.
TEST(Repeating, ResizesAllPlacesAlike) {
  struct Case {
    int width, height, to_width, to_height, right, down, to_right, to_down;
  };
  for (const Case& c : {Case{16, 32, 32, 64, 3, 5, 6, 10},
                        {48, 32, 24, 16, 6, 10, 3, 5},
                        {32, 16, 48, 24, 2, 4, 3, 6},
                        {192, 16, 400, 16, 12, 1, 25, 1}}) {
    const Image image = random_picture(c.width, c.height);
    const Image before = resized_repeating(rolled(image, c.down, c.right), c.to_width, c.to_height);
    const Image after =
        rolled(resized_repeating(image, c.to_width, c.to_height), c.to_down, c.to_right);
    ASSERT_EQ(before.width, c.to_width);
    ASSERT_EQ(before.height, c.to_height);
    for (size_t i = 0; i < before.rgb.size(); ++i) {
      ASSERT_NEAR(before.rgb[i], after.rgb[i], 1e-5) << c.width << " at " << i;
    }
  }
}

// Inside, it is what resized() gives.
TEST(Repeating, ResizesTheMiddleLikeAnyPicture) {
  const Image image = random_picture(64, 64);
  const Image plain = resized(image, 96, 96), repeating = resized_repeating(image, 96, 96);
  bool differ = false;
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < 96; ++y) {
      for (int x = 0; x < 96; ++x) {
        const size_t i = (static_cast<size_t>(c) * 96 + y) * 96 + x;
        const bool inside = std::min(y, x) >= 6 && std::max(y, x) < 90;
        if (inside) {
          ASSERT_NEAR(plain.rgb[i], repeating.rgb[i], 1e-5);
        } else {
          differ = differ || std::abs(plain.rgb[i] - repeating.rgb[i]) > 1e-3;
        }
      }
    }
  }
  EXPECT_TRUE(differ) << "the edges are those of a picture that ends";
}

TEST(Repeating, KeepsAlphaAndASizeThatIsRight) {
  Image image = random_picture(16, 16);
  image.alpha = random_values(256, 2);
  for (float& value : image.alpha) value = std::abs(value);
  EXPECT_EQ(resized_repeating(image, 16, 16).rgb, image.rgb);
  EXPECT_EQ(resized_repeating(image, 32, 32).alpha.size(), 1024u);
}

}  // namespace
}  // namespace limn
