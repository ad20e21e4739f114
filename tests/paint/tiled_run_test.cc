// Paintings in tiles: a budget that asks for them, and what runs make of them.
#include <gtest/gtest.h>
#include <limn/limn.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "support/errors.h"
#include "support/same_bits.h"
#include "support/small_run.h"

namespace limn {
namespace {

class TiledRun : public SmallRun {
 protected:
  TiledRun() {
    recipe_.optimiser.iterations = 6;
    recipe_.neighbours.weight = 0.1;
    recipe_.neighbours.layers = {{"relu1_1", 1.0}};
    recipe_.neighbours.every = 2;
    recipe_.content.layers = {{"relu1_2", 1.0}};
    recipe_.total_variation.weight = 1e-3;
  }
  Plan plan(const Budget& budget = {}) const {
    return make_plan(model_, sizes_of(pictures()), recipe_, budget);
  }
  Painted painted(const Plan& plan) const { return paint(model_, pictures(), plan); }
};

TEST_F(TiledRun, PaintsWhatIsPaintedInOnePiece) {
  const Painted whole = painted(plan()), tiled = painted(plan({0, 16}));
  ASSERT_EQ(tiled.history.size(), whole.history.size());
  for (size_t i = 0; i < whole.history.size(); ++i) {
    EXPECT_NEAR(tiled.history[i].losses.total, whole.history[i].losses.total,
                1e-4 * whole.history[i].losses.total);
  }
  double most = 0;
  for (size_t i = 0; i < whole.picture.rgb.size(); ++i) {
    most = std::max(most, std::abs(double{tiled.picture.rgb[i]} - whole.picture.rgb[i]));
  }
  EXPECT_GT(most, 0) << "it was painted in one piece";
  EXPECT_LT(most, 1.0 / 255);
}

// Whatever the plan's tiles are where it goes on.
TEST_F(TiledRun, KeepsItsTilesFromCheckpointToCheckpoint) {
  const Painted expected = painted(plan({0, 32}));
  {
    limn::Run run(model_, pictures(), plan({0, 32}));
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(run.step());
    run.save(path("a.limn"));
  }
  for (const Budget& budget : {Budget{}, Budget{0, 16}, Budget{0, 32}}) {
    limn::Run run(model_, pictures(), plan(budget), path("a.limn"));
    EXPECT_EQ(run.plan().levels.back().tile, (Size{32, 32}));
    while (run.step()) {
    }
    EXPECT_TRUE(same_bits(run.finish().picture.rgb, expected.picture.rgb));
  }
}

TEST_F(TiledRun, TakesTheLargestTilesThatItsBudgetAllows) {
  const PictureSizes sizes = {{1500, 2000}, {{{1500, 2000}}}};
  const Plan whole = make_plan(model_, sizes, recipe_);
  EXPECT_EQ(whole.levels.back().tile, Size());
  double before = whole.bytes;
  int side = 2000;
  for (const double share : {1.2, 1.0, 0.9, 0.8}) {
    const Plan cut = make_plan(model_, sizes, recipe_, {share * whole.bytes, 0});
    EXPECT_LE(cut.bytes, share * whole.bytes);
    if (share > 1) {
      EXPECT_EQ(cut.levels.back().tile, Size());
      continue;
    }
    EXPECT_LE(cut.bytes, before);
    EXPECT_GT(cut.levels.back().tile.width, 0);
    EXPECT_LE(cut.levels.back().tile.width, side);
    EXPECT_GT(cut.levels.back().cost, 1.4);
    EXPECT_EQ(cut.levels.front().tile, Size()) << "the first size needs none";
    before = cut.bytes;
    side = cut.levels.back().tile.width;
  }
}

TEST_F(TiledRun, NamesTheSmallestBudget) {
  const PictureSizes sizes = {{1500, 2000}, {{{1500, 2000}}}};
  const Error error = error_of([&] { make_plan(model_, sizes, recipe_, {50e6, 0}); });
  EXPECT_EQ(error.kind(), ErrorKind::resources);
  const std::string message = error.what();
  const std::string flag = "--memory ";
  const size_t place = message.find(flag);
  ASSERT_NE(place, std::string::npos) << message;
  const double least = std::stod(message.substr(place + flag.size())) * 1024 * 1024;
  EXPECT_NO_THROW(make_plan(model_, sizes, recipe_, {least, 0}));
}

TEST_F(TiledRun, RefusesWhatCannotBeCut) {
  recipe_.style.symmetry = Symmetry::left_right;
  EXPECT_NO_THROW(plan());
  EXPECT_TRUE(says(error_of([&] { plan({0, 32}); }), ErrorKind::usage, "style.symmetry", "--tile"));
  recipe_.style.symmetry = Symmetry::none;
  EXPECT_TRUE(says(error_of([&] { plan({0, 8}); }), ErrorKind::usage, "tiles of 8 pixels"));
}

}  // namespace
}  // namespace limn
