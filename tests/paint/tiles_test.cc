// The objective cut into tiles against the same in one piece: losses and gradient, of every loss,
// with tiles of many shapes, most of them narrower than what a cell of the deepest layer sees.
//
// Winograd's convolutions round differently in another grid, by some 1e-6 of a feature at the
// deepest layers (tests/network/golden_features_test.cc). Sums over many positions agree better,
// but at relu5_1 these pictures have 30 positions, and the losses of random features are quadratic
// in their matrices.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>

#include "kernels/kernels.h"
#include "paint/objective.h"
#include "support/drawn.h"
#include "support/drawn_student.h"
#include "support/masks.h"

namespace limn {
namespace {

const StudentWidths kWidths = {{16, 16}, {32}, {16, 16}, {32, 16}, {16}};

const DrawnStudent& drawn_student() {
  static const DrawnStudent drawn = draw_student(kWidths, 11);
  return drawn;
}

// Of the same rows, whose layers are its own.
Weights plain_weights() {
  static const NetworkTable table = {"plain", drawn_student().weights.student->rows};
  Random stream(12);
  Weights weights;
  weights.network = &table;
  weights.convention = kCaffeConvention;
  weights.convolutions = draw_convolutions(table, stream);
  return weights;
}

struct Setting {
  bool student = false;
  Recipe recipe;
  Pictures pictures;
  Size size = {83, 101};
};

Recipe gram_recipe() {
  Recipe recipe;
  recipe.picture.size = 0;
  recipe.picture.painting_size = PaintingSize::own;
  recipe.content.weight = 1;
  recipe.content.layers = {{"relu4_2", 1.0}};
  recipe.style.weight = 1e-2;
  recipe.style.layers = {
      {"relu1_1", 1.0}, {"relu2_1", 0.5}, {"relu3_1", 1.0}, {"relu4_1", 2.0}, {"relu5_1", 1.0}};
  recipe.total_variation.weight = 1e-4;
  return recipe;
}

Setting setting(const std::function<void(Setting&)>& change) {
  Setting made;
  made.recipe = gram_recipe();
  change(made);
  Random random(4);
  const auto [height, width] = made.size;
  Pictures pictures =
      single_style(draw_picture(width, height, random), draw_picture(70, 66, random));
  for (Style& style : made.pictures.styles) {
    if (style.paintings.empty()) style.paintings = {draw_picture(49, 80, random)};
  }
  if (made.pictures.styles.empty()) made.pictures.styles = pictures.styles;
  pictures.styles = made.pictures.styles;
  pictures.photo.alpha = made.pictures.photo.alpha;
  made.pictures = std::move(pictures);
  return made;
}

struct Case {
  const char* name;
  std::function<void(Setting&)> change;
};

const auto kNeighbours = [](Setting& s) {
  s.recipe.style.weight = 0;
  s.recipe.neighbours.weight = 1;
  s.recipe.neighbours.layers = {{"relu1_1", 1.0}, {"relu2_1", 1.0}, {"relu3_1", 1.0}};
};
const auto kTwoStyles = [](Setting& s) {
  s.pictures.styles.resize(2);
  s.pictures.styles[0].to = drawn_mask(20, 20, 8);
  s.pictures.styles[0].from = drawn_mask(9, 9, 9);
};

const Case kCases[] = {
    {"Plain", [](Setting&) {}},
    {"Student", [](Setting& s) { s.student = true; }},
    {"AveragePooling", [](Setting& s) { s.recipe.network.pooling = Pooling::average; }},
    {"BeforeReluAndPools",
     [](Setting& s) {
       s.recipe.content.layers = {{"conv4_2", 1.0}, {"pool2", 1.0}};
       s.recipe.content.form = ContentForm::sum;
       s.recipe.style.gram = GramForm::raw;
       s.recipe.style.layers = {{"conv1_1", 1.0}, {"pool1", 1.0}, {"pool4", 1.0}, {"conv5_1", 1.0}};
     }},
    {"HalfFeatures", [](Setting& s) { s.recipe.picture.half_features = true; }},
    {"Border", [](Setting& s) { s.recipe.picture.border = 5; }},
    {"Repeating",
     [](Setting& s) {
       s.size = {80, 96};
       s.recipe.picture.tileable = true;
     }},
    {"TransparentPhoto",
     [](Setting& s) { s.pictures.photo.alpha = drawn_mask(101, 83, 3).values; }},
    {"TransparentPhotoOfAStudent",
     [](Setting& s) {
       s.student = true;
       s.pictures.photo.alpha = drawn_mask(101, 83, 3).values;
     }},
    {"Masks", kTwoStyles},
    {"MasksOfAStudent",
     [](Setting& s) {
       s.student = true;
       kTwoStyles(s);
     }},
    {"Covariance", [](Setting& s) { s.recipe.style.statistic = StyleStatistic::covariance; }},
    {"MaskedCovariance",
     [](Setting& s) {
       s.recipe.style.statistic = StyleStatistic::covariance;
       kTwoStyles(s);
     }},
    {"MaskedMeansAndDeviations",
     [](Setting& s) {
       s.recipe.style.statistic = StyleStatistic::mean_deviation;
       kTwoStyles(s);
     }},
    {"Shifts",
     [](Setting& s) {
       s.recipe.style.shifts = {1, 4};
     }},
    {"MaskedShiftsOfCovariances",
     [](Setting& s) {
       s.recipe.style.statistic = StyleStatistic::covariance;
       s.recipe.style.shifts = {1, 4};
       kTwoStyles(s);
     }},
    {"RepeatingShiftsInPixels",
     [](Setting& s) {
       s.size = {80, 96};
       s.student = true;
       s.recipe.picture.tileable = true;
       s.recipe.style.shift_unit = ShiftUnit::pixels;
       s.recipe.style.shifts = {8, 32};
     }},
    {"Sliced", [](Setting& s) { s.recipe.style.statistic = StyleStatistic::sliced; }},
    {"MaskedSlicesOfAStudent",
     [](Setting& s) {
       s.student = true;
       s.recipe.style.statistic = StyleStatistic::sliced;
       kTwoStyles(s);
     }},
    {"Neighbours", kNeighbours},
    {"NeighboursOfAStudentWithAllElse",
     [](Setting& s) {
       kNeighbours(s);
       s.student = true;
       s.recipe.style.weight = 1e-2;
       kTwoStyles(s);
     }},
    {"Hypercolumns",
     [](Setting& s) {
       kNeighbours(s);
       s.recipe.neighbours.matching = Matching::hypercolumns;
       s.recipe.neighbours.distance = NeighbourDistance::cosine;
     }},
    {"NeighboursOnAGrid",
     [](Setting& s) {
       kNeighbours(s);
       s.recipe.neighbours.distance = NeighbourDistance::centred_cosine;
       s.recipe.neighbours.samples = 20;
     }},
    {"Transport",
     [](Setting& s) {
       s.recipe.style.weight = 0;
       s.recipe.transport.weight = 1;
     }},
    {"TransportAndStructureOfAStudent",
     [](Setting& s) {
       s.student = true;
       s.recipe.transport.weight = s.recipe.structure.weight = 1;
     }},
};

class Tiles : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Of, Tiles, testing::ValuesIn(kCases),
                         [](const auto& info) { return info.param.name; });

struct Evaluated {
  Losses losses;
  std::vector<float> gradient;
  int tiles = 0;
};

constexpr double kLossTolerance = 3e-6;
constexpr double kGradientTolerance = 5e-6;

double length(std::span<const float> a) {
  double sum = 0;
  for (const float value : a) sum += double{value} * value;
  return std::sqrt(sum);
}

TEST_P(Tiles, AddUpToThePicture) {
  const Setting made = setting(GetParam().change);
  const Weights plain = plain_weights();
  const Weights& weights = made.student ? drawn_student().weights : plain;
  const auto evaluated = [&](const Size& core, int threads) {
    ThreadPool pool(threads);
    Objective objective(
        weights, made.recipe,
        make_scene(made.pictures, made.recipe, working_sizes(made.pictures, made.recipe)), pool,
        core);
    Random random(6);
    const Size size = objective.picture_size();
    const std::vector<float> x =
        objective.units().encode(draw_picture(size.width, size.height, random));
    Evaluated result;
    result.gradient.assign(x.size(), NAN);
    objective.evaluate(x, result.gradient);  // the second finds memory that the first has used
    result.losses = objective.evaluate(x, result.gradient);
    result.tiles = objective.tiles();
    return result;
  };
  const Evaluated whole = evaluated({}, 2);
  ASSERT_EQ(whole.tiles, 1);
  ASSERT_GT(whole.losses.total, 0);
  const double norm = length(whole.gradient);
  ASSERT_GT(norm, 0);
  const std::pair<Size, int> cuts[] = {
      {{0, 64}, 2}, {{48, 0}, 2}, {{48, 64}, 4}, {{32, 32}, 12}, {{16, 32}, 20}};
  for (const auto& [core, tiles] : cuts) {
    SCOPED_TRACE(testing::Message() << "cores of " << core.width << " x " << core.height);
    const Evaluated cut = evaluated(core, 2);
    EXPECT_GE(cut.tiles, made.size.height < 83 ? tiles / 2 : tiles * 3 / 4);
    EXPECT_NEAR(cut.losses.content, whole.losses.content, kLossTolerance * whole.losses.content);
    EXPECT_NEAR(cut.losses.style, whole.losses.style, kLossTolerance * whole.losses.style);
    EXPECT_EQ(cut.losses.total_variation, whole.losses.total_variation);
    std::vector<float> difference(cut.gradient);
    for (size_t i = 0; i < difference.size(); ++i) difference[i] -= whole.gradient[i];
    EXPECT_LE(length(difference), kGradientTolerance * norm);
    RecordProperty("gradient", std::to_string(length(difference) / norm));
  }
  // The number of threads changes no bit.
  const Evaluated two = evaluated({32, 32}, 2), one = evaluated({32, 32}, 1);
  EXPECT_EQ(one.losses.total, two.losses.total);
  EXPECT_EQ(one.gradient, two.gradient);
}

}  // namespace
}  // namespace limn
