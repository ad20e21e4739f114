// sweep(): the paintings are those of paint(), and what recipes share is measured once.
#include <gtest/gtest.h>
#include <limn/limn.h>

#include <optional>
#include <stdexcept>

#include "paint/objective.h"
#include "support/drawn.h"
#include "support/errors.h"
#include "support/masks.h"
#include "support/same_bits.h"
#include "support/temporary_folder.h"

namespace limn {
namespace {

constexpr int kWidth = 22;
constexpr int kHeight = 17;

// A recipe for each value that `set` puts into it.
template <typename Value, typename Set>
std::vector<Recipe> recipes_with(std::initializer_list<Value> values, Set&& set) {
  std::vector<Recipe> recipes;
  for (const Value& value : values) {
    recipes.push_back(small_recipe());
    recipes.back().optimiser.iterations = 4;
    set(recipes.back(), value);
  }
  return recipes;
}

std::vector<Recipe> recipes_of_weights(std::initializer_list<double> weights) {
  return recipes_with(weights, [](Recipe& recipe, double weight) { recipe.style.weight = weight; });
}

class Sweep : public InAFolder {
 protected:
  std::vector<Painted> swept(const std::vector<Recipe>& recipes, size_t* measured = nullptr) const {
    std::vector<Painted> all;
    const Swept result = sweep(model_, pictures(), recipes, [&](size_t index, Painted&& painted) {
      EXPECT_EQ(index, all.size());
      all.push_back(std::move(painted));
    });
    EXPECT_EQ(result.painted, all.size());
    if (measured) *measured = result.measured;
    return all;
  }

  // Sweeps, and compares each painting with that of paint(). Returns how often was measured.
  size_t expect_same_as_paint(const std::vector<Recipe>& recipes) const {
    size_t measured = 0;
    const std::vector<Painted> all = swept(recipes, &measured);
    EXPECT_EQ(all.size(), recipes.size());
    for (size_t i = 0; i < all.size(); ++i) {
      const Painted alone = paint(model_, pictures(), recipes[i]);
      EXPECT_TRUE(same_bits(all[i].picture.rgb, alone.picture.rgb)) << "painting " << i;
      EXPECT_TRUE(same_bits(all[i].picture.alpha, alone.picture.alpha)) << "painting " << i;
      EXPECT_EQ(all[i].outcome, alone.outcome);
      EXPECT_EQ(all[i].iteration, alone.iteration);
      EXPECT_EQ(all[i].history.size(), alone.history.size());
      for (size_t j = 0; j < std::min(all[i].history.size(), alone.history.size()); ++j) {
        EXPECT_EQ(all[i].history[j].losses.total, alone.history[j].losses.total);
      }
    }
    return measured;
  }

  Pictures pictures() const {
    Pictures pictures = single_style(photo_, painting_);
    pictures.styles[0].to = to_;
    pictures.keep = keep_;
    if (other_) pictures.styles.push_back({{*other_}, {}, {}});
    return pictures;
  }

  Model model_ = small_vgg19();
  Image photo_ = smooth_picture(kWidth, kHeight, 1);
  Image painting_ = smooth_picture(kWidth + 3, kHeight, 2);
  Mask to_, keep_;
  std::optional<Image> other_;  // a second style
};

// ---- what is shared, and that it makes no difference ----

TEST_F(Sweep, OfWeightsMeasuresOnce) {
  EXPECT_EQ(expect_same_as_paint(recipes_of_weights({1e-5, 1e-4, 1e-3})), 1u);
}

// Lengths of gradients too: with another strength weights follow from the same ones.
TEST_F(Sweep, OfStrengthsMeasuresOnce) {
  EXPECT_EQ(expect_same_as_paint(recipes_with({0.3, 0.5, 0.8},
                                              [](Recipe& recipe, double strength) {
                                                recipe.balance.kind = Balance::measured;
                                                recipe.balance.strength = strength;
                                              })),
            1u);
  EXPECT_EQ(expect_same_as_paint(recipes_with({1.0, 2.0, 4.0},
                                              [](Recipe& recipe, double weight) {
                                                recipe.balance.kind = Balance::measured;
                                                recipe.style.weight = weight;
                                              })),
            1u);
}

TEST_F(Sweep, OfWhatLossesAreScaledByMeasuresOnce) {
  using enum ContentForm;
  EXPECT_EQ(expect_same_as_paint(
                recipes_with({sum, half_sum, mean, root},
                             [](Recipe& recipe, ContentForm form) { recipe.content.form = form; })),
            1u);
  EXPECT_EQ(expect_same_as_paint(
                recipes_with({StyleForm::mean, StyleForm::paper},
                             [](Recipe& recipe, StyleForm form) { recipe.style.form = form; })),
            1u);
}

TEST_F(Sweep, OfWaysToDescendMeasuresOnce) {
  EXPECT_EQ(expect_same_as_paint(recipes_with(
                {OptimiserKind::lbfgs, OptimiserKind::adam},
                [](Recipe& recipe, OptimiserKind kind) { recipe.optimiser.kind = kind; })),
            1u);
  EXPECT_EQ(expect_same_as_paint(
                recipes_with({Space::rgb, Space::network},
                             [](Recipe& recipe, Space space) { recipe.optimiser.space = space; })),
            1u);
  EXPECT_EQ(expect_same_as_paint(recipes_with({1, 2, 3},
                                              [](Recipe& recipe, int seed) {
                                                recipe.picture.init = "noise";
                                                recipe.picture.seed =
                                                    static_cast<std::uint64_t>(seed);
                                              })),
            1u);
  EXPECT_EQ(expect_same_as_paint(recipes_with(
                {1, 2}, [](Recipe& recipe, int threads) { recipe.picture.threads = threads; })),
            1u);
  EXPECT_EQ(expect_same_as_paint(recipes_with({false, true},
                                              [](Recipe& recipe, bool half) {
                                                recipe.content.layers = {{"conv1_2", 1}};
                                                recipe.picture.half_features = half;
                                              })),
            1u);
}

TEST_F(Sweep, MeasuresAnewWhereLossesCompareWithSomethingElse) {
  EXPECT_EQ(expect_same_as_paint(recipes_with({Pooling::max, Pooling::average},
                                              [](Recipe& recipe, Pooling pooling) {
                                                recipe.network.pooling = pooling;
                                                recipe.style.layers = {{"pool1", 1}};
                                              })),
            2u);
  EXPECT_EQ(expect_same_as_paint(recipes_with({Convention::caffe, Convention::torchvision},
                                              [](Recipe& recipe, Convention convention) {
                                                recipe.network.convention = convention;
                                              })),
            2u);
  EXPECT_EQ(expect_same_as_paint(
                recipes_with({GramForm::per_position, GramForm::raw},
                             [](Recipe& recipe, GramForm form) { recipe.style.gram = form; })),
            2u);
  EXPECT_EQ(expect_same_as_paint(recipes_with({"relu1_1", "conv1_2"},
                                              [](Recipe& recipe, const char* layer) {
                                                recipe.content.layers = {{layer, 1}};
                                              })),
            2u);
  EXPECT_EQ(expect_same_as_paint(recipes_with(
                {PaintingSize::own, PaintingSize::stretched},
                [](Recipe& recipe, PaintingSize size) { recipe.picture.painting_size = size; })),
            2u);
  EXPECT_EQ(expect_same_as_paint(recipes_with(
                {12, 20, 40}, [](Recipe& recipe, int size) { recipe.picture.size = size; })),
            3u);
}

TEST_F(Sweep, MeasuresAnewWhereATermComesOrGoes) {
  EXPECT_EQ(expect_same_as_paint(recipes_of_weights({0, 1e-4, 1e-3})), 2u);
  EXPECT_EQ(expect_same_as_paint(recipes_with({0.0, 0.1},
                                              [](Recipe& recipe, double weight) {
                                                recipe.content.weight = 0;
                                                recipe.style.weight = 0;
                                                recipe.total_variation.weight = 1 + weight;
                                              })),
            0u)
      << "total variation needs no network";
}

TEST_F(Sweep, ResizesLikePaint) {
  photo_ = smooth_picture(61, 40, 1);
  photo_.alpha.assign(61 * 40, 0.5f);
  for (const SizeOf size_of : {SizeOf::longest_side, SizeOf::height}) {
    for (const PaintingSize size :
         {PaintingSize::proportional, PaintingSize::stretched, PaintingSize::own}) {
      std::vector<Recipe> recipes = recipes_of_weights({1e-4, 1e-3});
      for (Recipe& recipe : recipes) {
        recipe.picture.size = 23;
        recipe.picture.size_of = size_of;
        recipe.picture.painting_size = size;
      }
      EXPECT_EQ(expect_same_as_paint(recipes), 1u);
    }
  }
}

// A painting that has been scaled would be cut to whole pixels once more.
TEST_F(Sweep, ScalesPaintingsLikePaint) {
  photo_ = smooth_picture(61, 40, 1);
  painting_ = smooth_picture(47, 61, 2);
  for (const double scale : {0.3, 0.6, 0.61, 0.7, 1.3}) {
    for (const PaintingSize size :
         {PaintingSize::proportional, PaintingSize::stretched, PaintingSize::own}) {
      std::vector<Recipe> recipes = recipes_of_weights({1e-4, 1e-3});
      for (Recipe& recipe : recipes) {
        recipe.optimiser.iterations = 1;
        recipe.picture.size = 53;
        recipe.picture.painting_size = size;
        recipe.style.scale = {scale};
      }
      EXPECT_EQ(expect_same_as_paint(recipes), 1u) << scale;
    }
  }
}

// ---- the artist's controls ----

TEST_F(Sweep, OfStrengthsMeasuresEachSizeOnce) {
  const auto with_pyramid = [](Recipe& recipe, double strength) {
    recipe.balance.kind = Balance::measured;
    recipe.balance.strength = strength;
    recipe.picture.size = 64;
    recipe.pyramid.smallest = 16;
    recipe.pyramid.bands = {0, 0.5};
    recipe.optimiser.iterations = 9;
  };
  EXPECT_EQ(expect_same_as_paint(recipes_with({0.2, 0.5, 0.9}, with_pyramid)), 1u);
  EXPECT_EQ(expect_same_as_paint(recipes_with({6, 12},
                                              [&](Recipe& recipe, int iterations) {
                                                with_pyramid(recipe, 0.5);
                                                recipe.optimiser.iterations = iterations;
                                              })),
            1u);
  EXPECT_EQ(expect_same_as_paint(recipes_with({16, 0},
                                              [&](Recipe& recipe, int smallest) {
                                                with_pyramid(recipe, 0.5);
                                                recipe.pyramid.smallest = smallest;
                                              })),
            2u);
  EXPECT_EQ(expect_same_as_paint(recipes_with({0, 3},
                                              [&](Recipe& recipe, int border) {
                                                with_pyramid(recipe, 0.5);
                                                recipe.picture.border = border;
                                              })),
            2u);
}

TEST_F(Sweep, OfBlendsMeasuresAnew) {
  other_ = smooth_picture(kWidth, kHeight + 4, 3);
  EXPECT_EQ(expect_same_as_paint(recipes_with({0.0, 0.5, 1.0},
                                              [](Recipe& recipe, double share) {
                                                recipe.style.blend = {share, 1 - share};
                                              })),
            3u);
}

TEST_F(Sweep, WithMasksIsWhatPaintMakes) {
  to_ = halves(kWidth, kHeight, 1, 0.25f);
  keep_ = halves(kWidth, kHeight, 0, 0.5f);
  EXPECT_EQ(expect_same_as_paint(recipes_of_weights({1e-5, 1e-4})), 1u);
  EXPECT_EQ(expect_same_as_paint(recipes_with(
                {Colors::style, Colors::content, Colors::matched, Colors::palette},
                [](Recipe& recipe, Colors colors) { recipe.picture.colors = colors; })),
            4u);
  EXPECT_EQ(
      expect_same_as_paint(recipes_with(
          {StyleStatistic::gram, StyleStatistic::covariance, StyleStatistic::mean_deviation},
          [](Recipe& recipe, StyleStatistic statistic) { recipe.style.statistic = statistic; })),
      3u);
  EXPECT_EQ(expect_same_as_paint(recipes_with(
                {1, 2}, [](Recipe& recipe, int shift) { recipe.style.shifts = {shift}; })),
            2u);
}

TEST_F(Sweep, OfOneOrNone) {
  EXPECT_EQ(expect_same_as_paint(recipes_of_weights({1e-4})), 1u);
  EXPECT_EQ(expect_same_as_paint({}), 0u);
}

// ---- callbacks ----

TEST_F(Sweep, TellsWhichPaintingItIsAt) {
  std::vector<std::pair<size_t, int>> seen;
  sweep(model_, pictures(), recipes_of_weights({1e-4, 1e-3}), {},
        [&](size_t index, const Progress& progress) {
          seen.emplace_back(index, progress.iteration);
          return true;
        });
  std::vector<std::pair<size_t, int>> expected;
  for (size_t index = 0; index < 2; ++index)
    for (int iteration = 0; iteration <= 4; ++iteration) expected.emplace_back(index, iteration);
  EXPECT_EQ(seen, expected);
}

TEST_F(Sweep, EndsWithThePaintingThatIsStopped) {
  std::vector<Outcome> outcomes;
  const Swept result = sweep(
      model_, pictures(), recipes_of_weights({1e-5, 1e-4, 1e-3}),
      [&](size_t, Painted&& painted) { outcomes.push_back(painted.outcome); },
      [](size_t index, const Progress& progress) { return index == 0 || progress.iteration < 2; });
  EXPECT_EQ(outcomes, (std::vector<Outcome>{Outcome::finished, Outcome::stopped}));
  EXPECT_EQ(result.painted, 2u);
}

TEST_F(Sweep, PassesOnWhatTheCallbacksThrow) {
  size_t done = 0;
  EXPECT_THROW(sweep(model_, pictures(), recipes_of_weights({1e-5, 1e-4, 1e-3}),
                     [&](size_t index, Painted&&) {
                       if (index == 1) throw std::runtime_error("no room");
                       ++done;
                     }),
               std::runtime_error);
  EXPECT_EQ(done, 1u);
}

TEST_F(Sweep, GoesOnAfterAPaintingWhoseLossIsNotFinite) {
  const std::vector<Painted> all = swept(recipes_of_weights({1e-4, 1e308, 1e-3}));
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[1].outcome, Outcome::failed);
  EXPECT_EQ(all[2].outcome, Outcome::finished);
}

// ---- errors come first ----

TEST_F(Sweep, FindsWhatIsWrongWithAnyRecipeBeforePainting) {
  const auto refused = [&](const std::vector<Recipe>& recipes) {
    return error_of([&] {
      sweep(
          model_, pictures(), recipes, [](size_t, Painted&&) { ADD_FAILURE() << "painted"; },
          [](size_t, const Progress&) -> bool {
            ADD_FAILURE() << "began";
            return false;
          });
    });
  };
  EXPECT_TRUE(says(refused(recipes_of_weights({1e-4, -1})), ErrorKind::usage, "style.weight"));
  EXPECT_TRUE(says(refused(recipes_with({"relu1_1", "relu9_9"},
                                        [](Recipe& recipe, const char* layer) {
                                          recipe.style.layers = {{layer, 1}};
                                        })),
                   ErrorKind::usage, "relu9_9"));
  EXPECT_TRUE(says(refused(recipes_with({"relu1_1", "relu3_1"},
                                        [](Recipe& recipe, const char* layer) {
                                          recipe.style.layers = {{layer, 1}};
                                        })),
                   ErrorKind::usage, "'small.h5' end before conv2_1"));
  EXPECT_TRUE(says(refused(recipes_with({20, 1},
                                        [](Recipe& recipe, int size) {
                                          recipe.picture.size = size;
                                          recipe.style.layers = {{"pool1", 1}};
                                        })),
                   ErrorKind::usage, "needs at least 2 x 2"));
  EXPECT_TRUE(
      says(refused(recipes_with(
               {1, 2}, [](Recipe& recipe, int shares) { recipe.style.blend.resize(shares, 1); })),
           ErrorKind::usage, "style.blend", "2 shares"));
  EXPECT_TRUE(says(
      refused(recipes_with({"content", "missing.png"},
                           [](Recipe& recipe, const char* init) { recipe.picture.init = init; })),
      ErrorKind::file, "missing.png"));
}

// ---- targets, one by one ----

TEST_F(Sweep, ObjectivesShareTargetsTheyWereGiven) {
  ThreadPool pool(2);
  const Recipe recipe = small_recipe();
  Objective first(model_.weights(), recipe, photo_, painting_, pool);
  Recipe other = recipe;
  other.style.weight *= 3;
  Objective sharing(model_.weights(), other, first.targets(), pool);
  EXPECT_EQ(sharing.targets(), first.targets());
  Objective alone(model_.weights(), other, photo_, painting_, pool);
  EXPECT_NE(alone.targets(), first.targets());
  const Image picture = smooth_picture(kWidth, kHeight, 3);
  std::vector<float> shared_gradient(sharing.size());
  std::vector<float> own_gradient(alone.size());
  const Losses shared = sharing.evaluate(picture.rgb, shared_gradient);
  const Losses own = alone.evaluate(picture.rgb, own_gradient);
  EXPECT_EQ(shared.total, own.total);
  EXPECT_TRUE(same_bits(shared_gradient, own_gradient));
}

}  // namespace
}  // namespace limn
