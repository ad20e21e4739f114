// The whole objective's gradient against differences of its value.
//
// The objective is a polynomial of degree 4 here (support/slopes.h).
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>

#include "base/random.h"
#include "network/network.h"
#include "paint/objective.h"
#include "recipe/fields.h"
#include "support/simd_targets.h"
#include "support/slopes.h"
#include "support/tiny_network.h"

namespace limn {
namespace {

constexpr double kStep = Line().step;

TEST(OpenNetwork, HasNoClosedRelu) {
  const TinyNetwork& tiny = tiny_network();
  const Weights weights = open_tiny_weights();
  std::vector<TapRequest> taps;
  for (const char* layer : {"conv1_1", "conv1_2", "conv2_1", "conv3_1"}) {
    taps.push_back({*find_layer(tiny.table, layer), /*features=*/true, /*gram=*/false});
  }
  const Network network(weights, Pooling::average, taps.back().position.row);
  Pass pass(network, tiny.picture.height, tiny.picture.width, taps, Purpose::features);
  const Units units(Space::rgb, weights.convention);
  ThreadPool pool(1);
  Random random(1);
  for (int sample = 0; sample < 20; ++sample) {  // pictures between the ends of the steps below
    std::vector<float> x(tiny.picture.rgb.size());
    for (float& value : x) {
      value = static_cast<float>(-kStep + (1 + 2 * kStep) * random.uniform());
    }
    pass.forward(x, units.of_rgb(), pool);
    for (size_t tap = 0; tap < taps.size(); ++tap) {
      const ConstFeatureMap F = pass.features(static_cast<int>(tap));
      float least = std::numeric_limits<float>::max();
      for (int c = 0; c < F.channels; ++c) {
        for (int y = 0; y < F.height; ++y) {
          for (int i = 0; i < F.width; ++i) least = std::min(least, F.at(c, y, i));
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

TEST_P(ObjectiveSlope, IsItsGradientAlongAnyLine) {
  const TinyNetwork& tiny = tiny_network();
  const Weights weights = open_tiny_weights();
  ThreadPool pool(2);
  Recipe recipe;
  recipe.network.pooling = Pooling::average;
  recipe.content.layers = {{"relu2_1", 0.5}, {"conv3_1", 0.5}};
  recipe.content.form = GetParam().content;
  recipe.style.layers = {{"relu1_1", 0.3}, {"conv1_2", 0.3}, {"pool1", 0.3}, {"conv3_1", 0.3}};
  recipe.style.gram = GetParam().gram;
  recipe.style.form = GetParam().style;
  recipe.optimiser.space = GetParam().space;

  for (const std::string term : {"content", "style", "neighbours", "variation"}) {
    SCOPED_TRACE(term);
    recipe.content.weight = term == "content" ? 1 : 0;
    recipe.style.weight = term == "style" ? 1 : 0;
    recipe.neighbours.weight = term == "neighbours" ? 1 : 0;
    recipe.neighbours.layers = {{"relu1_1", 0.5}, {"pool1", 0.5}};
    recipe.total_variation.weight = term == "variation" ? 1 : 0;
    on_every_target([&] {
      Objective objective(weights, recipe, tiny.photo, tiny.painting, pool);
      const std::vector<float> x = objective.units().encode(tiny.picture);
      expect_slopes(objective, x);
    });
  }
}

// Columns and what reads them, from the picture to the loss and back. Cosines are no polynomials,
// and where something is nearest changes along the line, so steps are short.
TEST(ObjectiveSlopeOfColumns, IsItsGradientAlongAnyLine) {
  const TinyNetwork& tiny = tiny_network();
  const Weights weights = open_tiny_weights();
  ThreadPool pool(2);
  Recipe matching;
  matching.network.pooling = Pooling::average;
  matching.content.weight = matching.style.weight = 0;
  matching.content.layers = matching.style.layers = {};
  Recipe transport = matching;
  matching.neighbours.weight = 1;
  matching.neighbours.layers = {{"relu1_1", 0.5}, {"pool1", 0.5}};
  matching.neighbours.matching = Matching::hypercolumns;
  matching.neighbours.distance = NeighbourDistance::cosine;
  matching.neighbours.turned = true;
  Recipe splitting = matching;
  splitting.neighbours.matching = Matching::layers;
  splitting.neighbours.distance = NeighbourDistance::centred_cosine;
  splitting.neighbours.samples = 5;
  Recipe structure = transport;
  transport.transport.weight = 1;
  transport.transport.layers = {{"relu1_1", 0.5}, {"pool1", 0.5}};
  structure.structure.weight = 1;
  structure.structure.layers = {{"relu1_1", 0.5}, {"pool1", 0.5}};
  for (const Recipe& recipe : {matching, splitting, transport, structure}) {
    SCOPED_TRACE(recipe.neighbours.weight != 0  ? name_of(recipe.neighbours.matching)
                 : recipe.transport.weight != 0 ? "transport"
                                                : "structure");
    Objective objective(weights, recipe, tiny.photo, tiny.painting, pool);
    const std::vector<float> x = objective.units().encode(tiny.picture);
    std::vector<float> gradient(x.size()), unused(x.size());
    objective.evaluate(x, gradient);
    const double steepest = std::sqrt(dot(gradient, gradient));
    const double step = 0.005 / steepest;  // along the gradient, so 0.005 in all
    std::vector<float> more(x), less(x);
    for (size_t i = 0; i < x.size(); ++i) {
      more[i] += static_cast<float>(step * gradient[i]);
      less[i] -= static_cast<float>(step * gradient[i]);
    }
    const double rise =
        objective.evaluate(more, unused).total - objective.evaluate(less, unused).total;
    EXPECT_NEAR(rise / (2 * step), steepest * steepest, 0.02 * steepest * steepest);
  }
}

}  // namespace
}  // namespace limn
