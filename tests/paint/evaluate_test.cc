// evaluate(): the losses and the gradient of a given picture.
#include <gtest/gtest.h>
#include <limn/limn.h>

#include <cmath>

#include "paint/objective.h"
#include "support/drawn.h"
#include "support/errors.h"
#include "support/same_bits.h"
#include "support/tolerance.h"

namespace limn {
namespace {

constexpr int kWidth = 22;
constexpr int kHeight = 17;

class Evaluate : public testing::Test {
 protected:
  Evaluation evaluation(const Recipe& recipe, const Image& picture) const {
    return evaluate(model_, photo_, painting_, picture, recipe);
  }
  static Recipe recipe_with_variation() {
    Recipe recipe = small_recipe();
    recipe.total_variation.weight = 0.5;
    return recipe;
  }

  const Model model_ = small_vgg19();
  const Image photo_ = smooth_picture(kWidth, kHeight, 1);
  const Image painting_ = smooth_picture(kWidth, kHeight, 2);
  const Image picture_ = smooth_picture(kWidth, kHeight, 3);
};

void expect_same(const Losses& found, const Losses& expected) {
  EXPECT_EQ(found.content, expected.content);
  EXPECT_EQ(found.style, expected.style);
  EXPECT_EQ(found.total_variation, expected.total_variation);
  EXPECT_EQ(found.total, expected.total);
}

TEST_F(Evaluate, IsTheObjectivesValueAndGradient) {
  const Recipe recipe = recipe_with_variation();
  ThreadPool pool(2);
  Objective objective(model_.weights(), recipe, photo_, painting_, pool);
  std::vector<float> gradient(objective.size());
  const Losses losses = objective.evaluate(picture_.rgb, gradient);
  const Evaluation found = evaluation(recipe, picture_);
  expect_same(found.losses, losses);
  EXPECT_TRUE(same_bits(found.gradient, gradient));
  EXPECT_EQ(found.width, kWidth);
  EXPECT_EQ(found.height, kHeight);
  double squares = 0;
  for (const float value : gradient) squares += double{value} * value;
  EXPECT_NEAR(found.gradient_norm, std::sqrt(squares), 1e-5 * std::sqrt(squares));
}

// With clipping every picture that paint() shows is the very one it evaluated.
TEST_F(Evaluate, GivesTheLossesThatPaintReportedForThePicture) {
  Recipe recipe = recipe_with_variation();
  recipe.optimiser.clip = true;
  for (const OptimiserKind kind : {OptimiserKind::lbfgs, OptimiserKind::adam}) {
    recipe.optimiser.kind = kind;
    recipe.optimiser.learning_rate = kind == OptimiserKind::adam ? 0.05 : 1;
    recipe.optimiser.iterations = 5;
    std::vector<Image> pictures;
    const Painted painted = paint(model_, photo_, painting_, recipe, [&](const Progress& progress) {
      pictures.push_back(progress.picture());
      return true;
    });
    ASSERT_EQ(pictures.size(), painted.history.size());
    for (size_t i = 0; i < pictures.size(); ++i) {
      SCOPED_TRACE(i);
      expect_same(evaluation(recipe, pictures[i]).losses, painted.history[i].losses);
    }
    expect_same(evaluation(recipe, painted.picture).losses,
                painted.history[painted.best_iteration].losses);
  }
}

// Content and style do not depend on the variable's unit; nor does a gradient by the picture.
TEST_F(Evaluate, GradientIsByTheRgbPictureInEitherSpace) {
  Recipe recipe = small_recipe();
  const Evaluation rgb = evaluation(recipe, picture_);
  recipe.optimiser.space = Space::network;
  const Evaluation network = evaluation(recipe, picture_);
  EXPECT_NEAR(network.losses.content, rgb.losses.content, 1e-5 * rgb.losses.content);
  EXPECT_NEAR(network.losses.style, rgb.losses.style, 1e-5 * rgb.losses.style);
  double distance = 0;
  for (size_t i = 0; i < rgb.gradient.size(); ++i) {
    distance += std::pow(rgb.gradient[i] - network.gradient[i], 2);
  }
  EXPECT_LE(std::sqrt(distance), 1e-5 * rgb.gradient_norm);
  EXPECT_NEAR(network.gradient_norm, rgb.gradient_norm, 1e-5 * rgb.gradient_norm);
}

// Variation is of the variable: 255 times as large in Caffe's units, by its own unit as by RGB.
TEST_F(Evaluate, VariationIsThatOfTheVariable) {
  Recipe recipe = small_recipe();
  recipe.content.weight = recipe.style.weight = 0;
  recipe.total_variation.weight = 1;
  recipe.total_variation.form = VariationForm::absolute;
  const Evaluation rgb = evaluation(recipe, picture_);
  recipe.optimiser.space = Space::network;
  const Evaluation network = evaluation(recipe, picture_);
  EXPECT_NEAR(network.losses.total, 255 * rgb.losses.total, 1e-5 * 255 * rgb.losses.total);
  EXPECT_NEAR(network.gradient_norm, 255 * rgb.gradient_norm, 1e-5 * 255 * rgb.gradient_norm);
}

TEST_F(Evaluate, WithoutASizeWorksAtThePicturesOwn) {
  const Image larger = smooth_picture(30, 21, 4);
  const Evaluation found = evaluation(small_recipe(), larger);
  EXPECT_EQ(found.width, 30);
  EXPECT_EQ(found.height, 21);
  EXPECT_EQ(found.gradient.size(), 3u * 30 * 21);
}

TEST_F(Evaluate, WithASizeWorksAtThePhotosShape) {
  Recipe recipe = small_recipe();
  recipe.picture.size = 11;
  const Evaluation found = evaluation(recipe, smooth_picture(30, 30, 4));
  EXPECT_EQ(found.width, 11);
  EXPECT_EQ(found.height, 9);  // 8.5
}

TEST_F(Evaluate, ChecksTheRecipeLikePaint) {
  Recipe recipe = small_recipe();
  recipe.network.name = "vgg16";
  EXPECT_TRUE(says(error_of([&] { evaluation(recipe, picture_); }), ErrorKind::usage, "vgg16"));
  recipe = small_recipe();
  recipe.content.weight = recipe.style.weight = 0;
  EXPECT_TRUE(says(error_of([&] { evaluation(recipe, picture_); }), ErrorKind::usage, "nothing"));
  recipe = small_recipe();
  EXPECT_TRUE(says(error_of([&] { evaluation(recipe, Image()); }), ErrorKind::usage));
}

TEST_F(Evaluate, GivesTheSameBitsForAnyNumberOfThreads) {
  Recipe recipe = recipe_with_variation();
  recipe.picture.threads = 1;
  const Evaluation expected = evaluation(recipe, picture_);
  for (const int threads : {2, 3, 7}) {
    recipe.picture.threads = threads;
    const Evaluation found = evaluation(recipe, picture_);
    expect_same(found.losses, expected.losses);
    EXPECT_EQ(found.gradient_norm, expected.gradient_norm);
    EXPECT_TRUE(same_bits(found.gradient, expected.gradient));
  }
}

TEST(Library, NamesItsVersionAndInstructionSet) {
  EXPECT_FALSE(version().empty());
  EXPECT_EQ(std::count(version().begin(), version().end(), '.'), 2);
  EXPECT_FALSE(instruction_set().empty());
}

}  // namespace
}  // namespace limn
