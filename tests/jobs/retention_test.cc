#include "jobs/retention.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "jobs/jobs_for_tests.h"
#include "support/temporary_folder.h"

namespace limn {
namespace {

constexpr double kDay = 86'400;
constexpr Milliseconds kToday = 1'790'000'000'000;
constexpr Milliseconds kDayOfWall = 86'400'000;

class RetentionTest : public InAFolder {
 protected:
  RetentionTest()
      : store_(open_store(path("jobs.db"))), files_(path("data")), queue_(*store_, files_) {}

  // A job in this state, which ended then, with so many bytes in its folder.
  Job job_in(JobState state, Milliseconds ended, size_t bytes, const std::string& input = "") {
    Job job = new_job();
    if (!input.empty()) {
      Files::Incoming incoming = files_.receive();
      incoming.write(std::as_bytes(std::span(input)));
      job.request.inputs = {{"photo", "", incoming.keep()}};
    }
    store_->add(job);
    store_->update(job.id, [&](Job& it) {
      it.state = state;
      it.ended = ended;
      return true;
    });
    std::ofstream(files_.folder_of_job(job.id) + "/result.png") << std::string(bytes, 'x');
    return job;
  }
  bool is_here(const Job& job) { return store_->find(job.id).has_value(); }
  Queue& queue() { return queue_; }
  Store& store() { return *store_; }

 private:
  std::unique_ptr<Store> store_;
  Files files_;
  Queue queue_;
};

TEST_F(RetentionTest, WithoutLimitsEverythingStays) {
  const Job job = job_in(JobState::done, 1, 10);
  Retention retention({});
  EXPECT_TRUE(retention.look(queue(), 0, kToday).erased.empty());
  const Retention::Looked looked = retention.look(queue(), 1000 * kDay, kToday);
  EXPECT_TRUE(looked.erased.empty());
  EXPECT_EQ(looked.bytes, 10u);
  EXPECT_TRUE(is_here(job));
}

TEST_F(RetentionTest, WhatEndedLongAgoGoes) {
  const Job old = job_in(JobState::done, kToday - 40 * kDayOfWall, 10);
  const Job failed = job_in(JobState::failed, kToday - 31 * kDayOfWall, 10);
  const Job young = job_in(JobState::cancelled, kToday - 20 * kDayOfWall, 10);
  const Job running = job_in(JobState::running, 1, 10);
  const Job waiting = job_in(JobState::waiting, 1, 10);
  Retention retention({.days = 30});
  EXPECT_TRUE(retention.look(queue(), 0, kToday).erased.empty());  // it waits for an hour
  EXPECT_TRUE(retention.look(queue(), 3500, kToday + kDayOfWall).erased.empty());
  EXPECT_EQ(retention.look(queue(), 1.1 * kDay, kToday + kDayOfWall).erased.size(), 2u);
  EXPECT_FALSE(is_here(old));
  EXPECT_FALSE(is_here(failed));
  EXPECT_TRUE(is_here(young));
  EXPECT_EQ(retention.look(queue(), 20 * kDay, 0).erased.size(), 1u);
  EXPECT_FALSE(is_here(young));
  retention.look(queue(), 400 * kDay, 0);
  EXPECT_TRUE(is_here(running));
  EXPECT_TRUE(is_here(waiting));
}

// Stepped to the next century or to 1970, and back.
TEST_F(RetentionTest, AStepOfTheClockErasesNothing) {
  const Job job = job_in(JobState::done, kToday, 10);
  Retention retention({.days = 30});
  double steady = 0;
  for (const Milliseconds wall : {kToday, Milliseconds{4'000'000'000'000}, Milliseconds{0}}) {
    for (int hour = 0; hour < 72; ++hour) {
      EXPECT_TRUE(retention.look(queue(), steady, wall).erased.empty());
      steady += 3600;
    }
  }
  // A job that ended while the clock said 1970 stays for an hour, in which that is set right.
  const Job odd = job_in(JobState::done, 5, 10);
  EXPECT_TRUE(retention.look(queue(), steady, kToday).erased.empty());
  EXPECT_TRUE(is_here(odd));
  EXPECT_TRUE(is_here(job));
}

// Its worker died between the two; and the same for what is tried again at that moment.
TEST_F(RetentionTest, StatesOfPaintedJobsGo) {
  const Job painted = job_in(JobState::done, kToday, 10);
  const Job cancelled = job_in(JobState::cancelled, kToday, 10);
  const Job running = job_in(JobState::running, kToday, 10);
  const auto state = [&](const Job& job, const char* name = "state.limn") {
    return queue().files().folder_of_job(job.id) + "/" + name;
  };
  for (const Job& job : {painted, cancelled, running}) std::ofstream(state(job)) << "state";
  std::ofstream(state(painted, "state.bad")) << "state";
  Retention retention({});
  retention.look(queue(), 0, kToday);
  EXPECT_FALSE(std::filesystem::exists(state(painted)));
  EXPECT_FALSE(std::filesystem::exists(state(painted, "state.bad")));
  EXPECT_TRUE(std::filesystem::exists(state(painted, "result.png")));
  EXPECT_TRUE(std::filesystem::exists(state(cancelled)));
  EXPECT_TRUE(std::filesystem::exists(state(running)));
  queue().retry(painted.id);
  std::ofstream(state(painted)) << "state";
  retention.look(queue(), 1, kToday);
  EXPECT_TRUE(std::filesystem::exists(state(painted)));
}

TEST_F(RetentionTest, OnAFullDiskTheOldestFinishedGoFirst) {
  const Job running = job_in(JobState::running, 0, 1000);
  const Job first = job_in(JobState::done, 3, 1000);
  const Job second = job_in(JobState::failed, 2, 1000);
  const Job third = job_in(JobState::done, 1, 1000);
  const Job waiting = job_in(JobState::waiting, 0, 1000);
  const Retention::Looked looked = Retention({.bytes = 3500}).look(queue(), 0, kToday);
  EXPECT_EQ(looked.erased, (std::vector<std::string>{first.id, second.id}));
  EXPECT_EQ(looked.bytes, 3000u);
  EXPECT_FALSE(looked.full);
  EXPECT_TRUE(is_here(third));
  const Retention::Looked more = Retention({.bytes = 500}).look(queue(), 0, kToday);
  EXPECT_EQ(more.erased, (std::vector<std::string>{third.id}));
  EXPECT_TRUE(more.full);
  EXPECT_TRUE(is_here(running));
  EXPECT_TRUE(is_here(waiting));
}

// Its input goes with it, some time later: that counts at once, so that no further job goes for it.
TEST_F(RetentionTest, InputsCountWithTheirJobs) {
  const Job first = job_in(JobState::done, 0, 1000, std::string(2000, 'a'));
  const Job second = job_in(JobState::done, 0, 1000, std::string(2000, 'b'));
  Retention retention({.bytes = 3500});
  EXPECT_EQ(retention.look(queue(), 0, kToday).erased, (std::vector<std::string>{first.id}));
  EXPECT_TRUE(retention.look(queue(), 1, kToday).erased.empty());
  EXPECT_TRUE(is_here(second));
}

TEST_F(RetentionTest, AnInputThatIsNoFileCountsNothing) {
  Job job = new_job();
  job.request.inputs = {{"mask-content", "none", ""}};
  store().add(job);
  store().update(job.id, [](Job& it) { return cancel(it, kToday); });
  std::ofstream(queue().files().folder_of_job(job.id) + "/result.png") << std::string(1000, 'x');
  const Retention::Looked looked = Retention({.bytes = 500}).look(queue(), 0, kToday);
  EXPECT_EQ(looked.erased, (std::vector<std::string>{job.id}));
  EXPECT_FALSE(looked.full);
}

TEST_F(RetentionTest, AnInputOfTwoCountsWithTheLast) {
  const std::string input(2000, 'a');
  const Job first = job_in(JobState::done, 0, 100, input);
  const Job second = job_in(JobState::done, 0, 100, input);
  const Job third = job_in(JobState::done, 0, 100);
  EXPECT_EQ(Retention({.bytes = 2050}).look(queue(), 0, kToday).erased.size(), 2u);
  EXPECT_TRUE(is_here(third));
}

}  // namespace
}  // namespace limn
