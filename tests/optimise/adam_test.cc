// Adam and gradient descent against their formulas, written out in double.
#include <gtest/gtest.h>

#include <cmath>

#include "support/functions.h"
#include "support/random_values.h"
#include "support/same_bits.h"
#include "support/tolerance.h"

namespace limn {
namespace {

class FirstOrder : public testing::Test {
 protected:
  ThreadPool pool_{2};
  const Function unused_ = [](std::span<const float>, std::span<float>) { return Losses(); };
};
using Adam = FirstOrder;
using GradientDescent = FirstOrder;

Recipe adam_recipe(AdamEpsilon form) {
  Recipe recipe;
  recipe.optimiser.kind = OptimiserKind::adam;
  recipe.optimiser.learning_rate = 0.02;
  recipe.optimiser.beta1 = 0.8;
  recipe.optimiser.beta2 = 0.95;
  recipe.optimiser.epsilon = 0.1;  // large, so that it matters where it stands
  recipe.optimiser.epsilon_form = form;
  return recipe;
}

// One value's Adam, as Kingma and Ba's algorithm 1 has it, or with epsilon beside the uncorrected
// means, as the note before their section 2.1 rearranges it.
struct AdamInDouble {
  double step(double g, const Recipe& recipe) {
    const auto& o = recipe.optimiser;
    ++t;
    m = o.beta1 * m + (1 - o.beta1) * g;
    v = o.beta2 * v + (1 - o.beta2) * g * g;
    if (o.epsilon_form == AdamEpsilon::corrected) {
      const double m_hat = m / (1 - std::pow(o.beta1, t));
      const double v_hat = v / (1 - std::pow(o.beta2, t));
      return -o.learning_rate * m_hat / (std::sqrt(v_hat) + o.epsilon);
    }
    const double rate =
        o.learning_rate * std::sqrt(1 - std::pow(o.beta2, t)) / (1 - std::pow(o.beta1, t));
    return -rate * m / (std::sqrt(v) + o.epsilon);
  }
  double m = 0, v = 0;
  int t = 0;
};

TEST_F(Adam, TakesTheStepsOfItsFormulasInBothForms) {
  constexpr size_t kSize = 7;
  for (const AdamEpsilon form : {AdamEpsilon::corrected, AdamEpsilon::uncorrected}) {
    const Recipe recipe = adam_recipe(form);
    const auto optimiser = make_optimiser(recipe, kSize, pool_);
    std::vector<AdamInDouble> expected(kSize);
    std::vector<float> x(kSize, 0.0f), gradient(kSize);
    std::vector<double> there(kSize);
    Point point = {x, Losses(), gradient};
    Random random(1);
    for (int step = 0; step < 40; ++step) {
      for (size_t i = 0; i < kSize; ++i) {
        gradient[i] =
            static_cast<float>(std::pow(10.0, static_cast<int>(i) - 3)) * random_signed(random);
        there[i] += expected[i].step(gradient[i], recipe);
      }
      ASSERT_EQ(optimiser->step(unused_, point), StepStatus::moved);
      // Each step of at most 0.02 is a few epsilons off, and there are at most 40.
      for (size_t i = 0; i < kSize; ++i) {
        ASSERT_NEAR(x[i], there[i], (step + 1) * 0.02 * 8 * kEpsilon)
            << "value " << i << ", step " << step << ", form " << static_cast<int>(form);
      }
    }
  }
}

// 1 - beta^t in the first step makes m and v the gradient and its square.
TEST_F(Adam, FirstStepIsTheLearningRate) {
  Recipe recipe = adam_recipe(AdamEpsilon::corrected);
  recipe.optimiser.epsilon = 0;
  for (const AdamEpsilon form : {AdamEpsilon::corrected, AdamEpsilon::uncorrected}) {
    recipe.optimiser.epsilon_form = form;
    const auto optimiser = make_optimiser(recipe, 3, pool_);
    std::vector<float> x(3, 0.0f), gradient = {1e-5f, -300, 0};
    Point point = {x, Losses(), gradient};
    optimiser->step(unused_, point);
    EXPECT_NEAR(x[0], -0.02, 0.02 * 8 * kEpsilon);
    EXPECT_NEAR(x[1], 0.02, 0.02 * 8 * kEpsilon);
    EXPECT_EQ(x[2], 0.0f) << "0 / 0 where the gradient has always been 0";
  }
}

TEST_F(Adam, WithoutALearningRateMovesByAPartOfTheRange) {
  Recipe recipe = adam_recipe(AdamEpsilon::corrected);
  recipe.optimiser.learning_rate = 0;
  recipe.optimiser.epsilon = 1e-8;
  for (const OptimiserKind kind : {OptimiserKind::adam, OptimiserKind::rmsprop}) {
    recipe.optimiser.kind = kind;
    const auto first_step = [&](double range) {
      const auto optimiser = make_optimiser(recipe, 1, pool_, {}, range);
      std::vector<float> x = {0}, gradient = {7};
      Point point = {x, {}, gradient};
      optimiser->step(unused_, point);
      return x[0];
    };
    EXPECT_LT(first_step(1), -0.02);
    EXPECT_GT(first_step(1), -0.2);  // RMSprop's mean begins at 0, so that its first step is longer
    EXPECT_NEAR(first_step(255) / first_step(1), 255, 0.01);
  }
  recipe.optimiser.kind = OptimiserKind::lbfgs;
  EXPECT_EQ(learning_rate(recipe, 255), 1);
}

TEST_F(Adam, RecoversByForgettingItsMeansAndHalvingItsRate) {
  const Recipe recipe = adam_recipe(AdamEpsilon::corrected);
  Recipe halved = recipe;
  halved.optimiser.learning_rate /= 2;
  const auto optimiser = make_optimiser(recipe, 2, pool_);
  const auto fresh = make_optimiser(halved, 2, pool_);
  std::vector<float> x(2), other(2), gradient = {5, -2};
  Point point = {x, Losses(), gradient};
  for (int i = 0; i < 10; ++i) optimiser->step(unused_, point);
  optimiser->recover();
  x.assign(2, 0.0f);
  gradient = {-1, -1};
  Point other_point = {other, Losses(), gradient};
  for (int i = 0; i < 3; ++i) {
    optimiser->step(unused_, point);
    fresh->step(unused_, other_point);
  }
  EXPECT_TRUE(same_bits(x, other));
}

TEST_F(Adam, GoesDownRosenbrocksValley) {
  const Function f = seen_in_float(rosenbrock);
  Recipe recipe = adam_recipe(AdamEpsilon::corrected);
  recipe.optimiser.beta1 = 0.9;
  recipe.optimiser.beta2 = 0.999;
  recipe.optimiser.epsilon = 1e-8;
  Standing standing(f, {-1.2f, 1});
  const auto optimiser = make_optimiser(recipe, 2, pool_);
  for (int i = 0; i < 4000; ++i) standing.step(*optimiser, f);
  EXPECT_LT(standing.point.losses.total, 1e-4);
}

TEST_F(Adam, GivesTheSameBitsForAnyNumberOfThreads) {
  constexpr size_t kSize = 3 * 65536 + 11;
  const std::vector<float> start = random_values(kSize, 1);
  const auto run = [&](int threads) {
    ThreadPool pool(threads);
    std::vector<float> x = start, gradient = random_values(kSize, 2);
    const auto optimiser = make_optimiser(adam_recipe(AdamEpsilon::corrected), kSize, pool);
    Point point = {x, Losses(), gradient};
    for (int i = 0; i < 3; ++i) optimiser->step(unused_, point);
    return x;
  };
  const std::vector<float> expected = run(1);
  for (const int threads : {2, 3, 7}) EXPECT_TRUE(same_bits(run(threads), expected)) << threads;
}

// x -= rate g / (sqrt(v) + eps), v = decay v + (1 - decay) g^2.
using RmsProp = FirstOrder;
Recipe rmsprop_recipe() {
  Recipe recipe = adam_recipe(AdamEpsilon::corrected);
  recipe.optimiser.kind = OptimiserKind::rmsprop;
  return recipe;
}

TEST_F(RmsProp, TakesTheStepsOfItsFormula) {
  constexpr size_t kSize = 7;
  const Recipe recipe = rmsprop_recipe();
  const auto& o = recipe.optimiser;
  const auto optimiser = make_optimiser(recipe, kSize, pool_);
  std::vector<float> x(kSize, 0.0f), gradient(kSize);
  std::vector<double> there(kSize), v(kSize);
  Point point = {x, Losses(), gradient};
  Random random(1);
  for (int step = 0; step < 40; ++step) {
    for (size_t i = 0; i < kSize; ++i) {
      gradient[i] =
          static_cast<float>(std::pow(10.0, static_cast<int>(i) - 3)) * random_signed(random);
      v[i] = o.beta2 * v[i] + (1 - o.beta2) * gradient[i] * gradient[i];
      there[i] -= o.learning_rate * gradient[i] / (std::sqrt(v[i]) + o.epsilon);
    }
    ASSERT_EQ(optimiser->step(unused_, point), StepStatus::moved);
    // The first steps are 1 / sqrt(1 - decay) = 4.5 rates long.
    for (size_t i = 0; i < kSize; ++i) {
      ASSERT_NEAR(x[i], there[i], (step + 1) * 0.1 * 8 * kEpsilon) << "value " << i;
    }
  }
}

TEST_F(RmsProp, RecoversByForgettingAndHalvingItsRate) {
  Recipe halved = rmsprop_recipe();
  halved.optimiser.learning_rate /= 2;
  const auto optimiser = make_optimiser(rmsprop_recipe(), 2, pool_);
  const auto fresh = make_optimiser(halved, 2, pool_);
  std::vector<float> x(2), other(2), gradient = {5, -2};
  Point point = {x, Losses(), gradient}, other_point = {other, Losses(), gradient};
  for (int i = 0; i < 10; ++i) optimiser->step(unused_, point);
  optimiser->recover();
  x.assign(2, 0.0f);
  for (int i = 0; i < 3; ++i) {
    optimiser->step(unused_, point);
    fresh->step(unused_, other_point);
  }
  EXPECT_TRUE(same_bits(x, other));
}

Recipe descent_recipe() {
  Recipe recipe;
  recipe.optimiser.kind = OptimiserKind::sgd;
  recipe.optimiser.learning_rate = 0.5;
  recipe.optimiser.decay_rate = 0.25;
  recipe.optimiser.decay_steps = 10;
  return recipe;
}

// 0.5 * 0.25^(k / 10) in step k = 0, 1, ...: the exponent is no whole number.
TEST_F(GradientDescent, DecaysItsRateContinuously) {
  const auto optimiser = make_optimiser(descent_recipe(), 2, pool_);
  std::vector<float> x = {0, 0}, gradient = {1, -2};
  Point point = {x, Losses(), gradient};
  double sum = 0;
  for (int step = 0; step < 25; ++step) {
    sum += 0.5 * std::pow(0.25, step / 10.0);
    ASSERT_EQ(optimiser->step(unused_, point), StepStatus::moved);
    ASSERT_NEAR(x[0], -sum, (step + 2) * kEpsilon * sum) << "step " << step;
    ASSERT_NEAR(x[1], 2 * sum, (step + 2) * kEpsilon * 2 * sum) << "step " << step;
  }
}

TEST_F(GradientDescent, WithADecayRateOf1KeepsItsRate) {
  Recipe recipe = descent_recipe();
  recipe.optimiser.decay_rate = 1;
  const auto optimiser = make_optimiser(recipe, 1, pool_);
  std::vector<float> x = {0}, gradient = {1};
  Point point = {x, Losses(), gradient};
  for (int step = 1; step <= 16; ++step) {
    optimiser->step(unused_, point);
    EXPECT_EQ(x[0], -0.5f * static_cast<float>(step));
  }
}

TEST_F(GradientDescent, RecoversByHalvingItsRate) {
  Recipe recipe = descent_recipe();
  recipe.optimiser.decay_rate = 1;
  const auto optimiser = make_optimiser(recipe, 1, pool_);
  std::vector<float> x = {0}, gradient = {1};
  Point point = {x, Losses(), gradient};
  optimiser->recover();
  optimiser->step(unused_, point);
  EXPECT_EQ(x[0], -0.25f);
  optimiser->recover();
  optimiser->step(unused_, point);
  EXPECT_EQ(x[0], -0.375f);
}

TEST_F(GradientDescent, ReachesTheFootOfAQuadratic) {
  const Function f = seen_in_float(quadratic(3));
  Recipe recipe = descent_recipe();
  recipe.optimiser.decay_rate = 1;
  Standing standing(f, {4, -3, 8});
  const auto optimiser = make_optimiser(recipe, 3, pool_);
  for (int i = 0; i < 60; ++i) standing.step(*optimiser, f);
  EXPECT_LT(standing.point.losses.total, 1e-10);
}

}  // namespace
}  // namespace limn
