// The sizes of a painting from coarse to fine, and their iterations.
#include "paint/pyramid.h"

#include <gtest/gtest.h>

#include <numeric>

namespace limn {
namespace {

Recipe pyramid_recipe(int smallest, int iterations = 100, double fall = 0.7) {
  Recipe recipe;
  recipe.pyramid.smallest = smallest;
  recipe.pyramid.fall = fall;
  recipe.optimiser.iterations = iterations;
  return recipe;
}

std::vector<int> widths_of(const std::vector<Level>& levels) {
  std::vector<int> widths;
  for (const Level& level : levels) widths.push_back(level.sizes.picture.width);
  return widths;
}

std::vector<int> iterations_of(const std::vector<Level>& levels) {
  std::vector<int> iterations;
  for (const Level& level : levels) iterations.push_back(level.iterations);
  return iterations;
}

WorkingSizes sizes_of(int width, int height) { return {{height, width}, {{height, width}}}; }

TEST(Pyramid, GoesFromTheSmallestSizeToThePicturesInDoublings) {
  EXPECT_EQ(widths_of(pyramid_levels(sizes_of(1024, 512), pyramid_recipe(128))),
            (std::vector<int>{128, 256, 512, 1024}));
  EXPECT_EQ(widths_of(pyramid_levels(sizes_of(512, 512), pyramid_recipe(256))),
            (std::vector<int>{256, 512}));
  // Between doublings as evenly as can be: 256 * 2.93^(1/2) = 438.2
  EXPECT_EQ(widths_of(pyramid_levels(sizes_of(750, 500), pyramid_recipe(256))),
            (std::vector<int>{256, 438, 750}));
}

TEST(Pyramid, EndsAtTheVerySizesThatItIsGiven) {
  const WorkingSizes sizes = {{333, 500}, {{77, 100}, {501, 3}}};
  const std::vector<Level> levels = pyramid_levels(sizes, pyramid_recipe(100));
  EXPECT_EQ(levels.back().sizes, sizes);
}

TEST(Pyramid, ShrinksPaintingsWithThePicture) {
  const WorkingSizes sizes = {{300, 400}, {{200, 100}, {401, 600}}};
  const std::vector<Level> levels = pyramid_levels(sizes, pyramid_recipe(100));
  ASSERT_EQ(levels.size(), 3u);
  EXPECT_EQ(levels[0].sizes, (WorkingSizes{{75, 100}, {{50, 25}, {100, 150}}}));
  EXPECT_EQ(levels[1].sizes, (WorkingSizes{{150, 200}, {{100, 50}, {201, 300}}}));  // 200.5
}

TEST(Pyramid, IsOfOneSizeWhereTheSmallestIsNoneOrNear) {
  const WorkingSizes sizes = sizes_of(512, 300);
  for (const int smallest : {0, 512, 513, 1000, 400}) {  // 512 / 400 is nearer to 1 than to 2
    const std::vector<Level> levels = pyramid_levels(sizes, pyramid_recipe(smallest, 37));
    ASSERT_EQ(levels.size(), 1u) << smallest;
    EXPECT_EQ(levels[0].sizes, sizes);
    EXPECT_EQ(levels[0].iterations, 37);
  }
}

TEST(Pyramid, EndsAtTheLargestIfThePictureIsLarger) {
  Recipe recipe = pyramid_recipe(64);
  recipe.pyramid.largest = 128;
  EXPECT_EQ(widths_of(pyramid_levels(sizes_of(1024, 512), recipe)), (std::vector<int>{64, 128}));
  recipe.pyramid.smallest = 0;
  EXPECT_EQ(widths_of(pyramid_levels(sizes_of(1024, 512), recipe)), (std::vector<int>{128}));
  EXPECT_EQ(widths_of(pyramid_levels(sizes_of(100, 50), recipe)), (std::vector<int>{100}));
  EXPECT_TRUE(pyramid_levels(sizes_of(1024, 100), recipe).empty()) << "12 rows are too few";
}

TEST(Pyramid, BeginsAlikeForAllLargeSizes) {
  for (const int longest : {512, 768, 1024, 2048, 4096}) {
    const WorkingSizes sizes = sizes_of(longest, longest * 3 / 4);
    EXPECT_EQ(pyramid_levels(sizes, pyramid_recipe(256))[0].sizes, sizes_of(256, 192)) << longest;
  }
}

// 0.7^0 to 0.7^3 of 100 / 2.533 each: 39.5, 27.6, 19.4 and 13.5, whose sums are rounded.
TEST(Pyramid, SharesOutAllIterations) {
  EXPECT_EQ(iterations_of(pyramid_levels(sizes_of(1024, 512), pyramid_recipe(128))),
            (std::vector<int>{39, 28, 19, 14}));
  for (int iterations = 0; iterations < 60; ++iterations) {
    for (const double fall : {0.05, 0.7, 1.0, 3.0}) {
      const std::vector<Level> levels =
          pyramid_levels(sizes_of(1024, 512), pyramid_recipe(128, iterations, fall));
      const std::vector<int> each = iterations_of(levels);
      EXPECT_EQ(std::accumulate(each.begin(), each.end(), 0), iterations);
      EXPECT_EQ(levels.back().sizes, sizes_of(1024, 512));
      for (const int own : each) EXPECT_GT(own, iterations == 0 ? -1 : 0) << iterations;
    }
  }
}

// Nothing is blurred by sizes at which nothing is done.
TEST(Pyramid, OfFewIterationsHasFewSizes) {
  const WorkingSizes sizes = sizes_of(1024, 512);
  EXPECT_EQ(widths_of(pyramid_levels(sizes, pyramid_recipe(128, 0))), (std::vector<int>{1024}));
  EXPECT_EQ(widths_of(pyramid_levels(sizes, pyramid_recipe(128, 1))), (std::vector<int>{1024}));
  EXPECT_EQ(pyramid_levels(sizes, pyramid_recipe(128, 1)).back().iterations, 1);
}

// A strip of 20 to 1: its smaller sizes would have fewer pixels a side than the network halves.
TEST(Pyramid, LeavesOutSizesThatAreTooNarrow) {
  EXPECT_EQ(widths_of(pyramid_levels(sizes_of(2000, 100), pyramid_recipe(250))),
            (std::vector<int>{500, 1000, 2000}));
  WorkingSizes sizes = sizes_of(2000, 2000);
  sizes.paintings = {{2000, 2000}, {60, 2000}};
  EXPECT_EQ(widths_of(pyramid_levels(sizes, pyramid_recipe(250))), (std::vector<int>{1000, 2000}));
  sizes = sizes_of(2000, 10);
  EXPECT_EQ(widths_of(pyramid_levels(sizes, pyramid_recipe(250))), (std::vector<int>{2000}));
}

// A picture that repeats has whole cells at the deepest layer, at every size.
TEST(Pyramid, RoundsThePicturesSidesToSteps) {
  const WorkingSizes sizes = {{240, 400}, {{300, 300}}};
  const std::vector<Level> levels = pyramid_levels(sizes, pyramid_recipe(100), 16);
  ASSERT_EQ(levels.size(), 3u);
  EXPECT_EQ(levels[0].sizes, (WorkingSizes{{64, 96}, {{75, 75}}}));
  EXPECT_EQ(levels[1].sizes, (WorkingSizes{{128, 208}, {{150, 150}}}));
  EXPECT_EQ(levels[2].sizes, sizes);
}

}  // namespace
}  // namespace limn
