// Scales by place against a twin in double, and L-BFGS with them on losses that curve by place.
#include "optimise/local_scales.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "support/functions.h"
#include "support/history_of.h"
#include "support/random_values.h"
#include "support/same_bits.h"

namespace limn {
namespace {

// Larger and smaller than a neighbourhood, and of one row.
const std::vector<Size> kPlanes = {{20, 31}, {5, 8}, {1, 40}};
constexpr size_t kFloats = 20 * 31 + 5 * 8 + 40;
constexpr int kRadius = 6;
constexpr int kNewest = 10;  // pairs that count
constexpr int kPairs = 12;

using Vectors = std::vector<std::vector<float>>;

Share whole() { return share_of_history(kFloats, widest_row(kPlanes), alone()); }

std::vector<size_t> all_places(size_t count) {
  std::vector<size_t> places(count);
  std::iota(places.begin(), places.end(), size_t{0});
  return places;
}

double square(const std::vector<float>& x) {
  double sum = 0;
  for (const float value : x) sum += double{value} * value;
  return sum;
}

// r after learning from s and y, from r = 1. The last pairs must not matter.
std::vector<double> learnt(const Vectors& s, const Vectors& y) {
  double all_s = 0, all_y = 0;
  for (size_t i = 0; i < kNewest; ++i) {
    all_s += 1;
    all_y += square(y[i]) / square(s[i]);
  }
  std::vector<double> r;
  size_t offset = 0;
  for (const Size& plane : kPlanes) {
    const auto sum = [&](const Vectors& vectors, int row, int column, int radius) {
      double total = 0;
      for (int v = std::max(row - radius, 0); v <= std::min(row + radius, plane.height - 1); ++v) {
        for (int u = std::max(column - radius, 0); u <= std::min(column + radius, plane.width - 1);
             ++u) {
          for (size_t i = 0; i < kNewest; ++i) {
            const double value = vectors[i][offset + static_cast<size_t>(v) * plane.width + u];
            total += value * value / square(s[i]);
          }
        }
      }
      return total;
    };
    const double floats = static_cast<double>(plane.height) * plane.width;
    const double part = 1e-6 * 13 * 13 / floats;
    const double plane_s = sum(s, 0, 0, 1000), plane_y = sum(y, 0, 0, 1000);
    for (int row = 0; row < plane.height; ++row) {
      for (int column = 0; column < plane.width; ++column) {
        const double ratio = (sum(s, row, column, kRadius) + part * plane_s) /
                             (sum(y, row, column, kRadius) + part * plane_y);
        const double change = std::pow(ratio * all_y / all_s, 0.25);
        r.push_back(plane_s > 0 && plane_y > 0 ? std::clamp(change, 0.1, 10.0) : 1.0);
      }
    }
    offset += static_cast<size_t>(plane.height) * plane.width;
  }
  return r;
}

TEST(LocalScales, AreLearntByPlaceAndTakePairsAndGradientAlong) {
  ThreadPool pool(2);
  LocalScales scales(kPlanes, whole(), pool);
  EXPECT_EQ(scales.r().size(), kFloats);
  for (const float r : scales.r()) ASSERT_EQ(r, 1.0f);

  Vectors s, y;
  for (int i = 0; i < kPairs; ++i) {
    s.push_back(random_values(kFloats, 1 + i));
    y.push_back(random_values(kFloats, 101 + i));
  }
  // The upper half of the first plane moves as if the loss curved a thousand times less there.
  for (int i = 0; i < kNewest; ++i) {
    for (size_t k = 0; k < 10 * 31; ++k) {
      s[i][k] *= 30;
      y[i][k] /= 30;
    }
  }
  for (std::vector<float>& change : y) std::fill(change.end() - 40, change.end(), 0.0f);
  const std::unique_ptr<History> history = history_of(s, y, pool);
  const std::vector<double> expected = learnt(s, y);
  EXPECT_GT(*std::ranges::max_element(expected), 3 * *std::ranges::min_element(expected));
  std::vector<float> gradient(kFloats, 1.0f);
  scales.learn(*history, all_places(kPairs), gradient);
  for (size_t k = 0; k < kFloats; ++k) {
    // Running sums forget and take in the squares of 13 others in float.
    ASSERT_NEAR(scales.r()[k], expected[k], 1e-4 * expected[k]) << k;
    ASSERT_EQ(gradient[k], scales.r()[k]) << k;
    for (size_t i = 0; i < s.size(); ++i) {
      ASSERT_EQ(*history->s(i, k, 1, nullptr), s[i][k] / scales.r()[k]) << k;
      ASSERT_EQ(*history->y(i, k, 1, nullptr), y[i][k] * scales.r()[k]) << k;
    }
  }
  for (size_t k = kFloats - 40; k < kFloats; ++k) ASSERT_EQ(scales.r()[k], 1.0f) << "learnt from 0";
}

TEST(LocalScales, StayWhereNothingMoved) {
  ThreadPool pool(1);
  LocalScales scales(kPlanes, whole(), pool);
  std::vector<float> gradient(kFloats, 1.0f);
  for (const auto& [step, change] : {std::pair{0.0f, 1.0f}, {1.0f, 0.0f}, {0.0f, 0.0f}}) {
    Vectors s = {std::vector<float>(kFloats, step)}, y = {std::vector<float>(kFloats, change)};
    scales.learn(*history_of(s, y, pool), all_places(1), gradient);
    for (const float r : scales.r()) ASSERT_EQ(r, 1.0f);
  }
}

TEST(LocalScales, AreTheSameBitsForAnyNumberOfThreads) {
  const auto run = [](int threads) {
    ThreadPool pool(threads);
    LocalScales scales(kPlanes, whole(), pool);
    Vectors s = {random_values(kFloats, 3)}, y = {random_values(kFloats, 4)};
    std::vector<float> gradient = random_values(kFloats, 5);
    scales.learn(*history_of(s, y, pool), all_places(1), gradient);
    return std::vector<float>(scales.r().begin(), scales.r().end());
  };
  EXPECT_TRUE(same_bits(run(1), run(4)));
}

// Two planes as large as this: one of large shapes, say, the other of details.
constexpr int kHeight = 40, kWidth = 60;
constexpr size_t kSize = size_t{2} * kHeight * kWidth;
const std::vector<Size> kTwoPlanes(2, {kHeight, kWidth});

// sum of c_i (x_i - 1)^2 / 2: c grows a hundredfold from left to right in both planes, is a hundred
// times larger in the second, and from place to place between 1 and 2 times as large.
Losses patches(std::span<const float> x, std::span<float> gradient) {
  Losses losses;
  for (size_t i = 0; i < x.size(); ++i) {
    const double across = static_cast<double>(i % kWidth) / kWidth;
    const double c = (i < kSize / 2 ? 1 : 100) * std::pow(100.0, across) *
                     (1 + static_cast<double>(i * 7 % 11) / 10);
    gradient[i] = static_cast<float>(c * (x[i] - 1));
    losses.total += c * (x[i] - 1) * (x[i] - 1) / 2;
  }
  return losses;
}

TEST(LbfgsWithLocalScales, GoesDownWhatCurvesByPlaceInFewerSteps) {
  const auto steps_to = [&](Curvature curvature, LineSearch line_search) {
    ThreadPool pool(1);
    Recipe recipe;
    recipe.optimiser.kind = OptimiserKind::lbfgs;
    recipe.optimiser.history = 3;
    recipe.optimiser.line_search = line_search;
    recipe.optimiser.curvature = curvature;
    Standing standing(patches, random_values(kSize, 9));
    const double first = standing.point.losses.total;
    const auto optimiser = make_optimiser(recipe, kSize, pool, kTwoPlanes);
    int steps = 0;
    while (standing.point.losses.total > 1e-9 * first && steps < 500) {
      if (standing.step(*optimiser, patches) == StepStatus::converged) break;
      ++steps;
    }
    return steps;
  };
  for (const LineSearch line_search : {LineSearch::none, LineSearch::strong_wolfe}) {
    EXPECT_GT(steps_to(Curvature::one, line_search), 200);
    EXPECT_LT(steps_to(Curvature::local, line_search), 40);
  }
}

// The first five steps, before any scales are learnt, are those without.
TEST(LbfgsWithLocalScales, BeginsAsItDoesWithout) {
  std::vector<std::vector<float>> ends;
  for (const Curvature curvature : {Curvature::one, Curvature::local}) {
    ThreadPool pool(1);
    Recipe recipe;
    recipe.optimiser.kind = OptimiserKind::lbfgs;
    recipe.optimiser.curvature = curvature;
    Standing standing(patches, random_values(kSize, 9));
    const auto optimiser = make_optimiser(recipe, kSize, pool, kTwoPlanes);
    for (int i = 0; i < 5; ++i) standing.step(*optimiser, patches);
    ends.push_back(standing.x);
    standing.step(*optimiser, patches);
    ends.push_back(standing.x);
  }
  EXPECT_TRUE(same_bits(ends[0], ends[2]));
  EXPECT_FALSE(same_bits(ends[1], ends[3]));
}

}  // namespace
}  // namespace limn
