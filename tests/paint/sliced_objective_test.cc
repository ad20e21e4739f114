// The sliced style loss inside an objective and a painting: its gradient through the network, when
// it draws other directions, and that it does something. (The loss itself:
// tests/losses/sliced_test.cc.)
#include <gtest/gtest.h>

#include <cmath>

#include "paint/objective.h"
#include "support/drawn.h"
#include "support/drawn_student.h"
#include "support/masks.h"
#include "support/same_bits.h"
#include "support/slopes.h"
#include "support/tiny_network.h"

namespace limn {
namespace {

Recipe sliced_recipe() {
  Recipe recipe;
  recipe.picture.size = 0;
  recipe.picture.painting_size = PaintingSize::own;
  recipe.content.weight = 0;
  recipe.content.layers = {};
  recipe.style.weight = 1;
  recipe.style.layers = {{"relu1_1", 0.5}, {"relu2_1", 1.0}};
  recipe.style.statistic = StyleStatistic::sliced;
  return recipe;
}

// Along itself, where the loss rises most. Where projections change their order it has kinks, so
// steps are short.
void expect_gradient(Objective& objective, const Image& picture) {
  const std::vector<float> x = objective.units().encode(picture);
  std::vector<float> gradient(x.size()), unused(x.size());
  objective.evaluate(x, gradient);
  const double steepest = std::sqrt(dot(gradient, gradient));
  ASSERT_GT(steepest, 0);
  const double step = 0.005 / steepest;
  std::vector<float> more(x), less(x);
  for (size_t i = 0; i < x.size(); ++i) {
    more[i] += static_cast<float>(step * gradient[i]);
    less[i] -= static_cast<float>(step * gradient[i]);
  }
  const double rise =
      objective.evaluate(more, unused).total - objective.evaluate(less, unused).total;
  EXPECT_NEAR(rise / (2 * step * steepest * steepest), 1, 0.01);
}

// Two styles in two regions, one of them from a part of its painting; and a single one.
void expect_gradients(const Weights& weights, const Recipe& recipe, Pictures pictures,
                      const Image& picture) {
  ThreadPool pool(2);
  const auto expect_gradient_of = [&] {
    Objective objective(weights, recipe,
                        make_scene(pictures, recipe, working_sizes(pictures, recipe)), pool);
    expect_gradient(objective, picture);
  };
  expect_gradient_of();
  pictures.styles.push_back(pictures.styles.front());
  pictures.styles[0].to = drawn_mask(8, 6, 11);
  pictures.styles[1].from = halves(9, 9, 1, 0.25f);
  expect_gradient_of();
}

TEST(SlicedObjective, HasTheGradientOfItsLoss) {
  const TinyNetwork& tiny = tiny_network();
  Recipe recipe = sliced_recipe();
  recipe.network.pooling = Pooling::average;
  recipe.style.layers = {{"relu1_1", 0.5}, {"pool1", 0.5}, {"conv3_1", 0.5}};
  expect_gradients(open_tiny_weights(), recipe, single_style(tiny.photo, tiny.painting),
                   tiny.picture);
  recipe.content.weight = 0.1;
  recipe.content.layers = {{"relu1_1", 1.0}};  // at one of the style's layers
  expect_gradients(open_tiny_weights(), recipe, single_style(tiny.photo, tiny.painting),
                   tiny.picture);
}

TEST(SlicedObjective, OfAStudentHasTheGradientOfItsLoss) {
  const DrawnStudent drawn = open_student();
  Random random(7);
  Recipe recipe = sliced_recipe();
  recipe.style.layers = {{"relu1_1", 0.3}, {"relu2_1", 0.3}, {"relu4_2", 0.4}};
  const Image photo = draw_picture(9, 7, random), painting = draw_picture(8, 10, random);
  expect_gradients(drawn.weights, recipe, single_style(photo, painting),
                   draw_picture(9, 7, random));
}

// `paper` divides by 4 M^2 as it does for matrices, and all forms multiply by a layer's weight.
TEST(SlicedObjective, IsWeighedByItsLayersAndItsForm) {
  const TinyNetwork& tiny = tiny_network();
  ThreadPool pool(2);
  const auto loss = [&](const Recipe& recipe) {
    Objective objective(tiny.weights, recipe, tiny.photo, tiny.painting, pool);
    std::vector<float> gradient(objective.size());
    return objective.evaluate(tiny.picture.rgb, gradient).style;
  };
  Recipe recipe = sliced_recipe();
  recipe.style.layers = {{"relu1_1", 1.0}};
  const double expected = loss(recipe);
  EXPECT_GT(expected, 0);
  recipe.style.weight = 3;
  recipe.style.layers = {{"relu1_1", 0.5}};
  EXPECT_NEAR(loss(recipe), 1.5 * expected, 1e-9 * expected);
  recipe.style.form = StyleForm::paper;
  const double M = static_cast<double>(tiny.picture.height) * tiny.picture.width;
  EXPECT_NEAR(loss(recipe), 1.5 * expected / (4 * M * M), 1e-9 * expected / (M * M));
}

TEST(SlicedObjective, DrawsOtherDirectionsEveryFewIterationsAndHoldsThemMeanwhile) {
  const TinyNetwork& tiny = tiny_network();
  ThreadPool pool(2);
  Recipe recipe = sliced_recipe();
  for (const int every : {0, 4}) {
    recipe.style.every = every;
    Objective objective(tiny.weights, recipe, tiny.photo, tiny.painting, pool);
    std::vector<float> gradient(objective.size());
    const auto loss = [&] { return objective.evaluate(tiny.picture.rgb, gradient).style; };
    const double first = loss();
    double before = first;
    for (int iteration = 1; iteration <= 8; ++iteration) {
      const bool due = every != 0 && iteration % every == 0;
      EXPECT_EQ(objective.seek_before(iteration), due) << iteration;
      const double now = loss();
      EXPECT_EQ(now != before, due) << iteration;
      EXPECT_EQ(loss(), now) << "between two searches";
      before = now;
    }
    objective.seek_afresh();
    EXPECT_EQ(loss(), first);
  }
}

// The seed is that of the recipe, though the targets may be those of another.
TEST(SlicedObjective, DrawsByTheRecipesSeed) {
  const TinyNetwork& tiny = tiny_network();
  ThreadPool pool(2);
  Recipe recipe = sliced_recipe();
  std::shared_ptr<const Targets> targets;
  const auto loss = [&](std::uint64_t seed) {
    recipe.picture.seed = seed;
    if (!targets) {
      targets = Objective(tiny.weights, recipe, tiny.photo, tiny.painting, pool).targets();
    }
    Objective objective(tiny.weights, recipe, targets, pool);
    std::vector<float> gradient(objective.size());
    return objective.evaluate(tiny.picture.rgb, gradient).style;
  };
  const double expected = loss(1);
  EXPECT_NE(loss(2), expected);
  EXPECT_EQ(loss(1), expected);
}

// Painting lowers the loss with directions that it has never seen, and makes another picture than
// Gram matrices do.
TEST(SlicedObjective, OfAPaintingIsLowered) {
  const Model model = small_vgg19();
  const Image photo = smooth_picture(40, 31, 1), painting = smooth_picture(33, 37, 2);
  Recipe recipe = small_recipe();
  recipe.content.weight = 0;
  recipe.style.weight = 1;
  recipe.optimiser.line_search = LineSearch::strong_wolfe;
  recipe.optimiser.iterations = 30;
  recipe.output.keep = Keep::last;
  const Image by_gram = paint(model, single_style(photo, painting), recipe).picture;
  recipe.style.statistic = StyleStatistic::sliced;
  const Image by_slices = paint(model, single_style(photo, painting), recipe).picture;
  EXPECT_FALSE(same_bits(by_gram.rgb, by_slices.rgb));

  Recipe judge = recipe;
  judge.picture.seed = 1234;
  ThreadPool pool(2);
  Objective objective(model.weights(), judge, photo, painting, pool);
  std::vector<float> gradient(objective.size());
  const auto loss = [&](const Image& picture) {
    return objective.evaluate(objective.units().encode(picture), gradient).style;
  };
  EXPECT_LT(loss(by_slices), 0.5 * loss(photo));
  EXPECT_LT(loss(by_slices), loss(by_gram));
}

}  // namespace
}  // namespace limn
