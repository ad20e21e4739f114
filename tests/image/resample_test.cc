// Resampling by rows: against a slow twin that has all of the picture before it.
#include "image/resample.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <numeric>
#include <vector>

namespace limn {
namespace {

float value_at(int plane, int x, int y) {
  return 0.5f + 0.4f * std::sin(0.7f * x + 1.3f * y + 2.0f * plane);
}

TEST(RowResampler, SumsWhatItsBlendsSay) {
  for (const auto& [old_width, old_height, width, height] : std::vector<std::array<int, 4>>{
           {40, 30, 7, 11}, {40, 30, 40, 1}, {5, 9, 12, 30}, {1, 1, 3, 4}, {64, 3, 2, 3}}) {
    const Blends across = mean_blends(old_width, width), down = mean_blends(old_height, height);
    std::vector<float> out;
    int next = 0;
    RowResampler resampler(2, old_width, across, down, [&](int y, const float* row) {
      EXPECT_EQ(y, next++);
      out.insert(out.end(), row, row + 2 * across.size());
    });
    for (int y = 0; y < old_height; ++y) {
      std::vector<float> row;
      for (int plane = 0; plane < 2; ++plane)
        for (int x = 0; x < old_width; ++x) row.push_back(value_at(plane, x, y));
      resampler.take(row.data());
    }
    ASSERT_EQ(next, height);
    for (int y = 0; y < height; ++y) {
      for (int plane = 0; plane < 2; ++plane) {
        for (int x = 0; x < width; ++x) {
          double sum = 0;
          for (size_t v = 0; v < down[y].weights.size(); ++v)
            for (size_t u = 0; u < across[x].weights.size(); ++u)
              sum += down[y].weights[v] * across[x].weights[u] *
                     value_at(plane, across[x].first + static_cast<int>(u),
                              down[y].first + static_cast<int>(v));
          ASSERT_NEAR(out[(2 * y + plane) * width + x], sum, 1e-6);
        }
      }
    }
  }
}

TEST(LanczosBlends, SumToOneInsideTheOldSamples) {
  for (const int old_size : {1, 2, 7, 100, 3001}) {
    for (const int new_size : {1, 2, 5, 99}) {
      if (new_size > old_size) continue;
      for (const Blend& blend : lanczos_blends(old_size, old_size, new_size)) {
        EXPECT_GE(blend.first, 0);
        EXPECT_LE(blend.first + static_cast<int>(blend.weights.size()), old_size);
        EXPECT_NEAR(std::accumulate(blend.weights.begin(), blend.weights.end(), 0.0), 1, 1e-12);
      }
    }
  }
}

TEST(LanczosBlends, AreTheKernelsValues) {
  // Half the size, in the middle: old sample 50 lies half an old one, a quarter of a new one, from
  // the centre of new sample 25 at old 50.5.
  const auto sinc = [](double x) {
    return std::sin(std::numbers::pi * x) / (std::numbers::pi * x);
  };
  const auto kernel = [&](double x) { return sinc(x) * sinc(x / 3); };
  const Blend blend = lanczos_blends(100, 100, 50)[25];
  ASSERT_LE(blend.first, 50);
  const double* const at_50 = &blend.weights[50 - blend.first];
  EXPECT_NEAR(at_50[0], at_50[1], 1e-12);
  EXPECT_NEAR(at_50[2] / at_50[0], kernel(0.75) / kernel(0.25), 1e-9);
  EXPECT_NEAR(at_50[4] / at_50[0], kernel(1.75) / kernel(0.25), 1e-9);
  EXPECT_LT(at_50[4], 0);
}

TEST(LanczosBlends, LookAtTheSceneAndNotAtThePadding) {
  // 1001 columns at an eighth are 125 1/8, of which a decoder gives 126.
  const auto centre = [](const Blend& blend) {
    double sum = 0;
    for (size_t i = 0; i < blend.weights.size(); ++i)
      sum += blend.weights[i] * (blend.first + static_cast<double>(i));
    return sum;
  };
  const Blends padded = lanczos_blends(126, 125.125, 20);
  EXPECT_NEAR(centre(padded[10]), 10.5 * 125.125 / 20 - 0.5, 0.01);
}

}  // namespace
}  // namespace limn
