// When to stop, by a clock that goes as the test says.
#include "paint/schedule.h"

#include "base/stopwatch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace limn {
namespace {

Level level_of(int side, int iterations) { return {0, {{side, side}, {}}, iterations}; }

// Sizes of which one iteration costs four times the one before; of the whole cost the first has
// 100 of 300 parts.
const std::vector<Level> kLevels = {level_of(100, 40), level_of(200, 20)};

class ByTheClock : public testing::Test {
 protected:
  Schedule of(double limit, const std::vector<Level>& levels = kLevels) {
    return Schedule([this] { return now_; }, levels, limit);
  }
  // Runs a level whose iterations take so long; returns how many fitted.
  int run(Schedule& schedule, size_t level, double setting_up, double iteration) {
    schedule.begin(level);
    now_ += setting_up;
    schedule.begin_iterations();
    int done = 0;
    while (done < 1000 && schedule.has_time_for_an_iteration()) {
      now_ += iteration;
      schedule.count_iteration();
      ++done;
    }
    return done;
  }

  double now_ = 0;
};

TEST_F(ByTheClock, WithoutALimitThereIsTimeForEverything) {
  Schedule schedule = of(0);
  EXPECT_EQ(run(schedule, 0, 1e6, 1e6), 1000);
  EXPECT_TRUE(schedule.has_time_for(1));
  EXPECT_EQ(run(schedule, 1, 1e6, 1e6), 1000);
}

TEST_F(ByTheClock, OneSizeHasNearlyAllTheTime) {
  Schedule schedule = of(100, {level_of(100, 10)});
  const int done = run(schedule, 0, 0.5, 1);
  EXPECT_GE(done, 95);
  EXPECT_LE(now_, 100);
}

// 40 iterations of 1 part and 20 of 4: the first has a third of the time.
TEST_F(ByTheClock, SizesHaveTheirShareOfTheTime) {
  Schedule schedule = of(120);
  const int first = run(schedule, 0, 0, 1);
  EXPECT_NEAR(first, 120 / 3.0, 2);
  EXPECT_TRUE(schedule.has_time_for(1));
  const int second = run(schedule, 1, 0, 4);
  EXPECT_NEAR(second, 120 * 2 / 3.0 / 4, 2);
  EXPECT_LE(now_, 120);
}

TEST_F(ByTheClock, WhatOneSizeLeavesTheNextHas) {
  Schedule schedule = of(120);
  schedule.begin(0);
  schedule.begin_iterations();
  for (int i = 0; i < 5; ++i) {
    now_ += 1;
    schedule.count_iteration();
  }
  EXPECT_NEAR(run(schedule, 1, 0, 4), 115 / 4.0, 2);
}

// Measuring weights and targets takes as long as a dozen iterations, and is no iteration.
TEST_F(ByTheClock, SettingUpIsNotTakenForAnIteration) {
  Schedule schedule = of(120);
  const int done = run(schedule, 0, 20, 1);
  EXPECT_NEAR(done, 20, 2);
  EXPECT_TRUE(schedule.has_time_for(1));
  EXPECT_GE(run(schedule, 1, 0, 4), 17);
}

TEST_F(ByTheClock, ASizeThatWouldHaveFewIterationsIsNotBegun) {
  Schedule schedule = of(60);
  run(schedule, 0, 0, 1);  // until 20
  EXPECT_TRUE(schedule.has_time_for(1)) << "38 seconds for iterations of 4";
  now_ = 40;
  EXPECT_FALSE(schedule.has_time_for(1)) << "18 seconds for iterations of 4";
}

TEST_F(ByTheClock, TheFirstSizeAlwaysBegins) {
  now_ = 50;
  Schedule schedule = of(1);
  EXPECT_TRUE(schedule.has_time_for(0));
  EXPECT_EQ(run(schedule, 0, 1, 1), 0);
}

// Iterations that become slower are believed.
TEST_F(ByTheClock, NoIterationIsBegunThatWouldEndTooLate) {
  Schedule schedule = of(100, {level_of(100, 10)});
  schedule.begin(0);
  schedule.begin_iterations();
  now_ = 60;
  schedule.count_iteration();
  EXPECT_FALSE(schedule.has_time_for_an_iteration());
}

TEST(Stopwatch, GoesForward) {
  const Stopwatch stopwatch;
  const double first = stopwatch();
  EXPECT_GE(first, 0);
  EXPECT_GE(stopwatch(), first);
  EXPECT_LT(first, 60);
}

// ---- plateaus ----

// After how many losses of f(i) it was reached; 0: never.
template <typename F>
int reached_after(double share, F&& f) {
  Plateau plateau(share);
  for (int i = 0; i < 500; ++i) {
    if (plateau.reached(f(i))) return i + 1;
  }
  return 0;
}

TEST(Plateau, IsReachedWhen20IterationsLowerTheLossByLess) {
  // By a twentieth of a percent each: 1 % in 20.
  const auto falling = [](int i) { return std::pow(0.9995, i); };
  EXPECT_EQ(reached_after(0.02, falling), 21);
  EXPECT_EQ(reached_after(0.009, falling), 0);
  EXPECT_EQ(reached_after(0, falling), 0);
  EXPECT_EQ(reached_after(0, [](int) { return 1.0; }), 0) << "0: never";
  // Falls for 100 iterations and then stays.
  const int end = reached_after(0.05, [](int i) { return std::max(0.0, 100.0 - i) + 100; });
  EXPECT_GT(end, 100);
  EXPECT_LE(end, 121);
}

TEST(Plateau, OfALossThatGoesUpAndDownCountsTheLeast) {
  // Every other loss is ten times as high; the lower ones halve in 20.
  const auto jumping = [](int i) { return std::pow(0.5, i / 20.0) * (i % 2 == 0 ? 1 : 10); };
  EXPECT_EQ(reached_after(0.4, jumping), 0);
  EXPECT_EQ(reached_after(0.6, jumping), 21);
}

}  // namespace
}  // namespace limn
