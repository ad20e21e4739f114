// What a level saves of its memory: chosen by a budget in its order, kept by checkpoints, and what
// a history in half precision costs.
#include <gtest/gtest.h>
#include <limn/limn.h>

#include <algorithm>
#include <string>

#include "paint/plan.h"
#include "support/drawn.h"
#include "support/errors.h"
#include "support/same_bits.h"
#include "support/temporary_folder.h"

namespace limn {
namespace {

class Savings : public InAFolder {
 protected:
  Savings() {
    recipe_.picture.size = 0;
    recipe_.optimiser.kind = OptimiserKind::lbfgs;
    recipe_.optimiser.iterations = 12;
    recipe_.optimiser.curvature = Curvature::local;
    recipe_.pyramid.smallest = 30;
    large_recipe_.picture.size = 0;
    large_recipe_.optimiser = recipe_.optimiser;
  }
  static Pictures pictures() {
    return single_style(smooth_picture(72, 55, 1), smooth_picture(63, 57, 2));
  }
  Plan plan() const { return make_plan(model_, sizes_of(pictures()), recipe_); }
  // Of a picture that needs hundreds of megabytes, most of it for L-BFGS.
  Plan large_plan(double bytes, int tile = 0, int ranks = 1) const {
    return make_plan(builtin_, {{1500, 2000}, {{{1500, 2000}}}}, large_recipe_,
                     {bytes, tile, ranks});
  }

  const Model model_ = small_vgg19();
  Recipe recipe_ = small_recipe();
  const Model builtin_ = Model::builtin();
  Recipe large_recipe_ = named_recipe("gram");
};

// The place of a level's choice in the order in which choices are tried.
int rank_of(const Level& level) {
  const auto& [half_features, half_history, history] = level.saving;
  const bool tiles = level.tile != Size();
  if (history > 0) return 100 - history;
  if (half_history) return 5;
  if (tiles) return half_features ? 4 : 3;
  return half_features ? 2 : 1;
}

TEST_F(Savings, AreTakenInTurnAsTheBudgetShrinks) {
  const Plan whole = large_plan(0);
  EXPECT_EQ(rank_of(whole.levels.back()), 1);
  double before = whole.bytes;
  int rank = 1;
  std::vector<int> ranks;
  for (double share = 1.15; share > 0; share -= 0.02) {
    const double budget = share * whole.bytes;
    Plan plan;
    try {
      plan = large_plan(budget);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::resources);
      break;
    }
    const Level& level = plan.levels.back();
    EXPECT_LE(plan.bytes, budget);
    EXPECT_LE(plan.bytes, before * 1.0001);
    EXPECT_GE(rank_of(level), rank) << "at " << share;
    // Those that cost quality come with all that cost none.
    if (level.saving.half_history) EXPECT_TRUE(level.saving.half_features);
    if (level.saving.history > 0) EXPECT_TRUE(level.saving.half_history);
    EXPECT_EQ(level.saving.history == 0, rank_of(level) <= 5);
    before = plan.bytes;
    rank = rank_of(level);
    if (ranks.empty() || ranks.back() != rank) ranks.push_back(rank);
  }
  EXPECT_EQ(ranks.front(), 1);
  EXPECT_TRUE(std::ranges::count(ranks, 5)) << "no half-precision history by itself";
  EXPECT_EQ(ranks.back(), 100 - 2) << "the shortest history was never chosen";
}

// Ten pairs are 20 vectors, of which each of four ranks keeps 5.
TEST_F(Savings, AreNotNeededByRanksThatShareTheHistory) {
  const Plan alone = large_plan(0), shared = large_plan(0, 0, 4);
  const double vectors = 15 * 12 * 1500.0 * 2000;
  EXPECT_NEAR(alone.bytes - shared.bytes, vectors, 0.1 * vectors);
  EXPECT_NE(large_plan(shared.bytes * 1.1).levels.back().saving, Saving());
  EXPECT_EQ(large_plan(shared.bytes * 1.1, 0, 4).levels.back().saving, Saving());
  EXPECT_EQ(error_of([&] { large_plan(0, 0, 0); }).kind(), ErrorKind::usage);
}

TEST_F(Savings, OfAnOptimiserWithoutAHistoryAreOthers) {
  large_recipe_.optimiser.kind = OptimiserKind::adam;
  const Plan whole = large_plan(0);
  for (const double share : {1.0, 0.9, 0.8}) {
    try {
      const Plan plan = large_plan(share * whole.bytes);
      EXPECT_FALSE(plan.levels.back().saving.half_history);
      EXPECT_EQ(plan.levels.back().saving.history, 0);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::resources);
    }
  }
}

// What the recipe says already is not chosen once more, and a history not made longer.
TEST_F(Savings, GoOnFromTheRecipe) {
  large_recipe_.picture.half_features = true;
  large_recipe_.optimiser.half_history = true;
  large_recipe_.optimiser.history = 4;
  const Plan whole = large_plan(0);
  EXPECT_EQ(whole.levels.back().saving, Saving());
  bool shorter = false;
  for (double share = 1.05; share > 0.3; share -= 0.01) {
    try {
      const Level level = large_plan(share * whole.bytes).levels.back();
      EXPECT_FALSE(level.saving.half_features);
      EXPECT_FALSE(level.saving.half_history);
      EXPECT_LT(level.saving.history, 4);
      shorter = shorter || level.saving.history > 0;
    } catch (const Error&) {
      break;
    }
  }
  EXPECT_TRUE(shorter);
}

// A budget for tiles that were asked for makes the rest fit.
TEST_F(Savings, KeepTilesThatWereAskedFor) {
  const Plan asked = large_plan(0, 256);
  const Plan saved = large_plan(asked.bytes, 256);
  EXPECT_EQ(saved.levels.back().tile, (Size{256, 256}));
  EXPECT_NE(saved.levels.back().saving, Saving());
  EXPECT_LE(saved.bytes, asked.bytes);
}

TEST_F(Savings, NameTheSmallestBudget) {
  const Error error = error_of([&] { large_plan(50e6); });
  EXPECT_EQ(error.kind(), ErrorKind::resources);
  const std::string message = error.what();
  const std::string flag = "--memory ";
  const size_t place = message.find(flag);
  ASSERT_NE(place, std::string::npos) << message;
  constexpr double kMega = 1024 * 1024;
  const double least = std::stod(message.substr(place + flag.size())) * kMega;
  EXPECT_EQ(large_plan(least).levels.back().saving, (Saving{true, true, 2}));
  EXPECT_EQ(error_of([&] { large_plan(least - kMega); }).kind(), ErrorKind::resources);
}

TEST_F(Savings, AreWhatTheLevelIsPaintedWith) {
  const Painted whole = paint(model_, pictures(), plan());
  Plan saving_plan = plan();
  for (Level& level : saving_plan.levels) level.saving = {false, true, 3};
  const Painted saved = paint(model_, pictures(), saving_plan);
  recipe_.optimiser.half_history = true;
  recipe_.optimiser.history = 3;
  const Painted said = paint(model_, pictures(), plan());
  EXPECT_TRUE(same_bits(saved.picture.rgb, said.picture.rgb));
  EXPECT_FALSE(same_bits(saved.picture.rgb, whole.picture.rgb));
}

// Whatever the plan's savings are where it goes on, and at whichever step it was saved: the ring is
// full at some, a step is open at all.
TEST_F(Savings, AreKeptFromCheckpointToCheckpoint) {
  Plan saving_plan = plan();
  for (Level& level : saving_plan.levels) level.saving = {true, true, 3};
  const Painted expected = paint(model_, pictures(), saving_plan);
  Plan other = plan();
  for (Level& level : other.levels) level.saving = {false, false, 2};
  for (const int steps : {1, 4, 9}) {
    {
      limn::Run run(model_, pictures(), saving_plan);
      for (int i = 0; i < steps; ++i) ASSERT_TRUE(run.step());
      run.save(path("a.limn"));
    }
    for (const Plan& going_on : {plan(), other, saving_plan}) {
      limn::Run run(model_, pictures(), going_on, path("a.limn"));
      EXPECT_EQ(run.plan().levels.back().saving, (Saving{true, true, 3}));
      while (run.step()) {
      }
      EXPECT_TRUE(same_bits(run.finish().picture.rgb, expected.picture.rgb)) << steps;
    }
  }
}

// The built-in network and recipe, at a small size. Its second stage is left out: the weights that
// it measures, and so its loss, depend on the picture that it begins with.
TEST_F(Savings, OfTheHistoryCostLittleOfTheLoss) {
  Recipe recipe = named_recipe("limn");
  recipe.stages.clear();
  recipe.picture.size = 96;
  recipe.optimiser.iterations = 100;
  recipe.optimiser.plateau = 0;
  const Pictures inputs = single_style(smooth_picture(96, 72, 3), smooth_picture(90, 80, 4));
  const auto final_loss = [&](bool half) {
    recipe.optimiser.half_history = half;
    const Painted painted = paint(Model::builtin(), inputs, recipe);
    EXPECT_EQ(painted.outcome, Outcome::finished);
    double best = painted.history.back().losses.total;
    for (const IterationRecord& record : painted.history) {
      if (record.width == 96) best = std::min(best, record.losses.total);
    }
    return best;
  };
  const double whole = final_loss(false), half = final_loss(true);
  EXPECT_NE(whole, half);
  EXPECT_NEAR(half, whole, 0.02 * whole);
}

}  // namespace
}  // namespace limn
