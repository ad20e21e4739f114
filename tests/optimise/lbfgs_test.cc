// L-BFGS, with and without its line search.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "support/functions.h"
#include "support/random_values.h"
#include "support/same_bits.h"

namespace limn {
namespace {

Recipe lbfgs_recipe(LineSearch line_search, int history = 10) {
  Recipe recipe;
  recipe.optimiser.kind = OptimiserKind::lbfgs;
  recipe.optimiser.line_search = line_search;
  recipe.optimiser.history = history;
  return recipe;
}

class Lbfgs : public testing::Test {
 protected:
  // The loss after so many steps from `start`.
  double descend(const Recipe& recipe, const Function& f, std::vector<float> start, int steps) {
    Standing standing(f, std::move(start));
    const auto optimiser = make_optimiser(recipe, standing.x.size(), pool_);
    for (int i = 0; i < steps; ++i) {
      if (standing.step(*optimiser, f) == StepStatus::converged) break;
    }
    return standing.point.losses.total;
  }

  ThreadPool pool_{1};
};

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}
double norm(const std::vector<double>& a) { return std::sqrt(dot(a, a)); }

std::vector<double> difference(const std::vector<float>& a, const std::vector<float>& b) {
  std::vector<double> d(a.size());
  for (size_t i = 0; i < a.size(); ++i) d[i] = double{a[i]} - b[i];
  return d;
}

// From the classic start, where the loss is 24.2. Float coordinates near 1 leave about 1e-12.
TEST_F(Lbfgs, WithALineSearchGoesDownRosenbrocksValley) {
  const Function f = seen_in_float(rosenbrock);
  EXPECT_LT(descend(lbfgs_recipe(LineSearch::strong_wolfe), f, {-1.2f, 1}, 45), 1e-9);
  EXPECT_LT(descend(lbfgs_recipe(LineSearch::strong_wolfe), f, {-1.2f, 1, 2, -1, 0, 3}, 85), 1e-9);
}

// Steepest descent at its best rate would leave 13 % of the distance in the first case, 98 % in the
// second: ((c - 1) / (c + 1))^steps.
TEST_F(Lbfgs, TakesIllConditionedQuadratics) {
  const std::vector<float> start(30, 40.0f);
  std::vector<float> unused(30);
  for (const auto& [condition, steps, part] : {std::tuple{1e2, 50, 1e-7}, {1e4, 120, 1e-3}}) {
    const Function f = seen_in_float(quadratic(condition));
    const double first = f(start, unused).total;
    for (const LineSearch line_search : {LineSearch::none, LineSearch::strong_wolfe}) {
      EXPECT_LT(descend(lbfgs_recipe(line_search), f, start, steps), part * first)
          << "condition " << condition;
    }
  }
}

// With as many pairs as there are dimensions it has learnt the whole curvature.
TEST_F(Lbfgs, WithALineSearchEndsAQuadraticInFewSteps) {
  const Function f = seen_in_float(quadratic(100));
  EXPECT_LT(descend(lbfgs_recipe(LineSearch::strong_wolfe), f, std::vector<float>(4, 9), 16), 1e-8);
}

// The two-loop recursion must be the product with the matrix that BFGS updates build from the last
// pairs: H = (1 - rho s y') H (1 - rho y s') + rho s s', from (s . y / y . y) I of the newest pair.
TEST_F(Lbfgs, GoesAlongTheDenseMatrixOfItsLastPairs) {
  constexpr size_t kSize = 6;
  const Function f = seen_in_float(quadratic(50));
  for (const int history : {1, 2, 3, 10}) {
    for (const double learning_rate : {1.0, 0.5}) {
      Recipe recipe = lbfgs_recipe(LineSearch::none, history);
      recipe.optimiser.learning_rate = learning_rate;
      const auto optimiser = make_lbfgs(recipe, kSize, pool_);
      Standing standing(f, {9, -3, 4, 10, 1, -2});
      std::vector<std::vector<double>> s, y;
      for (int step = 0; step < 8; ++step) {
        SCOPED_TRACE(testing::Message() << "history " << history << ", step " << step);
        std::vector<double> expected(standing.gradient.begin(), standing.gradient.end());
        const double gradient_norm = norm(expected);
        const auto pairs = std::min<size_t>(s.size(), static_cast<size_t>(history));
        if (pairs > 0) {
          // H as a matrix.
          std::vector<std::vector<double>> H(kSize, std::vector<double>(kSize, 0.0));
          const double scale = dot(s.back(), y.back()) / dot(y.back(), y.back());
          for (size_t i = 0; i < kSize; ++i) H[i][i] = scale;
          for (size_t pair = s.size() - pairs; pair < s.size(); ++pair) {
            const double rho = 1 / dot(s[pair], y[pair]);
            std::vector<double> Hy(kSize);
            for (size_t i = 0; i < kSize; ++i) Hy[i] = dot(H[i], y[pair]);
            const double yHy = dot(y[pair], Hy);
            for (size_t i = 0; i < kSize; ++i) {
              for (size_t j = 0; j < kSize; ++j) {
                H[i][j] += -rho * (s[pair][i] * Hy[j] + Hy[i] * s[pair][j]) +
                           rho * (1 + rho * yHy) * s[pair][i] * s[pair][j];
              }
            }
          }
          const std::vector<double> gradient = expected;
          for (size_t i = 0; i < kSize; ++i) expected[i] = dot(H[i], gradient);
        }
        const std::vector<float> x = standing.x;
        const std::vector<float> gradient = standing.gradient;
        ASSERT_EQ(standing.step(*optimiser, f), StepStatus::moved);
        s.push_back(difference(standing.x, x));
        y.push_back(difference(standing.gradient, gradient));
        if (step == 0) {  // along the gradient, however far
          EXPECT_NEAR(dot(s[0], expected), -norm(s[0]) * gradient_norm,
                      1e-6 * norm(s[0]) * gradient_norm);
        } else {
          for (double& value : expected) value *= -learning_rate;
          // s is the difference of float coordinates up to 16; the history is in float.
          for (size_t i = 0; i < kSize; ++i) {
            EXPECT_NEAR(s.back()[i], expected[i], 2e-6 + 1e-5 * norm(expected));
          }
        }
      }
    }
  }
}

// Also of the first, which has no history to be scaled by.
TEST_F(Lbfgs, MultipliesEveryStepByTheLearningRate) {
  const Function f = seen_in_float(quadratic(20));
  const std::vector<float> start = {5, -2, 8};
  const auto first_step = [&](double learning_rate) {
    Recipe recipe = lbfgs_recipe(LineSearch::none);
    recipe.optimiser.learning_rate = learning_rate;
    const auto optimiser = make_lbfgs(recipe, 3, pool_);
    Standing standing(f, start);
    standing.step(*optimiser, f);
    return norm(difference(standing.x, start));
  };
  const double whole = first_step(1);
  EXPECT_GT(whole, 0);
  EXPECT_NEAR(first_step(0.5), whole / 2, 1e-5 * whole);
  EXPECT_NEAR(first_step(2), whole * 2, 1e-5 * whole);
}

TEST_F(Lbfgs, ConvergesAtOnceWhereTheGradientIs0) {
  const Function f = seen_in_float(quadratic(10));
  for (const LineSearch line_search : {LineSearch::none, LineSearch::strong_wolfe}) {
    Standing standing(f, {0, 1, 2, 3});
    const std::vector<float> before = standing.x;
    const auto optimiser = make_lbfgs(lbfgs_recipe(line_search), 4, pool_);
    EXPECT_EQ(standing.step(*optimiser, f), StepStatus::converged);
    EXPECT_TRUE(same_bits(standing.x, before));
  }
}

// Along a line on which the loss curves downwards no quadratic can be learnt, and what was learnt
// before says nothing about the place: the history is dropped whole, and the next step goes along
// the gradient. The gradients here are of no function; the steps without a line search call none.
TEST_F(Lbfgs, DropsItsHistoryWhereTheLossCurvesDownwards) {
  constexpr size_t kSize = 5;
  for (int trial = 0; trial < 50; ++trial) {
    const auto optimiser = make_lbfgs(lbfgs_recipe(LineSearch::none), kSize, pool_);
    Random random(trial);
    std::vector<float> x(kSize, 0.0f), gradient = random_values(kSize, 100 + trial);
    Point point = {x, Losses(), gradient};
    const auto step = [&] {
      const std::vector<float> before(x.begin(), x.end());
      EXPECT_EQ(optimiser->step(Function(), point), StepStatus::moved);
      return difference(x, before);
    };
    // The gradient grows by 1 to 3 times the step: curved upwards. Twice.
    for (int pair = 0; pair < 2; ++pair) {
      const std::vector<double> s = step();
      for (size_t i = 0; i < kSize; ++i) {
        gradient[i] += static_cast<float>((1 + 2 * random.uniform()) * s[i]);
      }
    }
    // It changes somehow, on the whole against the step: curved downwards.
    const std::vector<double> s = step();
    const std::vector<float> change = random_values(kSize, 200 + trial);
    const std::vector<double> y(change.begin(), change.end());
    const double against = -(0.1 + dot(y, s) / dot(s, s));
    for (size_t i = 0; i < kSize; ++i) gradient[i] += static_cast<float>(y[i] + against * s[i]);

    const std::vector<double> next = step();
    const std::vector<double> g(gradient.begin(), gradient.end());
    EXPECT_NEAR(dot(next, g), -norm(next) * norm(g), 1e-6 * norm(next) * norm(g))
        << "not along -g in trial " << trial;
  }
}

// The first step and every third after it go along the gradient, the others do not.
TEST_F(Lbfgs, ForgetsAllWhereItRestarts) {
  const Function f = seen_in_float(quadratic(20));
  for (const LineSearch line_search : {LineSearch::none, LineSearch::strong_wolfe}) {
    Recipe recipe = lbfgs_recipe(line_search);
    recipe.optimiser.restart_every = 3;
    const auto optimiser = make_lbfgs(recipe, 3, pool_);
    Standing standing(f, {5, -2, 8});
    for (int i = 0; i < 7; ++i) {
      const std::vector<float> before = standing.x;
      const std::vector<double> g(standing.gradient.begin(), standing.gradient.end());
      ASSERT_NE(standing.step(*optimiser, f), StepStatus::converged);
      const std::vector<double> s = difference(standing.x, before);
      const double cosine = -dot(s, g) / (norm(s) * norm(g));
      if (i % 3 == 0) {
        EXPECT_GT(cosine, 1 - 1e-5) << "step " << i;
      } else {
        EXPECT_LT(cosine, 1 - 1e-3) << "step " << i;
      }
    }
  }
}

TEST_F(Lbfgs, AfterRecoveringGoesAlongTheGradientAndLessFar) {
  const Function f = seen_in_float(quadratic(20));
  const std::vector<float> start = {5, -2, 8};
  const auto length_of_step = [&](Optimiser& optimiser) {
    Standing standing(f, start);
    standing.step(optimiser, f);
    const std::vector<double> s = difference(standing.x, start);
    Standing at_start(f, start);
    const std::vector<double> g(at_start.gradient.begin(), at_start.gradient.end());
    EXPECT_NEAR(dot(s, g), -norm(s) * norm(g), 1e-5 * norm(s) * norm(g)) << "not along -g";
    return norm(s);
  };
  const auto fresh = make_lbfgs(lbfgs_recipe(LineSearch::none), 3, pool_);
  const double usual = length_of_step(*fresh);

  const auto optimiser = make_lbfgs(lbfgs_recipe(LineSearch::none), 3, pool_);
  Standing standing(f, start);
  for (int i = 0; i < 5; ++i) standing.step(*optimiser, f);
  optimiser->recover();
  const double careful = length_of_step(*optimiser);
  EXPECT_LT(careful, 0.6 * usual);
  optimiser->recover();
  EXPECT_LT(length_of_step(*optimiser), 0.6 * careful);
}

// A line search that finds nothing is no end as long as there is a history to drop.
TEST_F(Lbfgs, WithALineSearchThatFailsFallsBackToTheGradientAndThenConverges) {
  int evaluations = 0;
  // A parabola in the first two steps; then every other point is worse.
  const Function parabola = seen_in_float(quadratic(10));
  bool blocked = false;
  std::vector<float> last;
  const Function f = [&](std::span<const float> x, std::span<float> gradient) {
    ++evaluations;
    Losses losses = parabola(x, gradient);
    if (blocked && !same_bits(x, last)) losses.total += 1e6;
    return losses;
  };
  Standing standing(f, {5, -2, 8});
  const auto optimiser = make_lbfgs(lbfgs_recipe(LineSearch::strong_wolfe), 3, pool_);
  ASSERT_EQ(standing.step(*optimiser, f), StepStatus::evaluated);
  ASSERT_EQ(standing.step(*optimiser, f), StepStatus::evaluated);
  last = standing.x;
  blocked = true;
  const std::vector<float> gradient = standing.gradient;
  EXPECT_NE(standing.step(*optimiser, f), StepStatus::converged) << "the history is not dropped";
  EXPECT_TRUE(same_bits(standing.x, last));
  EXPECT_TRUE(same_bits(standing.gradient, gradient));
  EXPECT_EQ(standing.step(*optimiser, f), StepStatus::converged);
  EXPECT_TRUE(same_bits(standing.x, last));
}

TEST_F(Lbfgs, GivesTheSameBitsForAnyNumberOfThreads) {
  constexpr size_t kSize = 200'000;  // four pieces of the vector kernels
  const Function f =
      seen_in_float([bowl = quadratic(30)](const std::vector<double>& x, std::vector<double>& g) {
        return bowl(x, g) / 1e9;
      });
  const auto run = [&](int threads) {
    ThreadPool pool(threads);
    const auto optimiser = make_lbfgs(lbfgs_recipe(LineSearch::none), kSize, pool);
    Standing standing(f, std::vector<float>(kSize, 1.0f));
    for (int i = 0; i < 5; ++i) standing.step(*optimiser, f);
    return standing.x;
  };
  const std::vector<float> expected = run(1);
  for (const int threads : {2, 3, 7}) EXPECT_TRUE(same_bits(run(threads), expected)) << threads;
}

}  // namespace
}  // namespace limn
