// Losses and gradients of the tiny network as PyTorch computed them in float64: every content,
// style, Gram and variation form, both spaces, both poolings.
#include <gtest/gtest.h>

#include <cctype>
#include <cmath>
#include <set>
#include <string>

#include "paint/objective.h"
#include "support/simd_targets.h"
#include "support/tiny_network.h"

namespace limn {
namespace {

// Each convolution adds some 1e-6 of its features' norm to their error (winograd_test.cc), so
// features and gradients are off by as much and a little more: gradients by 1e-6 of their norm at
// worst here. A loss squares differences of features, or of sums of their products, which are
// smaller than what is subtracted and so relatively further off: by 3.1e-6 at worst. Allowed is
// three to four times that. The file has nine digits.
constexpr double kGradientTolerance = 4e-6;
constexpr double kLossTolerance = 1e-5;

const nlohmann::json& cases() { return tiny_network().golden.at("cases"); }

class GoldenCase : public testing::TestWithParam<size_t> {
 protected:
  const nlohmann::json& golden() const { return cases()[GetParam()]; }
  double number(const char* key) const { return golden().at(key); }
};

std::string test_name(const testing::TestParamInfo<size_t>& info) {
  std::string name = cases()[info.param].at("name");
  for (char& letter : name) {
    if (std::isalnum(static_cast<unsigned char>(letter)) == 0) letter = '_';
  }
  return name;
}
INSTANTIATE_TEST_SUITE_P(PyTorch, GoldenCase, testing::Range<size_t>(0, cases().size()), test_name);

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += double{a[i]} * b[i];
  return sum;
}

TEST_P(GoldenCase, HasPyTorchsLossesAndGradient) {
  const TinyNetwork& tiny = tiny_network();
  const Recipe recipe = recipe_of(golden().at("recipe"));
  const Image& painting =
      golden().at("painting") == "painting" ? tiny.painting : tiny.painting_small;
  on_every_target([&] {
    ThreadPool pool(2);
    Objective objective(tiny.weights, recipe, tiny.photo, painting, pool);
    ASSERT_EQ(objective.picture_size().height, tiny.photo.height);
    ASSERT_EQ(objective.picture_size().width, tiny.photo.width);
    std::vector<float> gradient(objective.size(), NAN);
    const Losses losses = objective.evaluate(objective.units().encode(tiny.picture), gradient);

    EXPECT_NEAR(losses.content, number("content"), kLossTolerance * number("content"));
    EXPECT_NEAR(losses.style, number("style"), kLossTolerance * number("style"));
    EXPECT_NEAR(losses.total_variation, number("total_variation"),
                kLossTolerance * number("total_variation"));
    EXPECT_NEAR(losses.total, number("total"), kLossTolerance * number("total"));

    // The file's gradient is by the picture in 0..1 RGB.
    const size_t plane_size = gradient.size() / 3;
    for (size_t i = 0; i < gradient.size(); ++i) {
      gradient[i] *=
          static_cast<float>(objective.units().plane(static_cast<int>(i / plane_size)).gain);
    }
    const double norm = number("gradient_norm");
    const double direction_norm = std::sqrt(dot(tiny.direction, tiny.direction));
    EXPECT_NEAR(std::sqrt(dot(gradient, gradient)), norm, kGradientTolerance * norm);
    EXPECT_NEAR(dot(gradient, tiny.direction), number("gradient_dot"),
                kGradientTolerance * norm * direction_norm);
    if (golden().contains("gradient")) {
      const auto expected = golden().at("gradient").get<std::vector<double>>();
      ASSERT_EQ(expected.size(), gradient.size());
      double squares = 0;
      for (size_t i = 0; i < gradient.size(); ++i) {
        squares += std::pow(gradient[i] - expected[i], 2);
      }
      EXPECT_LE(std::sqrt(squares), kGradientTolerance * norm);
    }
  });
}

// So that no form can lose its case unseen.
TEST(GoldenCases, CoverEveryForm) {
  std::set<std::string> seen;
  for (const auto& golden : cases()) {
    const auto& recipe = golden.at("recipe");
    seen.insert(recipe.at("network").at("pooling"));
    seen.insert("space " + recipe.at("optimiser").at("space").get<std::string>());
    if (recipe.at("content").at("weight") != 0.0) {
      seen.insert("content " + recipe.at("content").at("form").get<std::string>());
    }
    if (recipe.at("style").at("weight") != 0.0) {
      seen.insert("gram " + recipe.at("style").at("gram").get<std::string>());
      seen.insert("style " + recipe.at("style").at("form").get<std::string>());
    }
    if (recipe.at("total_variation").at("weight") != 0.0) {
      seen.insert("variation " + recipe.at("total_variation").at("form").get<std::string>());
    }
  }
  EXPECT_EQ(seen.size(), 2u + 2 + 4 + 2 + 4 + 3);
}

}  // namespace
}  // namespace limn
