// paint() with the artist's controls: several styles, masks, colours, a border, sizes from coarse
// to fine, bands, measured weights, and ends before all iterations are done.
#include <gtest/gtest.h>
#include <limn/limn.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "image/colour.h"
#include "image/oklab.h"
#include "support/allocations.h"
#include "support/drawn.h"
#include "support/errors.h"
#include "support/masks.h"
#include "support/same_bits.h"

namespace limn {
namespace {

constexpr int kWidth = 40, kHeight = 30;

double distance(const Image& a, const Image& b) {
  EXPECT_EQ(a.rgb.size(), b.rgb.size());
  double sum = 0;
  for (size_t i = 0; i < std::min(a.rgb.size(), b.rgb.size()); ++i) {
    sum += std::pow(double{a.rgb[i]} - b.rgb[i], 2);
  }
  return std::sqrt(sum / static_cast<double>(a.rgb.size()));
}

Oklab colour_of(const Image& picture, size_t pixel) {
  const size_t plane = picture.rgb.size() / 3;
  return oklab_of(picture.rgb[pixel], picture.rgb[plane + pixel], picture.rgb[2 * plane + pixel]);
}

class Controls : public testing::Test {
 protected:
  Painted painted(const Pictures& pictures, const Recipe& recipe,
                  const ProgressCallback& progress = {}) const {
    return paint(model_, pictures, recipe, progress);
  }
  Pictures one_style() const { return single_style(photo_, painting_); }
  Pictures two_styles() const {
    Pictures pictures = one_style();
    pictures.styles.push_back({{other_}, {}, {}});
    return pictures;
  }

  // From 24 pixels to 96.
  static Recipe pyramid_recipe() {
    Recipe recipe = small_recipe();
    recipe.picture.size = 96;
    recipe.pyramid.smallest = 24;
    recipe.optimiser.line_search = LineSearch::strong_wolfe;
    return recipe;
  }

  // All that could depend on the number of threads, or allocate.
  static Recipe full_recipe() {
    Recipe recipe = pyramid_recipe();
    recipe.balance.kind = Balance::measured;
    recipe.pyramid.bands = {0, 0.5, 0.25};
    recipe.optimiser.curvature = Curvature::local;
    recipe.style.statistic = StyleStatistic::covariance;
    recipe.style.shifts = {3};
    recipe.picture.border = 5;
    recipe.total_variation.weight = 0.01;
    return recipe;
  }

  // Matched hypercolumns, and transport with structure.
  static std::vector<Recipe> recipes_of_columns() {
    Recipe matching = small_recipe();
    matching.content.weight = matching.style.weight = 0;
    matching.optimiser.kind = OptimiserKind::adam;
    matching.optimiser.learning_rate = 0.01;
    matching.output.keep = Keep::last;
    Recipe transport = matching;
    matching.name = "matching";
    matching.neighbours.weight = 1;
    matching.neighbours.layers = {{"relu1_1", 1.0}, {"relu1_2", 1.0}};
    matching.neighbours.matching = Matching::hypercolumns;
    matching.neighbours.turned = true;
    transport.name = "transport";
    transport.transport.weight = transport.structure.weight = 1;
    transport.transport.layers =
        transport.structure.layers = {{"relu1_1", 0.05}, {"relu1_2", 0.02}};
    return {matching, transport};
  }

  const Model model_ = small_vgg19();
  const Image photo_ = smooth_picture(kWidth, kHeight, 1);
  const Image painting_ = smooth_picture(kWidth, kHeight, 2);
  const Image other_ = smooth_picture(kWidth, kHeight, 3);
};

// -------------------------------------------------------------------------------------- styles --

TEST_F(Controls, ABlendIsNeitherOfItsStyles) {
  const Recipe recipe = small_recipe();
  const Image first = painted(one_style(), recipe).picture;
  const Image second = painted(single_style(photo_, other_), recipe).picture;
  const Image blend = painted(two_styles(), recipe).picture;
  const double apart = distance(first, second);
  ASSERT_GT(apart, 0.01);
  EXPECT_GT(distance(blend, first), 0.1 * apart);
  EXPECT_GT(distance(blend, second), 0.1 * apart);
}

TEST_F(Controls, ABlendWithAllOfOneStyleIsThatStyle) {
  Recipe recipe = small_recipe();
  const Image first = painted(one_style(), recipe).picture;
  const Image second = painted(single_style(photo_, other_), recipe).picture;
  recipe.style.blend = {1, 0};
  EXPECT_TRUE(same_bits(painted(two_styles(), recipe).picture.rgb, first.rgb));
  recipe.style.blend = {0, 0.5};
  EXPECT_TRUE(same_bits(painted(two_styles(), recipe).picture.rgb, second.rgb));
}

TEST_F(Controls, OfColumnsABlendWithAllOfOneStyleIsThatStyle) {
  for (Recipe recipe : recipes_of_columns()) {
    SCOPED_TRACE(recipe.name);
    const Painted expected = painted(one_style(), recipe);
    recipe.style.blend = {1, 0};
    EXPECT_TRUE(same_bits(painted(two_styles(), recipe).picture.rgb, expected.picture.rgb));
    recipe.style.blend = {0.5, 0.5};
    EXPECT_GT(distance(painted(two_styles(), recipe).picture, expected.picture), 0.003);
  }
}

TEST_F(Controls, OfColumnsGiveTheSameBitsForAnyNumberOfThreads) {
  for (Recipe recipe : recipes_of_columns()) {
    SCOPED_TRACE(recipe.name);
    recipe.picture.threads = 1;
    const Painted expected = painted(two_styles(), recipe);
    for (const int threads : {2, 5}) {
      recipe.picture.threads = threads;
      EXPECT_TRUE(same_bits(painted(two_styles(), recipe).picture.rgb, expected.picture.rgb));
    }
  }
}

// Half of the picture from each: what is matched there looks like that painting's colours.
TEST_F(Controls, OfMatchedColumnsKeepToTheirMasks) {
  const Recipe recipe = recipes_of_columns().front();
  Pictures pictures = two_styles();
  const Painted everywhere = painted(one_style(), recipe);
  pictures.styles[0].to = halves(kWidth, kHeight, 1, 0);
  pictures.styles[1].to = halves(kWidth, kHeight, 0, 1);
  const Painted parted = painted(pictures, recipe);
  double left = 0, right = 0;
  for (size_t i = 0; i < parted.picture.rgb.size(); ++i) {
    const double apart = std::abs(parted.picture.rgb[i] - everywhere.picture.rgb[i]);
    (i % kWidth < kWidth / 2 - 4 ? left : right) += apart;
  }
  EXPECT_LT(3 * left, right);
}

TEST_F(Controls, OfTransportMasksOfStylesAreRefused) {
  Pictures pictures = two_styles();
  pictures.styles[0].to = halves(kWidth, kHeight, 1, 0);
  EXPECT_TRUE(says(error_of([&] { painted(pictures, recipes_of_columns().back()); }),
                   ErrorKind::usage, "transport", "masks"));
}

TEST_F(Controls, TwoPaintingsOfOneStyleAreAnEqualBlend) {
  const Recipe recipe = small_recipe();
  Pictures both = one_style();
  both.styles[0].paintings.push_back(other_);
  EXPECT_TRUE(
      same_bits(painted(both, recipe).picture.rgb, painted(two_styles(), recipe).picture.rgb));
}

// Each half of the picture comes nearer to what its own style makes of it.
TEST_F(Controls, MasksSayWhereStylesGo) {
  Recipe recipe = small_recipe();
  recipe.style.layers = {{"relu1_1", 1}};
  recipe.content.layers = {{"relu1_1", 1}};
  Pictures pictures = two_styles();
  pictures.styles[0].to = halves(kWidth, kHeight, 1, 0);
  const Image one = painted(pictures, recipe).picture;
  pictures.styles[0].to = halves(kWidth, kHeight, 0, 1);
  const Image swapped = painted(pictures, recipe).picture;
  EXPECT_GT(distance(one, swapped), 0.01);
  // Where a style does not go its painting makes no difference, but for what lies at the edge.
  pictures.styles[0].to = halves(kWidth, kHeight, 1, 0);
  pictures.styles[1].paintings[0] = smooth_picture(kWidth, kHeight, 4);
  recipe.optimiser.kind = OptimiserKind::sgd;  // each pixel by its own gradient
  recipe.optimiser.learning_rate = 1e-3;
  recipe.optimiser.iterations = 1;
  const Image changed = painted(pictures, recipe).picture;
  pictures.styles[1].paintings[0] = other_;
  const Image before = painted(pictures, recipe).picture;
  double left = 0, right = 0;
  for (size_t i = 0; i < before.rgb.size(); ++i) {
    const double difference = std::abs(before.rgb[i] - changed.rgb[i]);
    (static_cast<int>(i % kWidth) < kWidth / 2 - 8 ? left : right) += difference;
  }
  EXPECT_EQ(left, 0);
  EXPECT_GT(right, 0);
}

TEST_F(Controls, TheSizeOfStrokesIsThePaintings) {
  Recipe recipe = small_recipe();
  recipe.picture.painting_size = PaintingSize::proportional;
  const Image whole = painted(one_style(), recipe).picture;
  recipe.style.scale = {0.5};
  EXPECT_GT(distance(painted(one_style(), recipe).picture, whole), 1e-3);
}

// ------------------------------------------------------------------------------------- colours --

// Lightness is painted; a and b are the photo's, or less of them where sRGB has no such colour.
TEST_F(Controls, ThePhotosColoursAreKeptWhereTheRecipeSaysSo) {
  Recipe recipe = small_recipe();
  recipe.picture.colors = Colors::content;
  const Image picture = painted(one_style(), recipe).picture;
  int kept = 0, lighter = 0;
  const int pixels = kWidth * kHeight;
  for (int i = 0; i < pixels; ++i) {
    const Oklab photo = colour_of(photo_, i), found = colour_of(picture, i);
    const double chroma = std::hypot(photo.a, photo.b);
    ASSERT_LE(std::hypot(found.a, found.b), chroma + 1e-3);
    ASSERT_NEAR(photo.a * found.b, photo.b * found.a, 1e-3 * chroma + 1e-6) << "another hue";
    kept += std::hypot(found.a - photo.a, found.b - photo.b) < 1e-3 ? 1 : 0;
    lighter += std::abs(found.L - photo.L) > 0.01 ? 1 : 0;
  }
  EXPECT_GT(kept, pixels / 3);
  EXPECT_GT(lighter, pixels / 3) << "nothing was painted";
  recipe.picture.colors = Colors::style;
  EXPECT_GT(distance(painted(one_style(), recipe).picture, picture), 0.01);
}

TEST_F(Controls, ThePaintingsColoursAreMatchedWhereTheRecipeSaysSo) {
  Recipe recipe = small_recipe();
  const Image plain = painted(one_style(), recipe).picture;
  recipe.picture.colors = Colors::matched;
  EXPECT_GT(distance(painted(one_style(), recipe).picture, plain), 0.01);
}

// Nothing but the finished picture's colours differs: the lightness painted is the same.
TEST_F(Controls, ThePaletteIsThePaintingsWhereTheRecipeSaysSo) {
  Recipe recipe = small_recipe();
  const Painted plain = painted(one_style(), recipe);
  recipe.picture.colors = Colors::palette;
  const Painted found = painted(one_style(), recipe);
  EXPECT_EQ(found.history.back().losses.total, plain.history.back().losses.total);
  EXPECT_GT(distance(found.picture, plain.picture), 0.01);
  float least = 1, most = 0;
  for (size_t i = 0; i < painting_.rgb.size() / 3; ++i) {
    const float L = colour_of(painting_, i).L;
    least = std::min(least, L);
    most = std::max(most, L);
  }
  int inside = 0;
  const int pixels = kWidth * kHeight;
  for (int i = 0; i < pixels; ++i) {
    const float L = colour_of(plain.picture, i).L;
    ASSERT_NEAR(colour_of(found.picture, i).L, std::clamp(L, least, most), 1e-3);
    inside += L > least && L < most ? 1 : 0;
  }
  EXPECT_GT(inside, pixels / 2);
  EXPECT_TRUE(same_bits(painted(one_style(), recipe).picture.rgb, found.picture.rgb));
}

// A style with no share of the blend has none of the palette.
TEST_F(Controls, ThePaletteIsThatOfTheStylesPainted) {
  Recipe recipe = small_recipe();
  recipe.picture.colors = Colors::palette;
  const Image one = painted(one_style(), recipe).picture;
  EXPECT_GT(distance(painted(two_styles(), recipe).picture, one), 0.01);
  recipe.style.blend = {1, 0};
  EXPECT_TRUE(same_bits(painted(two_styles(), recipe).picture.rgb, one.rgb));
}

// A grey photo has no colours to be recoloured.
TEST_F(Controls, ThePaletteOfAGreyPhotoIsGrey) {
  Recipe recipe = small_recipe();
  recipe.picture.colors = Colors::palette;
  const Image picture = painted(single_style(lightness_of(photo_), painting_), recipe).picture;
  const size_t plane = picture.rgb.size() / 3;
  for (size_t i = 0; i < plane; ++i) {
    ASSERT_EQ(picture.rgb[i], picture.rgb[plane + i]);
    ASSERT_EQ(picture.rgb[i], picture.rgb[2 * plane + i]);
  }
}

// ------------------------------------------------------------------------------------ what stays
// --

TEST_F(Controls, WhatIsKeptIsThePhotoToTheBit) {
  for (const bool pyramid : {false, true}) {
    Recipe recipe = pyramid ? pyramid_recipe() : small_recipe();
    recipe.picture.size = 0;
    recipe.pyramid.bands = {0.5, 0.5};
    recipe.picture.init = "noise";
    Pictures pictures = one_style();
    pictures.keep = halves(kWidth, kHeight, 1, 0);
    const auto expect_kept = [&](const Image& picture) {
      double moved = 0;
      for (size_t i = 0; i < photo_.rgb.size(); ++i) {
        const bool kept = static_cast<int>(i % kWidth) < kWidth / 2;
        if (kept) {
          ASSERT_EQ(picture.rgb[i], photo_.rgb[i]) << i;
        }
        moved += std::abs(picture.rgb[i] - photo_.rgb[i]);
      }
      EXPECT_GT(moved, 1);
    };
    expect_kept(painted(pictures, recipe, [&](const Progress& progress) {
                  expect_kept(progress.picture());
                  expect_kept(progress.best_picture());
                  return true;
                }).picture);
  }
}

// Not only shown: the losses see it from the beginning.
TEST_F(Controls, WhatIsKeptIsNotNoiseAtFirst) {
  Recipe recipe = small_recipe();
  recipe.picture.init = "noise";
  recipe.picture.border = 3;
  recipe.optimiser.iterations = 0;
  Pictures pictures = one_style();
  EXPECT_GT(painted(pictures, recipe).history[0].losses.content, 0);
  pictures.keep = halves(kWidth, kHeight, 1, 1);
  EXPECT_EQ(painted(pictures, recipe).history[0].losses.content, 0);
}

TEST_F(Controls, AlphaIsCarriedThroughAllSizes) {
  Pictures pictures = one_style();
  for (int i = 0; i < kWidth * kHeight; ++i) {
    pictures.photo.alpha.push_back(static_cast<float>(i % 5) / 4);
  }
  Recipe recipe = pyramid_recipe();
  recipe.optimiser.iterations = 4;
  recipe.picture.border = 3;
  const Painted result = painted(pictures, recipe);
  EXPECT_TRUE(same_bits(result.picture.alpha, resized(pictures.photo, 96, 72).alpha));
}

// Of a photo without anything in it: texture can grow everywhere, not from the edges only.
TEST_F(Controls, TheDefaultRecipeBeginsUnderALittleNoise) {
  Pictures pictures = one_style();
  std::fill(pictures.photo.rgb.begin(), pictures.photo.rgb.end(), 0.5F);
  Recipe recipe = named_recipe("limn");
  recipe.picture.size = 0;
  recipe.optimiser.iterations = 0;
  const auto first = [&] { return paint(Model::builtin(), pictures, recipe).picture; };
  const Image picture = first();
  EXPECT_NEAR(distance(picture, pictures.photo), 0.03, 0.02);
  EXPECT_TRUE(same_bits(first().rgb, picture.rgb));
  recipe.picture.seed = 1;
  EXPECT_GT(distance(first(), picture), 0.02);
}

// -------------------------------------------------------------------------------------- borders --

TEST_F(Controls, ABorderIsPaintedAndCutOff) {
  Recipe recipe = small_recipe();
  const Image plain = painted(one_style(), recipe).picture;
  recipe.picture.border = 7;
  int calls = 0;
  const Painted result = painted(one_style(), recipe, [&](const Progress& progress) {
    EXPECT_EQ(progress.width, kWidth);
    EXPECT_EQ(progress.height, kHeight);
    const Image picture = progress.picture();
    EXPECT_EQ(picture.width, kWidth);
    EXPECT_EQ(picture.height, kHeight);
    if (calls++ == 0) {
      EXPECT_TRUE(same_bits(picture.rgb, photo_.rgb));
    }
    return true;
  });
  EXPECT_EQ(result.picture.width, kWidth);
  EXPECT_EQ(result.picture.height, kHeight);
  EXPECT_GT(distance(result.picture, plain), 1e-3);
  recipe.optimiser.iterations = 0;
  EXPECT_TRUE(same_bits(painted(one_style(), recipe).picture.rgb, photo_.rgb));
}

// ------------------------------------------------------------------------- from coarse to fine --

TEST_F(Controls, PaintsFromCoarseToFine) {
  Recipe recipe = pyramid_recipe();
  recipe.optimiser.iterations = 12;
  int calls = 0;
  const Painted result = painted(one_style(), recipe, [&](const Progress& progress) {
    EXPECT_EQ(progress.iteration, calls++);
    EXPECT_EQ(progress.iterations, 12);
    for (const Image& picture : {progress.picture(), progress.best_picture()}) {
      EXPECT_EQ(picture.width, 96);
      EXPECT_EQ(picture.height, 72);
    }
    return true;
  });
  EXPECT_EQ(result.outcome, Outcome::finished);
  EXPECT_EQ(calls, 13);
  ASSERT_EQ(result.history.size(), 13u);
  // 0.7^0 to 0.7^2 of 12 / 2.19: 5.48, 3.84 and 2.68, whose sums are rounded.
  std::vector<int> found;
  for (size_t i = 0; i < result.history.size(); ++i) {
    const IterationRecord& record = result.history[i];
    EXPECT_EQ(record.iteration, static_cast<int>(i));
    EXPECT_EQ(record.height, record.width * 3 / 4);
    EXPECT_GE(record.seconds, i == 0 ? 0 : result.history[i - 1].seconds);
    found.push_back(record.width);
  }
  EXPECT_EQ(std::ranges::count(found, 24), 5 + 1) << "with the first picture";
  EXPECT_EQ(std::ranges::count(found, 48), 4);
  EXPECT_EQ(std::ranges::count(found, 96), 3);
  EXPECT_TRUE(std::ranges::is_sorted(found));
  EXPECT_EQ(result.picture.width, 96);
  EXPECT_EQ(result.picture.height, 72);
}

// The first size of a picture does not depend on how large it will be.
TEST_F(Controls, BeginsAlikeForLargePictures) {
  Pictures pictures = single_style(resized(photo_, 384, 288), resized(painting_, 384, 288));
  Recipe recipe = pyramid_recipe();
  recipe.balance.kind = Balance::measured;
  recipe.optimiser.iterations = 6;
  const auto first_of = [&](int size) {
    recipe.picture.size = size;
    return painted(pictures, recipe, [](const Progress&) { return false; }).history.front();
  };
  const IterationRecord small = first_of(96), large = first_of(192);
  EXPECT_EQ(small.width, 24);
  EXPECT_EQ(large.width, 24);
  EXPECT_EQ(large.height, 18);
  // Resized in one step or in two: kernels of other widths.
  EXPECT_NEAR(large.losses.total, small.losses.total, 0.1 * small.losses.total);
}

TEST_F(Controls, WhatOneSizeHasPaintedTheNextBeginsWith) {
  Recipe recipe = pyramid_recipe();
  recipe.picture.init = "noise";
  recipe.optimiser.iterations = 20;
  const Painted result = painted(one_style(), recipe);
  // The losses of the enlarged painting are far below those of noise at that size.
  recipe.pyramid.smallest = 0;
  recipe.optimiser.iterations = 1;
  const Painted noise = painted(one_style(), recipe);
  const auto first = std::ranges::find(result.history, 96, &IterationRecord::width);
  EXPECT_LT(first->losses.total, 0.5 * noise.history.front().losses.total);
}

TEST_F(Controls, ReturnsTheBestPictureOfTheLastSize) {
  for (const Keep keep : {Keep::best, Keep::last}) {
    Recipe recipe = pyramid_recipe();
    recipe.output.keep = keep;
    recipe.optimiser.kind = OptimiserKind::adam;
    recipe.optimiser.learning_rate = 0.5;  // up and down
    recipe.optimiser.iterations = 15;
    std::vector<Image> pictures, best;
    const Painted result = painted(one_style(), recipe, [&](const Progress& progress) {
      pictures.push_back(progress.picture());
      best.push_back(progress.best_picture());
      return true;
    });
    EXPECT_EQ(result.outcome, Outcome::finished);
    if (keep == Keep::best) {
      EXPECT_TRUE(same_bits(result.picture.rgb, best.back().rgb));
      EXPECT_EQ(result.iteration, result.best_iteration);
      const auto least = std::ranges::min_element(
          std::ranges::find(result.history, 96, &IterationRecord::width), result.history.end(), {},
          [](const IterationRecord& record) { return record.losses.total; });
      if (result.history[result.best_iteration].width == 96) {
        EXPECT_EQ(least->iteration, result.best_iteration);
      }
    } else {
      EXPECT_TRUE(same_bits(result.picture.rgb, pictures.back().rgb));
      EXPECT_EQ(result.iteration, 15);
    }
  }
}

TEST_F(Controls, StoppedAtAnEarlySizeThePictureIsAsLargeAsEver) {
  int calls = 0;
  Image shown;
  const Painted result = painted(one_style(), pyramid_recipe(), [&](const Progress& progress) {
    shown = progress.best_picture();
    return ++calls < 3;
  });
  EXPECT_EQ(result.outcome, Outcome::stopped);
  EXPECT_EQ(result.history.size(), 3u);
  EXPECT_EQ(result.history.back().width, 24);
  EXPECT_EQ(result.picture.width, 96);
  EXPECT_EQ(result.picture.height, 72);
  EXPECT_TRUE(same_bits(result.picture.rgb, shown.rgb));
}

TEST_F(Controls, OfNoIterationsIsTheInitialPictureAtItsSize) {
  Recipe recipe = pyramid_recipe();
  recipe.optimiser.iterations = 0;
  recipe.picture.size = 0;
  const Painted result = painted(one_style(), recipe);
  EXPECT_EQ(result.outcome, Outcome::finished);
  EXPECT_TRUE(same_bits(result.picture.rgb, photo_.rgb)) << "blurred by a smaller size";
}

// --------------------------------------------------------------------------------------- bands --

TEST_F(Controls, BandsFindAnotherWayDown) {
  Recipe recipe = small_recipe();
  recipe.optimiser.line_search = LineSearch::strong_wolfe;
  recipe.content.weight = 1e-3;
  const Painted plain = painted(one_style(), recipe);
  recipe.pyramid.bands = {0.5, 0.5};
  for (const bool clip : {false, true}) {
    recipe.optimiser.clip = clip;
    const Painted bands = painted(one_style(), recipe, [&](const Progress& progress) {
      if (progress.iteration == 0) {
        EXPECT_LT(distance(progress.picture(), photo_), 1e-6);  // grey and colours apart, and back
      }
      return true;
    });
    EXPECT_NEAR(bands.history[0].losses.total / plain.history[0].losses.total, 1, 1e-5);
    EXPECT_LT(bands.history.back().losses.total, 0.5 * bands.history[0].losses.total);
    EXPECT_GT(distance(bands.picture, plain.picture), 1e-3);
  }
  recipe.optimiser.clip = false;
  recipe.optimiser.iterations = 10;
  const Painted one = painted(one_style(), recipe);
  recipe.optimiser.curvature = Curvature::local;
  const Painted local = painted(one_style(), recipe);
  EXPECT_LT(local.history.back().losses.total, 0.5 * local.history[0].losses.total);
  EXPECT_GT(distance(local.picture, one.picture), 1e-4);
  recipe.optimiser.iterations = small_recipe().optimiser.iterations;
  recipe.optimiser.curvature = Curvature::one;
  recipe.pyramid.bands = {0, 0, 0};
  EXPECT_TRUE(same_bits(painted(one_style(), recipe).picture.rgb, plain.picture.rgb));
}

// ------------------------------------------------------------------------------ when it ends --

TEST_F(Controls, EndsWhenItsTimeIsOver) {
  for (const int smallest : {0, 24}) {
    Recipe recipe = pyramid_recipe();
    recipe.pyramid.smallest = smallest;
    recipe.optimiser.iterations = 100'000;
    recipe.optimiser.kind = OptimiserKind::adam;  // which never converges
    recipe.optimiser.learning_rate = 0.01;
    recipe.optimiser.seconds = 0.5;
    const Painted result = painted(one_style(), recipe);
    EXPECT_EQ(result.outcome, Outcome::out_of_time);
    EXPECT_LT(result.history.size(), 100'000u);
    EXPECT_LT(result.seconds, 20) << "of half a second";
    EXPECT_EQ(result.picture.width, 96);
    EXPECT_EQ(result.picture.height, 72);
  }
}

// Also when only an early size was cut short, and the last one has done all that was planned; or
// when the last one was not begun. (A machine that is too slow for that is out of time the sooner.)
TEST_F(Controls, IsOutOfTimeWhicheverSizeItWas) {
  Recipe recipe = pyramid_recipe();
  recipe.picture.size = 48;
  recipe.pyramid.fall = 0.25;
  recipe.optimiser.iterations = 20;  // 16 and 4, at four times the cost: half of the time each
  recipe.optimiser.kind = OptimiserKind::adam;
  recipe.optimiser.learning_rate = 0.01;
  const auto outcome_of_sleeping = [&](int iteration, double seconds, double limit) {
    recipe.optimiser.seconds = limit;
    const Painted result = painted(one_style(), recipe, [&](const Progress& progress) {
      if (progress.iteration == iteration) {
        std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
      }
      return true;
    });
    EXPECT_EQ(result.picture.width, 48);
    return result.outcome;
  };
  EXPECT_EQ(outcome_of_sleeping(3, 1.2, 2), Outcome::out_of_time);
  EXPECT_EQ(outcome_of_sleeping(16, 1, 0.9), Outcome::out_of_time);
}

TEST_F(Controls, InTimeItMakesNoDifference) {
  Recipe recipe = pyramid_recipe();
  const Painted expected = painted(one_style(), recipe);
  recipe.optimiser.seconds = 1e6;
  const Painted found = painted(one_style(), recipe);
  EXPECT_EQ(found.outcome, Outcome::finished);
  EXPECT_TRUE(same_bits(found.picture.rgb, expected.picture.rgb));
}

TEST_F(Controls, EndsOnThePlateau) {
  Recipe recipe = small_recipe();
  recipe.optimiser.line_search = LineSearch::strong_wolfe;
  recipe.optimiser.iterations = 1000;
  recipe.optimiser.plateau = 1;  // any fall of the loss is less
  const Painted at_once = painted(one_style(), recipe);
  EXPECT_EQ(at_once.outcome, Outcome::converged);
  EXPECT_EQ(at_once.history.size(), 1u + 21);
  recipe.optimiser.plateau = 0.05;
  const Painted later = painted(one_style(), recipe);
  EXPECT_EQ(later.outcome, Outcome::converged);
  EXPECT_GT(later.history.size(), at_once.history.size());
  EXPECT_LT(later.history.size(), 1000u);
  // Each size has its own.
  recipe = pyramid_recipe();
  recipe.optimiser.iterations = 1000;
  recipe.optimiser.plateau = 1;
  const Painted sizes = painted(one_style(), recipe);
  EXPECT_EQ(sizes.outcome, Outcome::converged);
  EXPECT_EQ(sizes.history.size(), 1u + 3 * 21);
  EXPECT_EQ(sizes.history.back().width, 96);
}

// ----------------------------------------------------------------------------- measured weights --

TEST_F(Controls, AStrongerStyleIsFurtherFromThePhoto) {
  Recipe recipe = small_recipe();
  recipe.balance.kind = Balance::measured;
  recipe.content.weight = recipe.style.weight = 1;
  recipe.optimiser.line_search = LineSearch::strong_wolfe;
  const auto way = [&](double strength) {
    recipe.balance.strength = strength;
    return distance(painted(one_style(), recipe).picture, photo_);
  };
  const double little = way(0), some = way(0.5), all = way(1);
  EXPECT_LT(little, 0.8 * some);
  EXPECT_LT(some, all);
}

// evaluate() measures as paint() does, at the first of its sizes.
TEST_F(Controls, EvaluateGivesTheLossesThatPaintReported) {
  Recipe recipe = pyramid_recipe();
  recipe.balance.kind = Balance::measured;
  recipe.content.weight = recipe.style.weight = 1;
  recipe.optimiser.clip = true;
  recipe.output.keep = Keep::last;
  const Painted result = painted(one_style(), recipe);
  const Evaluation found = evaluate(model_, photo_, painting_, result.picture, recipe);
  const Losses& expected = result.history.back().losses;
  EXPECT_EQ(found.losses.content, expected.content);
  EXPECT_EQ(found.losses.style, expected.style);
  EXPECT_GT(expected.style, 0);
}

// A picture of bands is clipped too: what is shown is what was evaluated.
TEST_F(Controls, ClipsThePictureThatBandsMakeUp) {
  Recipe recipe = small_recipe();
  recipe.optimiser.clip = true;
  recipe.optimiser.kind = OptimiserKind::adam;
  recipe.optimiser.learning_rate = 0.2;
  recipe.optimiser.iterations = 4;
  recipe.pyramid.bands = {0.5, 0.5};
  int at_an_end = 0;
  painted(one_style(), recipe, [&](const Progress& progress) {
    const Image picture = progress.picture();
    for (const float value : picture.rgb) at_an_end += value == 0 || value == 1 ? 1 : 0;
    const Losses found = evaluate(model_, photo_, painting_, picture, recipe).losses;
    EXPECT_NEAR(found.total, progress.losses.total, 1e-4 * found.total) << progress.iteration;
    return true;
  });
  EXPECT_GT(at_an_end, 100) << "nothing was clipped";
}

// ----------------------------------------------------------------------------- threads, memory --

TEST_F(Controls, GivesTheSameBitsForAnyNumberOfThreads) {
  Pictures pictures = two_styles();
  pictures.styles[0].to = drawn_mask(kWidth, kHeight, 1);
  pictures.styles[1].from = drawn_mask(kWidth, kHeight, 2);
  Recipe recipe = full_recipe();
  const auto run = [&](int threads) {
    recipe.picture.threads = threads;
    return painted(pictures, recipe);
  };
  const Painted expected = run(1);
  for (const int threads : {2, 3}) {
    const Painted found = run(threads);
    EXPECT_TRUE(same_bits(found.picture.rgb, expected.picture.rgb)) << threads << " threads";
    ASSERT_EQ(found.history.size(), expected.history.size());
    for (size_t i = 0; i < found.history.size(); ++i) {
      EXPECT_EQ(found.history[i].losses.total, expected.history[i].losses.total);
    }
  }
}

// From one look to the next within a size, once L-BFGS has all its pairs.
TEST_F(Controls, IterationsAllocateNothing) {
  Pictures pictures = two_styles();
  pictures.styles[0].to = halves(kWidth, kHeight, 1, 0);
  Recipe recipe = full_recipe();
  recipe.optimiser.history = 3;
  recipe.optimiser.iterations = 30;
  recipe.optimiser.seconds = 1e6;
  recipe.optimiser.plateau = 1e-9;
  std::vector<int> widths, counts;
  widths.reserve(100);
  counts.reserve(100);
  painted(pictures, recipe, [&](const Progress& progress) {
    widths.push_back(progress.width);
    counts.push_back(allocations());
    return true;
  });
  int looked = 0;
  for (size_t i = 4; i < counts.size(); ++i) {
    if (widths[i] != widths[i - 3]) continue;
    EXPECT_EQ(counts[i] - counts[i - 1], 0) << "in iteration " << i;
    ++looked;
  }
  EXPECT_GT(looked, 10);
}

// -------------------------------------------------------------------------------------- errors --

TEST_F(Controls, RefusesPicturesThatMakeNoSense) {
  Recipe recipe = small_recipe();
  const auto refused = [&](const Pictures& pictures) {
    return error_of([&] { painted(pictures, recipe); });
  };
  EXPECT_TRUE(says(refused({photo_, {}, {}}), ErrorKind::usage, "no painting"));
  EXPECT_TRUE(says(refused({photo_, {Style()}, {}}), ErrorKind::usage, "number 1", "no painting"));
  recipe.style.blend = {1, 2, 3};
  EXPECT_TRUE(says(refused(two_styles()), ErrorKind::usage, "style.blend", "3 shares"));
  recipe = small_recipe();
  Pictures black = two_styles();
  black.styles[1].to = halves(4, 4, 0, 0);
  EXPECT_TRUE(says(refused(black), ErrorKind::usage, "number 2", "black"));
  recipe.style.statistic = StyleStatistic::mean_deviation;
  recipe.style.shifts = {1};
  EXPECT_TRUE(says(refused(one_style()), ErrorKind::usage, "style.shifts", "mean-deviation"));
  recipe.style.statistic = StyleStatistic::sliced;
  EXPECT_TRUE(says(refused(one_style()), ErrorKind::usage, "style.shifts", "sliced"));
}

}  // namespace
}  // namespace limn
