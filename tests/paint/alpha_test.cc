// Alpha is a soft mask on every side: what cannot be seen makes no difference, and a picture with
// alpha is painted like the same picture with a mask.
#include <gtest/gtest.h>
#include <limn/limn.h>

#include <algorithm>
#include <string>

#include "image/alpha.h"
#include "image/write.h"
#include "support/drawn.h"
#include "support/errors.h"
#include "support/masks.h"
#include "support/same_bits.h"
#include "support/temporary_folder.h"

namespace limn {
namespace {

constexpr int kWidth = 64, kHeight = 48;

// The picture, transparent in its right part, where its colours are `hidden`.
Image partly_hidden(Image image, float hidden) {
  image.alpha = halves(image.width, image.height, 1, 0).values;
  const size_t pixels = image.alpha.size();
  for (size_t i = 0; i < image.rgb.size(); ++i) {
    if (image.alpha[i % pixels] == 0) image.rgb[i] = hidden;
  }
  return image;
}

// The same with the mask beside it and colours that go on.
Image without_alpha(const Image& image) {
  Image whole = filled(image);
  whole.alpha = {};
  return whole;
}

class Alpha : public InAFolder {
 protected:
  static Recipe recipe_of(Colors colors = Colors::style) {
    Recipe recipe = small_recipe();
    recipe.picture.size = 64;
    recipe.pyramid.smallest = 32;
    recipe.picture.border = 4;
    recipe.picture.colors = colors;
    recipe.balance.kind = Balance::measured;
    recipe.optimiser.iterations = 6;
    recipe.optimiser.line_search = LineSearch::strong_wolfe;
    recipe.total_variation.weight = 0.01;
    return recipe;
  }
  Painted painted(const Pictures& pictures, const Recipe& recipe = recipe_of()) const {
    return paint(model_, pictures, recipe);
  }
  Error refused(const Pictures& pictures) const {
    return error_of([&] { painted(pictures); });
  }

  const Model model_ = small_vgg19();
  const Image photo_ = smooth_picture(kWidth, kHeight, 1);
  const Image painting_ = smooth_picture(kWidth, kHeight, 2);
};

// ---- what is hidden ----

TEST_F(Alpha, WhatIsHiddenInThePaintingMakesNoDifference) {
  for (const Colors colors : {Colors::style, Colors::content, Colors::matched, Colors::palette}) {
    const auto with = [&](float hidden) {
      return painted(single_style(photo_, partly_hidden(painting_, hidden)), recipe_of(colors));
    };
    EXPECT_TRUE(same_bits(with(0).picture.rgb, with(1).picture.rgb));
  }
}

TEST_F(Alpha, WhatIsHiddenInThePhotoMakesNoDifference) {
  for (const Colors colors : {Colors::style, Colors::matched, Colors::palette}) {
    const auto with = [&](float hidden) {
      return painted(single_style(partly_hidden(photo_, hidden), painting_), recipe_of(colors));
    };
    const Painted black = with(0), white = with(1);
    EXPECT_TRUE(same_bits(black.picture.rgb, white.picture.rgb));
    EXPECT_EQ(black.history.back().losses.total, white.history.back().losses.total);
  }
}

TEST_F(Alpha, WhatIsHiddenMakesNoDifferenceToTheLosses) {
  const auto losses = [&](float hidden) {
    return evaluate(model_, partly_hidden(photo_, hidden), partly_hidden(painting_, hidden),
                    partly_hidden(smooth_picture(kWidth, kHeight, 4), hidden), recipe_of())
        .losses;
  };
  EXPECT_GT(losses(0).content, 0);
  EXPECT_EQ(losses(0).content, losses(1).content);
  EXPECT_EQ(losses(0).style, losses(1).style);
}

// ---- like masks ----

TEST_F(Alpha, APaintingWithAlphaIsLikeOneWithAMask) {
  const Image painting = partly_hidden(painting_, 0);
  Pictures masked = single_style(photo_, without_alpha(painting));
  masked.styles[0].from = alpha_mask(painting);
  const Painted by_alpha = painted(single_style(photo_, painting));
  EXPECT_TRUE(same_bits(by_alpha.picture.rgb, painted(masked).picture.rgb));
  const Recipe palette = recipe_of(Colors::palette);
  EXPECT_TRUE(same_bits(painted(single_style(photo_, painting), palette).picture.rgb,
                        painted(masked, palette).picture.rgb));
  masked.styles[0].from = {};
  EXPECT_FALSE(same_bits(by_alpha.picture.rgb, painted(masked).picture.rgb));
}

// Content has no mask of its own.
TEST_F(Alpha, AStyleOnAPhotoWithAlphaIsLikeOneOnAMask) {
  Recipe recipe = recipe_of();
  recipe.balance.kind = Balance::fixed;
  recipe.content.weight = 0;
  const Image photo = partly_hidden(photo_, 0);
  Pictures masked = single_style(without_alpha(photo), painting_);
  masked.styles[0].to = alpha_mask(photo);
  EXPECT_TRUE(same_bits(painted(single_style(photo, painting_), recipe).picture.rgb,
                        painted(masked, recipe).picture.rgb));
}

TEST_F(Alpha, AndAMaskMultiply) {
  const Image painting = partly_hidden(painting_, 0);
  Pictures both_given = single_style(photo_, painting);
  both_given.styles[0].from = halves(kWidth, kHeight, 1, 0.5f);  // hidden where it is 0.5
  Pictures by_alpha = single_style(photo_, painting);
  EXPECT_TRUE(same_bits(painted(both_given).picture.rgb, painted(by_alpha).picture.rgb));
}

// Each position as far as it can be seen: a photo that is seen half everywhere resists half as
// much.
TEST_F(Alpha, ContentCountsWhereThePhotoCanBeSeen) {
  const Image picture = smooth_picture(kWidth, kHeight, 4);
  Recipe recipe = recipe_of();
  recipe.balance.kind = Balance::fixed;
  const auto content = [&](float left, float right) {
    Image photo = photo_;
    photo.alpha = halves(kWidth, kHeight, left, right).values;
    return evaluate(model_, photo, painting_, picture, recipe).losses.content;
  };
  const double whole = content(1, 1);
  EXPECT_NEAR(content(0.5f, 0.5f), whole / 2, 1e-5 * whole);
  EXPECT_LT(content(1, 0.001f), 0.9 * whole);
  EXPECT_LT(content(0.001f, 1), 0.9 * whole);
}

// ---- first pictures ----

TEST_F(Alpha, OfAFirstPictureShowsThePhoto) {
  Recipe recipe = small_recipe();
  recipe.optimiser.iterations = 0;
  Pictures pictures = single_style(photo_, painting_);
  pictures.initial = partly_hidden(smooth_picture(kWidth, kHeight, 4), 0);
  const Image first = painted(pictures, recipe).picture;
  for (size_t i = 0; i < first.rgb.size(); ++i) {
    const bool seen = pictures.initial.alpha[i % pictures.initial.alpha.size()] == 1;
    ASSERT_NEAR(first.rgb[i], seen ? pictures.initial.rgb[i] : photo_.rgb[i], 1e-6f);
  }
  EXPECT_TRUE(first.alpha.empty());
}

TEST_F(Alpha, OfAFirstPicturesFileShowsThePhoto) {
  Recipe recipe = small_recipe();
  recipe.picture.init = path("first.png");
  Pictures pictures = single_style(photo_, painting_);
  pictures.initial = partly_hidden(smooth_picture(kWidth, kHeight, 4), 0);
  write_image(pictures.initial, recipe.picture.init, {.bits = 16});
  pictures.initial = {};
  recipe.optimiser.iterations = 0;
  const Image first = painted(pictures, recipe).picture;
  for (size_t i = 0; i < first.rgb.size(); ++i) {
    if (i % kWidth < kWidth / 2) continue;
    ASSERT_NEAR(first.rgb[i], photo_.rgb[i], 1e-6f);
  }
}

// ---- what is refused ----

TEST_F(Alpha, PicturesOfWhichNothingCanBeSeenAreRefused) {
  Image nothing = painting_;
  nothing.alpha.assign(size_t{kWidth} * kHeight, 0);
  EXPECT_TRUE(says(refused(single_style(photo_, nothing)), ErrorKind::usage, "painting of style",
                   "transparent everywhere"));
  EXPECT_TRUE(says(refused(single_style(nothing, painting_)), ErrorKind::usage, "the photo is",
                   "transparent everywhere"));
  Pictures pictures = single_style(photo_, partly_hidden(painting_, 0));
  pictures.styles[0].from = halves(kWidth, kHeight, 0, 1);
  EXPECT_TRUE(
      says(refused(pictures), ErrorKind::usage, "transparent everywhere that its mask selects"));
  pictures = single_style(partly_hidden(photo_, 0), painting_);
  pictures.styles[0].to = halves(kWidth, kHeight, 0, 1);
  EXPECT_TRUE(says(refused(pictures), ErrorKind::usage,
                   "the photo is transparent everywhere that the style masks"));
}

// ---- greys ----

Image in_grey(Image image) {
  const size_t pixels = image.rgb.size() / 3;
  for (size_t i = 0; i < pixels; ++i) {
    image.rgb[pixels + i] = image.rgb[2 * pixels + i] = image.rgb[i];
  }
  return image;
}

bool is_without_colour(const Image& image) {
  const size_t pixels = image.rgb.size() / 3;
  for (size_t i = 0; i < pixels; ++i) {
    if (image.rgb[i] != image.rgb[pixels + i] || image.rgb[i] != image.rgb[2 * pixels + i]) {
      return false;
    }
  }
  return true;
}

TEST_F(Alpha, AGreyPhotoAndGreyPaintingsMakeAGreyPicture) {
  for (const char* init : {"content", "noise"}) {
    for (const Space space : {Space::rgb, Space::network}) {
      Recipe recipe = recipe_of();
      recipe.picture.init = init;
      recipe.optimiser.space = space;
      const Pictures pictures = single_style(in_grey(photo_), in_grey(painting_));
      const Painted result = painted(pictures, recipe);
      EXPECT_TRUE(is_without_colour(result.picture)) << init;
      EXPECT_LT(result.history.back().losses.total, result.history.front().losses.total);
    }
  }
  EXPECT_FALSE(is_without_colour(painted(single_style(in_grey(photo_), painting_)).picture));
  EXPECT_FALSE(is_without_colour(painted(single_style(photo_, in_grey(painting_))).picture));
}

TEST_F(Alpha, ColoursOfAGreyPhotoAreNone) {
  const Pictures pictures = single_style(in_grey(photo_), painting_);
  for (const Colors colors : {Colors::matched, Colors::content}) {
    EXPECT_TRUE(is_without_colour(painted(pictures, recipe_of(colors)).picture));
  }
}

}  // namespace
}  // namespace limn
