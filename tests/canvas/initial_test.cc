// Where the optimisation begins.
#include "canvas/initial.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/drawn.h"
#include "support/same_bits.h"

namespace limn {
namespace {

struct Moments {
  double mean = 0, deviation = 0;
};

Moments moments_of(std::span<const float> values) {
  Moments moments;
  for (const float value : values) moments.mean += value / static_cast<double>(values.size());
  for (const float value : values) {
    moments.deviation += std::pow(value - moments.mean, 2) / static_cast<double>(values.size());
  }
  moments.deviation = std::sqrt(moments.deviation);
  return moments;
}

class InitialVariable : public testing::Test {
 protected:
  std::vector<float> of(const Recipe& recipe, std::optional<Image> given = {}) {
    if (given) given = resized(*given, photo_.width, photo_.height);
    return initial_variable(units(recipe), recipe, photo_, std::move(given));
  }

  Units units(const Recipe& recipe) const {
    return {recipe.optimiser.space, model_.weights().convention};
  }

  // The same as the values of an RGB picture.
  std::vector<float> rgb_of(const Recipe& recipe) {
    return units(recipe)
        .decode(initial_variable(units(recipe), recipe, photo_, {}), {photo_.height, photo_.width})
        .rgb;
  }

  static Recipe noise_recipe(Noise noise, double share = 1) {
    Recipe recipe = small_recipe();
    recipe.optimiser.space = Space::network;
    recipe.picture.init = "noise";
    recipe.picture.noise = noise;
    recipe.picture.noise_share = share;
    return recipe;
  }

  const Model model_ = small_vgg19();
  const Image photo_ = smooth_picture(80, 60, 1);  // 14,400 values
};

// Each pixel of all paintings alike, as far as it can be seen.
TEST(InitialPicture, MayBeThePaintingsMeanColour) {
  Pictures pictures = single_style(smooth_picture(8, 6, 1), smooth_picture(5, 4, 2));
  Image half = smooth_picture(9, 10, 3);
  half.alpha.assign(90, 0.0f);
  std::fill_n(half.alpha.begin(), 45, 1.0f);
  pictures.styles.push_back({{half}, {}, {}});
  Recipe recipe;
  recipe.picture.init = "mean";
  const std::optional<Image> found = initial_picture(pictures, recipe);
  ASSERT_TRUE(found);
  for (size_t c = 0; c < 3; ++c) {
    const Image& whole = pictures.styles[0].paintings[0];
    double sum = 0;
    for (size_t i = 0; i < 20; ++i) sum += whole.rgb[c * 20 + i];
    for (size_t i = 0; i < 45; ++i) sum += half.rgb[c * 90 + i];
    for (size_t i = 0; i < 48; ++i) EXPECT_NEAR(found->rgb[c * 48 + i], sum / 65, 1e-6);
  }
}

TEST_F(InitialVariable, IsThePhotoOrTheGivenPicture) {
  Recipe recipe = small_recipe();
  EXPECT_TRUE(same_bits(of(recipe), photo_.rgb));
  const Image given = smooth_picture(80, 60, 2);
  EXPECT_TRUE(same_bits(of(recipe, given), given.rgb));
  EXPECT_EQ(of(recipe, smooth_picture(20, 10, 2)).size(), photo_.rgb.size()) << "not resized";
}

TEST_F(InitialVariable, OfGreyNoiseIsNormalAroundMidGrey) {
  const std::vector<float> rgb = rgb_of(noise_recipe(Noise::grey));
  const Moments moments = moments_of(rgb);
  EXPECT_NEAR(moments.mean, 0.5, 0.01);
  EXPECT_NEAR(moments.deviation, 0.2, 0.01);
}

// Of a uniform distribution of half-width d the deviation is d / sqrt(3).
TEST_F(InitialVariable, OfUniformNoiseStaysWithinThePhotosDeviation) {
  const Moments photo = moments_of(photo_.rgb);
  const std::vector<float> rgb = rgb_of(noise_recipe(Noise::uniform));
  const auto [least, most] = std::ranges::minmax(rgb);
  EXPECT_GE(least, photo.mean - photo.deviation - 1e-5);
  EXPECT_LE(most, photo.mean + photo.deviation + 1e-5);
  const Moments moments = moments_of(rgb);
  EXPECT_NEAR(moments.mean, photo.mean, 0.02 * photo.deviation);
  EXPECT_NEAR(moments.deviation, photo.deviation / std::sqrt(3), 0.02 * photo.deviation);
}

TEST_F(InitialVariable, OfStandardNoiseIsSoInTheUnitOfTheVariable) {
  const Moments moments = moments_of(of(noise_recipe(Noise::standard)));
  EXPECT_NEAR(moments.mean, 0, 0.03);
  EXPECT_NEAR(moments.deviation, 1, 0.03);
}

TEST_F(InitialVariable, MixesNoiseAndPhotoByTheirShares) {
  for (const Noise noise : {Noise::grey, Noise::uniform, Noise::standard}) {
    const std::vector<float> only_noise = of(noise_recipe(noise));
    const std::vector<float> only_photo = of(noise_recipe(noise, 0));
    const std::vector<float> mixed = of(noise_recipe(noise, 0.1));
    for (size_t i = 0; i < mixed.size(); ++i) {
      ASSERT_NEAR(mixed[i], 0.1 * only_noise[i] + 0.9 * only_photo[i], 1e-4);
    }
    const std::vector<float> rgb = rgb_of(noise_recipe(noise, 0));
    for (size_t i = 0; i < rgb.size(); ++i) ASSERT_NEAR(rgb[i], photo_.rgb[i], 1e-6);
  }
}

TEST_F(InitialVariable, IsTheSameForASeedAndAnotherForAnother) {
  for (const Noise noise : {Noise::grey, Noise::uniform, Noise::standard}) {
    Recipe recipe = noise_recipe(noise);
    const std::vector<float> first = of(recipe);
    EXPECT_TRUE(same_bits(of(recipe), first));
    recipe.picture.seed = 1;
    EXPECT_FALSE(same_bits(of(recipe), first));
  }
}

}  // namespace
}  // namespace limn
