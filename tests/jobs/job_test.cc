#include "jobs/job.h"

#include <gtest/gtest.h>

#include <set>

#include "support/errors.h"

namespace limn {
namespace {

TEST(JobNames, AreReadBack) {
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(static_cast<int>(parse_job_state(name_of(static_cast<JobState>(i)))), i);
    EXPECT_EQ(static_cast<int>(parse_job_kind(name_of(static_cast<JobKind>(i)))), i);
  }
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(static_cast<int>(parse_wish(name_of(static_cast<Wish>(i)))), i);
}

TEST(JobNames, AreAsTheApiSaysThem) {
  EXPECT_STREQ(name_of(JobState::waiting), "waiting");
  EXPECT_STREQ(name_of(JobState::cancelled), "cancelled");
  EXPECT_STREQ(name_of(JobKind::paint), "paint");
  EXPECT_STREQ(name_of(JobKind::sweep), "sweep");
}

TEST(JobNames, AnErrorSaysWhichThereAre) {
  EXPECT_TRUE(says(error_of([] { parse_job_state("Done\n"); }), ErrorKind::usage, "'Done?'",
                   "'waiting', 'running', 'done', 'failed', 'cancelled'"));
  EXPECT_TRUE(says(error_of([] { parse_job_kind(""); }), ErrorKind::usage, "'inpaint'"));
}

TEST(JobId, IsNeverTheSame) {
  std::set<std::string> ids;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = new_job_id();
    EXPECT_TRUE(is_job_id(id)) << id;
    ids.insert(id);
  }
  EXPECT_EQ(ids.size(), 1000u);
}

TEST(JobId, IsNothingElse) {
  const std::string id = new_job_id();
  for (const std::string& other :
       {std::string(), id.substr(1), id + "0", "../" + id.substr(3), std::string(32, 'A'),
        std::string(32, '\0'), "/" + id.substr(1)}) {
    EXPECT_FALSE(is_job_id(other)) << other;
  }
}

}  // namespace
}  // namespace limn
