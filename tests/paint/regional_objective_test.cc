// The objective where parts of pictures are told apart: that it is the plain one where they are
// not, what masks and blends make of it, and that evaluating it allocates nothing.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "paint/objective.h"
#include "support/allocations.h"
#include "support/drawn.h"
#include "support/drawn_student.h"
#include "support/masks.h"
#include "support/same_bits.h"
#include "support/slopes.h"
#include "support/tiny_network.h"

namespace limn {
namespace {

constexpr StyleStatistic kStatistics[] = {StyleStatistic::gram, StyleStatistic::covariance,
                                          StyleStatistic::mean_deviation, StyleStatistic::sliced};

bool has_matrices(StyleStatistic statistic) {
  return statistic == StyleStatistic::gram || statistic == StyleStatistic::covariance;
}

struct Evaluated {
  Losses losses;
  std::vector<float> gradient;
};

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::pow(double{a[i]} - b[i], 2);
  return std::sqrt(sum);
}
double length(const std::vector<float>& a) { return std::sqrt(dot(a, a)); }

// The same sums in another order: as far from each other as from the truth.
void expect_near(const Evaluated& found, const Evaluated& expected, double tolerance = 1e-5) {
  EXPECT_NEAR(found.losses.content, expected.losses.content, tolerance * expected.losses.content);
  EXPECT_NEAR(found.losses.style, expected.losses.style, tolerance * expected.losses.style);
  EXPECT_LE(distance(found.gradient, expected.gradient), tolerance * length(expected.gradient));
}

class RegionalObjective : public testing::Test {
 protected:
  static Recipe recipe_of() {
    Recipe recipe;
    recipe.picture.size = 0;
    recipe.picture.painting_size = PaintingSize::own;
    recipe.content.weight = 1;
    recipe.content.layers = {{"relu2_1", 1.0}};
    recipe.style.weight = 1;
    recipe.style.layers = {{"conv1_1", 0.5}, {"relu2_1", 0.25}, {"relu3_1", 0.5}};
    return recipe;
  }

  Pictures two_styles() const {
    Pictures pictures = single_style(tiny_.photo, tiny_.painting);
    pictures.styles.push_back({{tiny_.painting_small}, {}, {}});
    return pictures;
  }

  Evaluated evaluated(const Pictures& pictures, const Recipe& recipe, const Image& picture,
                      int threads = 2) const {
    return evaluated(tiny_.weights, pictures, recipe, picture, threads);
  }
  static Evaluated evaluated(const Weights& weights, const Pictures& pictures, const Recipe& recipe,
                             const Image& picture, int threads = 2) {
    ThreadPool pool(threads);
    Objective objective(weights, recipe,
                        make_scene(pictures, recipe, working_sizes(pictures, recipe)), pool);
    Evaluated result;
    result.gradient.assign(objective.size(), NAN);
    result.losses = objective.evaluate(objective.units().encode(picture), result.gradient);
    return result;
  }

  const TinyNetwork& tiny_ = tiny_network();
  const int width_ = tiny_.photo.width, height_ = tiny_.photo.height;
};

// -------------------------------------------------------------------- as if there were no masks --

TEST_F(RegionalObjective, OfAWhiteMaskIsThePlainOne) {
  for (const GramForm gram : {GramForm::per_position, GramForm::raw}) {
    Recipe recipe = recipe_of();
    recipe.style.gram = gram;
    Pictures pictures = single_style(tiny_.photo, tiny_.painting);
    const Evaluated expected = evaluated(pictures, recipe, tiny_.picture);
    pictures.styles[0].to = halves(width_, height_, 1, 1);
    expect_near(evaluated(pictures, recipe, tiny_.picture), expected);
    pictures.styles[0].from = halves(3, 3, 1, 1);
    expect_near(evaluated(pictures, recipe, tiny_.picture), expected);
    pictures.styles[0].to = {};
    expect_near(evaluated(pictures, recipe, tiny_.picture), expected);
  }
}

TEST_F(RegionalObjective, OfAStudentWithAWhiteMaskIsThePlainOne) {
  const DrawnStudent drawn = draw_student({{16, 16}, {16}, {32}}, 3);
  Random random(7);
  Pictures pictures = single_style(draw_picture(19, 17, random), draw_picture(16, 21, random));
  const Image picture = draw_picture(19, 17, random);
  Recipe recipe = recipe_of();
  recipe.content.layers = {{"relu2_1", 1.0}};
  recipe.style.layers = {{"relu1_1", 0.5}, {"relu2_1", 0.25}, {"relu3_1", 0.25}};
  const Evaluated expected = evaluated(drawn.weights, pictures, recipe, picture);
  ASSERT_GT(expected.losses.style, 0);
  pictures.styles[0].to = halves(19, 17, 1, 1);
  expect_near(evaluated(drawn.weights, pictures, recipe, picture), expected);
}

// A picture in two regions of the same style everywhere is no plain one: each region has its own
// statistics. But of a painting that is the picture, each half in its half, all losses are 0.
TEST_F(RegionalObjective, OfWhatIsThereAlreadyIsNothing) {
  Recipe recipe = recipe_of();
  recipe.content.weight = 0;
  recipe.style.layers = {{"conv1_1", 1.0}};
  Pictures pictures = single_style(tiny_.photo, tiny_.picture);
  const Evaluated far = evaluated(pictures, recipe, tiny_.photo);
  for (const StyleStatistic statistic : kStatistics) {
    recipe.style.statistic = statistic;
    pictures.styles[0].to = halves(width_, height_, 1, 1);
    EXPECT_LE(evaluated(pictures, recipe, tiny_.picture).losses.style, 1e-9 * far.losses.style);
  }
}

// ---------------------------------------------------------------------------- masks and blends --

TEST_F(RegionalObjective, OfSwappedMasksIsAnother) {
  Pictures pictures = two_styles();
  const Mask left = halves(width_, height_, 1, 0), right = halves(width_, height_, 0, 1);
  pictures.styles[0].to = left;
  pictures.styles[1].to = right;
  const Evaluated one = evaluated(pictures, recipe_of(), tiny_.picture);
  pictures.styles[1].to = {};
  EXPECT_TRUE(same_bits(evaluated(pictures, recipe_of(), tiny_.picture).gradient, one.gradient))
      << "the rest is the right half";
  pictures.styles[0].to = right;
  pictures.styles[1].to = left;
  const Evaluated other = evaluated(pictures, recipe_of(), tiny_.picture);
  EXPECT_GT(distance(other.gradient, one.gradient), 0.1 * length(one.gradient));
  EXPECT_GT(std::abs(other.losses.style - one.losses.style), 0.01 * one.losses.style);
}

// Where no style goes, style has no gradient: beyond the mask's edge and what layers see over it.
TEST_F(RegionalObjective, PressesOnlyWhereAStyleGoes) {
  Recipe recipe = recipe_of();
  recipe.content.weight = 0;
  recipe.style.layers = {{"conv1_1", 1.0}};  // sees one pixel to each side
  Pictures pictures = single_style(tiny_.photo, tiny_.painting);
  pictures.styles[0].to = halves(width_, height_, 0, 1);
  for (const StyleStatistic statistic : kStatistics) {
    recipe.style.statistic = statistic;
    const Evaluated found = evaluated(pictures, recipe, tiny_.picture);
    double outside = 0, inside = 0;
    for (size_t i = 0; i < found.gradient.size(); ++i) {
      const int x = static_cast<int>(i % width_);
      (x < width_ / 2 - 1 ? outside : inside) += std::abs(found.gradient[i]);
    }
    EXPECT_EQ(outside, 0);
    EXPECT_GT(inside, 0);
  }
}

// "The part of the picture that r covers": of a mask that is half there, everywhere, the statistics
// are those of the whole map, and the loss is half.
TEST_F(RegionalObjective, PressesAsMuchAsThereIsOfTheRegion) {
  Recipe recipe = recipe_of();
  recipe.content.weight = 0;
  for (const StyleStatistic statistic : kStatistics) {
    recipe.style.statistic = statistic;
    Pictures pictures = single_style(tiny_.photo, tiny_.painting);
    Evaluated expected = evaluated(pictures, recipe, tiny_.picture);
    expected.losses.style /= 2;
    for (float& value : expected.gradient) value /= 2;
    pictures.styles[0].to = halves(width_, height_, 0.5f, 0.5f);
    expect_near(evaluated(pictures, recipe, tiny_.picture), expected);
  }
}

TEST_F(RegionalObjective, TakesAStyleFromThePartOfThePaintingThatIsSelected) {
  Pictures pictures = single_style(tiny_.photo, tiny_.painting);
  const Evaluated whole = evaluated(pictures, recipe_of(), tiny_.picture);
  pictures.styles[0].from = halves(width_, height_, 1, 0);
  const Evaluated left = evaluated(pictures, recipe_of(), tiny_.picture);
  pictures.styles[0].from = halves(width_, height_, 0, 1);
  const Evaluated right = evaluated(pictures, recipe_of(), tiny_.picture);
  EXPECT_GT(distance(left.gradient, whole.gradient), 1e-3 * length(whole.gradient));
  EXPECT_GT(distance(left.gradient, right.gradient), 1e-3 * length(whole.gradient));
}

// Features near the edge of a part have seen what lies beyond it, and count less.
TEST_F(RegionalObjective, LooksAwayFromWhatLiesBesideThePartOfThePainting) {
  Random random(9);
  Recipe recipe = recipe_of();
  recipe.content.weight = 0;
  recipe.style.layers = {{"relu3_1", 1.0}};
  Pictures pictures = single_style(tiny_.photo, draw_picture(64, 24, random));
  const auto changed_by = [&](const Mask& from) {
    Pictures other = pictures;
    Image& painting = other.styles[0].paintings[0];
    for (size_t i = 0; i < painting.rgb.size(); ++i) {
      if (i % 64 >= 32) painting.rgb[i] = 1 - painting.rgb[i] * painting.rgb[i];
    }
    other.styles[0].from = pictures.styles[0].from = from;
    const Evaluated one = evaluated(pictures, recipe, tiny_.picture);
    const Evaluated two = evaluated(other, recipe, tiny_.picture);
    return distance(one.gradient, two.gradient) / length(one.gradient);
  };
  const double left = changed_by(halves(64, 24, 1, 0)), right = changed_by(halves(64, 24, 0, 1));
  EXPECT_GT(left, 0);
  // With all features of the half it would be 0.07.
  EXPECT_LT(left, 0.05 * right);
}

// The blend's gradient is that of the blended losses, |G - sum of s A|^2 = sum of s |G - A|^2 + ...
TEST_F(RegionalObjective, OfABlendHasTheGradientOfTheBlendedLosses) {
  Recipe recipe = recipe_of();
  recipe.content.weight = 0;
  for (const char* way : {"plain", "masked", "sliced"}) {
    SCOPED_TRACE(way);
    Pictures pictures = two_styles();
    // Goes through the regions' code.
    if (way == std::string("masked")) pictures.styles[0].from = halves(5, 5, 1, 1);
    if (way == std::string("sliced")) recipe.style.statistic = StyleStatistic::sliced;
    Pictures first = pictures, second = pictures;
    first.styles.pop_back();
    second.styles.erase(second.styles.begin());
    recipe.style.blend = {0.75, 0.25};
    const Evaluated blend = evaluated(pictures, recipe, tiny_.picture);
    recipe.style.blend = {};
    const Evaluated one = evaluated(first, recipe, tiny_.picture);
    const Evaluated other = evaluated(second, recipe, tiny_.picture);
    std::vector<float> expected;
    for (size_t i = 0; i < one.gradient.size(); ++i) {
      expected.push_back(0.75f * one.gradient[i] + 0.25f * other.gradient[i]);
    }
    EXPECT_LE(distance(blend.gradient, expected), 1e-4 * length(expected));
    EXPECT_GT(distance(blend.gradient, one.gradient), 1e-2 * length(expected));
  }
}

// ------------------------------------------------------------------------------------- borders --

TEST_F(RegionalObjective, WithABorderIsLargerByItOnEachSide) {
  Recipe recipe = recipe_of();
  recipe.picture.border = 4;
  Pictures pictures = two_styles();
  pictures.styles[0].to = halves(width_, height_, 1, 0);
  pictures.keep = halves(width_, height_, 0, 1);
  ThreadPool pool(1);
  const Objective objective(tiny_.weights, recipe,
                            make_scene(pictures, recipe, working_sizes(pictures, recipe)), pool);
  EXPECT_EQ(objective.picture_size().width, width_ + 8);
  EXPECT_EQ(objective.picture_size().height, height_ + 8);
  EXPECT_EQ(objective.size(), 3u * (width_ + 8) * (height_ + 8));
  EXPECT_EQ(objective.targets()->basis.sizes.picture, (Size{height_, width_}));
}

// ---------------------------------------------------------------------------- threads, memory --

TEST_F(RegionalObjective, GivesTheSameBitsForAnyNumberOfThreads) {
  Random random(6);
  Pictures pictures = single_style(draw_picture(61, 47, random), draw_picture(40, 52, random));
  pictures.styles.push_back({{draw_picture(33, 41, random)}, drawn_mask(33, 41, 1), {}});
  pictures.styles[0].to = drawn_mask(61, 47, 2);
  const Image picture = draw_picture(61, 47, random);
  for (const StyleStatistic statistic : kStatistics) {
    Recipe recipe = recipe_of();
    recipe.style.statistic = statistic;
    if (has_matrices(statistic)) recipe.style.shifts = {2};
    const Evaluated expected = evaluated(pictures, recipe, picture, 1);
    for (const int threads : {2, 3, 7}) {
      const Evaluated found = evaluated(pictures, recipe, picture, threads);
      EXPECT_EQ(found.losses.total, expected.losses.total);
      EXPECT_TRUE(same_bits(found.gradient, expected.gradient)) << threads << " threads";
    }
  }
}

TEST_F(RegionalObjective, AllocatesNothing) {
  Pictures pictures = two_styles();
  pictures.styles[0].to = halves(width_, height_, 1, 0);
  pictures.styles[1].from = drawn_mask(5, 5, 3);
  pictures.keep = halves(width_, height_, 0.5f, 0);
  for (const StyleStatistic statistic : kStatistics) {
    Recipe recipe = recipe_of();
    recipe.style.statistic = statistic;
    if (has_matrices(statistic)) recipe.style.shifts = {1, 2};
    recipe.total_variation.weight = 0.1;
    ThreadPool pool(3);
    Objective objective(tiny_.weights, recipe,
                        make_scene(pictures, recipe, working_sizes(pictures, recipe)), pool);
    ASSERT_TRUE(objective.targets()->regional);
    std::vector<float> gradient(objective.size());
    objective.evaluate(tiny_.picture.rgb, gradient);
    const int before = allocations();
    objective.evaluate(tiny_.picture.rgb, gradient);
    EXPECT_EQ(allocations() - before, 0);
  }
}

}  // namespace
}  // namespace limn
