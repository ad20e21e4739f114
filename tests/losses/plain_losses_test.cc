// Content and style losses: each form's factor by hand, values and gradients on small maps.
#include "losses/content.h"
#include "losses/gram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/kernels.h"
#include "support/guarded_memory.h"
#include "support/losses_alone.h"
#include "support/random_values.h"
#include "support/tolerance.h"

namespace limn {
namespace {

// Losses read rings and padding, which are 0 in every map of the network.
struct ZeroedMap {
  ZeroedMap(int channels, int height, int width)
      : memory(FeatureMap{nullptr, channels, height, width}.floats()),
        map{memory.data(), channels, height, width} {}
  Buffer<float> memory;
  FeatureMap map;
};

// What the content loss makes of F, compared with P.
AtLayer content_at(double factor, const ZeroedMap& F, const ZeroedMap& P, ThreadPool& pool) {
  ContentTarget target;
  target.features = Buffer<float>(P.map.floats());
  std::ranges::copy(std::span<const float>(P.memory), target.features.data());
  Scratch scratch;
  const ConstFeatureMap shape = {nullptr, F.map.channels, F.map.height, F.map.width};
  ContentLoss loss(factor, 0, shape, target, {}, scratch);
  AtLayer result = at_layer(loss, F.map, {}, scratch, pool);
  EXPECT_EQ(result.slope.factor, static_cast<float>(2 * factor));
  EXPECT_EQ(result.slope.target.data, target.features.data());
  result.slope = {};  // the target ends here
  return result;
}

// The Gram loss. Turns G into S.
double gram_at(double factor, double g, std::span<float> G, std::span<const float> A) {
  ThreadPool pool(1);
  Scratch scratch;
  GramLoss loss(factor, 0, g, A, {}, scratch);
  const AtLayer result = at_layer(loss, {}, G, scratch, pool);
  std::ranges::copy(result.slope.S, G.begin());
  return result.loss;
}

TEST(ContentFactor, OfEachFormIsThatOfItsDefinition) {
  constexpr double kC = 16, kM = 9;
  EXPECT_DOUBLE_EQ(content_factor(ContentForm::sum, kC, kM), 1.0);
  EXPECT_DOUBLE_EQ(content_factor(ContentForm::half_sum, kC, kM), 0.5);
  EXPECT_DOUBLE_EQ(content_factor(ContentForm::mean, kC, kM), 1.0 / 144);
  EXPECT_DOUBLE_EQ(content_factor(ContentForm::root, kC, kM), 1.0 / (2 * 4 * 3));
}

TEST(GramScale, IsOneForRawAndOneOverPositionsOtherwise) {
  EXPECT_DOUBLE_EQ(gram_scale(GramForm::raw, 12), 1.0);
  EXPECT_DOUBLE_EQ(gram_scale(GramForm::per_position, 12), 1.0 / 12);
}

TEST(StyleFactor, OfEachFormIsThatOfItsDefinition) {
  constexpr double kC = 16, kM = 9, kPixels = 20;
  EXPECT_DOUBLE_EQ(style_factor(StyleForm::mean, kC, kM, kPixels), 1.0 / 256);
  EXPECT_DOUBLE_EQ(style_factor(StyleForm::paper, kC, kM, kPixels), 1.0 / (4 * 256 * 81));
  EXPECT_DOUBLE_EQ(style_factor(StyleForm::paper_times_4, kC, kM, kPixels), 1.0 / (256 * 81));
  EXPECT_DOUBLE_EQ(style_factor(StyleForm::image, kC, kM, kPixels), 1.0 / (36 * 400));
}

// Sizes of real layers: products of them overflow 32 bits.
TEST(StyleFactor, OfLargePicturesIsExact) {
  constexpr double kC = 512, kM = 4e6, kPixels = 1e9;
  EXPECT_DOUBLE_EQ(style_factor(StyleForm::paper, kC, kM, kPixels) * 4 * kC * kC * kM * kM, 1.0);
  EXPECT_DOUBLE_EQ(style_factor(StyleForm::image, kC, kM, kPixels) * 36 * kPixels * kPixels, 1.0);
}

TEST(ContentLoss, IsTheFactorTimesTheSquaredDistance) {
  ThreadPool pool(1);
  ZeroedMap F(16, 2, 3);
  ZeroedMap P(16, 2, 3);
  F.map.at(0, 0, 0) = 5;
  P.map.at(0, 0, 0) = 2;  // 9
  F.map.at(15, 1, 2) = -1;
  P.map.at(15, 1, 2) = 3;    // 16
  P.map.at(7, 1, 0) = 0.5f;  // 0.25
  EXPECT_DOUBLE_EQ(content_at(0.1, F, P, pool).loss, 0.1 * 25.25);
  EXPECT_EQ(content_at(0.1, F, F, pool).loss, 0.0);
}

// The loss, computed here in double from its definition, is quadratic, so a central difference with
// any step is its slope.
TEST(ContentLoss, GradientByTheFeaturesIsTwiceTheFactorTimesTheDifference) {
  constexpr double kFactor = 0.25;
  ThreadPool pool(2);
  ZeroedMap F(32, 3, 5);
  ZeroedMap P(32, 3, 5);
  Random random(1);
  std::vector<double> direction;
  double more = 0, less = 0;
  for_each_value(32, 3, 5, [&](int c, int y, int x) {
    F.map.at(c, y, x) = random_whole(random, 5);
    P.map.at(c, y, x) = random_whole(random, 5);
    direction.push_back(random_whole(random, 3));
    const double difference = double{F.map.at(c, y, x)} - P.map.at(c, y, x);
    more += kFactor * std::pow(difference + direction.back(), 2);
    less += kFactor * std::pow(difference - direction.back(), 2);
  });
  kernels::turn_into_gradient(F.map, {}, static_cast<float>(2 * kFactor), P.map, pool);
  double slope = 0;
  size_t next = 0;
  for_each_value(32, 3, 5,
                 [&](int c, int y, int x) { slope += F.map.at(c, y, x) * direction[next++]; });
  EXPECT_DOUBLE_EQ(slope, (more - less) / 2);
}

TEST(StyleLoss, IsTheFactorTimesTheSquaredDistanceOfScaledGramMatrices) {
  std::vector<float> G = {4, 2, 2, 6};
  const std::vector<float> A = {1, 0, 0, 5};
  // g G - A = {1, 1, 1, -2}: the squares sum to 7.
  EXPECT_DOUBLE_EQ(gram_at(3.0, 0.5, G, A), 21.0);
  // G has become S = 4 factor g (g G - A) = 6 (g G - A).
  EXPECT_EQ(G, (std::vector<float>{6, 6, 6, -12}));
}

TEST(StyleLoss, OfEqualMatricesIsNothing) {
  std::vector<float> G = {4, 2, 2, 6};
  const std::vector<float> A = {2, 1, 1, 3};
  EXPECT_EQ(gram_at(3.0, 0.5, G, A), 0.0);
  EXPECT_EQ(G, (std::vector<float>{0, 0, 0, 0}));
}

// The loss, computed here in double from its definition, is of degree 4 in F. Central differences
// of such are D(h) = L' + a h^2 with nothing behind it, so (4 D(h / 2) - D(h)) / 3 is exactly L'.
TEST(StyleLoss, GradientByTheFeaturesIsTheMatrixTimesThem) {
  constexpr int kC = 16, kHeight = 2, kWidth = 3, kM = kHeight * kWidth;
  constexpr double kFactor = 0.01, kScale = 1.0 / kM;
  Random random(2);
  std::vector<double> features(kC * kM), direction(kC * kM), target(kC * kC);
  for (double& value : features) value = random_signed(random);
  for (double& value : direction) value = random_signed(random);
  for (int i = 0; i < kC; ++i) {
    for (int j = 0; j <= i; ++j) target[i * kC + j] = target[j * kC + i] = random_signed(random);
  }
  const auto loss_at = [&](double t) {
    double sum = 0;
    for (int i = 0; i < kC; ++i) {
      for (int j = 0; j < kC; ++j) {
        double g = 0;
        for (int k = 0; k < kM; ++k) {
          g += (features[i * kM + k] + t * direction[i * kM + k]) *
               (features[j * kM + k] + t * direction[j * kM + k]);
        }
        sum += std::pow(kScale * g - target[i * kC + j], 2);
      }
    }
    return kFactor * sum;
  };
  const auto difference = [&](double h) { return (loss_at(h) - loss_at(-h)) / (2 * h); };
  const double expected = (4 * difference(0.5) - difference(1.0)) / 3;

  ThreadPool pool(1);
  ZeroedMap F(kC, kHeight, kWidth);
  for_each_value(kC, kHeight, kWidth, [&](int c, int y, int x) {
    F.map.at(c, y, x) = static_cast<float>(features[c * kM + y * kWidth + x]);
  });
  std::vector<float> G(kC * kC);
  const std::vector<float> A(target.begin(), target.end());
  Buffer<double> scratch(kernels::gram_scratch_size(F.map));
  kernels::gram(F.map, G, scratch, pool);
  const double loss = gram_at(kFactor, kScale, G, A);
  kernels::turn_into_gradient(F.map, G, 0, {}, pool);
  double slope = 0, magnitude = 0;
  for_each_value(kC, kHeight, kWidth, [&](int c, int y, int x) {
    const double term = F.map.at(c, y, x) * direction[c * kM + y * kWidth + x];
    slope += term;
    magnitude += std::abs(term);
  });
  // A few float roundings in G, in S and in S F.
  EXPECT_NEAR(loss, loss_at(0), 10 * kEpsilon * loss_at(0));
  EXPECT_NEAR(slope, expected, 10 * kEpsilon * magnitude);
}

}  // namespace
}  // namespace limn
