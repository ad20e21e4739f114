// The features of the tiny network as PyTorch computed them in float64.
#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"
#include "network/network.h"
#include "paint/objective.h"
#include "support/simd_targets.h"
#include "support/tiny_network.h"

namespace limn {
namespace {

// The file has nine significant digits.
constexpr double kNineDigits = 1e-8;

TEST(TinyGolden, DrawsWeightsAndPicturesLikeTheToolThatMadeIt) {
  const TinyNetwork& tiny = tiny_network();
  const auto& spots = tiny.golden.at("spots");
  Random stream(1);
  for (const double draw : spots.at("first_draws")) {
    EXPECT_NEAR(stream.uniform(), draw, kNineDigits);
  }
  const auto expect_spot = [&](const char* name, double value) {
    EXPECT_NEAR(value, spots.at(name).get<double>(), kNineDigits * std::max(1.0, value)) << name;
  };
  expect_spot("first_kernel", tiny.weights.convolutions.front().kernel.values[0]);
  expect_spot("last_bias", tiny.weights.convolutions.back().bias.end()[-1]);
  expect_spot("first_photo", tiny.photo.rgb.front());
  expect_spot("last_picture", tiny.picture.rgb.back());
  expect_spot("last_painting_small", tiny.painting_small.rgb.back());
  expect_spot("first_direction", tiny.direction.front());
  double squares = 0;
  for (const float value : tiny.direction) squares += double{value} * value;
  expect_spot("direction_norm", std::sqrt(squares));
}

class GoldenFeatures : public testing::TestWithParam<Pooling> {};
INSTANTIATE_TEST_SUITE_P(With, GoldenFeatures, testing::Values(Pooling::max, Pooling::average),
                         [](const auto& info) {
                           return info.param == Pooling::max ? "MaxPooling" : "AveragePooling";
                         });

// A convolution's features are wrong by some 1e-6 of their norm (winograd_test.cc), each further
// one adds as much, and little of it shows in the norm: 4e-7 at worst here. A sum of n values that
// are off by e (in the norm) is off by sqrt(n) e at most.
TEST_P(GoldenFeatures, OfEveryLayerHaveTheirShapeSumAndNorm) {
  constexpr double kTolerance = 2e-6;
  const TinyNetwork& tiny = tiny_network();
  const auto& expected =
      tiny.golden.at("features").at(GetParam() == Pooling::max ? "max" : "average");
  const std::vector<std::string> names = layer_names(tiny.table);
  ASSERT_EQ(names.size(), expected.size());
  std::vector<TapRequest> taps;
  taps.reserve(names.size());
  for (const std::string& name : names) {
    taps.push_back({find_layer(tiny.table, name).value(), /*features=*/true, /*gram=*/false});
  }

  const Network network(tiny.weights, GetParam(), static_cast<int>(tiny.rows.size()) - 1);
  on_every_target([&] {
    ThreadPool pool(2);
    Pass pass(network, tiny.picture.height, tiny.picture.width, taps, Purpose::features);
    const InputConvention& convention = tiny.weights.convention;
    std::vector<float> x = tiny.picture.rgb;
    const size_t plane = x.size() / 3;
    for (size_t i = 0; i < x.size(); ++i) {
      x[i] = (x[i] - convention.mean[i / plane]) / convention.deviation[i / plane];
    }
    pass.forward(x, InputMap(), pool);
    for (size_t tap = 0; tap < names.size(); ++tap) {
      SCOPED_TRACE(names[tap]);
      const ConstFeatureMap F = pass.features(static_cast<int>(tap));
      const auto& layer = expected.at(names[tap]);
      ASSERT_EQ((std::vector<int>{F.channels, F.height, F.width}),
                layer.at("shape").get<std::vector<int>>());
      double sum = 0, squares = 0;
      for (int c = 0; c < F.channels; ++c) {
        for (int y = 0; y < F.height; ++y) {
          for (int x = 0; x < F.width; ++x) {
            sum += F.at(c, y, x);
            squares += double{F.at(c, y, x)} * F.at(c, y, x);
          }
        }
      }
      const double norm = layer.at("norm");
      const auto count = static_cast<double>(F.channels * F.positions());
      EXPECT_NEAR(std::sqrt(squares), norm, kTolerance * norm);
      EXPECT_NEAR(sum, layer.at("sum").get<double>(), kTolerance * norm * std::sqrt(count));
    }
  });
}

}  // namespace
}  // namespace limn
