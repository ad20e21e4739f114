// The total variation in its three forms.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/losses_alone.h"
#include "support/random_values.h"
#include "support/same_bits.h"
#include "support/tolerance.h"

namespace limn {
namespace {

constexpr VariationForm kForms[] = {VariationForm::absolute, VariationForm::squared,
                                    VariationForm::power};

// The definition, pixel by pixel, in double.
double variation_of(VariationForm form, const std::vector<double>& x, int height, int width,
                    bool repeats) {
  const auto at = [&](int c, int row, int column) {
    return x[(static_cast<size_t>(c) * height + row % height) * width + column % width];
  };
  double sum = 0;
  for (int c = 0; c < 3; ++c) {
    for (int row = 0; row < height; ++row) {
      for (int column = 0; column < width; ++column) {
        const bool right = repeats || column + 1 < width;
        const bool lower = repeats || row + 1 < height;
        const double dx = right ? at(c, row, column + 1) - at(c, row, column) : 0;
        const double dy = lower ? at(c, row + 1, column) - at(c, row, column) : 0;
        if (form == VariationForm::absolute) sum += std::abs(dx) + std::abs(dy);
        if (form == VariationForm::squared) sum += (dx * dx + dy * dy) / 2;
        if (form == VariationForm::power && right && lower) {
          sum += std::pow(dx * dx + dy * dy, 1.25);
        }
      }
    }
  }
  return sum;
}

// A plane, an even one, and the first one's negative, which varies as much.
std::vector<float> small_example() {
  const std::vector<float> plane = {0, 1, 3,   //
                                    2, 2, 5,   //
                                    4, 7, 6};  //
  std::vector<float> x(plane);
  x.insert(x.end(), 9, 7.0f);
  for (const float value : plane) x.push_back(-value);
  return x;
}

TEST(TotalVariation, OfASmallPictureIsThatByHand) {
  // To the right 1 2 | 0 3 | 3 -1, below 2 1 2 | 2 5 1.
  ThreadPool pool(1);
  const std::vector<float> x = small_example();
  const auto variation = [&](VariationForm form) {
    std::vector<float> d(27);
    return total_variation(form, 1.0, x, 3, 3, d, pool);
  };
  EXPECT_DOUBLE_EQ(variation(VariationForm::absolute), 2 * (10 + 13));
  EXPECT_DOUBLE_EQ(variation(VariationForm::squared), 2 * (24 + 39) / 2.0);
  // The four pixels with both neighbours: (1, 2), (2, 1), (0, 2), (3, 5).
  EXPECT_DOUBLE_EQ(variation(VariationForm::power),
                   2 * (2 * std::pow(5, 1.25) + std::pow(4, 1.25) + std::pow(34, 1.25)));
}

TEST(TotalVariation, GradientOfASmallPictureIsThatByHand) {
  ThreadPool pool(1);
  const std::vector<float> x = small_example();
  const std::vector<float> absolute = {-2, -1, 0,  // signs of what grows with the pixel, less
                                       0,  -1, 1,  // signs of what shrinks
                                       0,  3,  0};
  const std::vector<float> squared = {-3, -2, 0,  // own value times its neighbours' number less
                                      0,  -7, 4,  // their sum: the discrete Laplacian
                                      -1, 9,  0};
  std::vector<float> d(27);
  total_variation(VariationForm::absolute, 1.0, x, 3, 3, d, pool);
  EXPECT_EQ(std::vector<float>(d.begin(), d.begin() + 9), absolute);
  EXPECT_EQ(std::vector<float>(d.begin() + 9, d.begin() + 18), std::vector<float>(9));
  for (int i = 0; i < 9; ++i) EXPECT_EQ(d[18 + i], -absolute[i]);

  std::fill(d.begin(), d.end(), 0.0f);
  total_variation(VariationForm::squared, 1.0, x, 3, 3, d, pool);
  EXPECT_EQ(std::vector<float>(d.begin(), d.begin() + 9), squared);
}

// Differences in double with a step of 1e-5 are off by the step squared times the third derivative,
// which is at most about 1e3 here, and by 1e-16 over the step: 1e-7 covers both and the rounding of
// the result to float. No two neighbours are nearer than a hundred steps, so no kink lies between.
TEST(TotalVariation, GradientIsItsSlope) {
  ThreadPool pool(1);
  for (const bool repeats : {false, true}) {
    for (const VariationForm form : kForms) {
      for (const auto& [height, width] : {std::pair{1, 1}, {1, 5}, {4, 1}, {2, 2}, {5, 7}}) {
        const size_t size = 3 * static_cast<size_t>(height) * width;
        std::vector<double> x;  // in steps of 1/1024, no two alike
        for (size_t i = 0; i < size; ++i)
          x.push_back(static_cast<double>(i * 37 % 107) / 1024 + 0.25);
        const std::vector<float> as_float(x.begin(), x.end());
        std::vector<float> d(size);
        const double value = total_variation(form, 1.0, as_float, height, width, d, pool, repeats);
        EXPECT_NEAR(value, variation_of(form, x, height, width, repeats), 1e-12);
        for (size_t i = 0; i < size; ++i) {
          constexpr double kStep = 1e-5;
          std::vector<double> more(x), less(x);
          more[i] += kStep;
          less[i] -= kStep;
          const double slope = (variation_of(form, more, height, width, repeats) -
                                variation_of(form, less, height, width, repeats)) /
                               (2 * kStep);
          ASSERT_NEAR(d[i], slope, 2e-7 * std::max(1.0, std::abs(slope)))
              << "form " << static_cast<int>(form) << ", " << height << " x " << width << ", at "
              << i;
        }
      }
    }
  }
}

TEST(TotalVariation, OfAnEvenPictureIsNothingAndHasNoSlope) {
  ThreadPool pool(1);
  for (const VariationForm form : kForms) {
    const std::vector<float> x(3 * 20, 0.3f);
    std::vector<float> d(x.size());
    EXPECT_EQ(total_variation(form, 5.0, x, 4, 5, d, pool), 0.0);
    EXPECT_EQ(d, std::vector<float>(x.size())) << "NaN or a kink taken for a slope";
  }
}

TEST(TotalVariation, OfTheFormPowerNeedsBothNeighbours) {
  ThreadPool pool(1);
  const std::vector<float> x = random_values(3 * 6, 1);
  std::vector<float> d(x.size());
  EXPECT_EQ(total_variation(VariationForm::power, 1.0, x, 1, 6, d, pool), 0.0);
  EXPECT_EQ(total_variation(VariationForm::power, 1.0, x, 6, 1, d, pool), 0.0);
  EXPECT_EQ(d, std::vector<float>(x.size()));
}

TEST(TotalVariation, AppliesItsWeightAndAddsItsGradient) {
  ThreadPool pool(1);
  const std::vector<float> x = small_example();
  for (const VariationForm form : kForms) {
    std::vector<float> once(27);
    std::vector<float> added(27, 100.0f);
    const double value = total_variation(form, 1.0, x, 3, 3, once, pool);
    EXPECT_DOUBLE_EQ(total_variation(form, 0.25, x, 3, 3, added, pool), 0.25 * value);
    for (int i = 0; i < 27; ++i) {
      EXPECT_NEAR(added[i], 100 + 0.25 * once[i], kEpsilon * (100 + std::abs(once[i])));
    }
  }
}

TEST(TotalVariation, HasTheSameBitsForAnyNumberOfThreads) {
  constexpr int kHeight = 37, kWidth = 23;
  const std::vector<float> x = random_values(3 * kHeight * kWidth, 9);
  for (const VariationForm form : kForms) {
    ThreadPool one(1);
    std::vector<float> expected(x.size());
    const double value = total_variation(form, 0.7, x, kHeight, kWidth, expected, one);
    for (const int threads : {2, 3, 7}) {
      ThreadPool pool(threads);
      std::vector<float> d(x.size());
      EXPECT_EQ(total_variation(form, 0.7, x, kHeight, kWidth, d, pool), value);
      EXPECT_TRUE(same_bits(expected, d)) << threads << " threads";
    }
  }
}

}  // namespace
}  // namespace limn
