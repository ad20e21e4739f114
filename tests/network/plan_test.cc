// What a pass keeps, and that nothing lies on something else that is still needed.
#include "network/plan.h"

#include <gtest/gtest.h>

#include <string>

#include "network/vgg.h"

namespace limn {
namespace {

using Layers = std::vector<std::string>;

// What is read of the layers; half_gram: G, with F in half precision if that may be.
enum class Reads { gram, half_gram, features };
constexpr Reads kReads[] = {Reads::gram, Reads::half_gram, Reads::features};

PassPlan plan_of(const Layers& layers, Reads reads, int height, int width, Purpose purpose,
                 Pooling pooling = Pooling::max) {
  std::vector<TapRequest> taps;
  for (const std::string& layer : layers) {
    const bool features = reads == Reads::features;
    taps.push_back({*find_layer(kVgg19, layer), features, !features, reads == Reads::half_gram});
  }
  return plan_pass(kVgg19.rows, pooling, height, width, taps, purpose, 2);
}

std::vector<const Region*> regions_of(const PassPlan& plan) {
  std::vector<const Region*> regions = {&plan.input, &plan.d_input, &plan.borders,
                                        &plan.first_level_scratch};
  for (const RowPlan& row : plan.rows) {
    regions.insert(regions.end(), {&row.output, &row.scratch, &row.gram_scratch, &row.signs,
                                   &row.right, &row.below});
  }
  for (const TapPlan& tap : plan.taps) regions.insert(regions.end(), {&tap.map, &tap.half});
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
        for (const Reads reads : kReads) {
          const PassPlan plan = plan_of(layers, reads, 50, 66, purpose, pooling);
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
  for (const Reads reads : {Reads::gram, Reads::half_gram}) {
    for (const int size : {256, 512, 1024}) {
      const PassPlan plan = plan_of(kTapSets[0], reads, size, size, Purpose::gradients);
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
}

TEST(PassPlan, RunsRowsThatAreDoneInOneInOneStep) {
  const PassPlan plan =
      plan_of({"relu2_2", "pool2", "relu3_1"}, Reads::gram, 32, 32, Purpose::features);
  std::vector<int> steps;
  for (const RowPlan& row : plan.rows) steps.push_back(row.step);
  // conv1_1 to pool1 are fused; relu2_2 is read, so its pooling stands alone.
  EXPECT_EQ(steps, (std::vector<int>{0, 0, 0, 1, 2, 3, 4}));
  EXPECT_TRUE(plan.fused_first_level);
}

// Features alone need no gradient's maps, and no map of its own where every row is tapped.
TEST(PassPlan, HasNoMemoryForWhatIsNotAskedFor) {
  constexpr int kSide = 160;
  const auto bytes = [](const Layers& layers, Reads reads, Purpose purpose) {
    return plan_of(layers, reads, kSide, kSide, purpose).arena_bytes;
  };
  const size_t features = bytes({"relu1_1"}, Reads::features, Purpose::features);
  EXPECT_LT(features, bytes({"relu1_1"}, Reads::features, Purpose::gradients));
  // One tapped map and the picture.
  const size_t map = FeatureMap{nullptr, 64, kSide, kSide}.floats() * sizeof(float);
  EXPECT_LT(features, 2 * map);
  // The first level's maps of full size do not exist where only a Gram matrix of them is read.
  for (const char* layer : {"conv1_1", "relu1_1"}) {
    const size_t fused = bytes({layer, "pool1"}, Reads::gram, Purpose::gradients);
    EXPECT_LT(fused + map / 2, bytes({layer, "pool1"}, Reads::features, Purpose::gradients));
  }
  // Features of which there is a Gram matrix already, and no gradient to come.
  const Layers layers = {"relu2_1", "relu5_1"};
  EXPECT_LT(bytes(layers, Reads::gram, Purpose::features) + map / 4,
            bytes(layers, Reads::features, Purpose::features));
}

// ---- half precision ----

TEST(PassPlan, KeepsInHalfPrecisionWhatOnlyAGramMatrixIsReadOf) {
  // relu1_1 lies in the fused first level; relu5_1 lives for one step anyway.
  std::vector<TapRequest> taps;
  for (const char* layer : {"relu1_1", "relu2_1", "conv3_1", "relu4_1", "relu4_2", "relu5_1"}) {
    taps.push_back({*find_layer(kVgg19, layer), false, true, true});
  }
  taps[3].half = false;
  taps[4].features = true;
  const auto kept = [&](Purpose purpose) {
    std::vector<bool> in_half;
    const PassPlan plan = plan_pass(kVgg19.rows, Pooling::max, 64, 48, taps, purpose, 2);
    for (const TapPlan& tap : plan.taps) in_half.push_back(tap.half.bytes > 0);
    return in_half;
  };
  EXPECT_EQ(kept(Purpose::gradients), (std::vector{false, true, true, false, false, false}));
  EXPECT_EQ(kept(Purpose::features), std::vector<bool>(6, false));
}

// At 1024 the largest step, conv4_4, keeps relu2_1, relu3_1 and relu4_1 in 112 bytes a pixel less.
// Then relu3_3 is the largest, with 96 bytes less than it had.
TEST(PassPlan, InHalfPrecisionTakesAQuarterLess) {
  const auto bytes = [](Reads reads) {
    const Layers layers = {"relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"};
    return static_cast<double>(plan_of(layers, reads, 1024, 1024, Purpose::gradients).arena_bytes);
  };
  EXPECT_LT(bytes(Reads::half_gram), 0.75 * bytes(Reads::gram));
}

}  // namespace
}  // namespace limn
