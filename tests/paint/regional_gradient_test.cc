// The whole objective's gradient against differences of its value where parts of pictures are told
// apart, or where more than Gram matrices is compared: two styles in two regions of the picture,
// each found in a part of its painting. Means and deviations are no polynomials (support/slopes.h).
#include <gtest/gtest.h>

#include <string>

#include "paint/objective.h"
#include "support/drawn.h"
#include "support/drawn_student.h"
#include "support/masks.h"
#include "support/simd_targets.h"
#include "support/slopes.h"
#include "support/tiny_network.h"

namespace limn {
namespace {

struct Case {
  std::string name;
  StyleStatistic statistic;
  std::vector<int> shifts = {};
  GramForm gram = GramForm::per_position;
  // 0 leaves content out; else it reads one of the style's layers too.
  double content = 0;
  bool masks = true;
  bool alpha = false;
};

class RegionalSlope : public testing::TestWithParam<Case> {
 protected:
  // The masks' sizes are not the pictures'.
  static Pictures pictures_of(const Image& photo, const Image& painting, const Image& other) {
    Pictures pictures = single_style(photo, painting);
    pictures.styles.push_back({{other}, {}, {}});
    if (GetParam().alpha) {
      pictures.photo.alpha = drawn_mask(photo.width, photo.height, 13).values;
      Image& first = pictures.styles[0].paintings[0];
      first.alpha = drawn_mask(first.width, first.height, 14).values;
    }
    if (!GetParam().masks) return pictures;
    pictures.styles[0].to = drawn_mask(photo.width, photo.height, 11);
    pictures.styles[0].from = drawn_mask(8, 6, 12);
    pictures.styles[1].from = halves(9, 9, 1, 0.25f);
    return pictures;
  }

  static Recipe recipe_of() {
    Recipe recipe;
    recipe.picture.size = 0;
    recipe.picture.painting_size = PaintingSize::own;
    recipe.content.weight = GetParam().content;
    recipe.style.weight = 1;
    recipe.style.statistic = GetParam().statistic;
    recipe.style.shifts = GetParam().shifts;
    recipe.style.gram = GetParam().gram;
    return recipe;
  }

  static Line line() {
    if (GetParam().statistic == StyleStatistic::mean_deviation) return {0.1, false};
    return {};
  }

  static void expect_slopes_of(const Weights& weights, const Recipe& recipe,
                               const Pictures& pictures, const Image& picture) {
    ThreadPool pool(2);
    on_every_target([&] {
      Objective objective(weights, recipe,
                          make_scene(pictures, recipe, working_sizes(pictures, recipe)), pool);
      ASSERT_EQ(objective.targets()->regional,
                GetParam().masks || GetParam().alpha || is_more_than_gram());
      expect_slopes(objective, objective.units().encode(picture), line());
    });
  }

 private:
  static bool is_more_than_gram() {
    return GetParam().statistic != StyleStatistic::gram || !GetParam().shifts.empty();
  }
};

using enum StyleStatistic;
INSTANTIATE_TEST_SUITE_P(
    Of, RegionalSlope,
    testing::Values(
        Case{"Gram", gram}, Case{"GramRaw", gram, {}, GramForm::raw},
        Case{"GramAndContent", gram, {}, GramForm::per_position, 1}, Case{"Covariance", covariance},
        Case{"CovarianceAndContent", covariance, {}, GramForm::per_position, 1},
        Case{"MeanDeviation", mean_deviation},
        Case{"MeanDeviationAndContent", mean_deviation, {}, GramForm::per_position, 1},
        Case{"GramShifted", gram, {1, 2}}, Case{"CovarianceShifted", covariance, {1}},
        Case{"GramShiftedAndContent", gram, {2}, GramForm::per_position, 1},
        Case{"GramBlended", gram, {}, GramForm::per_position, 0, false},
        Case{"CovarianceEverywhere", covariance, {}, GramForm::per_position, 1, false},
        Case{"MeanDeviationEverywhere", mean_deviation, {}, GramForm::per_position, 1, false},
        Case{"CovarianceShiftedEverywhere", covariance, {1, 2}, GramForm::per_position, 1, false},
        Case{"GramAndContentByAlpha", gram, {}, GramForm::per_position, 1, false, true},
        Case{"CovarianceAndContentByAlphaAndMasks",
             covariance,
             {},
             GramForm::per_position,
             1,
             true,
             true}),
    [](const auto& info) { return info.param.name; });

TEST_P(RegionalSlope, IsItsGradientAlongAnyLine) {
  const TinyNetwork& tiny = tiny_network();
  Recipe recipe = recipe_of();
  recipe.network.pooling = Pooling::average;
  recipe.content.layers = {{"relu2_1", 0.5}, {"conv3_1", 0.5}};
  recipe.style.layers = {{"relu1_1", 0.3}, {"conv1_2", 0.3}, {"pool1", 0.3}, {"conv3_1", 0.3}};
  expect_slopes_of(open_tiny_weights(), recipe,
                   pictures_of(tiny.photo, tiny.painting, tiny.painting_small), tiny.picture);
}

TEST_P(RegionalSlope, OfAStudentIsItsGradientAlongAnyLine) {
  const DrawnStudent drawn = open_student();
  Random random(7);
  const Image photo = draw_picture(9, 7, random);
  const Image painting = draw_picture(8, 10, random);
  const Image other = draw_picture(10, 9, random);
  const Image picture = draw_picture(9, 7, random);
  Recipe recipe = recipe_of();
  recipe.content.layers = {{"relu2_1", 0.5}};
  recipe.style.layers = {{"relu1_1", 0.3}, {"relu2_1", 0.3}, {"relu4_2", 0.4}};
  expect_slopes_of(drawn.weights, recipe, pictures_of(photo, painting, other), picture);
}

}  // namespace
}  // namespace limn
