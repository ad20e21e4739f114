// "The iteration loop allocates nothing": optimisers, line search, descent and total variation.
#include <gtest/gtest.h>

#include <algorithm>

#include "optimise/descent.h"
#include "support/allocations.h"
#include "support/losses_alone.h"
#include "support/random_values.h"

namespace limn {
namespace {

constexpr size_t kSize = 70'000;  // two pieces of the vector kernels, five of L-BFGS's
constexpr Size kPlanes[] = {{200, 300}, {100, 100}};

// sum of (1 + i mod 50) x_i^2 / 2, and nothing allocated.
Losses bowl(std::span<const float> x, std::span<float> gradient) {
  Losses losses;
  for (size_t i = 0; i < x.size(); ++i) {
    gradient[i] = static_cast<float>(1 + i % 50) * x[i];
    losses.total += double{gradient[i]} * x[i] / 2;
  }
  return losses;
}

void keep_within_half(std::span<float> x) {
  for (float& value : x) value = std::clamp(value, -0.5f, 0.5f);
}

struct Case {
  const char* name;
  OptimiserKind kind;
  LineSearch line_search = LineSearch::none;
  bool projected = false;
  Curvature curvature = Curvature::one;
};

class IterationsAllocateNothing : public testing::TestWithParam<Case> {};

TEST_P(IterationsAllocateNothing, FromTheThirdOn) {
  Recipe recipe;
  recipe.optimiser.kind = GetParam().kind;
  recipe.optimiser.line_search = GetParam().line_search;
  recipe.optimiser.curvature = GetParam().curvature;
  recipe.optimiser.learning_rate = GetParam().kind == OptimiserKind::lbfgs ? 1 : 0.01;
  recipe.optimiser.history = 4;  // full, and its ring turned, by the sixth
  ThreadPool pool(3);
  Descent descent(
      bowl, random_values(kSize, 1), make_optimiser(recipe, kSize, pool, kPlanes), pool,
      GetParam().projected ? keep_within_half : std::function<void(std::span<float>)>());
  for (int i = 1; i <= 6; ++i) {
    const int before = allocations();
    ASSERT_EQ(descent.advance(), Descent::Status::moved) << "iteration " << i;
    if (i < 3) continue;
    EXPECT_EQ(allocations() - before, 0) << "in iteration " << i;
  }
  EXPECT_EQ(descent.best_iteration(), 6) << "it never copied a best point";
}

INSTANTIATE_TEST_SUITE_P(
    Optimisers, IterationsAllocateNothing,
    testing::Values(Case{"lbfgs", OptimiserKind::lbfgs},
                    Case{"lbfgs_with_a_line_search", OptimiserKind::lbfgs,
                         LineSearch::strong_wolfe},
                    Case{"lbfgs_projected", OptimiserKind::lbfgs, LineSearch::none, true},
                    Case{"lbfgs_with_local_scales", OptimiserKind::lbfgs,  // the sixth learns them
                         LineSearch::strong_wolfe, false, Curvature::local},
                    Case{"adam", OptimiserKind::adam}, Case{"sgd", OptimiserKind::sgd}),
    [](const auto& info) { return info.param.name; });

// Nor does a step that is taken back.
TEST(RejectedSteps, AllocateNothing) {
  Recipe recipe;
  recipe.optimiser.kind = OptimiserKind::sgd;
  recipe.optimiser.learning_rate = 1e6;
  ThreadPool pool(2);
  Descent descent(bowl, random_values(kSize, 1), make_optimiser(recipe, kSize, pool), pool);
  for (int i = 1; i <= 4; ++i) {
    const int before = allocations();
    ASSERT_EQ(descent.advance(), Descent::Status::rejected) << "iteration " << i;
    EXPECT_EQ(allocations() - before, 0) << "in iteration " << i;
  }
}

TEST(TotalVariation, AllocatesNothing) {
  constexpr int kHeight = 400;  // more rows than bands
  constexpr int kWidth = 30;
  const std::vector<float> x = random_values(size_t{3} * kHeight * kWidth, 1);
  std::vector<float> d(x.size());
  ThreadPool pool(3);
  const int before = allocations();
  for (const VariationForm form :
       {VariationForm::absolute, VariationForm::squared, VariationForm::power}) {
    EXPECT_GT(total_variation(form, 1.0, x, kHeight, kWidth, d, pool), 0);
  }
  EXPECT_EQ(allocations() - before, 0);
}

TEST(Allocations, AreCounted) {
  const int before = allocations();
  const std::vector<float> memory(1000);
  EXPECT_EQ(allocations() - before, 1);
}

}  // namespace
}  // namespace limn
