// Shifted Gram matrices and the gradient of what is lost by them, against the slow twins.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "kernels/kernels.h"
#include "kernels/reference.h"
#include "support/guarded_memory.h"
#include "support/random_values.h"
#include "support/simd_targets.h"
#include "support/tolerance.h"

namespace limn {
namespace {

using kernels::Shift;

// In every direction; the last are longer than most maps here.
constexpr Shift kShifts[] = {{0, 1}, {1, 0}, {0, -2}, {-1, 0}, {1, 2}, {-2, 1}, {0, 6}, {5, 0}};

// The same, and around where the map is longer than they are.
std::vector<Shift> shifts(int height, int width) {
  std::vector<Shift> all(std::begin(kShifts), std::end(kShifts));
  for (const Shift& shift : kShifts) {
    if (std::abs(shift.dy) >= height || std::abs(shift.dx) >= width) continue;
    all.push_back({shift.dy, shift.dx, /*around=*/true});
  }
  return all;
}

class ShiftedGram : public testing::Test {
 protected:
  // Chunks of at most 192 positions are added up in float, the sums of the chunks in double.
  void expect_matrix_like_twin(const GuardedMap& F, Shift shift, bool whole) {
    const ConstFeatureMap map = F;
    const size_t C = map.channels;
    const GuardedMap absolute(map.channels, map.height, map.width,
                              [&](int c, int y, int x) { return std::abs(map.at(c, y, x)); });
    std::vector<float> expected(C * C), magnitude(C * C);
    reference::shifted_gram(F, shift, expected);
    reference::shifted_gram(absolute, shift, magnitude);
    const double tolerance =
        whole ? 0 : positive_sum_tolerance(std::min<size_t>(map.positions(), 192));
    on_every_target([&] {
      for (ThreadPool* pool : {&one_thread_, &three_threads_}) {
        SCOPED_TRACE(testing::Message() << map.channels << " channels, " << map.height << " x "
                                        << map.width << " by " << shift.dy << ", " << shift.dx);
        Guarded<float> G(C * C);
        Guarded<double> scratch(kernels::gram_scratch_size(map));
        std::fill_n(scratch.data(), scratch.size(), std::nan(""));
        kernels::shifted_gram(F, shift, G, scratch, *pool);
        ASSERT_TRUE(G.guards_untouched());
        ASSERT_TRUE(scratch.guards_untouched());
        for (size_t i = 0; i < C * C; ++i) {
          ASSERT_LE(std::abs(double{G[i]} - expected[i]), tolerance * magnitude[i])
              << "G[" << i / C << "][" << i % C << "]";
        }
      }
    });
  }

  // Whole numbers, whose products and sums are exact.
  void expect_gradient_like_twin(int channels, int height, int width, Shift shift) {
    const size_t C = channels;
    const std::vector<float> S = random_wholes(C * C, 3, 3);
    const GuardedMap F = whole_map(channels, height, width);
    const auto before = [](int c, int y, int x) { return static_cast<float>(c - 2 * y + x); };
    GuardedMap expected(channels, height, width);
    expected.fill(before);
    reference::add_shifted_gradient(S, F, shift, expected);
    on_every_target([&] {
      for (ThreadPool* pool : {&one_thread_, &three_threads_}) {
        SCOPED_TRACE(testing::Message() << channels << " channels, " << height << " x " << width
                                        << " by " << shift.dy << ", " << shift.dx);
        GuardedMap found(channels, height, width);
        found.fill(before);
        kernels::add_shifted_gradient(S, F, shift, found, *pool);
        ASSERT_TRUE(found.written_inside_only());
        ASSERT_TRUE(same_values(found, expected, channels, height, width));
      }
    });
  }

  GuardedMap random_map(int channels, int height, int width) {
    return GuardedMap(channels, height, width,
                      [&](int, int, int) { return random_signed(random_); });
  }
  GuardedMap whole_map(int channels, int height, int width) {
    return GuardedMap(channels, height, width,
                      [&](int, int, int) { return random_whole(random_, 4); });
  }

  Random random_{5};
  ThreadPool one_thread_{1};
  ThreadPool three_threads_{3};
};

TEST_F(ShiftedGram, IsItsTwinAtSmallSizesForEveryShift) {
  for (const auto& [height, width] : {std::pair{1, 1}, {1, 7}, {3, 2}, {5, 7}, {6, 13}, {7, 1}}) {
    for (const Shift shift : shifts(height, width)) {
      expect_matrix_like_twin(random_map(32, height, width), shift, false);
      expect_matrix_like_twin(whole_map(16, height, width), shift, true);
      if (HasFailure()) return;
    }
  }
}

// From 128 channels on the matrix is cut into squares; the last may be smaller.
TEST_F(ShiftedGram, OfManyChannelsIsItsTwin) {
  for (const int channels : {48, 64, 128, 144, 272}) {
    for (const Shift shift : {Shift{0, 1}, Shift{-1, 2}}) {
      expect_matrix_like_twin(random_map(channels, 3, 9), shift, false);
      if (HasFailure()) return;
    }
  }
}

// Rows of more than 192 positions are cut into pieces, maps of 2 * 4096 into slices of rows.
TEST_F(ShiftedGram, OfAMapLargeEnoughToBeCutIsItsTwin) {
  for (const auto& [height, width] : {std::pair{131, 130}, {8193, 2}, {3, 8192}}) {
    const GuardedMap F = random_map(16, height, width);
    ASSERT_GT(kernels::gram_scratch_size(F), 16u * 16u) << "this map was not cut";
    for (const Shift shift : {Shift{2, 0}, Shift{0, 1}, Shift{0, 1, /*around=*/true}}) {
      expect_matrix_like_twin(F, shift, false);
      expect_matrix_like_twin(whole_map(16, height, width), shift, true);
      if (HasFailure()) return;
    }
  }
}

TEST_F(ShiftedGram, GradientIsItsTwinAtSmallSizesForEveryShift) {
  for (const auto& [height, width] : {std::pair{1, 1}, {1, 7}, {3, 2}, {5, 7}, {6, 15}, {7, 1}}) {
    for (const Shift shift : shifts(height, width)) {
      expect_gradient_like_twin(32, height, width, shift);
      if (HasFailure()) return;
    }
  }
}

// Sums over more than 128 channels are taken in parts, rows wider than 96 in strips.
TEST_F(ShiftedGram, GradientOfManyChannelsOrWideRowsIsItsTwin) {
  for (const auto& [channels, width] :
       {std::pair{16, 5}, {48, 17}, {144, 7}, {16, 99}, {32, 205}}) {
    for (const Shift shift : {Shift{0, 3}, Shift{1, 0}}) {
      expect_gradient_like_twin(channels, 2, width, shift);
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace limn
