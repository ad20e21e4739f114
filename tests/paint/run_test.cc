// A painting step by step, its checkpoints, and what becomes of damaged ones.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <limn/limn.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "containers/safetensors_file.h"
#include "support/copies.h"
#include "support/drawn.h"
#include "support/errors.h"
#include "support/random_values.h"
#include "support/same_bits.h"
#include "support/sanitized.h"
#include "support/temporary_folder.h"

namespace limn {
namespace {

constexpr int kWidth = 40;
constexpr int kHeight = 31;

struct Case {
  const char* name;
  OptimiserKind kind;
  LineSearch line_search = LineSearch::none;
  Curvature curvature = Curvature::one;
  bool bands = false, balanced = false, keep_last = false, grey_noise = false, neighbours = false;
  bool stages = false;
  bool matching = false, transport = false;  // as in the recipes nnst and strotss
  bool sliced = false;
};

Recipe recipe_of(const Case& c) {
  Recipe recipe = small_recipe();
  recipe.optimiser.kind = c.kind;
  recipe.optimiser.line_search = c.line_search;
  recipe.optimiser.curvature = c.curvature;
  if (c.kind == OptimiserKind::adam) recipe.optimiser.learning_rate = 0.02;
  if (c.kind == OptimiserKind::sgd) recipe.optimiser.learning_rate = 1e-3;
  recipe.optimiser.history = 4;
  recipe.optimiser.iterations = 21;
  recipe.pyramid.smallest = 20;
  if (c.bands) recipe.pyramid.bands = {0.5, 0.25};
  if (c.balanced) recipe.balance.kind = Balance::measured;
  if (c.keep_last) recipe.output.keep = Keep::last;
  recipe.output.look_every = 2;
  recipe.picture.border = 3;
  if (c.grey_noise) {
    recipe.picture.init = "noise";
    recipe.picture.seed = 5;
  }
  if (c.neighbours) {
    recipe.neighbours.weight = 1;
    recipe.neighbours.layers = {{"relu1_1", 1.0}};
    recipe.neighbours.every = 3;
  }
  if (c.stages) {
    recipe.stages = {{"rough", 2, {{"neighbours.weight", "0"}}},
                     {"fine",
                      1,
                      {{"pyramid.smallest", "0"},
                       {"optimiser.kind", "adam"},
                       {"optimiser.learning_rate", "0.01"}}}};
  }
  if (c.matching) {
    recipe.style.weight = 0;
    recipe.neighbours.weight = 1;
    recipe.neighbours.layers = {{"relu1_1", 1.0}, {"relu1_2", 1.0}};
    recipe.neighbours.matching = Matching::hypercolumns;
    recipe.neighbours.distance = NeighbourDistance::cosine;
    recipe.neighbours.turned = true;
    recipe.neighbours.photo = 0.75;
    recipe.neighbours.every = 0;
    recipe.stages = {{"match", 2, {}},
                     {"split",
                      1,
                      {{"neighbours.matching", "layers"},
                       {"neighbours.distance", "centred-cosine"},
                       {"neighbours.samples", "9"},
                       {"neighbours.every", "1"}}}};
  }
  if (c.transport) {
    recipe.content.weight = 0;
    recipe.style.weight = 0;
    recipe.transport.weight = 1;
    recipe.structure.weight = 2;
    recipe.transport.layers = recipe.structure.layers = {{"relu1_1", 0.01}, {"relu1_2", 0.01}};
    recipe.transport.every = 1;
    recipe.structure.every = 2;
    recipe.pyramid.detail = 1;
    recipe.picture.init = "mean";
    recipe.optimiser.learning_rate = 0.01;
    recipe.optimiser.beta2 = 0.9;
  }
  if (c.sliced) {
    recipe.style.statistic = StyleStatistic::sliced;
    recipe.style.every = 3;
  }
  recipe.picture.size = 0;
  return recipe;
}

class RunTest : public InAFolder {
 protected:
  Pictures pictures() const {
    return single_style(smooth_picture(kWidth, kHeight, 1), smooth_picture(33, 37, 2));
  }
  Plan plan(const Recipe& recipe) const { return make_plan(model_, sizes_of(pictures()), recipe); }

  static void expect_same(const Painted& found, const Painted& expected) {
    EXPECT_TRUE(same_bits(found.picture.rgb, expected.picture.rgb));
    EXPECT_EQ(found.outcome, expected.outcome);
    EXPECT_EQ(found.iteration, expected.iteration);
    EXPECT_EQ(found.best_iteration, expected.best_iteration);
    EXPECT_EQ(found.rejected_steps, expected.rejected_steps);
    EXPECT_EQ(found.unchanged, expected.unchanged);
    ASSERT_EQ(found.history.size(), expected.history.size());
    for (size_t i = 0; i < found.history.size(); ++i) {
      EXPECT_EQ(found.history[i].iteration, expected.history[i].iteration);
      EXPECT_EQ(found.history[i].width, expected.history[i].width);
      EXPECT_EQ(found.history[i].losses.total, expected.history[i].losses.total) << i;
    }
  }

  const Model model_ = small_vgg19();
};

class ARun : public RunTest, public testing::WithParamInterface<Case> {};

INSTANTIATE_TEST_SUITE_P(
    By, ARun,
    testing::Values(Case{"lbfgs", OptimiserKind::lbfgs},
                    Case{"lbfgs_line_search", OptimiserKind::lbfgs, LineSearch::strong_wolfe},
                    Case{"lbfgs_local_scales", OptimiserKind::lbfgs, LineSearch::strong_wolfe,
                         Curvature::local, true, true, false, true},
                    Case{"lbfgs_last", OptimiserKind::lbfgs, LineSearch::none, Curvature::one,
                         false, true, true},
                    Case{"lbfgs_neighbours", OptimiserKind::lbfgs, LineSearch::strong_wolfe,
                         Curvature::local, false, true, false, false, true},
                    Case{"adam_neighbours", OptimiserKind::adam, LineSearch::none, Curvature::one,
                         false, false, false, false, true},
                    Case{"stages", OptimiserKind::lbfgs, LineSearch::strong_wolfe, Curvature::one,
                         true, true, false, false, true, true},
                    Case{.name = "matching", .kind = OptimiserKind::adam, .matching = true},
                    Case{.name = "transport", .kind = OptimiserKind::rmsprop, .transport = true},
                    Case{.name = "sliced",
                         .kind = OptimiserKind::lbfgs,
                         .line_search = LineSearch::strong_wolfe,
                         .balanced = true,
                         .sliced = true},
                    Case{"adam", OptimiserKind::adam, LineSearch::none, Curvature::one, true},
                    Case{"sgd", OptimiserKind::sgd, LineSearch::none, Curvature::one, false, true}),
    [](const auto& info) { return info.param.name; });

using ARunOfStages = RunTest;

TEST_P(ARun, StepByStepIsWhatPaintMakes) {
  const Recipe recipe = recipe_of(GetParam());
  const Painted expected = paint(model_, pictures(), recipe);
  limn::Run run(model_, pictures(), plan(recipe));
  ASSERT_TRUE(run.has_begun());
  EXPECT_EQ(run.now().iteration, 0);
  int steps = 0;
  while (run.step()) {
    ++steps;
    EXPECT_EQ(run.now().iteration, steps);
    EXPECT_EQ(run.now().picture().width, kWidth);
  }
  int done = 0;
  for (const int at_size : run.iterations()) done += at_size;
  EXPECT_EQ(done, steps);
  expect_same(run.finish(), expected);
}

// Saved after any number of steps, the end of a size and the end of all among them.
TEST_P(ARun, GoesOnFromACheckpointToTheSamePicture) {
  const Recipe recipe = recipe_of(GetParam());
  const Painted expected = paint(model_, pictures(), recipe);
  const size_t steps = expected.history.size() - 1;
  ASSERT_GT(plan(recipe).levels.size(), 1u);
  for (size_t until = 0; until <= steps; until += kSanitized ? 6 : 1) {
    SCOPED_TRACE(until);
    {
      limn::Run run(model_, pictures(), plan(recipe));
      for (size_t i = 0; i < until; ++i) ASSERT_TRUE(run.step());
      run.save(path("a.limn"));
    }
    limn::Run run(model_, pictures(), plan(recipe), path("a.limn"));
    EXPECT_EQ(run.now().iteration, static_cast<int>(until));
    while (run.step()) {
    }
    expect_same(run.finish(), expected);
    if (HasFailure()) return;
  }
}

// As often as may be, by other numbers of threads.
TEST_P(ARun, MayBeInterruptedAtEveryStep) {
  Recipe recipe = recipe_of(GetParam());
  const Painted expected = paint(model_, pictures(), recipe);
  limn::Run(model_, pictures(), plan(recipe)).save(path("a.limn"));
  for (bool more = true; more;) {
    recipe.picture.threads = recipe.picture.threads % 3 + 1;
    limn::Run run(model_, pictures(), plan(recipe), path("a.limn"));
    more = run.step();
    run.save(path("a.limn"));
  }
  expect_same(limn::Run(model_, pictures(), plan(recipe), path("a.limn")).finish(), expected);
  EXPECT_EQ(names(), (std::set<std::string>{"a.limn"}));
}

// The second begins where the first has ended, with weights that it measures itself.
TEST_F(ARunOfStages, PaintsEachFromTheResultOfTheOneBefore) {
  const Recipe recipe = recipe_of({.name = "",
                                   .kind = OptimiserKind::lbfgs,
                                   .balanced = true,
                                   .neighbours = true,
                                   .stages = true});
  const Plan plan = this->plan(recipe);
  std::vector<int> numbers, widths;
  for (const Level& level : plan.levels) {
    numbers.push_back(level.stage);
    widths.push_back(level.sizes.picture.width);
  }
  EXPECT_EQ(numbers, (std::vector<int>{0, 0, 1}));
  EXPECT_EQ(widths, (std::vector<int>{20, kWidth, kWidth}));
  const Painted both = paint(model_, pictures(), recipe);

  ASSERT_EQ(plan.stages.size(), 2u);
  const Painted rough = paint(model_, pictures(), plan.stages[0]);
  Pictures going_on = pictures();
  going_on.initial = rough.picture;
  const Painted fine = paint(model_, going_on, plan.stages[1]);
  const auto first = std::ranges::find(both.history, 1, &IterationRecord::stage);
  ASSERT_NE(first, both.history.end());
  const int done = plan.stages[0].optimiser.iterations;
  EXPECT_EQ(first->iteration, done + 1);
  const double expected = fine.history[1].losses.total;
  EXPECT_NEAR(first->losses.total, expected, 0.02 * expected);
}

class ACheckpoint : public ARun {};
INSTANTIATE_TEST_SUITE_P(Of, ACheckpoint, testing::Values(Case{"lbfgs", OptimiserKind::lbfgs}));

TEST_P(ACheckpoint, SaysWhatItIsOf) {
  const Recipe recipe = recipe_of(GetParam());
  limn::Run run(model_, pictures(), plan(recipe));
  for (int i = 0; i < 3; ++i) run.step();
  run.save(path("a.limn"), {{"request", "a, \"b\"\n"}});
  const Checkpoint checkpoint = read_checkpoint(path("a.limn"));
  EXPECT_EQ(to_toml(checkpoint.recipe), to_toml(recipe));
  EXPECT_EQ(checkpoint.version, version());
  EXPECT_EQ(checkpoint.instruction_set, instruction_set());
  EXPECT_EQ(checkpoint.iteration, 3);
  EXPECT_GT(checkpoint.seconds, 0);
  EXPECT_EQ(checkpoint.notes, (Notes{{"request", "a, \"b\"\n"}}));
}

TEST_P(ACheckpoint, GoesOnForMoreIterationsThanWerePlanned) {
  Recipe recipe = recipe_of(GetParam());
  limn::Run run(model_, pictures(), plan(recipe));
  while (run.step()) {
  }
  run.save(path("a.limn"));
  const Painted before = run.finish();
  recipe.optimiser.iterations += 20;
  limn::Run more(model_, pictures(), plan(recipe), path("a.limn"));
  int steps = 0;
  while (more.step()) ++steps;
  EXPECT_GT(steps, 0);
  const Painted after = more.finish();
  EXPECT_LT(after.history.back().losses.total, before.history.back().losses.total);
}

TEST_P(ACheckpoint, IsRefusedForOtherPicturesWeightsAndSizes) {
  const Recipe recipe = recipe_of(GetParam());
  limn::Run run(model_, pictures(), plan(recipe));
  run.step();
  run.save(path("a.limn"));
  const auto resumed = [&](const Model& model, const Pictures& given, const Recipe& by) {
    return error_of(
        [&] { limn::Run(model, given, make_plan(model, sizes_of(given), by), path("a.limn")); });
  };
  Pictures other = pictures();
  other.photo.rgb[5] += 0.01f;
  EXPECT_TRUE(says(resumed(model_, other, recipe), ErrorKind::file, "different pictures"));
  other = pictures();
  other.styles[0].paintings[0].rgb[5] += 0.01f;
  EXPECT_TRUE(says(resumed(model_, other, recipe), ErrorKind::file, "different pictures"));
  auto weights = std::make_shared<Weights>(copy_of(model_.weights()));
  weights->convolutions[1].bias.data()[0] += 1;
  EXPECT_TRUE(
      says(resumed(Model(weights), pictures(), recipe), ErrorKind::file, "different weights"));
  Recipe larger = recipe;
  larger.pyramid.smallest = 0;
  larger.picture.size = 64;
  EXPECT_TRUE(says(resumed(model_, pictures(), larger), ErrorKind::file, "a size that"));
  Recipe longer = recipe;
  longer.optimiser.kind = OptimiserKind::adam;
  EXPECT_TRUE(says(resumed(model_, pictures(), longer), ErrorKind::file, "has no 'adam.m'"));
}

// A cut at every thousandth byte, and bytes flipped all over: an error, or a run that ends.
TEST_P(ACheckpoint, ThatIsDamagedIsAnErrorOrHarmless) {
  const Recipe recipe = recipe_of(GetParam());
  limn::Run run(model_, pictures(), plan(recipe));
  for (int i = 0; i < 12; ++i) run.step();
  run.save(path("a.limn"));
  const std::string whole = contents(path("a.limn"));
  const auto outcome = [&](const std::string& bytes) {
    std::ofstream(path("b.limn"), std::ios::binary) << bytes;
    try {
      limn::Run damaged(model_, pictures(), plan(recipe), path("b.limn"));
      for (int i = 0; i < 3 && damaged.step(); ++i) {
      }
      damaged.finish();
      return false;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::file) << error.what();
      return true;
    }
  };
  for (size_t length = 0; length < whole.size(); length += whole.size() / 40) {
    EXPECT_TRUE(outcome(whole.substr(0, length))) << length << " of " << whole.size();
  }
  Random random(1);
  int refused = 0;
  constexpr int kFlips = kSanitized ? 60 : 200;
  for (int i = 0; i < kFlips; ++i) {
    std::string bytes = whole;
    // Half of them in the header.
    const size_t range = i % 2 == 0 ? std::min<size_t>(bytes.size(), 6000) : bytes.size();
    bytes[static_cast<size_t>(random.uniform() * static_cast<double>(range))] ^=
        static_cast<char>(1 + static_cast<int>(random.uniform() * 255));
    refused += outcome(bytes) ? 1 : 0;
  }
  EXPECT_GT(refused, kFlips / 4);
  EXPECT_TRUE(says(error_of([&] { read_checkpoint(path("missing.limn")); }), ErrorKind::file));
  EXPECT_TRUE(outcome("text"));
}

// A match is the number of one of the painting's positions, or 0.
TEST_F(RunTest, RefusesACheckpointWhoseMatchesAreNoneOfThePainting) {
  const Recipe recipe = recipe_of({.name = "", .kind = OptimiserKind::adam, .neighbours = true});
  limn::Run run(model_, pictures(), plan(recipe));
  run.step();
  run.save(path("a.limn"));
  const SafetensorsFile file = open_safetensors(FileBytes(path("a.limn")));
  const auto found = std::ranges::find_if(file.header.tensors, [](const auto& named) {
    return named.first.find(".matches.") != std::string::npos;
  });
  ASSERT_NE(found, file.header.tensors.end());
  const std::string whole = contents(path("a.limn"));
  const auto resumed_with = [&](std::uint32_t match) {
    std::string bytes = whole;
    std::memcpy(bytes.data() + file.data_begin + found->second.end - sizeof(match), &match,
                sizeof(match));
    limn::Run(model_, pictures(), plan(recipe), with_text("b.limn", bytes)).step();
  };
  // At the first size, the painting at relu1_1.
  const Size painting = run.plan().levels.front().sizes.paintings.front();
  const auto positions = static_cast<std::uint32_t>(painting.height * painting.width);
  resumed_with(0);
  resumed_with(positions);
  for (const std::uint32_t match : {positions + 1, ~std::uint32_t{0}}) {
    EXPECT_TRUE(
        says(error_of([&] { resumed_with(match); }), ErrorKind::file, path("b.limn"), found->first,
             fmt::format("is {}, but should be a whole number from 0 to {}", match, positions)));
  }
}

}  // namespace
}  // namespace limn
