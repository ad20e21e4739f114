// At which sizes pictures are worked on.
#include "canvas/sizes.h"

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
  EXPECT_EQ(sizes.picture, (Size{expected.height, expected.width}));
  EXPECT_EQ(sizes.paintings,
            (std::vector<Size>{{expected.painting_height, expected.painting_width}}));
  EXPECT_EQ(working_sizes(single_style(photo, painting), recipe), sizes);
}

const Image kPhoto = blank(300, 201);
const Image kPainting = blank(100, 250);

TEST(WorkingSizes, OfLongestSidesKeepProportionsRoundedToWholePixels) {
  Recipe recipe;
  recipe.picture.size = 100;
  expect_sizes(kPhoto, kPainting, recipe, {100, 67, 40, 100});
  expect_sizes(blank(300, 200), kPainting, recipe, {100, 67, 40, 100});  // 66.7
  recipe.picture.size = 200;
  expect_sizes(blank(800, 801), kPainting, recipe, {200, 200, 80, 200});  // 199.75
  expect_sizes(blank(801, 800), kPainting, recipe, {200, 200, 80, 200});
  expect_sizes(blank(400, 201), kPainting, recipe, {200, 101, 80, 200});  // 100.5
  recipe.picture.size = 0;
  expect_sizes(kPhoto, kPainting, recipe, {300, 201, 120, 300});
}

// Keras's example: 400 rows, as many columns as the proportion gives.
TEST(WorkingSizes, OfAHeightLeaveTheWidthToTheProportion) {
  Recipe recipe;
  recipe.picture.size = 100;
  recipe.picture.size_of = SizeOf::height;
  expect_sizes(kPhoto, kPainting, recipe, {149, 100, 60, 149});  // 149.25, 59.6
  recipe.picture.painting_size = PaintingSize::stretched;
  expect_sizes(kPhoto, kPainting, recipe, {149, 100, 149, 100});
}

TEST(WorkingSizes, OfThePaintingAreItsOwnWhereTheRecipeSaysSo) {
  Recipe recipe;
  recipe.picture.size = 50;
  recipe.picture.painting_size = PaintingSize::own;
  expect_sizes(kPhoto, kPainting, recipe, {50, 34, 100, 250});
}

// Strokes half as large, and twice as large; a side is rounded to whole pixels twice.
TEST(WorkingSizes, OfThePaintingAreScaledFromWhatTheyWouldBe) {
  Recipe recipe;
  recipe.picture.size = 100;
  recipe.style.scale = {0.5};
  expect_sizes(kPhoto, kPainting, recipe, {100, 67, 20, 50});
  recipe.style.scale = {2.0};
  expect_sizes(kPhoto, kPainting, recipe, {100, 67, 80, 200});
  recipe.style.scale = {0.33};
  expect_sizes(kPhoto, kPainting, recipe, {100, 67, 13, 33});  // 13.2
  recipe.picture.painting_size = PaintingSize::stretched;
  expect_sizes(kPhoto, kPainting, recipe, {100, 67, 33, 22});  // 22.1
  recipe.picture.painting_size = PaintingSize::own;
  expect_sizes(kPhoto, kPainting, recipe, {100, 67, 33, 83});  // 82.5 and 33.2
}

// Of all styles' paintings, one after the other; a scale for each style, or one for all.
TEST(WorkingSizes, OfSeveralStylesAreThoseOfAllTheirPaintings) {
  Pictures pictures = single_style(kPhoto, kPainting);
  pictures.styles[0].paintings.push_back(blank(50, 50));
  pictures.styles.push_back({{blank(80, 40)}, {}, {}});
  Recipe recipe;
  recipe.picture.size = 100;
  recipe.style.scale = {1.0, 0.5};
  EXPECT_EQ(working_sizes(pictures, recipe).paintings,
            (std::vector<Size>{{100, 40}, {100, 100}, {25, 50}}));
  recipe.style.scale = {0.5};
  EXPECT_EQ(working_sizes(pictures, recipe).paintings,
            (std::vector<Size>{{50, 20}, {50, 50}, {25, 50}}));
}

TEST(WorkingSizes, OfNoPaintingOrOfScalesForOtherStylesAreRefused) {
  Recipe recipe;
  recipe.picture.size = 100;
  const auto refused = [&](const Pictures& pictures) {
    return error_of([&] { working_sizes(pictures, recipe); });
  };
  Pictures pictures = single_style(kPhoto, kPainting);
  pictures.styles.push_back({});
  EXPECT_TRUE(says(refused(pictures), ErrorKind::usage, "style number 2", "no painting"));
  pictures.styles.clear();
  EXPECT_TRUE(says(refused(pictures), ErrorKind::usage, "no painting"));
  recipe.style.scale = {1, 2, 3};
  EXPECT_TRUE(says(refused(single_style(kPhoto, kPainting)), ErrorKind::usage, "style.scale",
                   "3 values", "styles is 1"));
  recipe.style.scale = {};
  EXPECT_TRUE(says(refused(single_style(kPhoto, kPainting)), ErrorKind::usage, "style.scale"));
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
  recipe = Recipe();
  recipe.picture.size = 100'000;
  recipe.style.scale = {20};
  EXPECT_TRUE(says(error_of([&] { working_sizes(kPhoto, kPainting, recipe); }),
                   ErrorKind::resources, "2000000 pixels", "--style-scale"));
}

}  // namespace
}  // namespace limn
