#include "batch/shard.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/errors.h"

namespace limn {
namespace {

TEST(Shards, ArePartitions) {
  for (const size_t tasks : {0, 1, 2, 7, 100, 101}) {
    for (const size_t count : {1, 2, 3, 8, 150}) {
      size_t next = 0, least = tasks, most = 0;
      for (size_t number = 1; number <= count; ++number) {
        const auto [begin, end] = tasks_of({number, count}, tasks);
        EXPECT_EQ(begin, next);
        next = end;
        least = std::min(least, end - begin);
        most = std::max(most, end - begin);
      }
      EXPECT_EQ(next, tasks);
      EXPECT_LE(most - least, 1u);
    }
  }
}

TEST(Shards, AreReadFromText) {
  const Shard shard = parse_shard("2/8");
  EXPECT_EQ(shard.number, 2u);
  EXPECT_EQ(shard.count, 8u);
  EXPECT_FALSE(shard.is_whole());
  EXPECT_TRUE(parse_shard("1/1").is_whole());
  for (const char* wrong : {"", "2", "2/", "/8", "0/8", "9/8", "1/0", "-1/8", "+1/8", "1/8 ", "a/b",
                            "1//8", "1/1000001", "99999999999999999999/1"}) {
    EXPECT_TRUE(says(error_of([&] { parse_shard(wrong); }), ErrorKind::usage, "--shard: "))
        << wrong;
  }
}

TEST(Shards, HaveFilesOfTheirOwn) {
  EXPECT_EQ(file_of({1, 1}, "out/report.json"), "out/report.json");
  EXPECT_EQ(file_of({2, 8}, "out/report.json"), "out/report-2-of-8.json");
  EXPECT_EQ(file_of({2, 8}, "sheet"), "sheet-2-of-8");
}

}  // namespace
}  // namespace limn
