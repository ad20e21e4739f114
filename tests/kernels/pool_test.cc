// ReLU and pooling against their slow twins. All but the average only choose values, copy them or
// add two, so they must be the twin's to the bit, ties included.
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "kernels/kernels.h"
#include "kernels/reference.h"
#include "support/guarded_memory.h"
#include "support/random_values.h"
#include "support/simd_targets.h"
#include "support/tolerance.h"

namespace limn {
namespace {

constexpr int kChannelCounts[] = {16, 48};

// Calls check(channels, height, width) for all small sizes and some larger ones.
template <typename Check>
void at_every_size(Check&& check) {
  for (const int channels : kChannelCounts) {
    for (int height = 1; height <= 9; ++height) {
      for (int width = 1; width <= 14; ++width) check(channels, height, width);
    }
    for (const int width : {17, 31, 33, 50}) check(channels, 5, width);
    if (testing::Test::HasFailure()) return;
  }
}

// Few different values, so that neighbours are often equal, and zeros of both signs.
float with_ties(Random& random) {
  const float value = random_whole(random, 2);
  return value == 0 && random.bits() % 2 == 0 ? -0.0f : value;
}

class Pooling2x2 : public testing::Test {
 protected:
  // Calls check(pool) on every target with 1 and 3 threads.
  template <typename Check>
  void in_every_way(int channels, int height, int width, Check&& check) {
    SCOPED_TRACE(testing::Message() << channels << " channels, " << height << " x " << width);
    on_every_target([&] {
      check(one_thread_);
      if (!HasFailure()) check(three_threads_);
    });
  }

  // A gradient that has something in it, the same each time, which backward is to add to.
  static GuardedMap gathered(int channels, int height, int width) {
    GuardedMap map(channels, height, width);
    Random random(12);
    map.fill([&](int, int, int) { return random_signed(random); });
    return map;
  }

  Random random_{7};
  ThreadPool one_thread_{1};
  ThreadPool three_threads_{3};
};

using Relu = Pooling2x2;
using MaxPooling = Pooling2x2;
using AveragePooling = Pooling2x2;

TEST_F(Relu, KeepsWhatIsAbove0AndItsSign) {
  at_every_size([&](int channels, int height, int width) {
    GuardedMap x(channels, height, width, [&](int, int, int) { return with_ties(random_); });
    GuardedMap expected(channels, height, width);
    GuardedBits expected_signs(channels, height, width);
    reference::relu(x, expected, expected_signs.bits());
    in_every_way(channels, height, width, [&](ThreadPool& pool) {
      GuardedMap y(channels, height, width);
      GuardedBits signs(channels, height, width);
      kernels::relu(x, y, signs.bits(), pool);
      ASSERT_TRUE(y.written_inside_only());
      ASSERT_TRUE(signs.guards_untouched());
      ASSERT_TRUE(same_values(y, expected, channels, height, width));
      ASSERT_TRUE(same_values(signs, expected_signs, channels, height, width));
      // By its own words too: 0 does not count as above 0.
      for_each_value(channels, height, width, [&](int c, int row, int column) {
        ASSERT_EQ(signs.at(c, row, column), x.at(c, row, column) > 0);
        ASSERT_EQ(y.at(c, row, column), std::max(x.at(c, row, column), 0.0f));
      });
    });
  });
}

TEST_F(Relu, BackwardKeepsTheGradientWhereTheBitIsSet) {
  at_every_size([&](int channels, int height, int width) {
    GuardedBits signs(channels, height, width);
    for (std::uint16_t& word : signs.words()) word = static_cast<std::uint16_t>(random_.bits());
    const auto fill = [&](GuardedMap& map) {
      Random random(11);
      map.fill([&](int, int, int) { return random_signed(random); });
    };
    GuardedMap expected(channels, height, width);
    fill(expected);
    reference::relu_backward(signs.bits(), expected);
    in_every_way(channels, height, width, [&](ThreadPool& pool) {
      GuardedMap d(channels, height, width);
      fill(d);
      kernels::relu_backward(signs.bits(), d, pool);
      ASSERT_TRUE(d.written_inside_only());
      ASSERT_TRUE(same_values(d, expected, channels, height, width));
    });
  });
}

TEST_F(Relu, BackwardAddsTheGradientWhereTheBitIsSet) {
  at_every_size([&](int channels, int height, int width) {
    GuardedBits signs(channels, height, width);
    for (std::uint16_t& word : signs.words()) word = static_cast<std::uint16_t>(random_.bits());
    GuardedMap d_y(channels, height, width, [&](int, int, int) { return random_signed(random_); });
    GuardedMap expected = gathered(channels, height, width);
    reference::add_relu_backward(signs.bits(), d_y, expected);
    in_every_way(channels, height, width, [&](ThreadPool& pool) {
      GuardedMap d_x = gathered(channels, height, width);
      kernels::add_relu_backward(signs.bits(), d_y, d_x, pool);
      ASSERT_TRUE(d_x.written_inside_only());
      ASSERT_TRUE(same_values(d_x, expected, channels, height, width));
    });
  });
}

TEST_F(MaxPooling, IsItsTwinAtEverySize) {
  at_every_size([&](int channels, int height, int width) {
    if (height < 2 || width < 2) return;
    GuardedMap x(channels, height, width, [&](int, int, int) { return with_ties(random_); });
    const int h = height / 2;
    const int w = width / 2;
    GuardedMap expected(channels, h, w);
    GuardedBits expected_right(channels, h, w);
    GuardedBits expected_below(channels, h, w);
    reference::max_pool(x, expected, {expected_right.bits(), expected_below.bits()});
    in_every_way(channels, height, width, [&](ThreadPool& pool) {
      GuardedMap y(channels, h, w);
      GuardedBits right(channels, h, w);
      GuardedBits below(channels, h, w);
      kernels::max_pool(x, y, {right.bits(), below.bits()}, pool);
      ASSERT_TRUE(y.written_inside_only());
      ASSERT_TRUE(right.guards_untouched());
      ASSERT_TRUE(below.guards_untouched());
      ASSERT_TRUE(same_values(y, expected, channels, h, w));
      ASSERT_TRUE(same_values(right, expected_right, channels, h, w));
      ASSERT_TRUE(same_values(below, expected_below, channels, h, w));
    });
  });
}

TEST_F(MaxPooling, BackwardIsItsTwinAtEverySize) {
  at_every_size([&](int channels, int height, int width) {
    if (height < 2 || width < 2) return;
    const int h = height / 2;
    const int w = width / 2;
    GuardedBits right(channels, h, w);
    GuardedBits below(channels, h, w);
    for (std::uint16_t& word : right.words()) word = static_cast<std::uint16_t>(random_.bits());
    for (std::uint16_t& word : below.words()) word = static_cast<std::uint16_t>(random_.bits());
    GuardedMap d_y(channels, h, w, [&](int, int, int) { return random_signed(random_); });
    GuardedMap expected = gathered(channels, height, width);
    reference::max_pool_backward({right.bits(), below.bits()}, d_y, expected);
    in_every_way(channels, height, width, [&](ThreadPool& pool) {
      GuardedMap d_x = gathered(channels, height, width);
      kernels::max_pool_backward({right.bits(), below.bits()}, d_y, d_x, pool);
      ASSERT_TRUE(d_x.written_inside_only());
      ASSERT_TRUE(same_values(d_x, expected, channels, height, width));
    });
  });
}

// 2 x 2 cells in reading order, and the place 0..3 of their maximum.
struct Tie {
  std::array<float, 4> cells;
  int place;
};
constexpr Tie kTies[] = {
    {{5, 5, 5, 5}, 0},     {{1, 5, 5, 5}, 1}, {{1, 1, 5, 5}, 2}, {{1, 1, 1, 5}, 3},
    {{5, 1, 1, 5}, 0},     {{1, 5, 1, 5}, 1}, {{1, 5, 5, 1}, 1}, {{5, 1, 5, 1}, 0},
    {{-3, -2, -1, -4}, 2}, {{0, 0, 0, 0}, 0},
};

TEST_F(MaxPooling, TakesTheFirstOfEqualsInReadingOrder) {
  for (const Tie& tie : kTies) {
    GuardedMap x(16, 2, 2, [&](int, int y, int column) { return tie.cells[2 * y + column]; });
    in_every_way(16, 2, 2, [&](ThreadPool& pool) {
      GuardedMap y(16, 1, 1);
      GuardedBits right(16, 1, 1);
      GuardedBits below(16, 1, 1);
      kernels::max_pool(x, y, {right.bits(), below.bits()}, pool);
      for (int c = 0; c < 16; ++c) {
        ASSERT_EQ(y.at(c, 0, 0), tie.cells[tie.place]);
        ASSERT_EQ(right.at(c, 0, 0), tie.place % 2 == 1);
        ASSERT_EQ(below.at(c, 0, 0), tie.place / 2 == 1);
      }
      GuardedMap d_x(16, 2, 2, [](int, int, int) { return 100.0f; });
      kernels::max_pool_backward({right.bits(), below.bits()}, y, d_x, pool);
      for_each_value(16, 2, 2, [&](int c, int row, int column) {
        const bool won = 2 * row + column == tie.place;
        ASSERT_EQ(d_x.at(c, row, column), 100 + (won ? tie.cells[tie.place] : 0.0f));
      });
    });
  }
}

TEST_F(MaxPooling, DropsAnOddLastRowAndColumn) {
  GuardedMap x(16, 3, 5,
               [](int, int y, int column) { return y == 2 || column == 4 ? 99.0f : 1.0f; });
  in_every_way(16, 3, 5, [&](ThreadPool& pool) {
    GuardedMap y(16, 1, 2);
    GuardedBits right(16, 1, 2);
    GuardedBits below(16, 1, 2);
    kernels::max_pool(x, y, {right.bits(), below.bits()}, pool);
    for_each_value(16, 1, 2,
                   [&](int c, int row, int column) { ASSERT_EQ(y.at(c, row, column), 1.0f); });
    GuardedMap d_x(16, 3, 5, [](int, int, int) { return 100.0f; });
    kernels::max_pool_backward({right.bits(), below.bits()}, y, d_x, pool);
    for_each_value(16, 3, 5, [&](int c, int row, int column) {
      const bool first = row == 0 && (column == 0 || column == 2);
      ASSERT_EQ(d_x.at(c, row, column), first ? 101.0f : 100.0f);
    });
  });
}

TEST_F(AveragePooling, IsItsTwinAtEverySize) {
  at_every_size([&](int channels, int height, int width) {
    GuardedMap x(channels, height, width, [&](int, int, int) { return random_signed(random_); });
    GuardedMap absolute(channels, height, width,
                        [&](int c, int y, int i) { return std::abs(x.at(c, y, i)); });
    const int h = (height + 1) / 2;
    const int w = (width + 1) / 2;
    GuardedMap expected(channels, h, w);
    GuardedMap magnitude(channels, h, w);
    reference::average_pool(x, expected);
    reference::average_pool(absolute, magnitude);
    in_every_way(channels, height, width, [&](ThreadPool& pool) {
      GuardedMap y(channels, h, w);
      kernels::average_pool(x, y, pool);
      ASSERT_TRUE(y.written_inside_only());
      // Two additions one after the other and the twin's rounding; the share is a power of 2.
      ASSERT_TRUE(near_values(y, expected, magnitude, kFewRoundings, channels, h, w));
    });
  });
}

// A share is a power of 2, so only the sum is rounded, once.
TEST_F(AveragePooling, BackwardIsItsTwinToTheBit) {
  at_every_size([&](int channels, int height, int width) {
    GuardedMap d_y(channels, (height + 1) / 2, (width + 1) / 2,
                   [&](int, int, int) { return random_signed(random_); });
    GuardedMap expected = gathered(channels, height, width);
    reference::average_pool_backward(d_y, expected);
    in_every_way(channels, height, width, [&](ThreadPool& pool) {
      GuardedMap d_x = gathered(channels, height, width);
      kernels::average_pool_backward(d_y, d_x, pool);
      ASSERT_TRUE(d_x.written_inside_only());
      ASSERT_TRUE(same_values(d_x, expected, channels, height, width));
    });
  });
}

TEST_F(AveragePooling, OfAnOddLastRowOrColumnIsTheMeanOfTheCellsThereAre) {
  // 1 2 3
  // 4 5 6
  // 7 8 9
  GuardedMap x(16, 3, 3, [](int, int y, int column) { return float(3 * y + column + 1); });
  constexpr float kMeans[] = {(1 + 2 + 4 + 5) / 4.0f, (3 + 6) / 2.0f, (7 + 8) / 2.0f, 9.0f};
  in_every_way(16, 3, 3, [&](ThreadPool& pool) {
    GuardedMap y(16, 2, 2);
    kernels::average_pool(x, y, pool);
    for_each_value(16, 2, 2, [&](int c, int row, int column) {
      ASSERT_EQ(y.at(c, row, column), kMeans[2 * row + column]);
    });
    GuardedMap d_x(16, 3, 3, [](int, int, int) { return 8.0f; });
    kernels::average_pool_backward(y, d_x, pool);
    for_each_value(16, 3, 3, [&](int c, int row, int column) {
      const float cells = (row == 2 ? 1.0f : 2.0f) * (column == 2 ? 1.0f : 2.0f);
      ASSERT_EQ(d_x.at(c, row, column), 8 + kMeans[row / 2 * 2 + column / 2] / cells);
    });
  });
}

}  // namespace
}  // namespace limn
