// Flat vectors against the slow twins: at every length around the unrolled loops and around the
// pieces, at starts that are not aligned.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

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

TEST_F(FlatVectors, LargestIsTheLargestSize) {
  in_every_way([](Vectors& v, bool, ThreadPool&) {
    float most = 0;
    for (const float value : v.a()) most = std::max(most, std::abs(value));
    ASSERT_EQ(kernels::largest(v.a()), most);
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

// One product, rounded once: the same on every machine.
TEST_F(FlatVectors, ScaleIsItsTwinToTheBit) {
  in_every_way([](Vectors& v, bool, ThreadPool& pool) {
    std::vector<float> expected(v.y().begin(), v.y().end());
    reference::scale(-1.7f, expected);
    kernels::scale(-1.7f, v.y(), pool);
    ASSERT_TRUE(same_bits(expected, v.y()));
  });
}

TEST_F(FlatVectors, ScaledSumIsItsTwin) {
  in_every_way([this](Vectors& v, bool whole, ThreadPool& pool) {
    const float alpha = whole ? -3.0f : -0.7f;
    expect_same_update(
        v, whole ? 0 : kFewRoundings,
        [&](std::span<float> y) { kernels::scaled_sum(v.a(), alpha, v.b(), y, pool); },
        [&](std::span<float> y) { reference::scaled_sum(v.a(), alpha, v.b(), y); },
        [&](size_t i, float) { return std::abs(v.a()[i]) + std::abs(alpha * v.b()[i]); });
  });
}

TEST_F(FlatVectors, MultiplyIsItsTwinToTheBit) {
  in_every_way([](Vectors& v, bool, ThreadPool& pool) {
    std::vector<float> expected(v.y().size());
    reference::multiply(v.a(), v.b(), expected);
    kernels::multiply(v.a(), v.b(), v.y(), pool);
    ASSERT_TRUE(same_bits(expected, v.y()));
  });
}

// One difference, rounded once.
TEST_F(FlatVectors, SubtractFromIsItsTwinToTheBit) {
  in_every_way([](Vectors& v, bool, ThreadPool& pool) {
    std::vector<float> expected(v.y().begin(), v.y().end());
    reference::subtract_from(v.a(), expected);
    kernels::subtract_from(v.a(), v.y(), pool);
    ASSERT_TRUE(same_bits(expected, v.y()));
  });
}

TEST_F(FlatVectors, CopyCopies) {
  in_every_way([](Vectors& v, bool, ThreadPool& pool) {
    kernels::copy(v.a(), v.y(), pool);
    ASSERT_TRUE(same_bits(v.a(), v.y()));
  });
}

// ---- many vectors at once ----

class ManyVectors : public FlatVectors {
 protected:
  // The largest number of rows that a test takes: two fours and every remainder.
  static constexpr size_t kMostRows = 11;

  // Calls check(rows, a, b, whole, pool) for all numbers of rows, lengths, starts and targets. Rows
  // start at places of every alignment; a is the second row where there is one.
  template <typename Check>
  void with_rows(Check&& check) {
    on_every_target([&] {
      for (size_t count = 1; count <= kMostRows; ++count) {
        for (const size_t size : {0, 1, 2, 7, 33, 64, 1023, 1024, 1025, 16384, 16385, 40000}) {
          if (size > 1025 && count % 4 != 1 && count != kMostRows) continue;
          for (const bool whole : {false, true}) {
            SCOPED_TRACE(testing::Message() << count << " rows of length " << size);
            std::vector<Guarded<float>> memory;
            std::vector<const float*> rows;
            for (size_t row = 0; row <= count; ++row) {
              memory.emplace_back(row % 5 + size);
              const std::vector<float> values =
                  whole ? random_wholes(size, row, 7) : random_values(size, row);
              std::copy(values.begin(), values.end(), memory.back().data() + row % 5);
              rows.push_back(memory.back().data() + row % 5);
            }
            const std::span<const float> a = {rows[count > 1 ? 1 : 0], size};
            const std::span<const float> b = {rows.back(), size};
            rows.pop_back();
            check(rows, a, b, whole, count % 2 == 1 ? one_thread_ : three_threads_);
            if (HasFailure()) return;
          }
        }
      }
    });
  }
};

// Both sum in double, each in its order. n roundings of at most half an epsilon of the absolute
// terms in either: for 40,000 terms that is 1e-11, where sums in float are off by 1e-5.
double double_sum_tolerance(size_t n) { return n * std::numeric_limits<double>::epsilon(); }

TEST_F(ManyVectors, ProductsAreTheirTwin) {
  with_rows([](std::span<const float* const> rows, std::span<const float> a,
               std::span<const float> b, bool whole, ThreadPool& pool) {
    std::vector<double> expected(2 * rows.size()), results(2 * rows.size(), 7.0);
    std::vector<double> scratch(kernels::products_scratch_size(rows.size(), a.size()), 7.0);
    reference::products(rows, a, b, expected);
    kernels::products(rows, a, b, results, scratch, pool);
    for (size_t row = 0; row < rows.size(); ++row) {
      for (const size_t with_b : {0, 1}) {
        double magnitude = 0;
        for (size_t i = 0; i < a.size(); ++i) {
          magnitude += std::abs(double{rows[row][i]} * (with_b ? b : a)[i]);
        }
        ASSERT_NEAR(results[2 * row + with_b], expected[2 * row + with_b],
                    whole ? 0 : double_sum_tolerance(a.size()) * magnitude)
            << "row " << row;
      }
    }
  });
}

// Rounded to float once. Sums in another order may fall on the other side of a rounding: an
// epsilon.
TEST_F(ManyVectors, CombineIsItsTwin) {
  with_rows([](std::span<const float* const> rows, std::span<const float> a, std::span<const float>,
               bool whole, ThreadPool& pool) {
    const size_t size = a.size();
    std::vector<double> coefficients;
    for (size_t row = 0; row < rows.size(); ++row) {
      coefficients.push_back(whole ? static_cast<double>(row) - 4 : 0.3 * row - 1.1);
    }
    std::vector<float> expected(size);
    Guarded<float> y(size);
    reference::combine(rows, coefficients, expected);
    kernels::combine(rows, coefficients, y, pool);
    for (size_t i = 0; i < size; ++i) {
      double magnitude = 0;
      for (size_t row = 0; row < rows.size(); ++row) {
        magnitude += std::abs(coefficients[row] * rows[row][i]);
      }
      const double tolerance = double_sum_tolerance(kMostRows) * magnitude;
      ASSERT_NEAR(y[i], expected[i], whole ? 0 : kEpsilon * std::abs(expected[i]) + tolerance)
          << "at " << i;
    }
    ASSERT_TRUE(y.guards_untouched());
  });
}

TEST_F(ManyVectors, CombineMayWriteOneOfItsRows) {
  constexpr size_t kSize = 40'000;
  std::vector<std::vector<float>> memory;
  std::vector<const float*> rows;
  for (size_t row = 0; row < 7; ++row) memory.push_back(random_values(kSize, row));
  for (const std::vector<float>& row : memory) rows.push_back(row.data());
  const std::vector<double> coefficients = {1, -2, 0.5, 3, -0.25, 1, 0.1};
  std::vector<float> expected(kSize);
  kernels::combine(rows, coefficients, expected, one_thread_);
  kernels::combine(rows, coefficients, memory[2], three_threads_);
  EXPECT_TRUE(same_bits(memory[2], expected));
}

// Rows in half precision, and then rows of floats, against the twin of what the halves hold. (-0 is
// among them, and halves below the normal ones.)
TEST_F(ManyVectors, MayBeInHalfPrecision) {
  on_every_target([&] {
    for (const size_t half_count : {0, 1, 3, 4, 5, 9}) {
      for (const size_t count : {0, 1, 2}) {
        for (const size_t size : {0, 1, 2, 7, 33, 64, 1023, 16385, 40000}) {
          if (half_count + count == 0) continue;
          SCOPED_TRACE(testing::Message() << half_count << " and " << count << " of " << size);
          Random random(size);
          std::vector<Guarded<std::uint16_t>> words;
          std::vector<std::vector<float>> memory;
          std::vector<const std::uint16_t*> halves;
          std::vector<const float*> rows, all;
          words.reserve(half_count);
          memory.reserve(half_count + count);
          for (size_t row = 0; row < half_count + count; ++row) {
            std::vector<float>& values = memory.emplace_back(random_values(size, row));
            if (row < half_count) {
              for (float& value : values) {
                value = std::ldexp(value, static_cast<int>(random.bits() % 30) - 24);
              }
              Guarded<std::uint16_t>& half = words.emplace_back(row % 3 + size);
              const std::span<std::uint16_t> row_words =
                  std::span<std::uint16_t>(half).subspan(row % 3);
              reference::round_to_half(values, 1, row_words);
              reference::expand_half(row_words, 1, values);
              halves.push_back(row_words.data());
            } else {
              rows.push_back(values.data());
            }
            all.push_back(values.data());
          }
          const std::vector<float> a = random_values(size, 91), b = random_values(size, 92);
          const kernels::Rows mixed = {halves, rows};
          std::vector<double> expected(2 * all.size()), results(2 * all.size());
          std::vector<double> scratch(kernels::products_scratch_size(all.size(), size));
          reference::products(all, a, b, expected);
          kernels::products(mixed, a, b, results, scratch, three_threads_);
          for (size_t i = 0; i < results.size(); ++i) {
            double magnitude = 0;
            for (size_t j = 0; j < size; ++j) {
              magnitude += std::abs(double{all[i / 2][j]} * (i % 2 == 0 ? a : b)[j]);
            }
            ASSERT_NEAR(results[i], expected[i], double_sum_tolerance(size) * magnitude) << i;
          }
          std::vector<double> coefficients(all.size());
          for (double& coefficient : coefficients) coefficient = random_signed(random);
          std::vector<float> sum(size), expected_sum(size);
          reference::combine(all, coefficients, expected_sum);
          kernels::combine(mixed, coefficients, sum, three_threads_);
          for (size_t i = 0; i < size; ++i) {
            double magnitude = 0;
            for (size_t row = 0; row < all.size(); ++row) {
              magnitude += std::abs(coefficients[row] * all[row][i]);
            }
            ASSERT_NEAR(
                sum[i], expected_sum[i],
                kEpsilon * std::abs(expected_sum[i]) + double_sum_tolerance(kMostRows) * magnitude);
          }
        }
      }
    }
  });
}

// What float would lose: 1 beside 1e8.
TEST_F(ManyVectors, SumInDouble) {
  const std::vector<float> large = {1e8f, 1, -1e8f, 1};
  const std::vector<float> ones(4, 1.0f);
  const std::vector<const float*> rows = {large.data(), ones.data()};
  std::vector<double> results(4), scratch(kernels::products_scratch_size(2, 4));
  kernels::products(rows, ones, large, results, scratch, one_thread_);
  EXPECT_EQ(results[0], 2);
  EXPECT_EQ(results[3], 2);
  const std::vector<double> coefficients = {1, -1e8};
  std::vector<float> y(4);
  kernels::combine(rows, coefficients, y, one_thread_);
  EXPECT_EQ(y[0], 0);
  EXPECT_EQ(y[1], -99999999.0f);
}

}  // namespace
}  // namespace limn
