// Painted::unchanged: whether anything was painted at all.
#include <gtest/gtest.h>
#include <limn/limn.h>

#include "support/drawn.h"
#include "support/same_bits.h"

namespace limn {
namespace {

class Unchanged : public testing::Test {
 protected:
  Painted painted(const Recipe& recipe, const ProgressCallback& progress = {}) const {
    return paint(model_, photo_, painting_, recipe, progress);
  }

  const Model model_ = small_vgg19();
  const Image photo_ = smooth_picture(48, 36, 1);
  const Image painting_ = smooth_picture(48, 36, 2);
};

TEST_F(Unchanged, IsNoPictureThatWasPainted) {
  for (const Keep keep : {Keep::best, Keep::last}) {
    for (const OptimiserKind kind :
         {OptimiserKind::lbfgs, OptimiserKind::adam, OptimiserKind::sgd}) {
      Recipe recipe = small_recipe();
      recipe.output.keep = keep;
      recipe.optimiser.kind = kind;
      recipe.optimiser.learning_rate = kind == OptimiserKind::lbfgs ? 1 : 1e-3;
      EXPECT_FALSE(painted(recipe).unchanged);
    }
  }
}

// The photo is the content: its loss is 0, and so is the gradient.
TEST_F(Unchanged, IsThePhotoThatIsItsOwnContent) {
  for (const Keep keep : {Keep::best, Keep::last}) {
    for (const OptimiserKind kind : {OptimiserKind::lbfgs, OptimiserKind::sgd}) {
      Recipe recipe = small_recipe();
      recipe.style.weight = 0;
      recipe.output.keep = keep;
      recipe.optimiser.kind = kind;
      const Painted result = painted(recipe);
      EXPECT_TRUE(result.unchanged);
      EXPECT_TRUE(same_bits(result.picture.rgb, photo_.rgb));
      EXPECT_EQ(result.outcome,
                kind == OptimiserKind::lbfgs ? Outcome::converged : Outcome::finished);
    }
  }
}

TEST_F(Unchanged, IsThePictureWhoseStepsWereAllTakenBack) {
  for (const Keep keep : {Keep::best, Keep::last}) {
    Recipe recipe = small_recipe();
    recipe.output.keep = keep;
    recipe.optimiser.kind = OptimiserKind::sgd;
    recipe.optimiser.learning_rate = 1e12;
    recipe.optimiser.iterations = 3;
    const Painted result = painted(recipe);
    EXPECT_TRUE(result.unchanged);
    EXPECT_EQ(result.rejected_steps, 3);
  }
}

// Worse than the first picture, but another one.
TEST_F(Unchanged, IsTheBestPictureOfStepsUphillAndNotTheLast) {
  Recipe recipe = small_recipe();
  recipe.optimiser.kind = OptimiserKind::adam;
  recipe.optimiser.learning_rate = 0.5;
  recipe.optimiser.iterations = 1;
  recipe.output.keep = Keep::last;
  const Painted last = painted(recipe);
  ASSERT_GT(last.history.back().losses.total, last.history.front().losses.total);
  EXPECT_FALSE(last.unchanged);
  recipe.output.keep = Keep::best;
  EXPECT_TRUE(painted(recipe).unchanged);
}

TEST_F(Unchanged, IsThePictureForWhoseFirstStepThereWasNoTime) {
  Recipe recipe = small_recipe();
  recipe.optimiser.seconds = 1e-9;
  const Painted result = painted(recipe);
  EXPECT_EQ(result.outcome, Outcome::out_of_time);
  EXPECT_TRUE(result.unchanged);
  EXPECT_EQ(result.history.size(), 1u);
}

TEST_F(Unchanged, IsThePictureThatWasStoppedAtOnce) {
  const Painted result = painted(small_recipe(), [](const Progress&) { return false; });
  EXPECT_EQ(result.outcome, Outcome::stopped);
  EXPECT_TRUE(result.unchanged);
}

TEST_F(Unchanged, IsNoPictureOfNoIterations) {
  Recipe recipe = small_recipe();
  recipe.optimiser.iterations = 0;
  EXPECT_FALSE(painted(recipe).unchanged);
}

// The last size has nothing left to do, and shows what the first one painted.
TEST_F(Unchanged, IsNoPictureThatAnEarlierSizePainted) {
  Recipe recipe = small_recipe();
  recipe.picture.size = 48;
  recipe.pyramid.smallest = 24;
  int width = 0, at_the_last = 0;
  recipe.optimiser.iterations = 20;
  const Painted result = painted(recipe, [&](const Progress& progress) {
    width = progress.width;
    at_the_last += width == 48 ? 1 : 0;
    return at_the_last == 0;
  });
  EXPECT_EQ(result.outcome, Outcome::stopped);
  EXPECT_FALSE(result.unchanged);
}

}  // namespace
}  // namespace limn
