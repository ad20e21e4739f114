// The whole objective's gradient against differences of its value.
//
// Where every ReLU is open and pooling averages, features are affine in the picture, so content is
// of degree 2 in it, style of degree 4 and squared variation of degree 2. Along a line, central
// differences of a polynomial of degree 4 are D(h) = slope + a h^2, with nothing behind: so
// (4 D(h / 2) - D(h)) / 3 is the slope, for any h. A large h drowns the noise of float losses,
// which is what makes naive differences useless here.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "network/network.h"
#include "style/objective.h"
#include "support/copies.h"
#include "support/random_values.h"
#include "support/simd_targets.h"
#include "support/tiny_network.h"

namespace limn {
namespace {

// The tiny network with biases that keep every ReLU open, and kernels that keep features from
// falling below them.
Weights open_weights() {
  Weights weights = copy_of(tiny_network().weights);
  for (Convolution& convolution : weights.convolutions) {
    for (float& bias : convolution.bias) bias += 4;
    for (float& value : convolution.kernel.values) value *= 0.25f;
  }
  return weights;
}

std::vector<float> moved(std::span<const float> x, std::span<const float> direction, double step) {
  std::vector<float> there(x.begin(), x.end());
  for (size_t i = 0; i < there.size(); ++i) there[i] += static_cast<float>(step * direction[i]);
  return there;
}

// A large step, in units of pictures that go from 0 to 1.
constexpr double kStep = 0.5;

TEST(OpenNetwork, HasNoClosedRelu) {
  const TinyNetwork& tiny = tiny_network();
  const Weights weights = open_weights();
  std::vector<TapRequest> taps;
  for (const char* layer : {"conv1_1", "conv1_2", "conv2_1", "conv3_1"}) {
    taps.push_back({*find_layer(tiny.table, layer), /*features=*/true, /*gram=*/false});
  }
  const Network network(weights, Pooling::average, taps.back().position.row);
  Pass pass(network, tiny.picture.height, tiny.picture.width, taps, Purpose::features);
  ThreadPool pool(1);
  Random random(1);
  for (int sample = 0; sample < 20; ++sample) {  // pictures between the ends of the steps below
    for (int c = 0; c < 3; ++c) {
      for (int y = 0; y < tiny.picture.height; ++y) {
        for (int x = 0; x < tiny.picture.width; ++x) {
          const double value = -kStep + (1 + 2 * kStep) * random.uniform();
          pass.input().row(c, y)[x] = static_cast<float>((value - weights.convention.mean[c]) /
                                                         weights.convention.deviation[c]);
        }
      }
    }
    pass.forward(pool);
    for (size_t tap = 0; tap < taps.size(); ++tap) {
      const ConstFeatureMap F = pass.features(static_cast<int>(tap));
      float least = std::numeric_limits<float>::max();
      for (int c = 0; c < F.channels; ++c) {
        for (int y = 0; y < F.height; ++y) {
          for (int x = 0; x < F.width; ++x) least = std::min(least, F.at(c, y, x));
        }
      }
      EXPECT_GT(least, 0) << "convolution " << tap;
    }
  }
}

struct Forms {
  const char* name;
  ContentForm content;
  GramForm gram;
  StyleForm style;
  Space space;
};

class ObjectiveSlope : public testing::TestWithParam<Forms> {};
INSTANTIATE_TEST_SUITE_P(Of, ObjectiveSlope,
                         testing::Values(Forms{"MeanPerPosition", ContentForm::mean,
                                               GramForm::per_position, StyleForm::mean, Space::rgb},
                                         Forms{"SumRawPaper", ContentForm::sum, GramForm::raw,
                                               StyleForm::paper, Space::network},
                                         Forms{"HalfSumRawPaperTimes4", ContentForm::half_sum,
                                               GramForm::raw, StyleForm::paper_times_4, Space::rgb},
                                         Forms{"RootPerPositionImage", ContentForm::root,
                                               GramForm::per_position, StyleForm::image,
                                               Space::network}),
                         [](const auto& info) { return info.param.name; });

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * b[i];
  return sum;
}

// gradient . direction against differences along the direction.
void expect_slope(Objective& objective, std::span<const float> x, std::span<const float> gradient,
                  std::span<const float> direction) {
  std::vector<float> unused(x.size());
  double noise = 0;
  const auto difference = [&](double h) {
    const double more = objective.evaluate(moved(x, direction, h), unused).total;
    const double less = objective.evaluate(moved(x, direction, -h), unused).total;
    // Features near 4 are some 1e-6 of that off, 4e-6, and those of two pictures differ by some
    // 0.03: a loss of 500 squared differences is good to 2 * 4e-6 / (0.03 sqrt(500)), 1e-5. The
    // worst of these tests is 4.5e-6; allowed is several times that.
    noise = std::max(noise, 2e-5 * (more + less) / (2 * h));
    return (more - less) / (2 * h);
  };
  const double expected = (4 * difference(kStep / 2) - difference(kStep)) / 3;
  EXPECT_NEAR(dot(gradient, direction), expected, noise);
  EXPECT_LE(noise, 0.01 * std::sqrt(dot(gradient, gradient) * dot(direction, direction)))
      << "too noisy to tell anything";
}

TEST_P(ObjectiveSlope, IsItsGradientAlongAnyLine) {
  const TinyNetwork& tiny = tiny_network();
  const Weights weights = open_weights();
  ThreadPool pool(2);
  Recipe recipe;
  recipe.network.pooling = Pooling::average;
  recipe.content.layers = {{"relu2_1", 0.5}, {"conv3_1", 0.5}};
  recipe.content.form = GetParam().content;
  recipe.style.layers = {{"relu1_1", 0.3}, {"conv1_2", 0.3}, {"pool1", 0.3}, {"conv3_1", 0.3}};
  recipe.style.gram = GetParam().gram;
  recipe.style.form = GetParam().style;
  recipe.optimiser.space = GetParam().space;

  for (const std::string term : {"content", "style", "variation"}) {
    SCOPED_TRACE(term);
    recipe.content.weight = term == "content" ? 1 : 0;
    recipe.style.weight = term == "style" ? 1 : 0;
    recipe.total_variation.weight = term == "variation" ? 1 : 0;
    on_every_target([&] {
      Objective objective(weights, recipe, tiny.photo, tiny.painting, pool);
      const std::vector<float> x = objective.encode(tiny.picture);
      std::vector<float> gradient(x.size());
      objective.evaluate(x, gradient);
      // In units of the picture, whatever the variable's unit.
      const auto expect_slope_along = [&](std::vector<float> direction) {
        for (size_t i = 0; i < x.size(); ++i) {
          const int plane = static_cast<int>(i * 3 / x.size());
          direction[i] *= static_cast<float>(objective.rgb_slope(plane));
        }
        expect_slope(objective, x, gradient, direction);
      };
      for (const int seed : {50, 51, 52}) expect_slope_along(random_values(x.size(), seed));
      // The gradient's own direction, along which the slope is greatest.
      float largest = 0;
      for (const float value : gradient) largest = std::max(largest, std::abs(value));
      std::vector<float> uphill(gradient);
      for (float& value : uphill) value /= largest;
      expect_slope_along(uphill);
    });
  }
}

}  // namespace
}  // namespace limn
