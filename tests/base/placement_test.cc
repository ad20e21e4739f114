#include "base/placement.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/buffer.h"
#include "base/random.h"

namespace limn {
namespace {

size_t placed(std::vector<Region>& regions) {
  std::vector<Region*> pointers;
  for (Region& region : regions) pointers.push_back(&region);
  return place(pointers);
}

TEST(Placement, OfNothingTakesNothing) {
  std::vector<Region> none;
  EXPECT_EQ(placed(none), 0u);
  std::vector<Region> empty = {{0, 0, 5}};
  EXPECT_EQ(placed(empty), 0u);
}

TEST(Placement, SharesWhatIsNotNeededTogether) {
  std::vector<Region> one_after_another = {{640, 0, 1}, {640, 2, 3}, {640, 4, 4}};
  EXPECT_EQ(placed(one_after_another), 640u);
  std::vector<Region> touching = {{640, 0, 1}, {640, 1, 2}};
  EXPECT_EQ(placed(touching), 1280u) << "both are needed in step 1";
}

// What is needed for long in the middle of a piece that others have before and after it.
TEST(Placement, PutsTwoSmallOnesWhereALargeOneWas) {
  std::vector<Region> regions = {{1280, 0, 1}, {640, 2, 9}, {640, 3, 9}};
  EXPECT_EQ(placed(regions), 1280u);
}

TEST(Placement, AlignsEveryRegion) {
  std::vector<Region> regions = {{1, 0, 0}, {65, 0, 0}, {130, 0, 0}};
  EXPECT_EQ(placed(regions), (1u + 2u + 3u) * kBufferAlignment);
  for (const Region& region : regions) EXPECT_EQ(region.offset % kBufferAlignment, 0u);
}

TEST(Placement, NeverLetsRegionsOfOneStepOverlap) {
  Random random(3);
  const auto below = [&](int end) { return static_cast<int>(random.uniform() * end); };
  for (int round = 0; round < 200; ++round) {
    std::vector<Region> regions;
    for (int i = 0; i < 25; ++i) {
      const int first = below(10);
      regions.push_back({static_cast<size_t>(below(2000)), first, first + below(5)});
    }
    const size_t total = placed(regions);
    for (const Region& a : regions) {
      EXPECT_LE(a.offset + a.bytes, total);
      for (const Region& b : regions) {
        if (&a == &b || a.first_step > b.last_step || b.first_step > a.last_step) continue;
        if (a.bytes == 0 || b.bytes == 0) continue;
        EXPECT_TRUE(a.offset + a.bytes <= b.offset || b.offset + b.bytes <= a.offset);
      }
    }
  }
}

}  // namespace
}  // namespace limn
