// One run: bad steps are taken back, the best point is never lost.
#include "optimise/descent.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "support/functions.h"
#include "support/same_bits.h"

namespace limn {
namespace {

using Status = Descent::Status;

// Takes steps that a list says, and counts what it is told.
class ScriptedSteps : public Optimiser {
 public:
  ScriptedSteps(std::vector<float> steps, int* recoveries)
      : steps_(std::move(steps)), recoveries_(recoveries) {}
  StepStatus step(const Function&, Point& point) override {
    if (next_ == steps_.size()) return StepStatus::converged;
    for (float& value : point.x) value += steps_[next_];
    ++next_;
    return StepStatus::moved;
  }
  void keep(State&) override {}
  void recover() override { ++*recoveries_; }

 private:
  std::vector<float> steps_;
  size_t next_ = 0;
  int* recoveries_;
};

// A function of one variable by a table of losses at whole places.
Function table(std::vector<double> losses) {
  return [losses = std::move(losses)](std::span<const float> x, std::span<float> gradient) {
    gradient[0] = 1;
    Losses result;
    result.total = losses.at(static_cast<size_t>(x[0]));
    return result;
  };
}

Recipe recipe_for(OptimiserKind kind, double learning_rate) {
  Recipe recipe;
  recipe.optimiser.kind = kind;
  recipe.optimiser.learning_rate = learning_rate;
  return recipe;
}

class OneDescent : public testing::Test {
 protected:
  Descent scripted(std::vector<double> losses, std::vector<float> steps, int look_every = 1) {
    return Descent(table(std::move(losses)), {0.0f},
                   std::make_unique<ScriptedSteps>(std::move(steps), &recoveries_), pool_, {},
                   look_every);
  }

  int recoveries_ = 0;
  ThreadPool pool_{1};
};

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST_F(OneDescent, BeginsAtTheFirstPointEvaluated) {
  const Descent descent = scripted({7}, {});
  EXPECT_EQ(descent.losses().total, 7);
  EXPECT_EQ(descent.best_losses().total, 7);
  EXPECT_EQ(descent.x()[0], 0);
  EXPECT_EQ(descent.best_x()[0], 0);
  EXPECT_EQ(descent.iteration(), 0);
  EXPECT_EQ(descent.best_iteration(), 0);
  EXPECT_EQ(descent.rejected_steps(), 0);
}

TEST_F(OneDescent, KeepsTheBestPointOfAll) {
  //                 0  1  2  3  4  5
  Descent descent = scripted({9, 5, 8, 3, 3, 6}, {1, 1, 1, 1, 1});
  const int best[] = {1, 1, 3, 3, 3};  // of equals the first
  for (int i = 1; i <= 5; ++i) {
    EXPECT_EQ(descent.advance(), Status::moved);
    EXPECT_EQ(descent.iteration(), i);
    EXPECT_EQ(descent.x()[0], static_cast<float>(i));
    EXPECT_EQ(descent.best_iteration(), best[i - 1]);
    EXPECT_EQ(descent.best_x()[0], static_cast<float>(best[i - 1]));
  }
  EXPECT_EQ(descent.losses().total, 6);
  EXPECT_EQ(descent.best_losses().total, 3);
  EXPECT_EQ(descent.advance(), Status::converged);
  EXPECT_EQ(descent.iteration(), 5) << "converging is no iteration";
}

TEST_F(OneDescent, LooksForTheBestAtEveryNthPointOnly) {
  //                         0  1  2  3  4  5
  Descent descent = scripted({9, 1, 8, 2, 5, 3}, {1, 1, 1, 1, 1}, 2);
  const int best[] = {0, 2, 2, 4, 4};
  for (const int expected : best) {
    descent.advance();
    EXPECT_EQ(descent.best_iteration(), expected);
    EXPECT_EQ(descent.best_x()[0], static_cast<float>(expected));
  }
  descent.look();
  EXPECT_EQ(descent.best_iteration(), 5) << "asked to, it looks at any point";
  EXPECT_EQ(descent.best_losses().total, 3);
}

TEST_F(OneDescent, TakesBackAStepToALossThatIsNotFinite) {
  for (const double bad : {kNan, kInfinity, -kInfinity}) {
    recoveries_ = 0;
    Descent descent = scripted({9, 5, 6, bad, 2}, {1, 1, 1, 3});
    descent.advance();
    descent.advance();
    EXPECT_EQ(descent.advance(), Status::rejected) << bad;
    EXPECT_EQ(descent.iteration(), 3) << "a step taken back counts as an iteration";
    EXPECT_EQ(descent.rejected_steps(), 1);
    EXPECT_EQ(recoveries_, 1);
    EXPECT_EQ(descent.x()[0], 1) << "not back at the best point";
    EXPECT_EQ(descent.losses().total, 5);
    EXPECT_EQ(descent.best_iteration(), 1);
    EXPECT_EQ(descent.advance(), Status::moved) << "it goes on from there";
    EXPECT_EQ(descent.x()[0], 4);
    EXPECT_EQ(descent.best_losses().total, 2);
    EXPECT_EQ(descent.best_iteration(), 4);
  }
}

TEST_F(OneDescent, TakesBackAStepToALossAThousandTimesTheFirst) {
  Descent descent = scripted({9, 9000, 9001, 8}, {1, 1, 3});
  EXPECT_EQ(descent.advance(), Status::moved) << "a thousandfold is still allowed";
  EXPECT_EQ(descent.advance(), Status::rejected);
  EXPECT_EQ(descent.x()[0], 0);
  EXPECT_EQ(descent.losses().total, 9);
  EXPECT_EQ(descent.advance(), Status::moved);
  EXPECT_EQ(descent.best_losses().total, 8);
  EXPECT_EQ(descent.rejected_steps(), 1);
}

TEST_F(OneDescent, LetsALossThatBeganAt0Grow) {
  Descent descent = scripted({0, 1e6}, {1});
  EXPECT_EQ(descent.advance(), Status::moved);
  EXPECT_EQ(descent.best_iteration(), 0);
}

TEST_F(OneDescent, GivesUpAfterTooManyRejectionsInARow) {
  const Function f = [first = true](std::span<const float> x, std::span<float> gradient) mutable {
    gradient[0] = 1;
    Losses losses;
    losses.total = x[0] == 0 ? 1 : kNan;
    return losses;
  };
  Descent descent(
      f, {0.0f}, std::make_unique<ScriptedSteps>(std::vector<float>(1000, 1), &recoveries_), pool_);
  int rejected = 0;
  while (descent.advance() == Status::rejected) ++rejected;
  EXPECT_GE(rejected, 5);
  EXPECT_LE(rejected, 100);
  EXPECT_EQ(descent.x()[0], 0) << "it ends at the best point";
  EXPECT_EQ(descent.losses().total, 1);
  EXPECT_EQ(descent.rejected_steps(), recoveries_);
}

TEST_F(OneDescent, OnlyCountsRejectionsInARow) {
  // Every other step is bad, for longer than any row of rejections may be.
  std::vector<float> steps(100, 0.0f);
  for (size_t i = 0; i < steps.size(); i += 2) steps[i] = 1;
  int calls = 0;
  const Function f = [&calls](std::span<const float> x, std::span<float> gradient) {
    gradient[0] = 1;
    Losses losses;
    losses.total = x[0] == 0 ? 1 : kNan;
    ++calls;
    return losses;
  };
  Descent descent(f, {0.0f}, std::make_unique<ScriptedSteps>(steps, &recoveries_), pool_);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(descent.advance(), i % 2 == 0 ? Status::rejected : Status::moved) << i;
  }
  EXPECT_EQ(descent.rejected_steps(), 50);
}

TEST_F(OneDescent, FailsWhenTheFirstLossIsNotFinite) {
  for (const double bad : {kNan, kInfinity, -kInfinity}) {
    Descent descent = scripted({bad, 1}, {1});
    EXPECT_EQ(descent.advance(), Status::failed);
    EXPECT_EQ(descent.advance(), Status::failed);
    EXPECT_EQ(descent.x()[0], 0);
    EXPECT_EQ(descent.best_x()[0], 0);
    EXPECT_EQ(descent.iteration(), 0);
  }
}

TEST_F(OneDescent, ProjectsThePointAfterEveryStepAndEvaluatesItThere) {
  const Function f = seen_in_float(quadratic(1));  // least at 0, 1, 2
  const auto project = [](std::span<float> x) {
    for (float& value : x) value = std::clamp(value, 0.25f, 1.5f);
  };
  for (const LineSearch line_search : {LineSearch::none, LineSearch::strong_wolfe}) {
    Recipe recipe = recipe_for(OptimiserKind::lbfgs, 1);
    recipe.optimiser.line_search = line_search;
    Descent descent(f, {1, 0.5f, 0.5f}, make_optimiser(recipe, 3, pool_), pool_, project);
    for (int i = 0; i < 30; ++i) {
      const Status status = descent.advance();
      if (status == Status::converged) break;
      std::vector<float> unused(3);
      EXPECT_EQ(descent.losses().total, f(descent.x(), unused).total);
      for (const float value : descent.x()) {
        EXPECT_GE(value, 0.25f);
        EXPECT_LE(value, 1.5f);
      }
    }
    // Of all pictures allowed, the nearest to (0, 1, 2).
    EXPECT_NEAR(descent.best_x()[0], 0.25, 1e-4);
    EXPECT_NEAR(descent.best_x()[1], 1, 1e-4);
    EXPECT_NEAR(descent.best_x()[2], 1.5, 1e-4);
  }
}

// A rate far too large: each step multiplies the distance by 9, until the loss is a thousandfold.
TEST_F(OneDescent, ConvergesInTheEndWithARateFarTooLarge) {
  const Function f = seen_in_float(quadratic(2));
  Descent descent(f, {3, -3, 5}, make_optimiser(recipe_for(OptimiserKind::sgd, 5), 3, pool_),
                  pool_);
  for (int i = 0; i < 100; ++i) descent.advance();
  EXPECT_GE(descent.rejected_steps(), 2);
  EXPECT_LT(descent.best_losses().total, 1e-8);
}

TEST_F(OneDescent, ConvergesInSpiteOfALossThatIsNotANumberOnTheWay) {
  for (const OptimiserKind kind : {OptimiserKind::lbfgs, OptimiserKind::adam, OptimiserKind::sgd}) {
    int calls = 0;
    const Function bowl = seen_in_float(quadratic(3));
    const Function f = [&](std::span<const float> x, std::span<float> gradient) {
      Losses losses = bowl(x, gradient);
      if (++calls == 4) losses.total = kNan;
      return losses;
    };
    Descent descent(f, {3, -3, 5}, make_optimiser(recipe_for(kind, 0.4), 3, pool_), pool_);
    for (int i = 0; i < 400; ++i) {
      if (descent.advance() == Status::converged) break;
    }
    EXPECT_EQ(descent.rejected_steps(), 1) << "optimiser " << static_cast<int>(kind);
    EXPECT_LT(descent.best_losses().total, 1e-3) << "optimiser " << static_cast<int>(kind);
  }
}

// Whatever the optimiser does, the best point is the least of all that ended an iteration.
TEST_F(OneDescent, BestPointIsTheLeastOfAllThatEndedAnIteration) {
  const Function f = seen_in_float([](const std::vector<double>& x, std::vector<double>& g) {
    double sum = 0;  // waves on a bowl
    for (size_t i = 0; i < x.size(); ++i) {
      sum += x[i] * x[i] + 4 * std::sin(5 * x[i]) + 5;
      g[i] = 2 * x[i] + 20 * std::cos(5 * x[i]);
    }
    return sum;
  });
  for (const OptimiserKind kind :
       {OptimiserKind::lbfgs, OptimiserKind::adam, OptimiserKind::rmsprop, OptimiserKind::sgd}) {
    Descent descent(f, {3, -2.5f, 1}, make_optimiser(recipe_for(kind, 0.3), 3, pool_), pool_);
    double least = descent.losses().total;
    std::vector<float> best(descent.x().begin(), descent.x().end());
    int iteration = 0;
    for (int i = 0; i < 200; ++i) {
      const Status status = descent.advance();
      if (status == Status::converged) break;
      if (status == Status::moved && descent.losses().total < least) {
        least = descent.losses().total;
        best.assign(descent.x().begin(), descent.x().end());
        iteration = descent.iteration();
      }
    }
    EXPECT_GT(iteration, 0);
    EXPECT_EQ(descent.best_losses().total, least);
    EXPECT_EQ(descent.best_iteration(), iteration);
    EXPECT_TRUE(same_bits(std::span<const float>(best), descent.best_x()));
    std::vector<float> unused(3);
    EXPECT_EQ(f(descent.best_x(), unused).total, least)
        << "losses and point do not belong together";
  }
}

TEST_F(OneDescent, ConvergesAtOnceWhereTheGradientIs0) {
  Descent descent(seen_in_float(quadratic(3)), {0, 1, 2},
                  make_optimiser(recipe_for(OptimiserKind::lbfgs, 1), 3, pool_), pool_);
  EXPECT_EQ(descent.advance(), Status::converged);
  EXPECT_EQ(descent.iteration(), 0);
}

}  // namespace
}  // namespace limn
