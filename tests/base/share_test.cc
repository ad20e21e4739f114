// Which part of a vector each rank keeps, and that they put it together again.
#include "base/share.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <vector>

#include "support/thread_ranks.h"

namespace limn {
namespace {

constexpr size_t kPiece = 16;
const std::vector<size_t> kSizes = {0, 1, kPiece, 3 * kPiece + 5, 20 * kPiece + 1};
const std::vector<int> kRanks = {1, 2, 3, 7};

// Every rank's.
std::vector<Share> shares_of(size_t size, size_t behind, int count) {
  std::vector<Share> shares(count, Share(0, kPiece, 0, alone()));
  ThreadRanks(count).run(
      [&](Ranks& ranks) { shares[ranks.rank()] = Share(size, kPiece, behind, ranks); });
  return shares;
}

TEST(Share, IsCutAtPiecesAndAsLargeAsThatOfOthers) {
  for (const size_t size : kSizes) {
    for (const int count : kRanks) {
      size_t next = 0;
      for (const Share& share : shares_of(size, 0, count)) {
        EXPECT_EQ(share.first(), next);
        EXPECT_EQ(share.kept(), share.own());
        EXPECT_LT(share.own(), size / count + 2 * kPiece);
        next += share.own();
        EXPECT_TRUE(next % kPiece == 0 || next == size) << next;
      }
      EXPECT_EQ(next, size);
    }
  }
}

TEST(Share, KeepsWhatLiesBehindIt) {
  for (const size_t size : kSizes) {
    for (const size_t behind : {size_t{1}, kPiece - 1, kPiece, 3 * kPiece + 1}) {
      for (const Share& share : shares_of(size, behind, 3)) {
        if (share.own() == 0) {
          EXPECT_EQ(share.kept(), 0u);
          continue;
        }
        const size_t end = share.first() + share.kept();
        EXPECT_GE(end, std::min(share.first() + share.own() + behind, size));
        EXPECT_TRUE(end % kPiece == 0 || end == size) << end;
      }
    }
  }
}

TEST(Share, IsPutTogetherWithThoseOfOthers) {
  for (const size_t size : kSizes) {
    std::vector<int> expected(size);
    std::iota(expected.begin(), expected.end(), 1);
    for (const int count : kRanks) {
      ThreadRanks(count).run([&](Ranks& ranks) {
        const Share share(size, kPiece, 5, ranks);
        // With what is not its own, too, as long as that is the same.
        const auto kept = share.kept_of(std::span<const int>(expected));
        std::vector<int> part(kept.begin(), kept.end()), whole(size, -1);
        share.gather<int>(part, whole);
        EXPECT_EQ(whole, expected);
        std::vector<int> memory(size, -1);
        const std::span<int> gathered = share.gathered<int>(part, memory);
        EXPECT_TRUE(std::ranges::equal(gathered, expected));
        EXPECT_EQ(gathered.data() == part.data(), count == 1 || size == 0);
      });
    }
  }
}

TEST(Share, IsPutTogetherByPieces) {
  constexpr size_t kEach = 3;
  for (const size_t size : kSizes) {
    for (const int count : kRanks) {
      ThreadRanks(count).run([&](Ranks& ranks) {
        const Share share(size, kPiece, 0, ranks);
        std::vector<int> all(kEach * share.pieces(), -1), expected(all.size());
        for (size_t i = 0; i < all.size(); ++i) expected[i] = static_cast<int>(i);
        const std::span<int> own = share.own_pieces_of(std::span(all), kEach);
        const size_t first = own.data() - all.data();
        for (size_t i = 0; i < own.size(); ++i) own[i] = static_cast<int>(first + i);
        share.exchange_pieces(std::span(all), kEach);
        EXPECT_EQ(all, expected);
      });
    }
  }
}

}  // namespace
}  // namespace limn
