// Projections of features and their way back, against the slow twins, in whole numbers, whose
// products and sums are exact.
#include <gtest/gtest.h>

#include "kernels/kernels.h"
#include "kernels/reference.h"
#include "support/guarded_memory.h"
#include "support/random_values.h"
#include "support/simd_targets.h"

namespace limn {
namespace {

class Projection : public testing::Test {
 protected:
  void expect_like_twins(int channels, int height, int width) {
    SCOPED_TRACE(testing::Message() << channels << " channels, " << height << " x " << width);
    const std::vector<float> V = random_wholes(size_t(channels) * channels, 3, 3);
    const GuardedMap F = whole_map(channels, height, width);
    const auto before = [](int c, int y, int x) { return static_cast<float>(c - 2 * y + x); };
    GuardedMap P(channels, height, width), back(channels, height, width);
    reference::project(V, F, P);
    back.fill(before);
    reference::add_projection_backward(V, F, back);
    on_every_target([&] {
      for (ThreadPool* pool : {&one_thread_, &three_threads_}) {
        GuardedMap found(channels, height, width), added(channels, height, width);
        kernels::project(V, F, found, *pool);
        ASSERT_TRUE(found.written_inside_only());
        ASSERT_TRUE(same_values(found, P, channels, height, width));
        added.fill(before);
        kernels::add_projection_backward(V, F, added, *pool);
        ASSERT_TRUE(added.written_inside_only());
        ASSERT_TRUE(same_values(added, back, channels, height, width));
      }
    });
  }

  GuardedMap whole_map(int channels, int height, int width) {
    return GuardedMap(channels, height, width,
                      [&](int, int, int) { return random_whole(random_, 4); });
  }

  Random random_{5};
  ThreadPool one_thread_{1};
  ThreadPool three_threads_{3};
};

TEST_F(Projection, IsItsTwinAtSmallSizes) {
  for (const int channels : {16, 32, 48}) {
    for (int width = 1; width <= 26; ++width) {
      expect_like_twins(channels, 2, width);
      if (HasFailure()) return;
    }
  }
}

// Sums over more than 128 channels are taken in parts, rows wider than 96 in strips.
TEST_F(Projection, OfManyChannelsOrWideRowsIsItsTwin) {
  for (const auto& [channels, width] :
       {std::pair{128, 5}, {144, 7}, {272, 13}, {16, 99}, {32, 205}}) {
    expect_like_twins(channels, 3, width);
    if (HasFailure()) return;
  }
}

// <V F, D> = <F, V^T D>
TEST_F(Projection, BackwardIsItsAdjoint) {
  constexpr int kC = 48;
  const std::vector<float> V = random_wholes(kC * kC, 3, 3);
  const GuardedMap F = whole_map(kC, 5, 7), D = whole_map(kC, 5, 7);
  GuardedMap P(kC, 5, 7);
  const auto zero = [](int, int, int) { return 0.0f; };
  GuardedMap back(kC, 5, 7, zero);
  kernels::project(V, F, P, three_threads_);
  kernels::add_projection_backward(V, D, back, three_threads_);
  double there = 0, here = 0;
  for_each_value(kC, 5, 7, [&](int c, int y, int x) {
    there += double{P.at(c, y, x)} * D.at(c, y, x);
    here += double{F.at(c, y, x)} * back.at(c, y, x);
  });
  EXPECT_EQ(there, here);
  EXPECT_NE(there, 0);
}

}  // namespace
}  // namespace limn
