// Weights of a layer's positions from masks, against sums over every cell and box.
#include "losses/regions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "support/errors.h"

namespace limn {
namespace {

Mask random_mask(int width, int height, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(0, 1);
  Mask mask{width, height, {}};
  for (int i = 0; i < width * height; ++i) mask.values.push_back(uniform(random));
  return mask;
}

// Ones from column `left` on to before `right`.
std::vector<float> band(int height, int width, int left, int right) {
  std::vector<float> weights;
  for (int i = 0; i < height * width; ++i)
    weights.push_back(i % width >= left && i % width < right ? 1.0f : 0.0f);
  return weights;
}

// What eroded says it does, box by box.
std::vector<float> eroded_slowly(const std::vector<float>& weights, int height, int width,
                                 int radius) {
  std::vector<float> out;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      double sum = 0;
      int count = 0;
      for (int v = std::max(y - radius, 0); v <= std::min(y + radius, height - 1); ++v) {
        for (int u = std::max(x - radius, 0); u <= std::min(x + radius, width - 1); ++u) {
          sum += weights[static_cast<size_t>(v * width + u)];
          ++count;
        }
      }
      const double weight = weights[static_cast<size_t>(y * width + x)];
      out.push_back(static_cast<float>(weight * std::max(0.0, 2 * sum / count - 1)));
    }
  }
  return out;
}

TEST(LayerWeights, AreMeansOverCells) {
  const Mask mask = random_mask(24, 12, 1);
  const std::vector<float> weights = layer_weights(mask, 3, 4);
  ASSERT_EQ(weights.size(), 12u);
  for (int cell = 0; cell < 12; ++cell) {
    double sum = 0;
    for (int y = 0; y < 4; ++y)
      for (int x = 0; x < 6; ++x)
        sum += mask.values[static_cast<size_t>((cell / 4 * 4 + y) * 24 + cell % 4 * 6 + x)];
    EXPECT_NEAR(weights[static_cast<size_t>(cell)], sum / 24, 1e-6) << cell;
  }
}

TEST(LayerWeights, KeepAreas) {
  const Mask mask = random_mask(37, 29, 2);
  double area = 0;
  for (const float value : mask.values) area += value / (37.0 * 29.0);
  for (const auto& [height, width] : {std::pair{29, 37}, {28, 36}, {14, 18}, {5, 37}, {1, 1}}) {
    double sum = 0;
    for (const float weight : layer_weights(mask, height, width)) sum += weight;
    EXPECT_NEAR(sum / (height * width), area, 1e-6) << height << " x " << width;
  }
  EXPECT_EQ(layer_weights(Mask{}, 2, 3), std::vector<float>(6, 1.0f));
  EXPECT_EQ(layer_weights({1, 1, {0.5f}}, 2, 3), std::vector<float>(6, 0.5f));
  EXPECT_TRUE(says(error_of([] {
                     layer_weights({2, 2, {0.5f}}, 2, 3);
                   }),
                   ErrorKind::usage, "1 values instead of 4"));
}

TEST(Eroded, IsWhatItSaysBoxByBox) {
  for (const auto& [height, width] : {std::pair{1, 1}, {1, 9}, {9, 1}, {7, 11}, {16, 13}}) {
    Mask mask = random_mask(width, height, 3);
    for (float& value : mask.values) value = std::min(1.0f, 2 * value);  // enough that is left
    for (const int radius : {1, 2, 3, 8, 100, 1 << 30}) {
      const int box = std::min(radius, 20);  // which holds all of these
      const std::vector<float> right = eroded_slowly(mask.values, height, width, box);
      const std::vector<float> found = eroded(mask.values, height, width, radius);
      ASSERT_EQ(found.size(), right.size());
      for (size_t i = 0; i < found.size(); ++i)
        ASSERT_NEAR(found[i], right[i], 2e-6) << height << " x " << width << ", " << radius;
    }
  }
}

TEST(Eroded, RisesFromAnEdgeToTheRadius) {
  constexpr int kRadius = 3;
  const std::vector<float> weights = eroded(band(20, 20, 10, 20), 20, 20, kRadius);
  for (int y = 0; y < 20; ++y) {
    for (int x = 0; x < 20; ++x) {
      // 1 / 7, 3 / 7, 5 / 7, whole; and the picture's border is no edge.
      const double inside = x < 10 ? 0 : std::min(1.0, (2.0 * (x - 10) + 1) / (2 * kRadius + 1));
      EXPECT_NEAR(weights[static_cast<size_t>(20 * y + x)], inside, 1e-6) << x << " " << y;
    }
  }
}

TEST(Eroded, LeavesAllAndNothingAndThinRegionsAsTheyAre) {
  const std::vector<float> all(63, 1.0f), nothing(63, 0.0f);
  const std::vector<float> thin = band(9, 7, 3, 4);  // a column in boxes of three and more
  for (const int radius : {0, 1, 2, 50}) {
    EXPECT_EQ(eroded(all, 9, 7, radius), all);
    EXPECT_EQ(eroded(nothing, 9, 7, radius), nothing);
    EXPECT_EQ(eroded(thin, 9, 7, radius), thin);
  }
  EXPECT_EQ(eroded(random_mask(7, 9, 4).values, 9, 7, 0), random_mask(7, 9, 4).values);
  // Half of every box, exactly but for rounding: nothing is left that could be called a region.
  const std::vector<float> half(63, 0.5f);
  EXPECT_EQ(eroded(half, 9, 7, 2), half);
}

TEST(Partition, SumsToOneEverywhere) {
  const std::vector<Mask> masks = {random_mask(20, 10, 5), random_mask(7, 9, 6),
                                   random_mask(40, 40, 7)};
  const std::vector<Mask> parts = partition(masks, 16, 12);
  ASSERT_EQ(parts.size(), 4u);
  int crowded = 0;
  for (size_t i = 0; i < 16 * 12; ++i) {
    double sum = 0, asked = 0;
    for (size_t k = 0; k < 4; ++k) {
      ASSERT_EQ(parts[k].width, 16);
      ASSERT_EQ(parts[k].height, 12);
      ASSERT_EQ(parts[k].values.size(), 16u * 12u);
      ASSERT_TRUE(parts[k].values[i] >= 0 && parts[k].values[i] <= 1);
      sum += parts[k].values[i];
    }
    ASSERT_NEAR(sum, 1, 1e-6);
    std::vector<float> resized;
    for (const Mask& mask : masks) resized.push_back(layer_weights(mask, 12, 16)[i]);
    for (const float value : resized) asked += value;
    if (asked > 1) ++crowded;
    for (size_t k = 0; k < 3; ++k)  // in the proportions asked for
      ASSERT_NEAR(parts[k].values[i], resized[k] / std::max(asked, 1.0), 1e-6);
  }
  EXPECT_GT(crowded, 50);  // both cases have been met
  EXPECT_LT(crowded, 16 * 12);
}

TEST(Partition, OfEverythingAndOfNothing) {
  const auto parts = partition({Mask{}, Mask{2, 1, {0.0f, 1.0f}}}, 2, 1);
  ASSERT_EQ(parts.size(), 3u);
  EXPECT_EQ(parts[0].values, (std::vector<float>{1.0f, 0.5f}));
  EXPECT_EQ(parts[1].values, (std::vector<float>{0.0f, 0.5f}));
  EXPECT_EQ(parts[2].values, (std::vector<float>{0.0f, 0.0f}));
  const auto rest = partition({}, 3, 2);
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].values, std::vector<float>(6, 1.0f));
}

}  // namespace
}  // namespace limn
