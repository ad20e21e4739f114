// The unit of a loss is of no account: an objective times any constant is minimised alike.
//
// Times a power of two, all that an optimiser computes is so many times as large, to the bit. Times
// another constant, every gradient is rounded anew, by half an epsilon a float. A painting has its
// weights divided by the digits of the first, which leaves the rounding of doubles.
#include "paint/loss_unit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/kernels.h"
#include "optimise/descent.h"
#include "optimise/line_search.h"
#include "optimise/local_scales.h"
#include "paint/schedule.h"
#include "support/drawn.h"
#include "support/functions.h"
#include "support/history_of.h"
#include "support/same_bits.h"
#include "support/sanitized.h"
#include "support/tiny_network.h"
#include "support/tolerance.h"

namespace limn {
namespace {

// About 1e-12, 1e-6, 1e6 and 1e12.
constexpr double kPowers[] = {0x1p-40, 0x1p-20, 0x1p20, 0x1p40};
constexpr double kConstants[] = {1e-12, 1e-6, 1e6, 1e12};

// ------------------------------------------------------------------------------------ the unit --

TEST(LossUnit, BringsALossNearOneByAPowerOfTwo) {
  for (const double loss : {1e-300, 3.7e-12, 9e-4, 2e9, 6.1e12, 1e300}) {
    const double unit = range_unit(loss);
    EXPECT_EQ(unit, std::exp2(std::round(std::log2(unit)))) << loss;
    EXPECT_GE(loss * unit, 1) << loss;
    EXPECT_LT(loss * unit, 2) << loss;
  }
}

TEST(LossUnit, LeavesLossesAloneThatAreNearOrHaveNoSize) {
  for (const double loss : {0.01, 1.0, 1e6}) EXPECT_EQ(range_unit(loss), 1) << loss;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const double loss : {0.0, 5e-324, -1.0, kInfinity, std::nan("")})
    EXPECT_EQ(range_unit(loss), 1);
}

// Weights so large and so small that gradients would not fit into floats, or vanish in them.
TEST(LossUnit, KeepsGradientsWithinFloats) {
  const TinyNetwork& tiny = tiny_network();
  ThreadPool pool(1);
  Recipe recipe;
  recipe.content.layers = {{"relu2_1", 1.0}};
  recipe.style.layers = {{"conv1_1", 1.0}, {"relu3_1", 1.0}};
  recipe.style.weight = 1;
  recipe.total_variation.weight = 1;
  Objective objective(tiny.weights, recipe, tiny.photo, tiny.painting, pool);
  std::vector<float> expected(objective.size()), gradient(objective.size());
  const Losses losses = objective.evaluate(tiny.picture.rgb, expected);
  for (const double c : {0x1p-200, 0x1p200}) {
    LossWeights weights = objective.weights();
    std::ranges::fill(weights.content, c);
    std::ranges::fill(weights.style, c);
    weights.total_variation = c;
    objective.multiply(weights);
    const Losses found = choose_unit(objective, 1, tiny.picture.rgb, gradient);
    EXPECT_EQ(found.total, c * losses.total);
    kernels::scale(static_cast<float>(1 / (c * objective.unit())), gradient, pool);
    EXPECT_TRUE(same_bits(gradient, expected)) << c;
  }
}

TEST(LossUnit, OfWeightsIsOneOverTheDigitsOfTheFirst) {
  const TinyNetwork& tiny = tiny_network();
  ThreadPool pool(1);
  const auto unit_of = [&](double content, double style, double variation) {
    Recipe recipe;
    recipe.content.layers = {{"relu2_1", 1.0}};
    recipe.content.weight = content;
    recipe.style.layers = {{"conv1_1", 1.0}};
    recipe.style.weight = style;
    recipe.total_variation.weight = variation;
    return weight_unit(Objective(tiny.weights, recipe, tiny.photo, tiny.painting, pool));
  };
  EXPECT_EQ(unit_of(1, 1e9, 0.01), 1);
  EXPECT_EQ(unit_of(0x1p-30, 3, 0), 1);
  EXPECT_EQ(unit_of(1e-12, 1, 0), 0x1p-40 / 1e-12);
  EXPECT_EQ(unit_of(0, 3, 7), 2 / 3.0);
  EXPECT_EQ(unit_of(0, 0, 7), 4 / 7.0);
  EXPECT_EQ(unit_of(5e-324, 0, 0), 1);
}

// ------------------------------------------------------------------------------ the optimisers --

Function times(double constant, DoubleFunction f) {
  return seen_in_float([=](const std::vector<double>& x, std::vector<double>& g) {
    const double value = f(x, g);
    for (double& slope : g) slope *= constant;
    return constant * value;
  });
}

constexpr int kSide = 20;

// A bowl over a plane of kSide x kSide that is steeper than a parabola, and 50 times as much in one
// corner as in the other; least, 0, where x_i = i mod 7.
double bowl(const std::vector<double>& x, std::vector<double>& g) {
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double curvature = std::pow(50, static_cast<double>(i) / static_cast<double>(x.size()));
    const double off = x[i] - static_cast<double>(i % 7);
    sum += curvature * (off * off / 2 + off * off * off * off / 4);
    g[i] = curvature * (off + off * off * off);
  }
  return sum;
}

struct Method {
  LineSearch line_search;
  Curvature curvature;
};
const Method kMethods[] = {{LineSearch::none, Curvature::one},
                           {LineSearch::strong_wolfe, Curvature::one},
                           {LineSearch::none, Curvature::local},
                           {LineSearch::strong_wolfe, Curvature::local}};

struct Ended {
  std::vector<float> x;
  double loss = 0;
  int iterations = 0;
  bool converged = false;
};

Ended minimise(const Function& f, const Method& method, int iterations) {
  ThreadPool pool(1);
  Recipe recipe;
  recipe.optimiser.line_search = method.line_search;
  recipe.optimiser.curvature = method.curvature;
  const Size plane = {kSide, kSide};
  std::vector<float> start(kSide * kSide);
  for (size_t i = 0; i < start.size(); ++i) start[i] = 3 + static_cast<float>(i % 5);
  Descent descent(f, start, make_optimiser(recipe, start.size(), pool, std::span(&plane, 1)), pool);
  Ended ended;
  while (!ended.converged && descent.iteration() < iterations) {
    ended.converged = descent.advance() == Descent::Status::converged;
  }
  ended.x = std::vector<float>(descent.best_x().begin(), descent.best_x().end());
  ended.loss = descent.best_losses().total;
  ended.iterations = descent.iteration();
  return ended;
}

TEST(AnyUnit, TakesLbfgsAlongTheSamePointsToTheBit) {
  for (const Method& method : kMethods) {
    const Ended expected = minimise(times(1, bowl), method, 40);
    for (const double c : kPowers) {
      SCOPED_TRACE(testing::Message()
                   << c << ", line search " << static_cast<int>(method.line_search)
                   << ", curvature " << static_cast<int>(method.curvature));
      const Ended found = minimise(times(c, bowl), method, 40);
      EXPECT_TRUE(same_bits(found.x, expected.x));
      EXPECT_EQ(found.loss, c * expected.loss);
      EXPECT_EQ(found.iterations, expected.iterations);
      EXPECT_EQ(found.converged, expected.converged);
    }
  }
}

// Where it has arrived, the loss of coordinates up to 6 that are half an epsilon off is the least
// that can be told from 0: within that, of the curvature of 50 at most.
TEST(AnyUnit, LetsLbfgsArrive) {
  const double ulp = 6 * kEpsilon;
  for (const Method& method : kMethods) {
    for (const double c : {1.0, 1e-12, 1e-6, 1e6, 1e12}) {
      SCOPED_TRACE(testing::Message()
                   << c << ", line search " << static_cast<int>(method.line_search)
                   << ", curvature " << static_cast<int>(method.curvature));
      const Ended found = minimise(times(c, bowl), method, 120);
      EXPECT_LE(found.loss, c * kSide * kSide * 50 * ulp * ulp / 2);
    }
  }
}

TEST(AnyUnit, GivesTheLineSearchTheSameLength) {
  const auto wall = [](const std::vector<double>& x, std::vector<double>& g) {
    g[0] = 5 * std::exp(5 * x[0]) - 20;
    return std::exp(5 * x[0]) - 20 * x[0];
  };
  const auto length_of = [&](double c) {
    ThreadPool pool(1);
    const Function f = times(c, wall);
    Standing standing(f, {0});
    const std::vector<float> x = standing.x;
    const float direction[] = {1};
    return strong_wolfe(f, direction, standing.gradient[0], 3.0, x, standing.point, pool);
  };
  const double expected = length_of(1);
  EXPECT_GT(expected, 0);
  for (const double c : kPowers) EXPECT_EQ(length_of(c), expected) << c;
  // A cubic's minimum is where its slope is 0, and the slopes are half an epsilon off.
  for (const double c : kConstants) EXPECT_NEAR(length_of(c), expected, 8 * kEpsilon) << c;
}

TEST(AnyUnit, GivesLocalScalesTheSameValues) {
  const Size plane = {kSide, kSide};
  const auto learnt = [&](double c) {
    ThreadPool pool(1);
    const Share share = share_of_history(size_t{kSide} * kSide, kSide, alone());
    LocalScales scales(std::span(&plane, 1), share, pool);
    std::vector<float> s(kSide * kSide), y(s.size()), gradient(s.size(), static_cast<float>(c));
    for (size_t i = 0; i < s.size(); ++i) {
      s[i] = 1e3f * static_cast<float>(1 + i % 3);
      y[i] = static_cast<float>(c * (1 + static_cast<double>(i) / 10));
    }
    const size_t place = 0;
    scales.learn(*history_of({s}, {y}, pool), {&place, 1}, gradient);
    return std::vector<float>(scales.r().begin(), scales.r().end());
  };
  const std::vector<float> expected = learnt(1);
  EXPECT_NE(expected.front(), expected.back()) << "nothing was learnt";
  for (const double c : {0x1p-60, 0x1p-40, 0x1p40, 0x1p50}) {
    EXPECT_TRUE(same_bits(learnt(c), expected)) << c;
  }
}

TEST(AnyUnit, EndsOnThePlateauAtTheSameLoss) {
  const auto reached_after = [](double c) {
    Plateau plateau(0.05);
    int losses = 1;
    while (!plateau.reached(c * (100 + std::max(0.0, 100.0 - losses)))) ++losses;
    return losses;
  };
  for (const double c : kPowers) EXPECT_EQ(reached_after(c), reached_after(1)) << c;
  for (const double c : kConstants) EXPECT_EQ(reached_after(c), reached_after(1)) << c;
}

// ------------------------------------------------------------------------------- the paintings --

class AnyUnitOfAPainting : public testing::Test {
 protected:
  void SetUp() override {
    if (kSanitized) GTEST_SKIP() << "hundreds of paintings, of which only the numbers matter here";
  }

  // All weights times c.
  Painted painted(Recipe recipe, double c) const {
    recipe.content.weight *= c;
    recipe.style.weight *= c;
    recipe.total_variation.weight *= c;
    return paint(model_, photo_, painting_, recipe);
  }

  // Two sizes, with bands and without.
  static std::vector<Recipe> recipes() {
    std::vector<Recipe> recipes;
    for (const Method& method : kMethods) {
      for (const bool bands : {false, true}) {
        for (const Balance balance : {Balance::fixed, Balance::measured}) {
          Recipe recipe = small_recipe();
          recipe.picture.size = 48;
          recipe.pyramid.smallest = 24;
          if (bands) recipe.pyramid.bands = {0, 0.5};
          recipe.total_variation.weight = 0.01;
          recipe.balance.kind = balance;
          recipe.optimiser.line_search = method.line_search;
          recipe.optimiser.curvature = method.curvature;
          recipe.optimiser.iterations = 16;
          recipes.push_back(recipe);
        }
      }
    }
    return recipes;
  }

  const Model model_ = small_vgg19();
  const Image photo_ = smooth_picture(48, 36, 1);
  const Image painting_ = smooth_picture(48, 36, 2);
};

TEST_F(AnyUnitOfAPainting, IsTheSamePictureToTheBit) {
  for (const Recipe& recipe : recipes()) {
    const Painted expected = painted(recipe, 1);
    ASSERT_FALSE(expected.unchanged);
    for (const double c : kPowers) {
      SCOPED_TRACE(c);
      const Painted found = painted(recipe, c);
      EXPECT_TRUE(same_bits(found.picture.rgb, expected.picture.rgb));
      EXPECT_EQ(found.outcome, expected.outcome);
      EXPECT_EQ(found.iteration, expected.iteration);
      ASSERT_EQ(found.history.size(), expected.history.size());
      for (size_t i = 0; i < found.history.size(); ++i) {
        EXPECT_EQ(found.history[i].losses.style, c * expected.history[i].losses.style);
        EXPECT_EQ(found.history[i].losses.total, c * expected.history[i].losses.total);
      }
    }
  }
}

// Proportions of weights differ in the last digit of a double, which now and then turns over that
// of a float.
TEST_F(AnyUnitOfAPainting, IsTheSamePictureToRounding) {
  for (const Recipe& recipe : recipes()) {
    const Painted expected = painted(recipe, 1);
    for (const double c : kConstants) {
      SCOPED_TRACE(c);
      const Painted found = painted(recipe, c);
      EXPECT_EQ(found.outcome, expected.outcome);
      EXPECT_FALSE(found.unchanged);
      ASSERT_EQ(found.history.size(), expected.history.size());
      double largest = 0;
      for (size_t i = 0; i < found.picture.rgb.size(); ++i) {
        largest =
            std::max<double>(largest, std::abs(found.picture.rgb[i] - expected.picture.rgb[i]));
      }
      EXPECT_LT(largest, 1e-3);  // a quarter of a step of 8 bits
      const double loss = expected.history.back().losses.total;
      EXPECT_NEAR(found.history.back().losses.total / c, loss, 1e-3 * loss);
    }
  }
}

// In the picture that is minimised, which no clamping to 0..1 has changed. Where the content weighs
// nothing any more, ways of the same length end some percent apart.
TEST_F(AnyUnitOfAPainting, MoreWeightOnStyleMakesNoLessOfIt) {
  for (const Method& method : kMethods) {
    for (const Balance balance : {Balance::fixed, Balance::measured}) {
      Recipe recipe = small_recipe();
      recipe.balance.kind = balance;
      recipe.content.weight = 1;
      recipe.optimiser.line_search = method.line_search;
      recipe.optimiser.curvature = method.curvature;
      recipe.optimiser.iterations = 60;
      double before = HUGE_VAL;
      for (const double weight : {1.0, 1e3, 1e6, 1e9, 1e12}) {
        recipe.style.weight = weight;
        const Painted result = paint(model_, photo_, painting_, recipe);
        EXPECT_FALSE(result.unchanged);
        const double first = result.history.front().losses.style / weight;
        const double style = result.history[result.iteration].losses.style / weight;
        EXPECT_LT(style, 0.9 * first) << weight;
        EXPECT_LT(style, before + 0.02 * first) << weight;
        before = style;
      }
    }
  }
}

}  // namespace
}  // namespace limn
