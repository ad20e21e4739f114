// The objective as a whole: the variable, what is computed and what is not, and its errors.
#include "paint/objective.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/copies.h"
#include "support/drawn.h"
#include "support/errors.h"
#include "support/random_values.h"
#include "support/same_bits.h"
#include "support/tiny_network.h"
#include "support/tolerance.h"

namespace limn {
namespace {

// Content and style of the tiny network, one term each.
Recipe tiny_recipe() {
  Recipe recipe;
  recipe.content.weight = 1;
  recipe.content.layers = {{"relu2_1", 1.0}};
  recipe.style.weight = 1;
  recipe.style.layers = {{"conv1_1", 0.5}, {"relu3_1", 0.5}};
  recipe.total_variation.weight = 0.01;
  return recipe;
}

struct Evaluated {
  Losses losses;
  std::vector<float> gradient;
};

Evaluated evaluated(Objective& objective, const Image& picture) {
  Evaluated result;
  result.gradient.assign(objective.size(), NAN);
  result.losses = objective.evaluate(objective.units().encode(picture), result.gradient);
  return result;
}

class TheObjective : public testing::Test {
 protected:
  Objective objective_of(const Recipe& recipe) {
    return Objective(tiny_.weights, recipe, tiny_.photo, tiny_.painting, pool_);
  }
  Evaluated evaluate(const Recipe& recipe, const Image& picture) {
    Objective objective = objective_of(recipe);
    return evaluated(objective, picture);
  }

  const TinyNetwork& tiny_ = tiny_network();
  ThreadPool pool_{2};
};

// ------------------------------------------------------------------------------- the variable --

TEST_F(TheObjective, VariableInRgbIsThePicture) {
  const Objective objective = objective_of(tiny_recipe());
  EXPECT_EQ(objective.size(), tiny_.picture.rgb.size());
  EXPECT_TRUE(same_bits(objective.units().encode(tiny_.picture), tiny_.picture.rgb));
  const Image back = objective.units().decode(tiny_.picture.rgb, objective.picture_size());
  EXPECT_EQ(back.width, tiny_.picture.width);
  EXPECT_EQ(back.height, tiny_.picture.height);
  EXPECT_TRUE(back.alpha.empty());
  EXPECT_TRUE(same_bits(back.rgb, tiny_.picture.rgb));
  for (int plane = 0; plane < 3; ++plane) EXPECT_EQ(objective.units().plane(plane).gain, 1.0);
}

TEST_F(TheObjective, VariableInNetworkUnitsFollowsTheConvention) {
  Recipe recipe = tiny_recipe();
  recipe.optimiser.space = Space::network;
  Weights weights = copy_of(tiny_.weights);
  weights.convention = {true, 255.0f, {100, 110, 120}, {1, 2, 4}};  // BGR
  const Objective objective(weights, recipe, tiny_.photo, tiny_.painting, pool_);
  const std::vector<float> x = objective.units().encode(tiny_.picture);
  const size_t plane_size = x.size() / 3;
  const double mean[] = {120, 110, 100}, deviation[] = {4, 2, 1};  // of red, green, blue
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t plane = i / plane_size;
    ASSERT_NEAR(x[i], (255.0 * tiny_.picture.rgb[i] - mean[plane]) / deviation[plane],
                255 * kEpsilon);
  }
  for (int plane = 0; plane < 3; ++plane) {
    EXPECT_NEAR(objective.units().plane(plane).gain, 255 / deviation[plane], 1e-5);
  }
  // Decoding divides by the slope what encoding rounded at up to 155.
  const Image back = objective.units().decode(x, objective.picture_size());
  for (size_t i = 0; i < x.size(); ++i) {
    ASSERT_NEAR(back.rgb[i], tiny_.picture.rgb[i], 2 * kEpsilon);
  }
}

TEST_F(TheObjective, ClipsToThePicturesWithin0To1) {
  for (const Space space : {Space::rgb, Space::network}) {
    Recipe recipe = tiny_recipe();
    recipe.optimiser.space = space;
    const Objective objective = objective_of(recipe);
    Image picture = tiny_.picture;
    picture.rgb[0] = -0.5f;
    picture.rgb[200] = 1.5f;  // another plane
    picture.rgb[1] = 0.0f;
    picture.rgb[2] = 1.0f;
    std::vector<float> x = objective.units().encode(picture);
    const std::vector<float> before = x;
    objective.units().clip(x, objective.picture_size(), objective.pool());
    const Image clipped = objective.units().decode(x, objective.picture_size());
    EXPECT_NEAR(clipped.rgb[0], 0, 2 * kEpsilon);
    EXPECT_NEAR(clipped.rgb[200], 1, 2 * kEpsilon);
    for (size_t i = 0; i < x.size(); ++i) {
      if (i != 0 && i != 200) {
        ASSERT_EQ(x[i], before[i]) << "what is within was changed";
      }
    }
  }
}

// The same network with its input channels in the other order: the first convolution adds in
// another order, and whatever is rounded differently there makes all roundings of the later ones
// different. So the two are as far from each other as from the truth (objective_golden_test.cc).
TEST_F(TheObjective, OfBgrWeightsIsThatOfRgbWeightsTurnedRound) {
  Weights turned = copy_of(tiny_.weights);
  const InputConvention& rgb = tiny_.weights.convention;
  ASSERT_FALSE(rgb.bgr);
  turned.convention.bgr = true;
  for (int c = 0; c < 3; ++c) {
    turned.convention.mean[c] = rgb.mean[2 - c];
    turned.convention.deviation[c] = rgb.deviation[2 - c];
  }
  kernels::PackedKernel& first = turned.convolutions[0].kernel;
  for (int block = 0; block < first.out / kBlock; ++block) {
    for (int tap = 0; tap < 9; ++tap) {
      std::ranges::swap_ranges(kernel_cell(first, block, 0, tap),
                               kernel_cell(first, block, 2, tap));
    }
  }
  for (const Space space : {Space::rgb, Space::network}) {
    Recipe recipe = tiny_recipe();
    recipe.optimiser.space = space;
    const Evaluated expected = evaluate(recipe, tiny_.picture);
    Objective objective(turned, recipe, tiny_.photo, tiny_.painting, pool_);
    const Evaluated found = evaluated(objective, tiny_.picture);
    EXPECT_NEAR(found.losses.content, expected.losses.content, 1e-5 * expected.losses.content);
    EXPECT_NEAR(found.losses.style, expected.losses.style, 1e-5 * expected.losses.style);
    double distance = 0, norm = 0;
    for (size_t i = 0; i < found.gradient.size(); ++i) {
      distance += std::pow(found.gradient[i] - expected.gradient[i], 2);
      norm += std::pow(expected.gradient[i], 2);
    }
    EXPECT_LE(std::sqrt(distance), 1e-5 * std::sqrt(norm));
  }
}

// -------------------------------------------------------------------------------- what it is --

TEST_F(TheObjective, TotalIsTheSumOfItsTerms) {
  const Losses losses = evaluate(tiny_recipe(), tiny_.picture).losses;
  EXPECT_GT(losses.content, 0);
  EXPECT_GT(losses.style, 0);
  EXPECT_GT(losses.total_variation, 0);
  EXPECT_EQ(losses.total, losses.content + losses.style + losses.total_variation);
}

TEST_F(TheObjective, ContentOfThePhotoItselfIsNothingAndHasNoSlope) {
  Recipe recipe = tiny_recipe();
  recipe.style.weight = recipe.total_variation.weight = 0;
  const Evaluated found = evaluate(recipe, tiny_.photo);
  EXPECT_EQ(found.losses.total, 0.0);
  EXPECT_EQ(found.gradient, std::vector<float>(found.gradient.size()));
}

// The painting's matrix is rounded to float after its scaling: the square of an epsilon stays.
TEST_F(TheObjective, StyleOfThePaintingItselfIsNothing) {
  Recipe recipe = tiny_recipe();
  recipe.content.weight = recipe.total_variation.weight = 0;
  for (const GramForm gram : {GramForm::raw, GramForm::per_position}) {
    recipe.style.gram = gram;
    const double other = evaluate(recipe, tiny_.picture).losses.style;
    EXPECT_GT(other, 0);
    EXPECT_LE(evaluate(recipe, tiny_.painting).losses.style, 1e-10 * other);
  }
}

// Powers of 2, so that nothing is rounded.
TEST_F(TheObjective, IsProportionalToItsWeights) {
  const Recipe recipe = tiny_recipe();
  const Losses once = evaluate(recipe, tiny_.picture).losses;
  Recipe heavier = recipe;
  heavier.content.weight *= 2;
  heavier.style.weight *= 4;
  heavier.total_variation.weight *= 8;
  const Losses more = evaluate(heavier, tiny_.picture).losses;
  EXPECT_EQ(more.content, 2 * once.content);
  EXPECT_EQ(more.style, 4 * once.style);
  EXPECT_EQ(more.total_variation, 8 * once.total_variation);

  Recipe layers = recipe;
  layers.content.layers[0].weight *= 2;
  for (LayerWeight& layer : layers.style.layers) layer.weight *= 4;
  const Losses by_layer = evaluate(layers, tiny_.picture).losses;
  EXPECT_EQ(by_layer.content, 2 * once.content);
  EXPECT_EQ(by_layer.style, 4 * once.style);
}

TEST_F(TheObjective, GivesTheSameBitsEveryTime) {
  Objective objective = objective_of(tiny_recipe());
  const Evaluated first = evaluated(objective, tiny_.picture);
  const Evaluated other = evaluated(objective, tiny_.painting);
  const Evaluated again = evaluated(objective, tiny_.picture);
  EXPECT_NE(first.losses.total, other.losses.total);
  EXPECT_EQ(first.losses.total, again.losses.total);
  EXPECT_TRUE(same_bits(first.gradient, again.gradient));
}

TEST_F(TheObjective, GivesTheSameBitsForAnyNumberOfThreads) {
  Random random(6);
  const Image photo = draw_picture(61, 47, random);
  const Image painting = draw_picture(40, 52, random);
  const Image picture = draw_picture(61, 47, random);
  for (const Pooling pooling : {Pooling::max, Pooling::average}) {
    Recipe recipe = tiny_recipe();
    recipe.network.pooling = pooling;
    ThreadPool one(1);
    Objective alone(tiny_.weights, recipe, photo, painting, one);
    const Evaluated expected = evaluated(alone, picture);
    for (const int threads : {2, 3, 7}) {
      ThreadPool pool(threads);
      Objective objective(tiny_.weights, recipe, photo, painting, pool);
      const Evaluated found = evaluated(objective, picture);
      EXPECT_TRUE(same_bits(std::span(&found.losses, 1), std::span(&expected.losses, 1)));
      EXPECT_TRUE(same_bits(found.gradient, expected.gradient)) << threads << " threads";
    }
  }
}

// Half precision moves each feature by at most 2^-11 of itself, up or down alike.
TEST_F(TheObjective, WithFeaturesInHalfPrecisionHasTheSameLossesAndNearlyTheSameGradient) {
  Recipe recipe = tiny_recipe();
  recipe.content.layers = {{"relu3_1", 1.0}};
  recipe.style.layers = {{"conv1_1", 0.5}, {"relu2_1", 0.5}};
  const Evaluated exact = evaluate(recipe, tiny_.picture);
  recipe.picture.half_features = true;
  const Evaluated rounded = evaluate(recipe, tiny_.picture);
  EXPECT_TRUE(same_bits(std::span(&rounded.losses, 1), std::span(&exact.losses, 1)));
  double distance = 0, length = 0;
  for (size_t i = 0; i < exact.gradient.size(); ++i) {
    distance += std::pow(double{rounded.gradient[i]} - exact.gradient[i], 2);
    length += std::pow(double{exact.gradient[i]}, 2);
  }
  EXPECT_GT(distance, 0) << "nothing was in half precision";
  EXPECT_LT(std::sqrt(distance / length), 0x1p-11);
}

// --------------------------------------------------------------------- what is not computed --

TEST_F(TheObjective, TermsOfWeight0AreExactly0) {
  Recipe recipe = tiny_recipe();
  recipe.content.weight = 0;
  EXPECT_EQ(evaluate(recipe, tiny_.picture).losses.content, 0.0);
  recipe = tiny_recipe();
  recipe.style.weight = 0;
  EXPECT_EQ(evaluate(recipe, tiny_.picture).losses.style, 0.0);
  recipe = tiny_recipe();
  recipe.total_variation.weight = 0;
  EXPECT_EQ(evaluate(recipe, tiny_.picture).losses.total_variation, 0.0);
}

TEST_F(TheObjective, LayersOfTermsOfWeight0NeedNoWeights) {
  Weights early = copy_of(tiny_.weights);
  early.convolutions.resize(3);  // 3_1, which the style reads, is missing
  Recipe recipe = tiny_recipe();
  const auto objective = [&] { Objective(early, recipe, tiny_.photo, tiny_.painting, pool_); };
  EXPECT_TRUE(says(error_of(objective), ErrorKind::usage, "conv3_1", early.source));
  recipe.style.weight = 0;
  EXPECT_NO_THROW(objective());
  recipe.style.weight = 1;
  recipe.style.layers[1].weight = 0;
  EXPECT_NO_THROW(objective()) << "a single layer may have weight 0 too";
}

TEST_F(TheObjective, OfVariationAloneNeedsNoNetwork) {
  Weights none = copy_of(tiny_.weights);
  none.convolutions.clear();
  Recipe recipe = tiny_recipe();
  recipe.content.weight = recipe.style.weight = 0;
  const Image dot = {1, 1, {0.1f, 0.2f, 0.3f}, {}};  // smaller than any network could read
  Objective small(none, recipe, dot, tiny_.painting, pool_);
  EXPECT_EQ(evaluated(small, dot).losses.total, 0.0);
  Objective objective(none, recipe, tiny_.photo, dot, pool_);
  const Losses losses = evaluated(objective, tiny_.picture).losses;
  EXPECT_GT(losses.total_variation, 0);
  EXPECT_EQ(losses.total, losses.total_variation);
}

TEST(UnreadLayers, AreDroppedAndNoOthers) {
  const TinyNetwork& tiny = tiny_network();
  Recipe recipe = tiny_recipe();
  recipe.content.weight = 0;
  recipe.style.layers = {{"relu2_1", 1.0}, {"relu3_1", 0.0}};
  Weights weights = copy_of(tiny.weights);
  drop_unread_layers(weights, {&recipe, 1});
  ASSERT_FALSE(weights.convolutions.empty());
  EXPECT_EQ(weights.convolutions.back().id, "2_1");
  const Recipe whole = tiny_recipe();
  drop_unread_layers(weights, {&whole, 1});  // what is gone is gone
  EXPECT_EQ(weights.convolutions.back().id, "2_1");
}

// ------------------------------------------------------------------------------------- errors --

TEST_F(TheObjective, NamesALayerTheNetworkDoesNotHaveAndThoseItHas) {
  Recipe recipe = tiny_recipe();
  recipe.content.layers = {{"relu2_11", 1.0}};
  EXPECT_TRUE(says(error_of([&] { objective_of(recipe); }), ErrorKind::usage, "tiny", "'relu2_11'",
                   "1_1 1_2 2_1 3_1"));
  recipe = tiny_recipe();
  recipe.style.layers.push_back({"nonsense", 1.0});
  EXPECT_TRUE(says(error_of([&] { objective_of(recipe); }), ErrorKind::usage, "'nonsense'"));
}

// Those of weight 0 are not in use, but must be there: this is a check of the recipe too.
TEST(LayersInUse, AreThoseOfWeightAndAllNamesAreKnown) {
  const NetworkTable& table = tiny_network().table;
  Recipe recipe = tiny_recipe();
  EXPECT_FALSE(layers_in_use(table, recipe).empty());
  recipe.content.weight = 0;
  EXPECT_FALSE(layers_in_use(table, recipe).empty());
  for (LayerWeight& layer : recipe.style.layers) layer.weight = 0;
  EXPECT_TRUE(layers_in_use(table, recipe).empty());
  recipe.style.layers.clear();
  EXPECT_TRUE(layers_in_use(table, recipe).empty());
  recipe.style.layers = {{"relu9_9", 0.0}};
  EXPECT_TRUE(says(error_of([&] { layers_in_use(table, recipe); }), ErrorKind::usage, "'relu9_9'"));
  recipe = tiny_recipe();
  recipe.content.weight = 0;
  recipe.content.layers = {{"relu9_9", 1.0}};
  EXPECT_TRUE(says(error_of([&] { layers_in_use(table, recipe); }), ErrorKind::usage, "'relu9_9'"));
}

TEST_F(TheObjective, NamesTheSmallestSizeThatTheLayersNeed) {
  Random random(1);
  const Image wide = draw_picture(30, 3, random);
  const Image enough = draw_picture(4, 4, random);
  Recipe recipe = tiny_recipe();  // two poolings above relu3_1
  const auto objective = [&](const Image& photo, const Image& painting) {
    Objective(tiny_.weights, recipe, photo, painting, pool_);
  };
  EXPECT_TRUE(says(error_of([&] { objective(wide, enough); }), ErrorKind::usage, "photo", "30 x 3",
                   "3_1", "4 x 4"));
  EXPECT_TRUE(says(error_of([&] { objective(enough, wide); }), ErrorKind::usage, "painting",
                   "30 x 3", "4 x 4"));
  EXPECT_NO_THROW(objective(enough, enough));
  recipe.network.pooling = Pooling::average;
  EXPECT_NO_THROW(objective(wide, wide));
}

}  // namespace
}  // namespace limn
