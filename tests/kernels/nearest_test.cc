// Nearest neighbours against the slow twin. Of small whole numbers every score is exact, and so the
// matches must be the twin's, ties included; of others, scores differ by rounding, and a match may
// be another candidate only if its score is as good but for that.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/buffer.h"
#include "kernels/kernels.h"
#include "kernels/reference.h"
#include "support/guarded_memory.h"
#include "support/random_values.h"
#include "support/sanitized.h"
#include "support/simd_targets.h"
#include "support/tolerance.h"

namespace limn {
namespace {

using kernels::Vectors;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

Buffer<float> cells_of(const std::vector<float>& values) {
  Buffer<float> cells(values.size());
  std::copy(values.begin(), values.end(), cells.begin());
  return cells;
}

// Queries, candidates and biases.
struct Search {
  Search(int channels, int queries, int candidates, std::vector<float> x_values,
         std::vector<float> y_values, std::vector<float> biases)
      : x_cells(cells_of(x_values)),
        y_cells(cells_of(y_values)),
        bias(std::move(biases)),
        x{x_cells.data(), channels, queries, static_cast<size_t>(queries) * kBlock},
        y{y_cells.data(), channels, candidates, static_cast<size_t>(candidates) * kBlock},
        expected_match(queries),
        expected_score(queries) {
    reference::nearest(x, y, bias, expected_match, expected_score);
  }
  static Search of_wholes(int channels, int queries, int candidates) {
    const auto size = [&](int count) { return static_cast<size_t>(channels) * count; };
    return {channels,
            queries,
            candidates,
            random_wholes(size(queries), 1, 2),
            random_wholes(size(candidates), 2, 2),
            random_wholes(candidates, 3, 5)};
  }

  struct Found {
    std::vector<int> match;
    std::vector<float> score;
  };
  Found run(ThreadPool& pool) const {
    Found found = {std::vector<int>(x.count, -1), std::vector<float>(x.count)};
    kernels::nearest(x, kernels::pack_candidates(y, pool), bias, found.match, found.score, pool);
    return found;
  }

  Buffer<float> x_cells, y_cells;
  std::vector<float> bias;
  Vectors x, y;
  std::vector<int> expected_match;
  std::vector<double> expected_score;
};

class Nearest : public testing::Test {
 protected:
  void expect_twins(const Search& search) {
    on_every_target([&] {
      for (ThreadPool* pool : {&one_thread_, &three_threads_}) {
        const Search::Found found = search.run(*pool);
        ASSERT_EQ(found.match, search.expected_match);
        for (int i = 0; i < search.x.count; ++i) {
          ASSERT_EQ(found.score[i], search.expected_score[i]) << i;
        }
      }
    });
  }

  ThreadPool one_thread_{1};
  ThreadPool three_threads_{3};
};

TEST_F(Nearest, AreTheTwinsForEveryNumberOfQueriesAndCandidates) {
  const int most = kSanitized ? 20 : 130;
  for (int count = 1; count <= most; ++count) {
    SCOPED_TRACE(count);
    expect_twins(Search::of_wholes(32, count, 1 + count * 7 % 150));
    expect_twins(Search::of_wholes(16, 1 + count * 5 % 200, count));
    if (HasFailure()) return;
  }
}

// With AMX and without: it takes channels 32 at a time, and 128 at most.
TEST_F(Nearest, AreTheTwinsForEveryNumberOfChannels) {
  for (const int channels : {16, 32, 48, 64, 96, 128, 144, 160, 256, 480}) {
    SCOPED_TRACE(channels);
    expect_twins(Search::of_wholes(channels, 97, 65));
    if (HasFailure()) return;
  }
}

TEST_F(Nearest, AreTheFirstAmongEquals) {
  Search search = Search::of_wholes(32, 100, 200);
  std::vector<float> same(32 * 200, 1.0f);
  search.y_cells = cells_of(same);
  search.y.cells = search.y_cells.data();
  search.bias.assign(200, 0.0f);
  for (const int first : {0, 5, 63, 64, 150}) {
    std::fill(search.bias.begin(), search.bias.end(), 0.0f);
    std::fill(search.bias.begin(), search.bias.begin() + first, -1.0f);
    for (const int match : search.run(three_threads_).match) ASSERT_EQ(match, first);
  }
}

TEST_F(Nearest, HaveTheHighestScoreButForRounding) {
  const int channels = 160, queries = 211, candidates = 333;
  const Search search(channels, queries, candidates, random_values(channels * queries, 1),
                      random_values(channels * candidates, 2), random_values(candidates, 3));
  // |x| |y| of values up to 1: at most as many as channels.
  const double tolerance = positive_sum_tolerance(channels) * channels;
  on_every_target([&] {
    const Search::Found found = search.run(three_threads_);
    for (int i = 0; i < queries; ++i) {
      ASSERT_NEAR(found.score[i], search.expected_score[i], tolerance);
      double score = search.bias[found.match[i]];
      for (int c = 0; c < channels; ++c) {
        score += double{search.x.cell(c / kBlock, i)[c % kBlock]} *
                 search.y.cell(c / kBlock, found.match[i])[c % kBlock];
      }
      ASSERT_GE(score, search.expected_score[i] - 2 * tolerance);
    }
  });
}

// Wherever a query stands, and however many threads there are.
TEST_F(Nearest, DoNotDependOnThreadsOrPlaces) {
  const int channels = 96, queries = 300, candidates = 170;
  const Search search(channels, queries, candidates, random_values(channels * queries, 1),
                      random_values(channels * candidates, 2), random_values(candidates, 3));
  const Search::Found expected = search.run(one_thread_);
  EXPECT_EQ(search.run(three_threads_).score, expected.score);
  // The last 200 of them alone.
  const Vectors last = {search.x.cell(0, 100), channels, 200, search.x.block_stride};
  std::vector<int> match(200);
  std::vector<float> score(200);
  kernels::nearest(last, kernels::pack_candidates(search.y, one_thread_), search.bias, match, score,
                   one_thread_);
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(match[i], expected.match[100 + i]);
    ASSERT_EQ(score[i], expected.score[100 + i]);
  }
}

TEST_F(Nearest, OfAMapAreFoundByItsPositions) {
  const GuardedMap F(
      32, 3, 5, [](int c, int y, int x) { return static_cast<float>(c + 100 * y + 1000 * x); });
  const Vectors x = kernels::positions_of(F.map());
  ASSERT_EQ(x.count, 2 * 7 + 5);
  for (int y = 0; y < 3; ++y) {
    for (int column = 0; column < 5; ++column) {
      for (int c = 0; c < 32; ++c) {
        ASSERT_EQ(x.cell(c / kBlock, y * 7 + column)[c % kBlock], F.at(c, y, column));
      }
    }
  }
}

TEST_F(Nearest, OfNoNumbersAreNone) {
  Search search = Search::of_wholes(32, 3, 70);
  for (int block = 0; block < 2; ++block) {
    float* cell = search.x_cells.data() + (block * 3 + 1) * kBlock;
    std::fill(cell, cell + kBlock, std::nanf(""));
  }
  const Search::Found found = search.run(one_thread_);
  EXPECT_EQ(found.match[1], 0);
  EXPECT_EQ(found.score[1], -kInfinity);
  EXPECT_EQ(found.match[0], search.expected_match[0]);
  EXPECT_EQ(found.match[2], search.expected_match[2]);
}

}  // namespace
}  // namespace limn
