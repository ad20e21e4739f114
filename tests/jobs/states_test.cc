// The state machine against a table: every state x every event, and every ending under every wish.
#include "jobs/states.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>

#include "jobs/jobs_for_tests.h"

namespace limn {
namespace {

constexpr Milliseconds kNow = 1000;
constexpr JobState kStates[] = {JobState::waiting, JobState::running, JobState::done,
                                JobState::failed, JobState::cancelled};
constexpr Wish kWishes[] = {Wish::go_on, Wish::yield, Wish::cancel};
constexpr Ending kEndings[] = {Ending::painted, Ending::refused, Ending::stopped,
                               Ending::handed_back, Ending::killed};

Job job_in(JobState state) {
  Job job = new_job();
  job.state = state;
  job.order = 7;
  if (state == JobState::running) {
    job.worker = "worker";
    job.attempts = 3;
    job.beat = 5;
    job.started = 10;
  }
  if (state == JobState::done || state == JobState::failed || state == JobState::cancelled)
    job.ended = 20;
  return job;
}

Lease lease_for_tests(const Job& job) { return {job.id, "worker", 3}; }

bool same(const Job& a, const Job& b) {
  return a.id == b.id && a.state == b.state && a.order == b.order && a.worker == b.worker &&
         a.beat == b.beat && a.wish == b.wish && a.attempts == b.attempts && a.kills == b.kills &&
         a.losses == b.losses && a.reason == b.reason && a.bytes == b.bytes &&
         a.interrupted == b.interrupted && a.created == b.created && a.started == b.started &&
         a.ended == b.ended && a.revision == b.revision;
}

JobOutcome outcome_of(Ending ending, bool has_picture = false) {
  return {.ending = ending, .reason = "because", .has_picture = has_picture};
}

// What holds of a job in any state, however it came there.
void expect_consistent(const Job& job) {
  const bool runs = job.state == JobState::running;
  EXPECT_EQ(job.worker.empty(), !runs);
  if (!runs) {
    EXPECT_EQ(job.beat, 0);
    EXPECT_EQ(job.wish, Wish::go_on);
  }
  const bool over = job.state != JobState::waiting && !runs;
  EXPECT_EQ(job.ended != 0, over);
  EXPECT_TRUE(!job.interrupted || job.state == JobState::cancelled);
  EXPECT_LT(job.kills, kMostKills + 1);
  EXPECT_TRUE(job.state != JobState::waiting || job.kills < kMostKills);
}

struct Event {
  const char* name;
  std::function<bool(Job&)> happens;
  std::map<JobState, JobState> leads_to;  // from the others: nothing happens
};

TEST(States, EveryEventInEveryState) {
  using enum JobState;
  const std::vector<Event> events = {
      {"claim", [](Job& job) { return claim(job, "worker", kNow); }, {{waiting, running}}},
      {"beat", [](Job& job) { return beat(job, lease_for_tests(job)); }, {{running, running}}},
      {"painted",
       [](Job& job) {
         return finish(job, lease_for_tests(job), outcome_of(Ending::painted), kNow);
       },
       {{running, done}}},
      {"refused",
       [](Job& job) {
         return finish(job, lease_for_tests(job), outcome_of(Ending::refused), kNow);
       },
       {{running, failed}}},
      {"stopped",
       [](Job& job) {
         return finish(job, lease_for_tests(job), outcome_of(Ending::stopped), kNow);
       },
       {{running, waiting}}},
      {"handed back",
       [](Job& job) {
         return finish(job, lease_for_tests(job), outcome_of(Ending::handed_back), kNow);
       },
       {{running, waiting}}},
      {"killed",
       [](Job& job) { return finish(job, lease_for_tests(job), outcome_of(Ending::killed), kNow); },
       {{running, waiting}}},
      {"taken back",
       [](Job& job) { return take_back(job, lease_for_tests(job), 5, kNow); },
       {{running, waiting}}},
      {"cancel",
       [](Job& job) { return cancel(job, kNow); },
       {{waiting, cancelled}, {running, running}}},
      {"retry",
       [](Job& job) { return retry(job, 8); },
       {{done, waiting}, {failed, waiting}, {cancelled, waiting}}},
      {"yield", [](Job& job) { return ask_to_yield(job); }, {{running, running}}},
      {"move", [](Job& job) { return move_to(job, 1); }, {{waiting, waiting}}},
      {"wait for memory",
       [](Job& job) {
         job.bytes = 2e9;
         return wait_for_memory(job, "small", 1e9) || (job.bytes = 0);
       },
       {{waiting, waiting}}},
  };
  for (const Event& event : events) {
    for (const JobState state : kStates) {
      const Job before = job_in(state);
      Job job = before;
      const bool happened = event.happens(job);
      const auto to = event.leads_to.find(state);
      SCOPED_TRACE(std::string(event.name) + " of a job that is " + name_of(state));
      EXPECT_EQ(happened, to != event.leads_to.end());
      if (happened) {
        EXPECT_EQ(job.state, to->second) << name_of(job.state);
        EXPECT_FALSE(same(job, before));
      } else {
        EXPECT_TRUE(same(job, before)) << "it was changed all the same";
      }
      expect_consistent(job);
    }
  }
  for (const JobState state : kStates) EXPECT_EQ(may_be_erased(job_in(state)), state != running);
}

TEST(States, EveryEndingUnderEveryWish) {
  using enum JobState;
  const auto expected = [](Ending ending, Wish wish) {
    if (ending == Ending::painted) return done;
    if (ending == Ending::refused) return failed;
    return wish == Wish::cancel ? cancelled : waiting;
  };
  for (const Ending ending : kEndings) {
    for (const Wish wish : kWishes) {
      for (const bool has_picture : {false, true}) {
        Job job = job_in(running);
        job.wish = wish;
        ASSERT_TRUE(finish(job, lease_for_tests(job), outcome_of(ending, has_picture), kNow));
        EXPECT_EQ(job.state, expected(ending, wish));
        EXPECT_EQ(job.interrupted, job.state == cancelled && has_picture);
        EXPECT_EQ(job.kills, ending == Ending::killed ? 1 : 0);
        EXPECT_EQ(job.order, 7);
        expect_consistent(job);
      }
    }
  }
}

TEST(States, OnlyAValidLeaseDoesAnything) {
  const Job running = job_in(JobState::running);
  std::vector<Lease> leases(3, lease_for_tests(running));
  leases[0].job = new_job_id();
  leases[1].worker = "another";
  leases[2].attempt = 2;
  for (const Lease& lease : leases) {
    Job job = running;
    EXPECT_FALSE(beat(job, lease));
    EXPECT_FALSE(take_back(job, lease, job.beat, kNow));
    for (const Ending ending : kEndings) EXPECT_FALSE(finish(job, lease, outcome_of(ending), kNow));
    EXPECT_TRUE(same(job, running));
  }
}

TEST(States, AWorkerThatBeatInTheMeantimeKeepsItsJob) {
  Job job = job_in(JobState::running);
  const std::int64_t seen = job.beat;
  ASSERT_TRUE(beat(job, lease_for_tests(job)));
  EXPECT_FALSE(take_back(job, lease_for_tests(job), seen, kNow));
  EXPECT_EQ(job.losses, 0);
}

// The worker that was taken for dead comes back: the job is another's by now, or nobody's.
TEST(States, ALeaseDoesNotComeBack) {
  Job job = job_in(JobState::running);
  const Lease lost = lease_for_tests(job);
  ASSERT_TRUE(take_back(job, lost, job.beat, kNow));
  EXPECT_FALSE(finish(job, lost, outcome_of(Ending::painted), kNow));
  ASSERT_TRUE(claim(job, "worker", kNow));  // the same worker, even
  EXPECT_FALSE(beat(job, lost));
  EXPECT_FALSE(finish(job, lost, outcome_of(Ending::painted), kNow));
  EXPECT_TRUE(finish(job, lease_of(job), outcome_of(Ending::painted), kNow));
}

TEST(States, TheSecondKillFails) {
  Job job = job_in(JobState::running);
  ASSERT_TRUE(finish(job, lease_for_tests(job), outcome_of(Ending::killed), kNow));
  EXPECT_EQ(job.state, JobState::waiting);
  EXPECT_EQ(job.reason, "because");
  ASSERT_TRUE(claim(job, "worker", kNow));
  ASSERT_TRUE(finish(job, lease_of(job), outcome_of(Ending::killed), kNow));
  EXPECT_EQ(job.state, JobState::failed);
  EXPECT_EQ(job.reason, "because");
  ASSERT_TRUE(retry(job, 9));  // from the start
  ASSERT_TRUE(claim(job, "worker", kNow));
  ASSERT_TRUE(finish(job, lease_of(job), outcome_of(Ending::killed), kNow));
  EXPECT_EQ(job.state, JobState::waiting);
}

TEST(States, SoDoesTheTenthLoss) {
  Job job = new_job();
  for (int loss = 1; loss <= kMostLosses; ++loss) {
    ASSERT_TRUE(claim(job, "worker", kNow));
    ASSERT_TRUE(take_back(job, lease_of(job), 0, kNow));
    EXPECT_EQ(job.state, loss < kMostLosses ? JobState::waiting : JobState::failed);
    EXPECT_NE(job.reason.find("worker"), std::string::npos);
    expect_consistent(job);
  }
  ASSERT_TRUE(retry(job, 9));
  EXPECT_EQ(job.losses, 0);
}

TEST(States, HandingBackIsNoLoss) {
  Job job = new_job();
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(claim(job, "worker", kNow));
    ASSERT_TRUE(finish(job, lease_of(job), outcome_of(Ending::handed_back), kNow));
    ASSERT_EQ(job.state, JobState::waiting);
  }
  EXPECT_EQ(job.attempts, 50);
}

TEST(States, ACancelledJobDoesNotWaitAgainWhenItsWorkerVanishes) {
  Job job = job_in(JobState::running);
  ASSERT_TRUE(cancel(job, kNow));
  ASSERT_TRUE(take_back(job, lease_for_tests(job), job.beat, kNow));
  EXPECT_EQ(job.state, JobState::cancelled);
  expect_consistent(job);
}

TEST(States, CancellingIsNotYielding) {
  Job job = job_in(JobState::running);
  ASSERT_TRUE(ask_to_yield(job));
  EXPECT_FALSE(ask_to_yield(job));
  ASSERT_TRUE(cancel(job, kNow));
  EXPECT_EQ(job.wish, Wish::cancel);
  EXPECT_FALSE(ask_to_yield(job));
  EXPECT_TRUE(cancel(job, kNow));  // again: as it is
  EXPECT_EQ(job.wish, Wish::cancel);
}

TEST(States, APreviewDoesNotYield) {
  Job job = job_in(JobState::running);
  job.request.preview = true;
  EXPECT_FALSE(ask_to_yield(job));
}

TEST(States, ARetriedJobBeginsAfresh) {
  Job job = job_in(JobState::cancelled);
  job.interrupted = true;
  job.reason = "old";
  job.kills = 1;
  ASSERT_TRUE(retry(job, 8));
  EXPECT_EQ(job.reason, "");
  EXPECT_FALSE(job.interrupted);
  EXPECT_EQ(job.kills, 0);
  EXPECT_EQ(job.order, 8);
  expect_consistent(job);
}

}  // namespace
}  // namespace limn
