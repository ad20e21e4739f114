// The line search on functions of one variable: both Wolfe conditions, and what it does where they
// cannot be met.
#include "optimise/line_search.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "support/functions.h"
#include "support/same_bits.h"
#include "support/tolerance.h"

namespace limn {
namespace {

constexpr double kDecrease = 1e-4;
constexpr double kCurvature = 0.9;

struct Curve {
  const char* name;
  double (*value)(double t);
  double (*slope)(double t);
};

// Beyond 1 there is nothing: not a number.
double barrier(double t) { return t < 1 ? -std::log(1 - t) - 3 * t : std::nan(""); }
double barrier_slope(double t) { return t < 1 ? 1 / (1 - t) - 3 : std::nan(""); }

const Curve kCurves[] = {
    {"parabola", [](double t) { return (t - 1) * (t - 1); }, [](double t) { return 2 * (t - 1); }},
    // After More and Thuente's first and second test functions.
    {"bowl that flattens", [](double t) { return -t / (t * t + 2); },
     [](double t) { return (t * t - 2) / ((t * t + 2) * (t * t + 2)); }},
    {"long flat start", [](double t) { return std::pow(t + 0.1, 5) - 2 * std::pow(t + 0.1, 4); },
     [](double t) { return 5 * std::pow(t + 0.1, 4) - 8 * std::pow(t + 0.1, 3); }},
    {"quartic", [](double t) { return t * t * t * t - 3 * t * t - 2 * t; },
     [](double t) { return 4 * t * t * t - 6 * t - 2; }},
    {"waves", [](double t) { return -t + 0.02 * t * t + 0.1 * std::sin(5 * t); },
     [](double t) { return -1 + 0.04 * t + 0.5 * std::cos(5 * t); }},
    {"steep wall", [](double t) { return std::exp(5 * t) - 20 * t; },
     [](double t) { return 5 * std::exp(5 * t) - 20; }},
    {"ends in NaN", barrier, barrier_slope},
};

// phi(t) along 0.5, 0, -0.25: slopes and lengths are of the direction, not of the coordinates.
constexpr float kDirection[] = {0.5f, 0.0f, -0.25f};
constexpr float kStart[] = {3.0f, 7.0f, -1.0f};

Function along_direction(const Curve& curve, int* evaluations = nullptr) {
  return [=](std::span<const float> x, std::span<float> gradient) {
    if (evaluations) ++*evaluations;
    const double t = (double{x[0]} - kStart[0]) / kDirection[0];
    // The slope along the direction is phi', all of it by the first coordinate.
    gradient[0] = static_cast<float>(curve.slope(t) / kDirection[0]);
    gradient[1] = 100;  // across the direction: must not matter
    gradient[2] = 0;
    Losses losses;
    losses.total = curve.value(t);
    return losses;
  };
}

class TheLineSearch : public testing::Test {
 protected:
  double search(const Function& f, double first) {
    const double slope = dot_with_direction(standing_.gradient);
    const std::vector<float> x = standing_.x;
    return strong_wolfe(f, kDirection, slope, first, x, standing_.point, pool_);
  }
  static double dot_with_direction(std::span<const float> gradient) {
    double sum = 0;
    for (size_t i = 0; i < 3; ++i) sum += double{gradient[i]} * kDirection[i];
    return sum;
  }
  void stand(const Function& f) {
    standing_.x.assign(std::begin(kStart), std::end(kStart));
    standing_.point = {standing_.x, f(standing_.x, standing_.gradient), standing_.gradient};
  }

  ThreadPool pool_{1};
  Standing standing_{along_direction(kCurves[0]), {3, 7, -1}};
};

TEST_F(TheLineSearch, MeetsBothConditionsFromAnyFirstLength) {
  for (const Curve& curve : kCurves) {
    for (const double first : {0.001, 0.1, 0.7, 1.0, 3.0, 40.0, 1000.0}) {
      SCOPED_TRACE(testing::Message() << curve.name << ", first length " << first);
      int evaluations = 0;
      const Function f = along_direction(curve, &evaluations);
      stand(f);
      evaluations = 0;
      const double slope0 = dot_with_direction(standing_.gradient);
      const double loss0 = standing_.point.losses.total;
      const double length = search(f, first);
      ASSERT_GT(length, 0);
      EXPECT_LE(evaluations, 26);
      EXPECT_LE(standing_.point.losses.total, loss0 + kDecrease * length * slope0);
      EXPECT_LE(std::abs(dot_with_direction(standing_.gradient)), kCurvature * std::abs(slope0));
      // Point, losses and gradient belong together.
      for (size_t i = 0; i < 3; ++i) {
        EXPECT_NEAR(standing_.x[i], kStart[i] + length * kDirection[i], kEpsilon * (8 + length));
      }
      std::vector<float> gradient(3);
      EXPECT_EQ(f(standing_.x, gradient).total, standing_.point.losses.total);
      EXPECT_TRUE(same_bits(gradient, standing_.gradient));
    }
  }
}

TEST_F(TheLineSearch, TakesTheFirstLengthWhenItMeetsBothConditions) {
  const Function f = along_direction(kCurves[0]);
  for (const double first : {0.25, 1.0, 1.75}) {
    stand(f);
    int evaluations = 0;
    EXPECT_EQ(search(along_direction(kCurves[0], &evaluations), first), first);
    EXPECT_EQ(evaluations, 1);
  }
}

// The loss falls for ever with the same slope: there is enough decrease, never enough curvature.
TEST_F(TheLineSearch, TakesTheBestLengthWhenNoneMeetsBothConditions) {
  const Curve slide = {"slide", [](double t) { return -t; }, [](double) { return -1.0; }};
  int evaluations = 0;
  const Function f = along_direction(slide, &evaluations);
  stand(f);
  evaluations = 0;
  const double length = search(f, 1e-3);
  EXPECT_GT(length, 1e-3);
  EXPECT_LE(evaluations, 26);
  EXPECT_LT(standing_.point.losses.total, 0);
  // float x, double length
  EXPECT_NEAR(standing_.point.losses.total, -length, 1e-6 * (1 + length));
}

// The slope promises a fall that does not come.
TEST_F(TheLineSearch, GoesBackToWhereItBeganWhenNoLengthLowersTheLoss) {
  const auto slope = [](double) { return -1.0; };
  const Curve liar = {"liar", [](double t) { return std::abs(t); }, slope};
  const Curve cliff = {"cliff", [](double t) { return t > 0 ? std::nan("") : 5.0; }, slope};
  const Curve wall = {
      "wall", [](double t) { return t > 0 ? std::numeric_limits<double>::infinity() : 5.0; },
      slope};
  for (const Curve& curve : {liar, cliff, wall}) {
    SCOPED_TRACE(curve.name);
    int evaluations = 0;
    stand(along_direction(curve));
    const Losses losses = standing_.point.losses;
    EXPECT_EQ(search(along_direction(curve, &evaluations), 1.0), 0);
    EXPECT_LE(evaluations, 26);
    EXPECT_TRUE(same_bits(standing_.x, std::span<const float>(kStart)));
    EXPECT_EQ(standing_.point.losses.total, losses.total);
  }
}

// A gradient that is not finite is as bad as a loss that is not.
TEST_F(TheLineSearch, CountsASlopeThatIsNotFiniteAsTooHigh) {
  const Curve curve = {"NaN slope beyond 1/2", [](double t) { return (t - 1) * (t - 1); },
                       [](double t) { return t < 0.5 ? 2 * (t - 1) : std::nan(""); }};
  const Function f = along_direction(curve);
  stand(f);
  const double length = search(f, 1.0);
  EXPECT_GT(length, 0);
  EXPECT_LT(length, 0.5);
  EXPECT_TRUE(std::isfinite(standing_.gradient[0]));
}

}  // namespace
}  // namespace limn
