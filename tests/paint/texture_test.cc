// Textures: pictures that repeat, are symmetric, or fill a hole; by the built-in network, whose
// five levels are all there.
#include <gtest/gtest.h>
#include <limn/limn.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "paint/objective.h"
#include "support/drawn.h"
#include "support/errors.h"
#include "support/random_values.h"
#include "support/slopes.h"

namespace limn {
namespace {

// What is at (y, x) comes to (y + down, x + right), around the edges.
std::vector<float> rolled(const std::vector<float>& planes, int height, int width, int down,
                          int right) {
  std::vector<float> result(planes.size());
  for (size_t i = 0; i < planes.size(); ++i) {
    const auto place = static_cast<int>(i % (static_cast<size_t>(height) * width));
    const int y = (place / width + down) % height, x = (place % width + right) % width;
    result[i - place + static_cast<size_t>(y) * width + x] = planes[i];
  }
  return result;
}

Recipe texture_recipe() {
  Recipe recipe = named_recipe("texture");
  recipe.picture.threads = 1;
  return recipe;
}

class TextureObjective : public testing::TestWithParam<const char*> {
 protected:
  static constexpr int kHeight = 64, kWidth = 48;

  // The losses and the gradient of a picture that repeats, by all kinds of losses that can.
  static Recipe recipe(bool tileable) {
    Recipe recipe = texture_recipe();
    recipe.balance.kind = Balance::fixed;
    recipe.picture.tileable = tileable;
    recipe.picture.border = 0;
    const std::string what = GetParam();
    if (what == "plain") recipe.style.shifts.clear();
    if (what == "shifted") recipe.style.shifts = {8, 16, 32};
    if (what == "neighbours") {
      recipe.style.weight = 0;
      recipe.neighbours.weight = 1;
      recipe.neighbours.layers = {{"relu2_1", 1}, {"relu4_1", 1}};
    }
    if (what == "variation") {
      recipe.style.weight = 0;
      recipe.total_variation.weight = 1;
    }
    return recipe;
  }

  struct Found {
    double loss;
    std::vector<float> gradient;
  };
  Found at(const std::vector<float>& x, bool tileable) {
    Objective objective(model_.weights(), recipe(tileable), photo_, painting_, pool_);
    Found found = {0, std::vector<float>(x.size())};
    found.loss = objective.evaluate(x, found.gradient).total;
    return found;
  }

  const Model model_ = Model::builtin();
  const Image photo_ = smooth_picture(kWidth, kHeight, 1);
  const Image painting_ = smooth_picture(56, 72, 2);
  const std::vector<float> x_ = smooth_picture(kWidth, kHeight, 3).rgb;
  ThreadPool pool_{2};
};

INSTANTIATE_TEST_SUITE_P(Of, TextureObjective,
                         testing::Values("plain", "shifted", "neighbours", "variation"),
                         [](const auto& info) { return info.param; });

// Where a picture that repeats begins makes no difference.
TEST_P(TextureObjective, IsTheSameForAPictureThatIsRolled) {
  const Found before = at(x_, true);
  for (const auto& [down, right] : {std::pair{16, 0}, {0, 16}, {48, 32}}) {
    const Found after = at(rolled(x_, kHeight, kWidth, down, right), true);
    EXPECT_NEAR(after.loss, before.loss, 1e-6 * before.loss);
    const std::vector<float> expected = rolled(before.gradient, kHeight, kWidth, down, right);
    double difference = 0, norm = 0;
    for (size_t i = 0; i < expected.size(); ++i) {
      difference += std::pow(double{after.gradient[i]} - expected[i], 2);
      norm += std::pow(double{expected[i]}, 2);
    }
    EXPECT_GT(norm, 0);
    EXPECT_LE(std::sqrt(difference), 2e-5 * std::sqrt(norm)) << down << ", " << right;
  }
}

// It would be, in one that ends.
TEST_P(TextureObjective, DependsOnWhereAPictureThatEndsBegins) {
  const double before = at(x_, false).loss;
  const double after = at(rolled(x_, kHeight, kWidth, 16, 16), false).loss;
  EXPECT_GT(std::abs(after - before), 1e-4 * before);
}

class Textures : public testing::Test {
 protected:
  static Pictures exemplar_of(int width, int height) {
    Image blank = {
        width, height, std::vector<float>(3 * static_cast<size_t>(width) * height, 0.5f), {}};
    return single_style(std::move(blank), smooth_picture(40, 40, 2));
  }
  static Recipe quick() {
    Recipe recipe = texture_recipe();
    recipe.picture.size = 0;
    recipe.optimiser.iterations = 8;
    recipe.pyramid.smallest = 32;
    return recipe;
  }
  Painted painted(Pictures pictures, const Recipe& recipe) const {
    return paint(model_, std::move(pictures), recipe);
  }
  const Model model_ = Model::builtin();
};

// From a first picture that is rolled comes a picture that is rolled, through all sizes: no part of
// the way knows where the edges are. In a picture that ends, it does.
TEST_F(Textures, ThatAreTileableHaveNoEdges) {
  constexpr int kSide = 64;
  Recipe recipe = quick();
  recipe.stages.clear();
  recipe.balance.kind = Balance::fixed;
  recipe.optimiser.curvature = Curvature::one;  // the other smooths its estimate up to the edges
  recipe.optimiser.iterations = 3;
  recipe.picture.colors = Colors::style;
  recipe.picture.border = 0;
  const std::vector<float> first = smooth_picture(kSide, kSide, 5).rgb;
  // The largest difference of a picture that began rolled, rolled back, from one that did not.
  const auto difference = [&](bool tileable) {
    recipe.picture.tileable = tileable;
    const auto from = [&](std::vector<float> rgb) {
      Pictures pictures = exemplar_of(kSide, kSide);
      pictures.initial = {kSide, kSide, std::move(rgb), {}};
      return painted(std::move(pictures), recipe).picture.rgb;
    };
    const std::vector<float> straight = from(first);
    const std::vector<float> back =
        rolled(from(rolled(first, kSide, kSide, 32, 32)), kSide, kSide, 32, 32);
    double most = 0;
    for (size_t i = 0; i < back.size(); ++i) {
      most = std::max(most, std::abs(double{back[i]} - straight[i]));
    }
    return most;
  };
  EXPECT_LT(difference(true), 0.001);
  EXPECT_GT(difference(false), 0.05);
}

TEST_F(Textures, AreSymmetricToTheBit) {
  for (const Symmetry symmetry :
       {Symmetry::left_right, Symmetry::up_down, Symmetry::rotate_180, Symmetry::both}) {
    Recipe recipe = quick();
    recipe.picture.symmetry = symmetry;
    const Image picture = painted(exemplar_of(35, 32), recipe).picture;
    const bool rows = symmetry != Symmetry::left_right, columns = symmetry != Symmetry::up_down;
    for (int c = 0; c < 3; ++c) {
      for (int y = 0; y < picture.height; ++y) {
        for (int x = 0; x < picture.width; ++x) {
          const auto at = [&](int row, int column) {
            return picture
                .rgb[(static_cast<size_t>(c) * picture.height + row) * picture.width + column];
          };
          const int below = rows ? picture.height - 1 - y : y;
          const int right = columns ? picture.width - 1 - x : x;
          ASSERT_EQ(at(y, x), at(below, right));
          if (symmetry == Symmetry::both) {
            ASSERT_EQ(at(y, x), at(y, right));
          }
        }
      }
    }
  }
}

TEST_F(Textures, OfSoftSymmetryComeNearerToTheirMirrorImage) {
  // An exemplar that is its own mirror image.
  const Image half = smooth_picture(20, 40, 2);
  Image exemplar = {40, 40, {}, {}};
  for (size_t row = 0; row < 120; ++row) {
    const float* values = &half.rgb[row * 20];
    exemplar.rgb.insert(exemplar.rgb.end(), values, values + 20);
    exemplar.rgb.insert(exemplar.rgb.end(), std::reverse_iterator(values + 20),
                        std::reverse_iterator(values));
  }
  const auto error = [&](Symmetry symmetry) {
    Recipe recipe = quick();
    recipe.optimiser.iterations = 60;
    recipe.style.shifts.clear();
    recipe.style.symmetry = symmetry;
    recipe.style.shift_weight = 4;
    Image blank = {64, 64, std::vector<float>(3 * 64 * 64, 0.5f), {}};
    const Image picture = painted(single_style(std::move(blank), exemplar), recipe).picture;
    double difference = 0;
    for (size_t i = 0; i < picture.rgb.size(); ++i) {
      const size_t mirrored = i - i % 64 + 63 - i % 64;
      difference += std::pow(picture.rgb[i] - picture.rgb[mirrored], 2);
    }
    return difference;
  };
  EXPECT_LT(error(Symmetry::left_right), 0.7 * error(Symmetry::none));
}

TEST_F(Textures, RefuseWhatCannotRepeat) {
  Recipe recipe = quick();
  recipe.picture.tileable = true;
  EXPECT_TRUE(says(error_of([&] { painted(exemplar_of(50, 64), recipe); }), ErrorKind::usage,
                   "multiples of 16", "choose 48 x 64"));
  recipe.transport.weight = 1;
  EXPECT_TRUE(says(error_of([&] { painted(exemplar_of(64, 64), recipe); }), ErrorKind::usage,
                   "would not be tileable"));
}

}  // namespace
}  // namespace limn
