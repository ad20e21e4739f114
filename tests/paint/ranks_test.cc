// Several processes that paint one picture together: they are threads here.
#include <gtest/gtest.h>
#include <limn/limn.h>

#include <optional>
#include <string>
#include <vector>

#include "support/drawn.h"
#include "support/masks.h"
#include "support/same_bits.h"
#include "support/temporary_folder.h"
#include "support/thread_ranks.h"

namespace limn {
namespace {

constexpr int kWidth = 72, kHeight = 55;
constexpr Budget kTiles = {0, 32};  // 6 of them; the painting has 4

struct Kind {
  std::string name;
  void (*change)(Recipe&);
};

// Every loss that keeps something of tiles besides sums.
const std::vector<Kind> kKinds = {
    {"gram", [](Recipe&) {}},
    {"neighbours",
     [](Recipe& recipe) {
       recipe.neighbours.weight = 0.1;
       recipe.neighbours.layers = {{"relu1_1", 1.0}};
       recipe.neighbours.every = 2;
       recipe.neighbours.uses = 2;
       recipe.content.layers = {{"relu1_2", 1.0}};
     }},
    {"sliced",
     [](Recipe& recipe) {
       recipe.style.statistic = StyleStatistic::sliced;
       recipe.style.every = 2;
     }},
    {"columns",
     [](Recipe& recipe) {
       recipe.neighbours.weight = 0.1;
       recipe.neighbours.layers = {{"relu1_1", 1.0}, {"relu1_2", 1.0}};
       recipe.neighbours.matching = Matching::hypercolumns;
     }},
    {"drawn_columns",
     [](Recipe& recipe) {
       recipe.transport.weight = 1;
       recipe.transport.layers = {{"relu1_1", 1.0}, {"relu1_2", 1.0}};
       recipe.structure.weight = 1;
       recipe.structure.layers = {{"relu1_1", 1.0}, {"relu1_2", 1.0}};
       recipe.total_variation.weight = 1e-3;
     }},
};

class PaintingByRanks : public InAFolder, public testing::WithParamInterface<size_t> {
 protected:
  PaintingByRanks() {
    recipe_.picture.size = 0;
    recipe_.optimiser.iterations = 5;
    recipe_.pyramid.smallest = 30;
    recipe_.picture.threads = 1;
    kKinds[GetParam()].change(recipe_);
  }
  static Pictures pictures(bool masked) {
    Pictures pictures = single_style(smooth_picture(kWidth, kHeight, 1), smooth_picture(63, 57, 2));
    if (!masked) return pictures;
    Style second = pictures.styles.front();
    second.paintings.front() = smooth_picture(50, 60, 3);
    pictures.styles.push_back(second);
    pictures.styles[0].to = halves(kWidth, kHeight, 1, 0);
    return pictures;
  }
  // By rank 0.
  Painted painted(int ranks, bool masked, const std::string& checkpoint = "", int stop_after = -1,
                  const std::string& save_as = "") {
    const Plan plan = make_plan(model_, sizes_of(pictures(masked)), recipe_, kTiles);
    std::optional<Painted> painted;
    ThreadRanks group(ranks);
    group.run([&](Ranks& own) {
      limn::Run run = checkpoint.empty()
                          ? limn::Run(model_, pictures(masked), plan, &own)
                          : limn::Run(model_, pictures(masked), plan, checkpoint, &own);
      if (own.rank() > 0) return run.follow();
      for (int i = 0; i != stop_after && run.step(); ++i) {
      }
      if (!save_as.empty()) run.save(save_as);
      painted = run.finish();
    });
    exchanged_ = group.exchanged();
    return *painted;
  }

  const Model model_ = small_vgg19();
  Recipe recipe_ = small_recipe();
  size_t exchanged_ = 0;
};

void expect_same(const Painted& found, const Painted& expected) {
  ASSERT_EQ(found.history.size(), expected.history.size());
  for (size_t i = 0; i < found.history.size(); ++i) {
    EXPECT_EQ(found.history[i].losses.total, expected.history[i].losses.total) << i;
  }
  EXPECT_TRUE(same_bits(found.picture.rgb, expected.picture.rgb));
}

// Seven ranks are more than there are tiles.
TEST_P(PaintingByRanks, GivesTheSamePictureHoweverManyThereAre) {
  for (const bool masked : {false, true}) {
    if (masked && recipe_.transport.weight != 0) continue;  // refused
    const Plan plan = make_plan(model_, sizes_of(pictures(masked)), recipe_, kTiles);
    const Painted alone = paint(model_, pictures(masked), plan);
    for (const int ranks : {2, 7}) {
      SCOPED_TRACE(testing::Message() << ranks << " ranks, masks: " << masked);
      expect_same(painted(ranks, masked), alone);
      const size_t gradient = 12 * kWidth * kHeight;
      EXPECT_GT(exchanged_, gradient) << "they did not work together";
    }
  }
}

TEST_P(PaintingByRanks, GoesOnWithAnotherNumberOfThem) {
  const Painted expected = painted(1, false);
  painted(3, false, "", 2, path("a.limn"));
  expect_same(painted(2, false, path("a.limn")), expected);
  expect_same(painted(1, false, path("a.limn")), expected);
}

INSTANTIATE_TEST_SUITE_P(With, PaintingByRanks, testing::Range<size_t>(0, kKinds.size()),
                         [](const auto& info) { return kKinds[info.param].name; });

}  // namespace
}  // namespace limn
