// paint() as a whole, on a small VGG-19 that ends after conv1_2.
#include <gtest/gtest.h>
#include <limn/limn.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <thread>

#include "support/copies.h"
#include "support/drawn.h"
#include "support/errors.h"
#include "support/same_bits.h"
#include "support/temporary_folder.h"

namespace limn {
namespace {

constexpr int kWidth = 22;
constexpr int kHeight = 17;

class Paint : public InAFolder {
 protected:
  Painted painted(const Recipe& recipe, const ProgressCallback& progress = {}) const {
    return paint(model_, photo_, painting_, recipe, progress);
  }

  const Model model_ = small_vgg19();
  const Image photo_ = smooth_picture(kWidth, kHeight, 1);
  const Image painting_ = smooth_picture(kWidth, kHeight, 2);
};

void expect_sound(const Image& picture, int width, int height) {
  EXPECT_EQ(picture.width, width);
  EXPECT_EQ(picture.height, height);
  ASSERT_EQ(picture.rgb.size(), 3 * static_cast<size_t>(width) * height);
  for (const float value : picture.rgb) ASSERT_TRUE(value >= 0 && value <= 1) << value;
}

TEST_F(Paint, LowersTheLossWithEveryOptimiser) {
  struct Way {
    OptimiserKind kind;
    LineSearch line_search;
    double learning_rate;
  };
  for (const Way& way : {Way{OptimiserKind::lbfgs, LineSearch::none, 1.0},
                         Way{OptimiserKind::lbfgs, LineSearch::strong_wolfe, 1.0},
                         Way{OptimiserKind::adam, LineSearch::none, 0.02},
                         Way{OptimiserKind::sgd, LineSearch::none, 1e-3}}) {
    Recipe recipe = small_recipe();
    recipe.optimiser.kind = way.kind;
    recipe.optimiser.line_search = way.line_search;
    recipe.optimiser.learning_rate = way.learning_rate;
    const Painted result = painted(recipe);
    const double first = result.history.front().losses.total;
    const double least = result.history[result.best_iteration].losses.total;
    EXPECT_LT(least, 0.9 * first) << "optimiser " << static_cast<int>(way.kind);
    expect_sound(result.picture, kWidth, kHeight);
  }
}

// Both where they are resized and where they have their size already.
TEST_F(Paint, GivesBackPicturesThatAreMovedIn) {
  for (const int size : {0, 30}) {
    Recipe recipe = small_recipe();
    recipe.picture.size = size;
    Image photo = photo_;
    Image painting = painting_;
    const Painted moved = paint(model_, std::move(photo), std::move(painting), recipe);
    EXPECT_EQ(photo.rgb.capacity(), 0u);
    EXPECT_EQ(painting.rgb.capacity(), 0u);
    EXPECT_TRUE(same_bits(moved.picture.rgb, painted(recipe).picture.rgb));
  }
}

TEST_F(Paint, RecordsEveryIterationInOrder) {
  const Painted result = painted(small_recipe());
  EXPECT_EQ(result.outcome, Outcome::finished);
  ASSERT_EQ(result.history.size(), 11u) << "the initial picture and ten iterations";
  for (size_t i = 0; i < result.history.size(); ++i) {
    const IterationRecord& record = result.history[i];
    EXPECT_EQ(record.iteration, static_cast<int>(i));
    EXPECT_GE(record.seconds, i == 0 ? 0 : result.history[i - 1].seconds);
    EXPECT_EQ(record.losses.total,
              record.losses.content + record.losses.style + record.losses.total_variation);
    EXPECT_TRUE(std::isfinite(record.losses.total));
    EXPECT_GE(record.losses.total, result.history[result.best_iteration].losses.total);
  }
  EXPECT_GE(result.seconds, result.history.back().seconds);
}

TEST_F(Paint, TellsTheCallbackOfEveryIteration) {
  std::vector<Progress> seen;
  std::vector<Image> pictures;
  const Painted result = painted(small_recipe(), [&](const Progress& progress) {
    seen.push_back(progress);
    pictures.push_back(progress.picture());
    expect_sound(pictures.back(), kWidth, kHeight);
    expect_sound(progress.best_picture(), kWidth, kHeight);
    return true;
  });
  ASSERT_EQ(seen.size(), result.history.size());
  for (size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i].iteration, static_cast<int>(i));
    EXPECT_EQ(seen[i].iterations, 10);
    EXPECT_EQ(seen[i].width, kWidth);
    EXPECT_EQ(seen[i].height, kHeight);
    EXPECT_EQ(seen[i].losses.total, result.history[i].losses.total);
  }
  EXPECT_TRUE(same_bits(pictures.front().rgb, photo_.rgb)) << "iteration 0 is the initial picture";
  EXPECT_TRUE(same_bits(pictures[result.best_iteration].rgb, result.picture.rgb));
}

TEST_F(Paint, StopsWhenTheCallbackSaysSoAndReturnsTheBest) {
  Image best;
  int calls = 0;
  const Painted result = painted(small_recipe(), [&](const Progress& progress) {
    best = progress.best_picture();
    return ++calls < 4;
  });
  EXPECT_EQ(calls, 4);
  EXPECT_EQ(result.outcome, Outcome::stopped);
  EXPECT_EQ(result.history.size(), 4u);
  EXPECT_TRUE(same_bits(result.picture.rgb, best.rgb));
  EXPECT_FALSE(same_bits(result.picture.rgb, photo_.rgb));

  const Painted at_once = painted(small_recipe(), [](const Progress&) { return false; });
  EXPECT_EQ(at_once.outcome, Outcome::stopped);
  EXPECT_EQ(at_once.history.size(), 1u);
  EXPECT_TRUE(same_bits(at_once.picture.rgb, photo_.rgb));
}

// Steps so long that the loss goes up and down.
TEST_F(Paint, KeepsTheBestOrTheLastPicture) {
  Recipe recipe = small_recipe();
  recipe.optimiser.kind = OptimiserKind::adam;
  recipe.optimiser.learning_rate = 1;
  std::vector<Image> pictures;
  const auto collect = [&](const Progress& progress) {
    pictures.push_back(progress.picture());
    return true;
  };
  const Painted best = painted(recipe, collect);
  ASSERT_LT(best.best_iteration, 10) << "the last is the best: the test shows nothing";
  EXPECT_EQ(best.iteration, best.best_iteration);
  EXPECT_TRUE(same_bits(best.picture.rgb, pictures[best.best_iteration].rgb));

  recipe.output.keep = Keep::last;
  const Painted last = painted(recipe);
  EXPECT_EQ(last.iteration, 10);
  EXPECT_EQ(last.best_iteration, best.best_iteration);
  EXPECT_TRUE(same_bits(last.picture.rgb, pictures.back().rgb));
}

TEST_F(Paint, LooksForTheBestWhereItIsTold) {
  Recipe recipe = small_recipe();
  recipe.output.look_every = 4;
  const Painted all = painted(recipe);
  EXPECT_EQ(all.best_iteration, 10) << "the last is always looked at";
  int calls = 0;
  const Painted stopped = painted(recipe, [&](const Progress&) { return ++calls < 4; });
  EXPECT_EQ(stopped.best_iteration, 3) << "stopping loses nothing";
}

TEST_F(Paint, TakesTheConventionOfTheRecipeBeforeThatOfTheWeights) {
  Recipe recipe = small_recipe();
  recipe.optimiser.iterations = 0;
  const auto style_loss = [&](Convention convention) {
    recipe.network.convention = convention;
    return painted(recipe).history[0].losses.style;
  };
  const double own = style_loss(Convention::file);  // that of small_vgg19 is Caffe's
  EXPECT_EQ(own, style_loss(Convention::caffe));
  for (const Convention other :
       {Convention::caffe_rounded, Convention::matconvnet, Convention::torchvision}) {
    EXPECT_NE(own, style_loss(other));
  }
}

TEST_F(Paint, PassesOnWhatTheCallbackThrows) {
  EXPECT_THROW(painted(small_recipe(),
                       [](const Progress&) -> bool { throw std::runtime_error("no window"); }),
               std::runtime_error);
}

TEST_F(Paint, OfNoIterationsIsTheInitialPicture) {
  Recipe recipe = small_recipe();
  recipe.optimiser.iterations = 0;
  const Painted result = painted(recipe);
  EXPECT_EQ(result.outcome, Outcome::finished);
  EXPECT_EQ(result.history.size(), 1u);
  EXPECT_EQ(result.best_iteration, 0);
  EXPECT_TRUE(same_bits(result.picture.rgb, photo_.rgb));
}

TEST_F(Paint, ConvergesAtOnceWhereThereIsNothingToGain) {
  Recipe recipe = small_recipe();
  recipe.style.weight = 0;  // the photo's own content is already met
  const Painted result = painted(recipe);
  EXPECT_EQ(result.outcome, Outcome::converged);
  EXPECT_EQ(result.history.size(), 1u);
  EXPECT_TRUE(same_bits(result.picture.rgb, photo_.rgb));
}

TEST_F(Paint, ThatNeverHasAFiniteLossFailsWithTheInitialPicture) {
  auto weights = std::make_shared<Weights>(copy_of(model_.weights()));
  for (float& value : weights->convolutions[1].kernel.values) value *= 1e30f;
  Recipe recipe = small_recipe();
  const Painted result = paint(Model(weights), photo_, painting_, recipe);
  EXPECT_EQ(result.outcome, Outcome::failed);
  EXPECT_TRUE(same_bits(result.picture.rgb, photo_.rgb));
}

TEST_F(Paint, TakesBackStepsThatBlowUpAndStillPaints) {
  Recipe recipe = small_recipe();
  recipe.optimiser.kind = OptimiserKind::sgd;
  recipe.optimiser.learning_rate = 1e6;
  recipe.optimiser.iterations = 15;
  const Painted result = painted(recipe);
  EXPECT_GE(result.rejected_steps, 1);
  expect_sound(result.picture, kWidth, kHeight);
  EXPECT_EQ(result.history.size(), 16u);
  for (const IterationRecord& record : result.history) {
    EXPECT_TRUE(std::isfinite(record.losses.total));
  }
}

// --------------------------------------------------------------------------- initial pictures --

TEST_F(Paint, BeginsWithNoiseThatDependsOnTheSeedOnly) {
  Recipe recipe = small_recipe();
  recipe.picture.init = "noise";
  recipe.optimiser.iterations = 0;
  const auto initial = [&](std::uint64_t seed, const Image& photo, int threads) {
    recipe.picture.seed = seed;
    recipe.picture.threads = threads;
    return paint(model_, photo, painting_, recipe).picture;
  };
  const Image noise = initial(5, photo_, 1);
  EXPECT_TRUE(same_bits(noise.rgb, initial(5, painting_, 3).rgb));
  EXPECT_FALSE(same_bits(noise.rgb, initial(6, photo_, 1).rgb));
  // Grey with a deviation of 0.2: the mean of 1122 values is within 0.03 of a half.
  double sum = 0;
  for (const float value : noise.rgb) sum += value;
  EXPECT_NEAR(sum / static_cast<double>(noise.rgb.size()), 0.5, 0.03);
}

TEST_F(Paint, BeginsWithThePictureOfAFile) {
  Recipe recipe = small_recipe();
  recipe.picture.init = path("start.png");
  recipe.optimiser.iterations = 0;
  write_image(painting_, recipe.picture.init, {.bits = 16});
  const Painted result = painted(recipe);
  const Image start = read_image(recipe.picture.init);
  EXPECT_TRUE(same_bits(result.picture.rgb, start.rgb));
  recipe.picture.init = path("missing.png");
  EXPECT_TRUE(says(error_of([&] { painted(recipe); }), ErrorKind::file, "missing.png"));
}

// --------------------------------------------------------------------------------- pictures --

TEST_F(Paint, CarriesThePhotosAlphaOver) {
  Image photo = photo_;
  for (int i = 0; i < kWidth * kHeight; ++i) photo.alpha.push_back(static_cast<float>(i % 5) / 4);
  Recipe recipe = small_recipe();
  recipe.optimiser.iterations = 2;
  bool carried = false;
  const Painted result = paint(model_, photo, painting_, recipe, [&](const Progress& progress) {
    carried = same_bits(progress.picture().alpha, photo.alpha);
    return true;
  });
  EXPECT_TRUE(same_bits(result.picture.alpha, photo.alpha));
  EXPECT_TRUE(carried);
  EXPECT_TRUE(painted(recipe).picture.alpha.empty());
}

TEST_F(Paint, WorksAtTheLongestSideTheRecipeSays) {
  Recipe recipe = small_recipe();
  recipe.optimiser.iterations = 1;
  const auto size_of = [&](int longest, const Image& photo) {
    recipe.picture.size = longest;
    const Image picture = paint(model_, photo, painting_, recipe).picture;
    return std::pair(picture.width, picture.height);
  };
  const Image upright = smooth_picture(kHeight, kWidth, 3);
  EXPECT_EQ(size_of(0, photo_), std::pair(22, 17)) << "0 keeps the photo's size";
  EXPECT_EQ(size_of(44, photo_), std::pair(44, 34));
  EXPECT_EQ(size_of(11, photo_), std::pair(11, 9));  // 8.5 rounded
  EXPECT_EQ(size_of(30, upright), std::pair(23, 30));
  EXPECT_EQ(size_of(8, smooth_picture(100, 2, 4)), std::pair(8, 1)) << "never less than a pixel";
}

TEST_F(Paint, ClampsToColoursThatThereAre) {
  Recipe recipe = small_recipe();
  recipe.optimiser.kind = OptimiserKind::adam;
  recipe.optimiser.learning_rate = 0.5;  // leaves 0..1 in two steps
  const Painted free = painted(recipe);
  expect_sound(free.picture, kWidth, kHeight);
}

TEST_F(Paint, GivesTheSameBitsForAnyNumberOfThreads) {
  for (const OptimiserKind kind : {OptimiserKind::lbfgs, OptimiserKind::adam}) {
    Recipe recipe = small_recipe();
    recipe.optimiser.kind = kind;
    recipe.optimiser.learning_rate = kind == OptimiserKind::adam ? 0.05 : 1;
    recipe.total_variation.weight = 0.1;
    const auto run = [&](int threads) {
      recipe.picture.threads = threads;
      return painted(recipe);
    };
    const Painted expected = run(1);
    for (const int threads : {2, 3, 7}) {
      const Painted found = run(threads);
      EXPECT_TRUE(same_bits(found.picture.rgb, expected.picture.rgb)) << threads << " threads";
      ASSERT_EQ(found.history.size(), expected.history.size());
      for (size_t i = 0; i < found.history.size(); ++i) {
        EXPECT_EQ(found.history[i].losses.total, expected.history[i].losses.total);
      }
    }
  }
}

// "Every function may be called from several threads at once; a Model may be shared."
TEST_F(Paint, MayRunSeveralTimesAtOnce) {
  const Recipe recipe = small_recipe();
  const Painted expected = painted(recipe);
  std::vector<Painted> found(3);
  std::vector<std::thread> threads;
  threads.reserve(found.size());
  for (Painted& result : found) threads.emplace_back([&] { result = painted(recipe); });
  for (std::thread& thread : threads) thread.join();
  for (const Painted& result : found) {
    EXPECT_TRUE(same_bits(result.picture.rgb, expected.picture.rgb));
  }
}

// ------------------------------------------------------------------------------------- errors --

TEST_F(Paint, RefusesARecipeForAnotherNetwork) {
  Recipe recipe = small_recipe();
  recipe.network.name = "vgg16";
  EXPECT_TRUE(says(error_of([&] { painted(recipe); }), ErrorKind::usage, "'small'", "vgg16",
                   "vgg19", "small.h5"));
  recipe.network.name = "vgg91";
  EXPECT_TRUE(says(error_of([&] { painted(recipe); }), ErrorKind::usage, "no network 'vgg91'",
                   "did you mean 'vgg"));
}

TEST_F(Paint, RefusesARecipeWithNothingToMinimise) {
  Recipe recipe = small_recipe();
  recipe.content.weight = recipe.style.weight = recipe.total_variation.weight = 0;
  EXPECT_TRUE(says(error_of([&] { painted(recipe); }), ErrorKind::usage, "small", "nothing"));
  recipe = small_recipe();
  recipe.content.layers.clear();
  for (LayerWeight& layer : recipe.style.layers) layer.weight = 0;
  EXPECT_TRUE(says(error_of([&] { painted(recipe); }), ErrorKind::usage, "small", "nothing"));
  recipe.total_variation.weight = 1;
  EXPECT_NO_THROW(painted(recipe));
}

TEST_F(Paint, RefusesNumbersOutOfTheirRange) {
  Recipe recipe = small_recipe();
  recipe.optimiser.history = 0;
  EXPECT_TRUE(says(error_of([&] { painted(recipe); }), ErrorKind::usage, "optimiser.history"));
  recipe = small_recipe();
  recipe.content.weight = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(says(error_of([&] { painted(recipe); }), ErrorKind::usage, "content.weight"));
  recipe = small_recipe();
  recipe.picture.threads = -1;
  EXPECT_TRUE(says(error_of([&] { painted(recipe); }), ErrorKind::usage, "picture.threads"));
}

TEST_F(Paint, NamesLayersThatTheWeightsEndBefore) {
  Recipe recipe = small_recipe();
  recipe.content.layers = {{"relu4_2", 1.0}};
  recipe.picture.size = 64;
  EXPECT_TRUE(says(error_of([&] { painted(recipe); }), ErrorKind::usage, "small.h5", "conv2_1"));
}

TEST_F(Paint, RefusesPicturesWithoutPixels) {
  Image torn = photo_;
  torn.rgb.pop_back();
  for (const int size : {0, 16}) {
    Recipe recipe = small_recipe();
    recipe.picture.size = size;
    for (const Image& bad : {Image(), torn}) {
      EXPECT_TRUE(says(error_of([&] { paint(model_, bad, painting_, recipe); }), ErrorKind::usage));
      EXPECT_TRUE(says(error_of([&] { paint(model_, photo_, bad, recipe); }), ErrorKind::usage));
    }
  }
}

}  // namespace
}  // namespace limn
