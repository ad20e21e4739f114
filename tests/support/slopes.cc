#include "support/slopes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "support/random_values.h"

namespace limn {

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * b[i];
  return sum;
}

void expect_slope(Objective& objective, std::span<const float> x, std::span<const float> gradient,
                  std::span<const float> direction, const Line& line) {
  std::vector<float> unused(x.size());
  double noise = 0;
  const auto at = [&](double step) {
    std::vector<float> there(x.begin(), x.end());
    for (size_t i = 0; i < there.size(); ++i) there[i] += static_cast<float>(step * direction[i]);
    return objective.evaluate(there, unused).total;
  };
  const auto difference = [&](double h) {
    const double more = at(h), less = at(-h);
    // Features near 4 are some 1e-6 of that off, 4e-6, and those of two pictures differ by some
    // 0.03: a loss of 500 squared differences is good to 2 * 4e-6 / (0.03 sqrt(500)), 1e-5. The
    // worst of these tests is 4.5e-6; allowed is several times that.
    noise = std::max(noise, 2e-5 * (more + less) / (2 * h));
    return (more - less) / (2 * h);
  };
  const double far = difference(line.step), near = difference(line.step / 2);
  const double expected = (4 * near - far) / 3;
  const double steepest = std::sqrt(dot(gradient, gradient) * dot(direction, direction));
  if (!line.is_quartic) noise += std::pow(far - near, 2) / steepest;
  EXPECT_NEAR(dot(gradient, direction), expected, noise);
  EXPECT_LE(noise, 0.01 * steepest) << "too noisy to tell anything";
}

void expect_slopes(Objective& objective, std::span<const float> x, const Line& line) {
  std::vector<float> gradient(x.size());
  objective.evaluate(x, gradient);
  const auto expect_slope_along = [&](std::vector<float> direction) {
    for (size_t i = 0; i < x.size(); ++i) {
      const int plane = static_cast<int>(i * 3 / x.size());
      direction[i] *= static_cast<float>(objective.units().plane(plane).gain);
    }
    expect_slope(objective, x, gradient, direction, line);
  };
  for (const int seed : {50, 51, 52}) expect_slope_along(random_values(x.size(), seed));
  float largest = 0;
  for (const float value : gradient) largest = std::max(largest, std::abs(value));
  ASSERT_GT(largest, 0);
  std::vector<float> uphill(gradient);
  for (float& value : uphill) value /= largest;
  expect_slope_along(uphill);
}

}  // namespace limn
