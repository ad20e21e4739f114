// At which sizes pictures are worked on.
#include "style/sizes.h"

#include <gtest/gtest.h>

#include "support/errors.h"

namespace limn {
namespace {

Image blank(int width, int height) {
  Image image;
  image.width = width;
  image.height = height;
  image.rgb.resize(3 * static_cast<size_t>(width) * height);
  return image;
}

struct Expected {
  int width, height, painting_width, painting_height;
};

void expect_sizes(const Image& photo, const Image& painting, const Recipe& recipe,
                  const Expected& expected) {
  const WorkingSizes sizes = working_sizes(photo, painting, recipe);
  EXPECT_EQ(sizes.width, expected.width);
  EXPECT_EQ(sizes.height, expected.height);
  EXPECT_EQ(sizes.painting_width, expected.painting_width);
  EXPECT_EQ(sizes.painting_height, expected.painting_height);
}

const Image kPhoto = blank(300, 201);
const Image kPainting = blank(100, 250);

TEST(WorkingSizes, OfLongestSidesKeepProportionsCutToWholePixels) {
  Recipe recipe;
  recipe.picture.size = 100;
  expect_sizes(kPhoto, kPainting, recipe, {100, 67, 40, 100});
  expect_sizes(blank(300, 200), kPainting, recipe, {100, 66, 40, 100});  // 66.7
  recipe.picture.size = 0;
  expect_sizes(kPhoto, kPainting, recipe, {300, 201, 120, 300});
}

// Keras's example: 400 rows, as many columns as the proportion gives.
TEST(WorkingSizes, OfAHeightLeaveTheWidthToTheProportion) {
  Recipe recipe;
  recipe.picture.size = 100;
  recipe.picture.size_of = SizeOf::height;
  expect_sizes(kPhoto, kPainting, recipe, {149, 100, 59, 149});  // 149.25
  recipe.picture.painting_size = PaintingSize::stretched;
  expect_sizes(kPhoto, kPainting, recipe, {149, 100, 149, 100});
}

TEST(WorkingSizes, OfThePaintingAreItsOwnWhereTheRecipeSaysSo) {
  Recipe recipe;
  recipe.picture.size = 50;
  recipe.picture.painting_size = PaintingSize::own;
  expect_sizes(kPhoto, kPainting, recipe, {50, 33, 100, 250});
}

TEST(WorkingSizes, AreAtLeastOnePixel) {
  Recipe recipe;
  recipe.picture.size = 10;
  expect_sizes(blank(1000, 2), kPainting, recipe, {10, 1, 4, 10});
}

TEST(WorkingSizes, OfMoreThanAMillionPixelsAreRefused) {
  Recipe recipe;
  recipe.picture.size = 100'000;
  recipe.picture.size_of = SizeOf::height;
  EXPECT_TRUE(says(error_of([&] { working_sizes(blank(100, 1), kPainting, recipe); }),
                   ErrorKind::resources, "10000000 pixels", "--size"));
}

}  // namespace
}  // namespace limn
