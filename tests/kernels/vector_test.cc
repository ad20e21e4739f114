// Flat vectors against the slow twins: at every length around the unrolled loops and around the
// pieces, at starts that are not aligned.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels/kernels.h"
#include "kernels/reference.h"
#include "support/guarded_memory.h"
#include "support/random_values.h"
#include "support/same_bits.h"
#include "support/simd_targets.h"
#include "support/tolerance.h"

namespace limn {
namespace {

constexpr size_t kPiece = 65536;
// What one accumulator adds in a row: the narrowest target with vectors has 4 lanes in 4 sums; the
// scalar one has 4 sums.
size_t in_a_row(size_t size) { return std::min(size, kPiece) / 4 + 1; }

std::vector<size_t> lengths() {
  std::vector<size_t> all;
  for (size_t size = 0; size <= 130; ++size) all.push_back(size);
  for (const size_t size : {1000ul, kPiece - 1, kPiece, kPiece + 1, 3 * kPiece + 77}) {
    all.push_back(size);
  }
  return all;
}

class FlatVectors : public testing::Test {
 protected:
  // Vectors a, b, y of this length that start `offset` floats past an aligned place.
  struct Vectors {
    Vectors(size_t size, size_t offset, bool whole)
        : a_memory(offset + size), b_memory(offset + size), y_memory(offset + size), off(offset) {
      const auto fill = [&](Guarded<float>& memory, std::uint64_t seed) {
        const std::vector<float> values =
            whole ? random_wholes(size, seed, 7) : random_values(size, seed);
        std::copy(values.begin(), values.end(), memory.data() + off);
      };
      fill(a_memory, 1);
      fill(b_memory, 2);
      fill(y_memory, 3);
    }
    std::span<float> a() { return std::span<float>(a_memory).subspan(off); }
    std::span<float> b() { return std::span<float>(b_memory).subspan(off); }
    std::span<float> y() { return std::span<float>(y_memory).subspan(off); }
    testing::AssertionResult nothing_else_written() const {
      for (size_t i = 0; i < off; ++i) {
        if (!is_sentinel(y_memory[i])) return testing::AssertionFailure() << "before the start";
      }
      return y_memory.guards_untouched();
    }
    Guarded<float> a_memory, b_memory, y_memory;
    size_t off;
  };

  // Calls check(vectors, whole, pool) for all lengths, starts and targets.
  template <typename Check>
  void in_every_way(Check&& check) {
    on_every_target([&] {
      for (const size_t size : lengths()) {
        for (const size_t offset : {0, 1, 3}) {
          for (const bool whole : {false, true}) {
            SCOPED_TRACE(testing::Message() << "length " << size << ", from " << offset);
            Vectors vectors(size, offset, whole);
            check(vectors, whole, offset == 1 ? one_thread_ : three_threads_);
            ASSERT_TRUE(vectors.nothing_else_written());
            if (HasFailure()) return;
          }
        }
      }
    });
  }

  // y after fast(y) and after slow(y): the same within `roundings` of magnitude(i).
  template <typename Fast, typename Slow, typename Magnitude>
  void expect_same_update(Vectors& v, double roundings, Fast&& fast, Slow&& slow,
                          Magnitude&& magnitude) {
    const std::vector<float> start(v.y().begin(), v.y().end());
    std::vector<float> expected(start);
    slow(std::span<float>(expected));
    fast(v.y());
    for (size_t i = 0; i < start.size(); ++i) {
      ASSERT_LE(std::abs(double{v.y()[i]} - expected[i]), roundings * magnitude(i, start[i]))
          << "at " << i;
    }
  }

  ThreadPool one_thread_{1};
  ThreadPool three_threads_{3};
};

TEST_F(FlatVectors, DotIsItsTwin) {
  in_every_way([](Vectors& v, bool whole, ThreadPool& pool) {
    double magnitude = 0;
    for (size_t i = 0; i < v.a().size(); ++i) magnitude += std::abs(double{v.a()[i]} * v.b()[i]);
    const double tolerance = whole ? 0 : kSumTolerance * magnitude;
    ASSERT_NEAR(kernels::dot(v.a(), v.b(), pool), reference::dot(v.a(), v.b()), tolerance);
  });
}

TEST_F(FlatVectors, SquaredDistanceIsItsTwin) {
  in_every_way([](Vectors& v, bool whole, ThreadPool& pool) {
    const double expected = reference::squared_distance(v.a(), v.b());
    const double tolerance = whole ? 0 : positive_sum_tolerance(in_a_row(v.a().size())) * expected;
    ASSERT_NEAR(kernels::squared_distance(v.a(), v.b(), pool), expected, tolerance);
  });
}

TEST_F(FlatVectors, AbsoluteSumIsItsTwin) {
  in_every_way([](Vectors& v, bool whole, ThreadPool& pool) {
    const double expected = reference::absolute_sum(v.a());
    const double tolerance = whole ? 0 : positive_sum_tolerance(in_a_row(v.a().size())) * expected;
    ASSERT_NEAR(kernels::absolute_sum(v.a(), pool), expected, tolerance);
  });
}

TEST_F(FlatVectors, AddScaledIsItsTwin) {
  in_every_way([this](Vectors& v, bool whole, ThreadPool& pool) {
    const float alpha = whole ? -3.0f : -0.7f;
    expect_same_update(
        v, whole ? 0 : kFewRoundings,
        [&](std::span<float> y) { kernels::add_scaled(alpha, v.a(), y, pool); },
        [&](std::span<float> y) { reference::add_scaled(alpha, v.a(), y); },
        [&](size_t i, float y) { return std::abs(y) + std::abs(alpha * v.a()[i]); });
  });
}

TEST_F(FlatVectors, AddScaledDifferenceIsItsTwin) {
  in_every_way([this](Vectors& v, bool whole, ThreadPool& pool) {
    const float alpha = whole ? 5.0f : 1.3f;
    expect_same_update(
        v, whole ? 0 : kFewRoundings,
        [&](std::span<float> y) { kernels::add_scaled_difference(alpha, v.a(), v.b(), y, pool); },
        [&](std::span<float> y) { reference::add_scaled_difference(alpha, v.a(), v.b(), y); },
        [&](size_t i, float y) { return std::abs(y) + std::abs(alpha * (v.a()[i] - v.b()[i])); });
  });
}

// One product, rounded once: the same on every machine.
TEST_F(FlatVectors, ScaleIsItsTwinToTheBit) {
  in_every_way([](Vectors& v, bool, ThreadPool& pool) {
    std::vector<float> expected(v.y().begin(), v.y().end());
    reference::scale(-1.7f, expected);
    kernels::scale(-1.7f, v.y(), pool);
    ASSERT_TRUE(same_bits(expected, v.y()));
  });
}

}  // namespace
}  // namespace limn
