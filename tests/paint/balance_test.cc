// Measured weights: that the gradients of the weighed terms are as long as the header promises.
#include "paint/balance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "support/drawn.h"
#include "support/slopes.h"
#include "support/tiny_network.h"

namespace limn {
namespace {

Recipe tiny_recipe() {
  Recipe recipe;
  recipe.balance.kind = Balance::measured;
  recipe.content.weight = 1;
  recipe.content.layers = {{"relu2_1", 1.0}};
  recipe.style.weight = 1;
  recipe.style.layers = {{"conv1_1", 3.0}, {"relu2_1", 2.0}, {"relu3_1", 1.0}};
  recipe.total_variation.weight = 0;
  return recipe;
}

// Grey noise as the header has it: normal around the middle, the same for every photo.
Image noise_like(const Image& photo) {
  Random random(0);
  Image noise = photo;
  for (float& value : noise.rgb) {
    value = static_cast<float>(std::clamp(0.5 + 0.2 * random.normal(), 0.0, 1.0));
  }
  return noise;
}

enum class Part { content, style, variation, columns };

class MeasuredWeights : public testing::Test {
 protected:
  Objective objective_of(const Recipe& recipe) {
    return Objective(tiny_.weights, recipe, tiny_.photo, painting_, pool_);
  }
  LossWeights weights_of(Objective& objective, const Recipe& recipe) {
    const Canvas canvas(objective.units(), objective.picture_size(), {}, pool_);
    return measured_weights(objective, canvas, recipe, tiny_.photo);
  }
  LossWeights measured(const Recipe& recipe) {
    Objective objective = objective_of(recipe);
    return weights_of(objective, recipe);
  }

  // Of one term alone (of style one layer) with these weights, at this picture.
  double norm(const Recipe& recipe, LossWeights weights, Part term, size_t layer, const Image& at) {
    for (size_t i = 0; i < weights.style.size(); ++i) {
      if (term != Part::content) weights.content[i] = 0;
      if (term != Part::style || i != layer) weights.style[i] = 0;
    }
    if (term != Part::variation) weights.total_variation = 0;
    for (size_t i = 0; i < weights.columns.size(); ++i) {
      if (term != Part::columns || i != layer) weights.columns[i] = 0;
    }
    Objective objective = objective_of(recipe);
    objective.multiply(weights);
    std::vector<float> gradient(objective.size());
    objective.evaluate(objective.units().encode(at), gradient);
    return std::sqrt(dot(gradient, gradient));
  }

  // |grad C| at noise, without the whole term's weight.
  double resistance(const Recipe& recipe) {
    const LossWeights ones = objective_of(recipe).weights();
    return norm(recipe, ones, Part::content, 0, noise_like(tiny_.photo)) / recipe.content.weight;
  }

  // Of each style layer in the order of `style.layers`.
  static size_t index_of(const Recipe& recipe, const std::string& layer) {
    const std::vector<LayerInUse> in_use = layers_in_use(tiny_network().table, recipe);
    const auto position = *find_layer(tiny_network().table, layer);
    const auto found = std::ranges::find(in_use, position, &LayerInUse::position);
    return static_cast<size_t>(found - in_use.begin());
  }

  const TinyNetwork& tiny_ = tiny_network();
  Image painting_ = tiny_.painting;
  ThreadPool pool_{2};
};

// The norms are of the same sums, scaled by other factors.
constexpr double kTolerance = 1e-4;

TEST_F(MeasuredWeights, PushWithEachStyleLayerByItsShareOfWhatContentResists) {
  for (const double strength : {0.0, 0.5, 0.8, 1.0}) {
    for (const double style_weight : {1.0, 3.0}) {
      Recipe recipe = tiny_recipe();
      recipe.balance.strength = strength;
      recipe.style.weight = style_weight;
      const LossWeights weights = measured(recipe);
      const double a = 0.05 * std::pow(20, 1 - 2 * strength);
      for (const LayerWeight& layer : recipe.style.layers) {
        const double expected = style_weight * layer.weight / 6 * resistance(recipe) / a;
        EXPECT_NEAR(norm(recipe, weights, Part::style, index_of(recipe, layer.layer), tiny_.photo),
                    expected, kTolerance * expected)
            << layer.layer << " at strength " << strength;
      }
    }
  }
}

// With the directions that a size begins with.
TEST_F(MeasuredWeights, PushWithEachSlicedLayerByItsShare) {
  Recipe recipe = tiny_recipe();
  recipe.style.statistic = StyleStatistic::sliced;
  const LossWeights weights = measured(recipe);
  const double a = 0.05 * std::pow(20, 1 - 2 * recipe.balance.strength);
  for (const LayerWeight& layer : recipe.style.layers) {
    const double expected = layer.weight / 6 * resistance(recipe) / a;
    EXPECT_NEAR(norm(recipe, weights, Part::style, index_of(recipe, layer.layer), tiny_.photo),
                expected, kTolerance * expected)
        << layer.layer;
  }
}

TEST_F(MeasuredWeights, LeaveContentAsTheRecipeWeighsIt) {
  for (const double weight : {1.0, 5.0}) {
    Recipe recipe = tiny_recipe();
    recipe.content.weight = weight;
    const LossWeights weights = measured(recipe);
    for (const double content : weights.content) EXPECT_EQ(content, 1);
    // The style pushes as hard as before: a larger factor makes the content heavier.
    const double expected = measured(tiny_recipe()).style[0];
    EXPECT_NEAR(weights.style[0], expected, kTolerance * expected);
  }
}

TEST_F(MeasuredWeights, GrowWithTheStrengthByAFactorOf400) {
  Recipe recipe = tiny_recipe();
  const auto at = [&](double strength) {
    recipe.balance.strength = strength;
    return measured(recipe).style[1];
  };
  EXPECT_NEAR(at(1) / at(0.5), 20, 1e-9);
  EXPECT_NEAR(at(0.5) / at(0), 20, 1e-9);
  EXPECT_NEAR(at(0.75) / at(0.5), std::sqrt(20), 1e-9);
}

TEST_F(MeasuredWeights, WeighVariationAgainstContentAtNoise) {
  for (const double weight : {0.5, 2.0}) {
    Recipe recipe = tiny_recipe();
    recipe.total_variation.weight = weight;
    const LossWeights weights = measured(recipe);
    const double expected = weight * resistance(recipe);
    EXPECT_NEAR(norm(recipe, weights, Part::variation, 0, noise_like(tiny_.photo)), expected,
                kTolerance * expected);
  }
  EXPECT_EQ(measured(tiny_recipe()).total_variation, 1) << "there is none to measure";
}

// Matches push like a style, and structure resists like the content. The picture has fewer places
// than are drawn, so that all of them are.
TEST_F(MeasuredWeights, WeighWhatReadsColumnsAsWell) {
  Recipe recipe = tiny_recipe();
  recipe.neighbours.weight = 0.3;
  recipe.neighbours.layers = {{"relu1_1", 1.0}, {"pool1", 2.0}};
  recipe.neighbours.matching = Matching::hypercolumns;
  recipe.structure.weight = 0.7;
  recipe.structure.layers = {{"relu1_1", 1.0}};
  const LossWeights weights = measured(recipe);
  const double a = 0.05 * std::pow(20, 1 - 2 * recipe.balance.strength);
  const double push = 0.3 * resistance(recipe) / a;
  EXPECT_NEAR(norm(recipe, weights, Part::columns, 0, tiny_.photo), push, kTolerance * push);
  const double resisting = 0.7 * resistance(recipe);
  EXPECT_NEAR(norm(recipe, weights, Part::columns, 1, noise_like(tiny_.photo)), resisting,
              1e-3 * resisting);
}

TEST_F(MeasuredWeights, AreRestoredUntilTheyAreApplied) {
  const Recipe recipe = tiny_recipe();
  Objective objective = objective_of(recipe);
  LossWeights before = objective.weights();
  before.style[0] = 7;
  before.content[0] = 3;
  objective.multiply(before);
  std::vector<float> gradient(objective.size()), again(objective.size());
  const double loss = objective.evaluate(tiny_.picture.rgb, gradient).total;
  weights_of(objective, recipe);
  EXPECT_EQ(objective.weights().style, before.style);
  EXPECT_EQ(objective.weights().content, before.content);
  EXPECT_EQ(objective.weights().total_variation, before.total_variation);
  EXPECT_EQ(objective.evaluate(tiny_.picture.rgb, again).total, loss);
  EXPECT_EQ(gradient, again);
}

// Only the proportions of the layers' weights count.
TEST_F(MeasuredWeights, MakeTheSameObjectiveOfWeightsInTheSameProportion) {
  const auto losses_of = [&](const Recipe& recipe) {
    Objective objective = objective_of(recipe);
    objective.multiply(weights_of(objective, recipe));
    std::vector<float> gradient(objective.size());
    return objective.evaluate(tiny_.picture.rgb, gradient);
  };
  Recipe recipe = tiny_recipe();
  recipe.total_variation.weight = 0.1;
  const Losses expected = losses_of(recipe);
  for (LayerWeight& layer : recipe.style.layers) layer.weight *= 1000;
  const Losses found = losses_of(recipe);
  EXPECT_EQ(found.content, expected.content);
  EXPECT_NEAR(found.style, expected.style, kTolerance * expected.style);
  EXPECT_NEAR(found.total_variation, expected.total_variation,
              kTolerance * expected.total_variation);
  // And if the content's are scaled, then so is everything.
  for (LayerWeight& layer : recipe.content.layers) layer.weight *= 8;
  const Losses scaled = losses_of(recipe);
  EXPECT_NEAR(scaled.content, 8 * expected.content, kTolerance * 8 * expected.content);
  EXPECT_NEAR(scaled.style, 8 * expected.style, kTolerance * 8 * expected.style);
  EXPECT_NEAR(scaled.total_variation, 8 * expected.total_variation,
              kTolerance * 8 * expected.total_variation);
}

// In other forms the layers' losses are of other magnitudes, and the painting is the same.
TEST_F(MeasuredWeights, MakeTheSameObjectiveOfLossesInOtherForms) {
  const auto style_loss_of = [&](StyleForm form) {
    Recipe recipe = tiny_recipe();
    recipe.style.form = form;
    Objective objective = objective_of(recipe);
    objective.multiply(weights_of(objective, recipe));
    std::vector<float> gradient(objective.size());
    return objective.evaluate(tiny_.picture.rgb, gradient).style;
  };
  const double expected = style_loss_of(StyleForm::mean);
  for (const StyleForm form : {StyleForm::paper, StyleForm::image}) {
    EXPECT_NEAR(style_loss_of(form), expected, kTolerance * expected);
  }
}

// A painting that is the photo: nothing pulls, and 0.02 of the pull at noise counts instead.
TEST_F(MeasuredWeights, OfLayersThatAgreeAlreadyAreFinite) {
  painting_ = tiny_.photo;
  const Recipe recipe = tiny_recipe();
  const LossWeights weights = measured(recipe);
  const Image noise = noise_like(tiny_.photo);
  for (const LayerWeight& layer : recipe.style.layers) {
    const double expected = layer.weight / 6 * resistance(recipe) / 0.05 / 0.02;
    EXPECT_NEAR(norm(recipe, weights, Part::style, index_of(recipe, layer.layer), noise), expected,
                kTolerance * expected)
        << layer.layer;
  }
}

TEST_F(MeasuredWeights, WithoutContentAreThoseThatMakeGradientsOfFixedLength) {
  Recipe recipe = tiny_recipe();
  recipe.content.weight = 0;
  const LossWeights weights = measured(recipe);
  for (const LayerWeight& layer : recipe.style.layers) {
    const double expected = layer.weight / 6 / 0.05;
    EXPECT_NEAR(norm(recipe, weights, Part::style, index_of(recipe, layer.layer), tiny_.photo),
                expected, kTolerance * expected);
  }
}

TEST_F(MeasuredWeights, OfVariationAloneAreThereToo) {
  Recipe recipe = tiny_recipe();
  recipe.content.weight = recipe.style.weight = 0;
  recipe.total_variation.weight = 2;
  const LossWeights weights = measured(recipe);
  EXPECT_NEAR(norm(recipe, weights, Part::variation, 0, noise_like(tiny_.photo)), 2,
              2 * kTolerance);
}

}  // namespace
}  // namespace limn
