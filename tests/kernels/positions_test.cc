// Weights of positions and moments of channels against their slow twins. Values are small whole
// numbers, of which all products and sums are exact, so that the results must be the twins' to the
// bit; and sums that are not, in double.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/kernels.h"
#include "kernels/reference.h"
#include "support/guarded_memory.h"
#include "support/random_values.h"
#include "support/same_bits.h"
#include "support/simd_targets.h"

namespace limn {
namespace {

struct Shape {
  int channels, height, width;
  size_t positions() const { return static_cast<size_t>(height) * width; }
};

class Positions : public testing::Test {
 protected:
  // Calls check(shape, m) for odd sizes, with weights and without, and check's own on every target.
  template <typename Check>
  void at_every_size(Check&& check) {
    for (const int channels : {16, 48}) {
      for (const auto& [height, width] :
           {std::pair{1, 1}, {1, 7}, {2, 3}, {5, 1}, {5, 7}, {17, 33}, {40, 3}}) {
        const Shape shape = {channels, height, width};
        SCOPED_TRACE(testing::Message() << channels << " channels, " << height << " x " << width);
        check(shape, random_wholes(shape.positions(), 3, 3));
        check(shape, std::vector<float>());
        if (HasFailure()) return;
      }
    }
  }
  GuardedMap whole_map(const Shape& shape, std::uint64_t seed) {
    Random random(seed);
    return GuardedMap(shape.channels, shape.height, shape.width,
                      [&](int, int, int) { return random_whole(random, 4); });
  }
  // An output to be added to, the same each time.
  GuardedMap gathered(const Shape& shape) {
    GuardedMap map(shape.channels, shape.height, shape.width);
    map.fill([](int c, int y, int x) { return static_cast<float>(c - 2 * y + x); });
    return map;
  }
  // Calls run(map, pool) on every target with 1 and 3 threads, on maps that make(shape) makes.
  template <typename Make, typename Run>
  void expect_map(const Shape& shape, const GuardedMap& expected, Make&& make, Run&& run) {
    on_every_target([&] {
      for (ThreadPool* pool : {&one_thread_, &three_threads_}) {
        GuardedMap found = make(shape);
        run(found, *pool);
        ASSERT_TRUE(found.written_inside_only());
        ASSERT_TRUE(same_values(found, expected, shape.channels, shape.height, shape.width));
      }
    });
  }
  static GuardedMap empty(const Shape& shape) {
    return GuardedMap(shape.channels, shape.height, shape.width);
  }

  ThreadPool one_thread_{1};
  ThreadPool three_threads_{3};
};

TEST_F(Positions, AreWeighedLikeTheTwin) {
  at_every_size([&](const Shape& shape, const std::vector<float>& m) {
    const GuardedMap F = whole_map(shape, 1);
    for (const std::vector<float>& mean :
         {std::vector<float>(), random_wholes(shape.channels, 2, 3)}) {
      GuardedMap expected = empty(shape);
      reference::weigh(F, m, mean, expected);
      expect_map(shape, expected, empty,
                 [&](GuardedMap& X, ThreadPool& pool) { kernels::weigh(F, m, mean, X, pool); });
      // In place.
      expect_map(
          shape, expected,
          [&](const Shape&) {
            GuardedMap copy = empty(shape);
            copy.fill([&](int c, int y, int x) { return F.at(c, y, x); });
            return copy;
          },
          [&](GuardedMap& X, ThreadPool& pool) { kernels::weigh(X, m, mean, X, pool); });
    }
  });
}

TEST_F(Positions, AreAddedWeighedLikeTheTwin) {
  at_every_size([&](const Shape& shape, const std::vector<float>& m) {
    if (m.empty()) return;
    const GuardedMap X = whole_map(shape, 1);
    GuardedMap expected = gathered(shape);
    reference::add_weighed(X, m, expected);
    expect_map(
        shape, expected, [&](const Shape& s) { return gathered(s); },
        [&](GuardedMap& d, ThreadPool& pool) { kernels::add_weighed(X, m, d, pool); });
  });
}

TEST_F(Positions, HaveTheMomentsGradientOfTheTwin) {
  at_every_size([&](const Shape& shape, const std::vector<float>& m) {
    const GuardedMap F = whole_map(shape, 1);
    const std::vector<float> a = random_wholes(shape.channels, 5, 3);
    const std::vector<float> b = random_wholes(shape.channels, 6, 3);
    GuardedMap expected = gathered(shape);
    reference::add_moments_gradient(a, b, F, m, expected);
    expect_map(
        shape, expected, [&](const Shape& s) { return gathered(s); },
        [&](GuardedMap& d, ThreadPool& pool) {
          kernels::add_moments_gradient(a, b, F, m, d, pool);
        });
  });
}

// The twin's moments of F, and what they may be off: n roundings of double, of the absolute terms.
void expect_moments_like_twin(const GuardedMap& F, const std::vector<float>& m, double tolerance,
                              ThreadPool& pool) {
  const ConstFeatureMap map = F;
  const GuardedMap absolute(map.channels, map.height, map.width,
                            [&](int c, int y, int x) { return std::abs(F.at(c, y, x)); });
  const size_t C = map.channels;
  std::vector<double> expected_sums(C), expected_squares(C), magnitude(C), ignored(C);
  reference::moments(F, m, expected_sums, expected_squares);
  reference::moments(absolute, m, magnitude, ignored);
  on_every_target([&] {
    Guarded<double> sums(C), squares(C), scratch(kernels::moments_scratch_size(F));
    std::fill_n(scratch.data(), scratch.size(), std::nan(""));
    kernels::moments(F, m, sums, squares, scratch, pool);
    ASSERT_TRUE(sums.guards_untouched());
    ASSERT_TRUE(squares.guards_untouched());
    ASSERT_TRUE(scratch.guards_untouched());
    for (size_t c = 0; c < C; ++c) {
      ASSERT_LE(std::abs(sums[c] - expected_sums[c]), tolerance * magnitude[c]) << "channel " << c;
      ASSERT_LE(std::abs(squares[c] - expected_squares[c]), tolerance * expected_squares[c]);
    }
  });
}

TEST_F(Positions, HaveTheMomentsOfTheTwin) {
  at_every_size([&](const Shape& shape, const std::vector<float>& m) {
    for (ThreadPool* pool : {&one_thread_, &three_threads_}) {
      expect_moments_like_twin(whole_map(shape, 1), m, 0, *pool);
      Random random(2);
      const GuardedMap F(shape.channels, shape.height, shape.width,
                         [&](int, int, int) { return random_signed(random); });
      const std::vector<float> roots = random_values(m.size(), 4);
      expect_moments_like_twin(
          F, roots, std::numeric_limits<double>::epsilon() * static_cast<double>(shape.positions()),
          *pool);
    }
  });
}

TEST_F(Positions, MirrorLikeTheTwin) {
  using kernels::Mirror;
  for (const auto& [height, width] : {std::pair{1, 1}, {1, 6}, {5, 1}, {4, 7}, {7, 4}, {6, 6}}) {
    for (const Mirror mirror : {Mirror::left_right, Mirror::up_down, Mirror::both}) {
      const auto value = [](int c, int y, int x) {
        return static_cast<float>(c + 64 * (y * 8 + x));
      };
      GuardedMap expected(48, height, width, value);
      reference::mirror(expected, mirror);
      for (ThreadPool* pool : {&one_thread_, &three_threads_}) {
        GuardedMap found(48, height, width);
        found.fill(value);
        kernels::mirror(found, mirror, *pool);
        ASSERT_TRUE(found.written_inside_only());
        ASSERT_TRUE(same_values(found, expected, 48, height, width));
      }
      // Twice mirrored is unmirrored.
      kernels::mirror(expected, mirror, one_thread_);
      const GuardedMap before(48, height, width, value);
      ASSERT_TRUE(same_values(expected, before, 48, height, width));
    }
  }
}

}  // namespace
}  // namespace limn
