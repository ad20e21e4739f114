// The history of L-BFGS, as floats and in half precision, against a twin in double; and L-BFGS with
// a history in half precision.
#include "optimise/history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "support/functions.h"
#include "support/random_values.h"
#include "support/same_bits.h"

namespace limn {
namespace {

using Doubles = std::vector<double>;

constexpr size_t kPlaces = 4;
constexpr size_t kSize = 3 * 16384 + 77;  // four pieces of the kernels

double dot(const Doubles& a, const Doubles& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}
double magnitude(const Doubles& a, const Doubles& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] * b[i]);
  return sum;
}
double largest(const Doubles& a) {
  double most = 0;
  for (const double value : a) most = std::max(most, std::abs(value));
  return most;
}

Doubles in_double(std::span<const float> a) { return {a.begin(), a.end()}; }

// A vector whose values span many orders of magnitude, the largest about `size`.
std::vector<float> spread(double size, std::uint64_t seed) {
  std::vector<float> values = random_values(kSize, seed);
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(values[i] * size * std::pow(10.0, -static_cast<double>(i % 9)));
  }
  return values;
}

class HistoryIn : public testing::TestWithParam<bool> {
 protected:
  bool half() const { return GetParam(); }
  // How far rounding may move a value of a vector whose largest is `most`.
  double rounding(double value, double most) const {
    return half() ? std::max(0x1p-11 * std::abs(value), 0x1p-36 * most) : 0;
  }
  // The vector at a place as kept.
  Doubles kept_s(size_t place) const { return kept(place, &History::s); }
  Doubles kept_y(size_t place) const { return kept(place, &History::y); }
  Doubles kept(size_t place,
               const float* (History::*vector)(size_t, size_t, size_t, float*) const) const {
    std::vector<float> memory(kSize);
    const float* values = (history_.get()->*vector)(place, 0, kSize, memory.data());
    return {values, values + kSize};
  }
  // Opens and closes a pair whose step is -g times a length, from gradient g to end.
  void add(size_t place, const std::vector<float>& g, double length,
           const std::vector<float>& end) {
    std::vector<float> work(g);
    const double along = -1;
    history_->open(place, {}, {&along, 1}, work, work);
    history_->lengthen(place, length);
    history_->close(place, end);
  }

  ThreadPool pool_{2};
  std::unique_ptr<History> history_ =
      make_history(share_of_history(kSize, 0, alone()), kPlaces, half(), pool_);
};
INSTANTIATE_TEST_SUITE_P(Kept, HistoryIn, testing::Bool(),
                         [](const auto& info) { return info.param ? "InHalf" : "InFloat"; });

// Whatever the size of gradients and steps.
TEST_P(HistoryIn, HoldsItsPairsButForRounding) {
  for (const double size : {1e-22, 1e-8, 1.0, 1e8, 1e30}) {
    const std::vector<float> g = spread(size, 1), end = spread(size, 2);
    const double length = 0.37;
    add(2, g, length, end);
    const Doubles s = kept_s(2), y = kept_y(2);
    const double most_s = length * largest(in_double(g));
    Doubles change(kSize);
    for (size_t i = 0; i < kSize; ++i) change[i] = end[i] - g[i];  // in float
    const double most_y = largest(change);
    for (size_t i = 0; i < kSize; ++i) {
      const double step = -length * g[i];
      // The length is a float.
      ASSERT_NEAR(s[i], step, rounding(step, most_s) + 2e-7 * std::abs(step)) << i << ' ' << size;
      ASSERT_NEAR(y[i], change[i], rounding(change[i], most_y)) << i << ' ' << size;
    }
  }
}

// A step is what is kept of it, and the gradient at its start stays as it is.
TEST_P(HistoryIn, GivesTheStepThatItKeeps) {
  const std::vector<float> g = spread(1e-3, 1);
  std::vector<float> work(g);
  const double along = -2;
  const std::span<const float> s = history_->open(1, {}, {&along, 1}, work, work);
  EXPECT_EQ(in_double(s), kept_s(1));
  std::vector<float> at_start(kSize);
  history_->gradient_at_start(1, at_start);
  EXPECT_TRUE(same_bits(at_start, g));
}

// Exactly of the vectors as kept: sums in double, not of what they were before rounding.
TEST_P(HistoryIn, MultipliesAndCombinesWhatItHolds) {
  for (size_t place = 0; place < kPlaces; ++place) {
    const double size = std::pow(10.0, 3.0 * static_cast<double>(place) - 5);
    add(place, spread(size, place), 0.5, spread(size, 10 + place));
  }
  const std::vector<size_t> places = {1, 0, 3, 2};
  const std::vector<float> g = spread(1e-2, 20);
  PairProducts products(kPlaces);
  history_->multiply(places, g, products);
  const Doubles gradient = in_double(g), newest = kept_y(1);
  const auto near = [&](double product, const Doubles& a, const Doubles& b) {
    EXPECT_NEAR(product, dot(a, b), 1e-12 * magnitude(a, b));
  };
  for (const size_t place : places) {
    near(products.sy(place, 1), kept_s(place), newest);
    near(products.yy(place, 1), kept_y(place), newest);
    near(products.yy(1, place), kept_y(place), newest);
    near(products.sg[place], kept_s(place), gradient);
    near(products.yg[place], kept_y(place), gradient);
  }
  near(products.gg, gradient, gradient);

  // Into the place of the oldest, which is among them.
  const Doubles coefficients = {1, -2e3, 3e-2, 0.5, -1e-6, 2e-7, 0.25, -4, 7};
  Doubles expected(kSize);
  for (size_t i = 0; i < kPlaces; ++i) {
    const Doubles s = kept_s(places[i]), y = kept_y(places[i]);
    for (size_t k = 0; k < kSize; ++k) {
      expected[k] += coefficients[2 * i] * s[k] + coefficients[2 * i + 1] * y[k];
    }
  }
  for (size_t k = 0; k < kSize; ++k) expected[k] += 7 * gradient[k];
  std::vector<float> work(g);
  history_->open(2, places, coefficients, work, work);
  const Doubles s = kept_s(2);
  const double most = largest(expected);
  for (size_t k = 0; k < kSize; ++k) {
    ASSERT_NEAR(s[k], expected[k], rounding(expected[k], most) + 1e-7 * std::abs(expected[k]));
  }
}

TEST_P(HistoryIn, IsRescaledByPlace) {
  for (size_t place = 0; place < 2; ++place) {
    add(place, spread(1e3, place), 2, spread(1e3, 10 + place));
  }
  // As others leave it, larger than what is asked for.
  pool_.run(8, [&](size_t, int thread) { pool_.thread_scratch(thread, 10 * kSize); });
  const std::vector<size_t> places = {1, 0};
  std::vector<float> g = spread(1e3, 20);
  PairProducts products(kPlaces);
  history_->multiply(places, g, products);
  history_->multiply(std::span(places).subspan(1), g, products);
  const Doubles first_s = kept_s(1), first_y = kept_y(1);
  EXPECT_NEAR(history_->square_of_s(1), dot(first_s, first_s), 1e-12 * dot(first_s, first_s));
  EXPECT_NEAR(history_->square_of_y(1), dot(first_y, first_y), 1e-12 * dot(first_y, first_y));
  // Three times as far as it can go at once: what grows each time must not reach a half's end.
  for (int time = 0; time < 3; ++time) {
    std::vector<float> q(kSize);
    for (size_t i = 0; i < kSize; ++i) q[i] = i % 3 == 0 ? 10.0f : i % 3 == 1 ? 0.1f : 0.7f;
    std::vector<Doubles> s, y;
    for (const size_t place : places) {
      s.push_back(kept_s(place));
      y.push_back(kept_y(place));
    }
    std::vector<float> memory(kSize);
    for (size_t first = 0; first < kSize; first += 1000) {
      const size_t count = std::min<size_t>(1000, kSize - first);
      history_->rescale(places, first, std::span(q).subspan(first, count), memory.data());
    }
    for (size_t i = 0; i < kSize; ++i) g[i] *= q[i];
    history_->end_rescaling(places, g, products);
    for (size_t i = 0; i < places.size(); ++i) {
      const Doubles new_s = kept_s(places[i]), new_y = kept_y(places[i]);
      const double most_s = 10 * largest(s[i]), most_y = 10 * largest(y[i]);
      for (size_t k = 0; k < kSize; ++k) {
        const double step = s[i][k] / q[k], change = y[i][k] * q[k];
        // Twice: by the factor that there was, and by that of the new largest.
        ASSERT_NEAR(new_s[k], step, 2 * rounding(step, most_s) + 1e-7 * std::abs(step));
        ASSERT_NEAR(new_y[k], change, 2 * rounding(change, most_y) + 1e-7 * std::abs(change));
      }
      const Doubles gradient = in_double(g);
      const double tolerance = 1e-12;
      EXPECT_NEAR(products.sy(places[i], places[i]), dot(new_s, new_y),
                  tolerance * magnitude(new_s, new_y));
      EXPECT_NEAR(products.yy(places[i], 1), dot(new_y, kept_y(1)),
                  tolerance * magnitude(new_y, kept_y(1)));
      EXPECT_NEAR(products.sg[places[i]], dot(new_s, gradient),
                  tolerance * magnitude(new_s, gradient));
      EXPECT_NEAR(products.yg[places[i]], dot(new_y, gradient),
                  tolerance * magnitude(new_y, gradient));
    }
  }
}

TEST_P(HistoryIn, GivesProductsThatShowWhatIsNotFinite) {
  std::vector<float> end = spread(1, 2);
  end[kSize / 2] = INFINITY;
  add(0, spread(1, 1), 1, end);
  PairProducts products(kPlaces);
  const size_t place = 0;
  history_->multiply({&place, 1}, spread(1, 3), products);
  EXPECT_FALSE(std::isfinite(products.yy(0, 0)));
}

TEST_P(HistoryIn, HoldsZeros) {
  const std::vector<float> zeros(kSize);
  add(0, zeros, 1, zeros);
  EXPECT_EQ(largest(kept_s(0)), 0);
  EXPECT_EQ(largest(kept_y(0)), 0);
}

// ---- L-BFGS ----

Recipe half_recipe(LineSearch line_search, Curvature curvature = Curvature::one) {
  Recipe recipe;
  recipe.optimiser.kind = OptimiserKind::lbfgs;
  recipe.optimiser.line_search = line_search;
  recipe.optimiser.curvature = curvature;
  recipe.optimiser.half_history = true;
  return recipe;
}

int steps_to(const Recipe& recipe, const Function& f, std::vector<float> start, double part,
             std::span<const Size> planes = {}) {
  ThreadPool pool(1);
  Standing standing(f, std::move(start));
  const double first = standing.point.losses.total;
  const auto optimiser = make_optimiser(recipe, standing.x.size(), pool, planes);
  int steps = 0;
  while (standing.point.losses.total > part * first && steps < 500) {
    if (standing.step(*optimiser, f) == StepStatus::converged) break;
    ++steps;
  }
  return steps;
}

// Like a history of floats, within a few steps.
TEST(LbfgsInHalfPrecision, ConvergesLikeThatInFloat) {
  const auto expect_alike = [](Recipe recipe, const Function& f, const std::vector<float>& start,
                               double part, std::span<const Size> planes = {}) {
    const int half = steps_to(recipe, f, start, part, planes);
    recipe.optimiser.half_history = false;
    const int whole = steps_to(recipe, f, start, part, planes);
    EXPECT_LT(whole, 200);
    EXPECT_LE(half, whole + whole / 5 + 3);
  };
  const Function valley = seen_in_float(rosenbrock);
  expect_alike(half_recipe(LineSearch::strong_wolfe), valley, {-1.2f, 1}, 1e-10);
  expect_alike(half_recipe(LineSearch::strong_wolfe), valley, {-1.2f, 1, 2, -1, 0, 3}, 1e-10);
  const std::vector<float> start(30, 40.0f);
  for (const LineSearch search : {LineSearch::none, LineSearch::strong_wolfe}) {
    for (const auto& [condition, part] : {std::pair{1e2, 1e-7}, {1e4, 1e-3}}) {
      expect_alike(half_recipe(search), seen_in_float(quadratic(condition)), start, part);
    }
  }
}

// In whatever unit the loss is.
TEST(LbfgsInHalfPrecision, DoesNotDependOnTheLossesUnit) {
  for (const double unit : {1e-12, 1e12}) {
    const Function f = seen_in_float([&, bowl = quadratic(100)](const Doubles& x, Doubles& g) {
      const double loss = unit * bowl(x, g);
      for (double& slope : g) slope *= unit;
      return loss;
    });
    const std::vector<float> start(30, 40.0f);
    EXPECT_LE(steps_to(half_recipe(LineSearch::none), f, start, 1e-7), 60) << unit;
  }
}

// Curvature grows a ten-thousandfold across a plane, and a history of 3 must be told by place.
TEST(LbfgsInHalfPrecision, LearnsScalesByPlace) {
  constexpr int kWidth = 60, kHeight = 80;
  const Function f = [](std::span<const float> x, std::span<float> gradient) {
    Losses losses;
    for (size_t i = 0; i < x.size(); ++i) {
      const double across = static_cast<double>(i % kWidth) / kWidth;
      const double c = std::pow(1e4, across) * (1 + static_cast<double>(i * 7 % 11) / 10);
      gradient[i] = static_cast<float>(c * (x[i] - 1));
      losses.total += c * (x[i] - 1) * (x[i] - 1) / 2;
    }
    return losses;
  };
  const Size plane = {kHeight, kWidth};
  for (const LineSearch search : {LineSearch::none, LineSearch::strong_wolfe}) {
    const auto steps = [&](Curvature curvature, bool half) {
      Recipe recipe = half_recipe(search, curvature);
      recipe.optimiser.half_history = half;
      recipe.optimiser.history = 3;
      return steps_to(recipe, f, random_values(size_t{kHeight} * kWidth, 9), 1e-9, {&plane, 1});
    };
    EXPECT_GT(steps(Curvature::one, true), 100);
    EXPECT_LE(steps(Curvature::local, true), steps(Curvature::local, false) + 5);
  }
}

TEST(LbfgsInHalfPrecision, GivesTheSameBitsForAnyNumberOfThreads) {
  const Function f = seen_in_float(
      [bowl = quadratic(30)](const Doubles& x, Doubles& g) { return bowl(x, g) / 1e9; });
  constexpr int kSide = 400;
  const std::vector<Size> planes = {{kSide, kSide}};
  const auto run = [&](int threads) {
    ThreadPool pool(threads);
    const auto optimiser = make_lbfgs(half_recipe(LineSearch::none, Curvature::local),
                                      size_t{kSide} * kSide, pool, planes);
    Standing standing(f, std::vector<float>(size_t{kSide} * kSide, 1.0f));
    for (int i = 0; i < 8; ++i) standing.step(*optimiser, f);  // learns scales at the fifth
    return standing.x;
  };
  const std::vector<float> expected = run(1);
  for (const int threads : {2, 3, 7}) EXPECT_TRUE(same_bits(run(threads), expected)) << threads;
}

}  // namespace
}  // namespace limn
