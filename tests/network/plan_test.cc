// What a pass keeps, and that nothing lies on something else that is still needed.
#include "network/plan.h"

#include <gtest/gtest.h>

#include <string>

#include "network/vgg.h"

namespace limn {
namespace {

using Layers = std::vector<std::string>;

PassPlan plan_of(const Layers& layers, bool features, int height, int width, Purpose purpose,
                 Pooling pooling = Pooling::max) {
  std::vector<TapRequest> taps;
  for (const std::string& layer : layers) {
    taps.push_back({*find_layer(kVgg19, layer), features, !features});
  }
  return plan_pass(kVgg19.rows, pooling, height, width, taps, purpose, 2);
}

std::vector<const Region*> regions_of(const PassPlan& plan) {
  std::vector<const Region*> regions = {&plan.input, &plan.d_input, &plan.edges,
                                        &plan.first_level_scratch, &plan.gram_scratch};
  for (const RowPlan& row : plan.rows) {
    regions.insert(regions.end(), {&row.output, &row.scratch, &row.signs, &row.right, &row.below});
  }
  for (const TapPlan& tap : plan.taps) regions.push_back(&tap.map);
  return regions;
}

const Layers kTapSets[] = {
    {"relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu4_2", "relu5_1"},
    {"conv1_1", "relu1_1", "conv3_2", "relu3_2", "pool3"},
    {"relu2_2", "pool2", "conv5_4"},
    {"conv1_1"},
};

TEST(PassPlan, KeepsWhatLivesAtTheSameTimeApart) {
  for (const Layers& layers : kTapSets) {
    for (const Pooling pooling : {Pooling::max, Pooling::average}) {
      for (const Purpose purpose : {Purpose::features, Purpose::gradients}) {
        for (const bool features : {false, true}) {
          const PassPlan plan = plan_of(layers, features, 50, 66, purpose, pooling);
          const auto regions = regions_of(plan);
          for (size_t i = 0; i < regions.size(); ++i) {
            const Region& a = *regions[i];
            EXPECT_LE(a.offset + a.bytes, plan.arena_bytes);
            for (size_t j = 0; j < i; ++j) {
              const Region& b = *regions[j];
              const bool together = a.first_step <= b.last_step && b.first_step <= a.last_step;
              const bool apart = a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset;
              EXPECT_TRUE(!together || apart || a.bytes == 0 || b.bytes == 0);
            }
          }
        }
      }
    }
  }
}

// Whatever the order in which regions are placed, no less will do than what one step needs.
TEST(PassPlan, OfTheDefaultLayersTakesLittleMoreThanItsLargestStep) {
  for (const int size : {256, 512, 1024}) {
    const PassPlan plan = plan_of(kTapSets[0], false, size, size, Purpose::gradients);
    size_t most = 0;
    for (int step = 0; step <= plan.rows.back().step; ++step) {
      size_t bytes = 0;
      for (const Region* region : regions_of(plan)) {
        if (region->first_step <= step && step <= region->last_step) bytes += region->bytes;
      }
      most = std::max(most, bytes);
    }
    EXPECT_LE(static_cast<double>(plan.arena_bytes), 1.05 * static_cast<double>(most)) << size;
  }
}

TEST(PassPlan, RunsRowsThatAreDoneInOneInOneStep) {
  const PassPlan plan = plan_of({"relu2_2", "pool2", "relu3_1"}, false, 32, 32, Purpose::features);
  std::vector<int> steps;
  for (const RowPlan& row : plan.rows) steps.push_back(row.step);
  // conv1_1 to pool1 are fused; relu2_2 is read, so its pooling stands alone.
  EXPECT_EQ(steps, (std::vector<int>{0, 0, 0, 1, 2, 3, 4}));
  EXPECT_TRUE(plan.fused_first_level);
}

// Features alone need no gradient's maps, and no map of its own where every row is tapped.
TEST(PassPlan, HasNoMemoryForWhatIsNotAskedFor) {
  constexpr int kSide = 160;
  const auto bytes = [](const Layers& layers, bool features, Purpose purpose) {
    return plan_of(layers, features, kSide, kSide, purpose).bytes();
  };
  const size_t features = bytes({"relu1_1"}, true, Purpose::features);
  EXPECT_LT(features, bytes({"relu1_1"}, true, Purpose::gradients));
  // One tapped map and the picture.
  const size_t map = FeatureMap{nullptr, 64, kSide, kSide}.floats() * sizeof(float);
  EXPECT_LT(features, 2 * map);
  // The first level's maps of full size do not exist where only a Gram matrix of them is read.
  for (const char* layer : {"conv1_1", "relu1_1"}) {
    const size_t fused = bytes({layer, "pool1"}, false, Purpose::gradients);
    EXPECT_LT(fused + map / 2, bytes({layer, "pool1"}, true, Purpose::gradients));
  }
}

}  // namespace
}  // namespace limn
