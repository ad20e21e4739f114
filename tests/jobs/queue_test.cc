#include "jobs/queue.h"

#include <gtest/gtest.h>

#include <set>

#include "jobs/each_store.h"
#include "support/errors.h"

namespace limn {
namespace {

class QueueTest : public EachStore {
 protected:
  void SetUp() override {
    EachStore::SetUp();
    if (IsSkipped()) return;
    files_ = std::make_unique<Files>(path("data"));
    queue_ = std::make_unique<Queue>(store(), *files_);
  }
  Queue& queue() { return *queue_; }
  Files& files() { return *files_; }

  std::string uploaded(const std::string& text) {
    Files::Incoming incoming = files().receive();
    incoming.write(std::as_bytes(std::span(text)));
    return incoming.keep();
  }
  Job submitted(bool preview = false) { return queue().submit(request_of("a", "", preview)); }
  std::vector<std::string> waiting() {
    std::vector<std::string> ids;
    for (const Job& job : queue().list({.states = {JobState::waiting}})) ids.push_back(job.id);
    return ids;
  }

 private:
  std::unique_ptr<Files> files_;
  std::unique_ptr<Queue> queue_;
};
LIMN_WITH_EACH_STORE(QueueTest);

using Ids = std::vector<std::string>;

TEST_P(QueueTest, AJobGoesItsWay) {
  JobRequest request = request_of("a");
  request.inputs = {{"photo", "p.jpg", uploaded("p")}};
  const Job job = queue().submit(request);
  EXPECT_TRUE(is_job_id(job.id));
  EXPECT_EQ(job.state, JobState::waiting);
  EXPECT_GT(job.created, 1'600'000'000'000);
  const Job running = queue().claim("w", 1e9).value();
  EXPECT_EQ(running.id, job.id);
  EXPECT_FALSE(queue().claim("w", 1e9));
  const Lease lease = lease_of(running);
  queue().set_bytes(lease, 5e6);
  EXPECT_EQ(queue().beat(lease), Wish::go_on);
  EXPECT_TRUE(queue().finish(lease, {.ending = Ending::painted, .reason = ""}));
  EXPECT_FALSE(queue().beat(lease));
  EXPECT_FALSE(queue().finish(lease, {.ending = Ending::painted, .reason = ""}));
  const Job done = queue().find(job.id).value();
  EXPECT_EQ(done.state, JobState::done);
  EXPECT_EQ(done.bytes, 5e6);
  EXPECT_GE(done.ended, done.created);
}

TEST_P(QueueTest, AnInputThatIsNotHereIsRefused) {
  JobRequest request = request_of("a");
  request.inputs = {{"photo", "p.jpg", uploaded("p")}, {"painting", "o.jpg", std::string(64, 'a')}};
  EXPECT_TRUE(says(error_of([&] { queue().submit(request); }), ErrorKind::usage, "painting",
                   "'o.jpg' is not here"));
  request.inputs[1].file = "../../etc/passwd";
  EXPECT_TRUE(says(error_of([&] { queue().submit(request); }), ErrorKind::usage, "not the id"));
  EXPECT_TRUE(queue().list({}).empty());
}

TEST_P(QueueTest, AQuotaIsSaid) {
  submitted();
  EXPECT_TRUE(says(error_of([&] { queue().submit(request_of("a"), {.waiting = 1}); }),
                   ErrorKind::usage, "1 jobs waiting or running"));
  EXPECT_TRUE(queue().cancel(waiting().front()));
  EXPECT_NO_THROW(queue().submit(request_of("a"), {.waiting = 1}));
}

TEST_P(QueueTest, ClaimsWhatFitsIntoMemory) {
  const Job large = submitted();
  const Job running = queue().claim("w", 0).value();  // its need is not known
  queue().set_bytes(lease_of(running), 8e9);
  queue().finish(lease_of(running), {.ending = Ending::handed_back, .reason = ""});
  const Job small = submitted();
  EXPECT_EQ(queue().claim("w", 1e9)->id, small.id);
  EXPECT_FALSE(queue().claim("w", 1e9));
  const Job preview = submitted(true);
  EXPECT_EQ(queue().claim("w", 1e10, true)->id, preview.id);
  EXPECT_FALSE(queue().claim("w", 1e10, true));
  EXPECT_EQ(queue().claim("w", 1e10)->id, large.id);
}

TEST_P(QueueTest, CancelsAndRetries) {
  const Job a = submitted();
  const Job b = submitted();
  EXPECT_EQ(queue().cancel(a.id)->state, JobState::cancelled);
  EXPECT_FALSE(queue().cancel(a.id));
  const Job running = queue().claim("w", 1e9).value();
  EXPECT_EQ(queue().cancel(running.id)->state, JobState::running);
  EXPECT_EQ(queue().beat(lease_of(running)), Wish::cancel);
  EXPECT_FALSE(queue().retry(running.id));
  EXPECT_TRUE(queue().finish(lease_of(running),
                             {.ending = Ending::stopped, .reason = "", .has_picture = true}));
  EXPECT_TRUE(queue().find(b.id)->interrupted);
  const Job c = submitted();
  EXPECT_TRUE(queue().retry(a.id));
  EXPECT_EQ(waiting(), (Ids{c.id, a.id}));  // behind those that came meanwhile
  const Job d = submitted();
  EXPECT_EQ(waiting(), (Ids{c.id, a.id, d.id}));
  EXPECT_FALSE(queue().cancel(new_job_id()));
}

TEST_P(QueueTest, MovesJobs) {
  const Job a = submitted();
  const Job b = submitted();
  const Job c = submitted();
  const Job preview = submitted(true);
  EXPECT_TRUE(queue().move_before(c.id, a.id));
  EXPECT_EQ(waiting(), (Ids{preview.id, c.id, a.id, b.id}));
  EXPECT_TRUE(queue().move_before(b.id, a.id));
  EXPECT_EQ(waiting(), (Ids{preview.id, c.id, b.id, a.id}));
  EXPECT_TRUE(queue().move_before(c.id, ""));
  EXPECT_EQ(waiting(), (Ids{preview.id, b.id, a.id, c.id}));
  const Job d = submitted();
  EXPECT_EQ(waiting(), (Ids{preview.id, b.id, a.id, c.id, d.id}));
  EXPECT_TRUE(queue().move_before(b.id, a.id));  // where it is
  EXPECT_EQ(waiting(), (Ids{preview.id, b.id, a.id, c.id, d.id}));
  EXPECT_FALSE(queue().move_before(b.id, b.id));
  EXPECT_FALSE(queue().move_before(b.id, preview.id));
  EXPECT_FALSE(queue().move_before(b.id, new_job_id()));
  EXPECT_FALSE(queue().move_before(new_job_id(), b.id));
  queue().cancel(d.id);
  EXPECT_FALSE(queue().move_before(d.id, b.id));
  EXPECT_FALSE(queue().move_before(b.id, d.id));
}

// Two jobs that change places before a third halve the room between them each time: it ends soon.
TEST_P(QueueTest, MovesJobsWithoutEnd) {
  Ids first, others;
  for (int i = 0; i < 3; ++i) first.push_back(submitted().id);
  others = {submitted().id, submitted().id};
  const std::string last = submitted().id;
  for (int i = 0; i < 130; ++i) {
    std::swap(others[0], others[1]);
    ASSERT_TRUE(queue().move_before(others[1], last));
    ASSERT_EQ(waiting(), (Ids{first[0], first[1], first[2], others[0], others[1], last}));
  }
}

TEST_P(QueueTest, ErasesWhatDoesNotRun) {
  const Job a = submitted();
  std::ofstream(files().folder_of_job(a.id) + "/log.txt") << "x";
  const Job running = queue().claim("w", 1e9).value();
  EXPECT_FALSE(queue().erase(a.id));
  EXPECT_EQ(files().bytes_of_job(a.id), 1u);
  queue().finish(lease_of(running), {.ending = Ending::painted, .reason = ""});
  EXPECT_TRUE(queue().erase(a.id));
  EXPECT_FALSE(queue().erase(a.id));
  EXPECT_FALSE(std::filesystem::exists(path("data/jobs/" + a.id)));
}

TEST_P(QueueTest, ASweepLeavesWhatJobsUse) {
  JobRequest request = request_of("a");
  request.inputs = {{"photo", "p.jpg", uploaded("p")}};
  const std::string other = uploaded("other");
  const Job job = queue().submit(request);
  files().folder_of_job(job.id);
  files().sweep(queue().users_of_files(), 0);
  EXPECT_TRUE(files().has(request.inputs[0].file));
  EXPECT_FALSE(files().has(other));
  EXPECT_TRUE(std::filesystem::exists(path("data/jobs/" + job.id)));
  queue().erase(job.id);
  files().sweep(queue().users_of_files(), 0);
  EXPECT_FALSE(files().has(request.inputs[0].file));
}

// Submits of files that no job uses, beside sweeps that take such files at once.
TEST_P(QueueTest, NoFileOfASubmittedJobIsSwept) {
  std::atomic<bool> over = false;
  std::thread sweeper([&] {
    Files own(path("data"));
    while (!over) own.sweep(queue().users_of_files(), 0);
  });
  int refused = 0;
  for (int i = 0; i < 60; ++i) {
    JobRequest request = request_of("a");
    request.inputs = {{"photo", "", uploaded(std::to_string(i))}};
    try {
      queue().submit(request);
    } catch (const Error& error) {
      EXPECT_TRUE(says(error, ErrorKind::usage, "upload"));
      ++refused;
    }
  }
  over = true;
  sweeper.join();
  const std::vector<Job> jobs = queue().list({});
  EXPECT_EQ(jobs.size(), 60u - static_cast<size_t>(refused));
  for (const Job& job : jobs) EXPECT_TRUE(files().has(job.request.inputs[0].file));
}

TEST_P(QueueTest, OneOfAWorkersJobsMakesRoomForPreviews) {
  submitted();
  submitted();
  submitted();
  const Job first = queue().claim("w", 1e9).value();
  const Job second = queue().claim("w", 1e9).value();
  const Job others = queue().claim("other", 1e9).value();
  queue().beat(lease_of(first));
  queue().beat(lease_of(first));
  queue().beat(lease_of(second));
  queue().make_room_for_previews("w", 1e9);  // none waits
  EXPECT_EQ(queue().beat(lease_of(second)), Wish::go_on);
  submitted(true);
  submitted();
  queue().beat(lease_of(first));
  queue().make_room_for_previews("w", 1e9);
  EXPECT_EQ(queue().beat(lease_of(second)), Wish::yield);
  EXPECT_EQ(queue().beat(lease_of(first)), Wish::go_on);
  EXPECT_EQ(queue().beat(lease_of(others)), Wish::go_on);
  queue().make_room_for_previews("w", 1e9);  // one has been asked
  EXPECT_EQ(queue().beat(lease_of(first)), Wish::go_on);
  EXPECT_TRUE(queue().finish(lease_of(second), {.ending = Ending::stopped, .reason = "room"}));
  EXPECT_TRUE(queue().claim("w", 1e9)->request.preview);
  EXPECT_EQ(queue().claim("w", 1e9)->id, second.id);  // before those that came later
}

TEST_P(QueueTest, OnePreviewIsMadeRoomForOnce) {
  submitted();
  submitted();
  const Job here = queue().claim("here", 1e9).value();
  const Job there = queue().claim("there", 1e9).value();
  submitted(true);
  queue().make_room_for_previews("here", 1e9);
  queue().make_room_for_previews("there", 1e9);
  EXPECT_EQ(queue().beat(lease_of(here)), Wish::yield);
  EXPECT_EQ(queue().beat(lease_of(there)), Wish::go_on);
  submitted(true);
  queue().make_room_for_previews("there", 1e9);
  EXPECT_EQ(queue().beat(lease_of(there)), Wish::yield);
}

TEST_P(QueueTest, NoRoomIsMadeForAPreviewThatDoesNotFit) {
  submitted();
  const Job full = queue().claim("w", 1e9).value();
  const Job preview = submitted(true);
  store().update(preview.id, [](Job& job) {
    job.bytes = 2e9;
    return true;
  });
  queue().make_room_for_previews("w", 1e9);
  EXPECT_EQ(queue().beat(lease_of(full)), Wish::go_on);
  queue().make_room_for_previews("w", 3e9);
  EXPECT_EQ(queue().beat(lease_of(full)), Wish::yield);
}

TEST_P(QueueTest, AJobThatNoWorkerCanTakeSaysWhyUntilOneCan) {
  const Job job = submitted();
  store().update(job.id, [](Job& it) {
    it.bytes = 2e9;
    return true;
  });
  EXPECT_FALSE(queue().claim("small", 1e9, /*previews_only=*/true));
  EXPECT_EQ(queue().find(job.id)->reason, "");
  EXPECT_FALSE(queue().claim("small", 1e9));
  const std::string reason = queue().find(job.id)->reason;
  EXPECT_EQ(reason,
            "it waits for a worker with more memory: it needs about 2000 MB, and 'small' has 1000 "
            "MB");
  const std::int64_t revision = queue().revision();
  EXPECT_FALSE(queue().claim("smaller", 5e8));
  EXPECT_EQ(queue().revision(), revision);
  EXPECT_EQ(queue().claim("large", 3e9)->reason, "");
}

TEST_P(QueueTest, ARetryIsPlannedAnew) {
  const Job job = submitted();
  const Job running = queue().claim("w", 1e9).value();
  queue().set_bytes(lease_of(running), 5e8);
  queue().finish(lease_of(running), {.ending = Ending::refused, .reason = "no"});
  queue().retry(job.id);
  EXPECT_TRUE(queue().claim("small", 1e8));
}

TEST_P(QueueTest, WhatWasTriedAgainIsNotErased) {
  const Job job = submitted();
  const Job listed = queue().cancel(job.id).value();
  queue().retry(job.id);
  EXPECT_FALSE(queue().erase(job.id, listed.revision));
  const Job again = queue().cancel(job.id).value();
  EXPECT_TRUE(queue().erase(job.id, again.revision));
}

// ---------------------------------------------------------------------------------- LeaseWatch --

TEST_P(QueueTest, AJobIsTakenFromAWorkerThatHasStopped) {
  submitted();
  submitted();
  const Job alive = queue().claim("alive", 1e9).value();
  const Job dead = queue().claim("dead", 1e9).value();
  LeaseWatch watch(10);
  for (double now = 100; now < 110; now += 1) {
    EXPECT_TRUE(watch.look(store(), now).empty()) << now;
    EXPECT_TRUE(queue().beat(lease_of(alive)));
  }
  const std::vector<Job> taken = watch.look(store(), 110);
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].id, dead.id);
  EXPECT_EQ(taken[0].state, JobState::waiting);
  EXPECT_EQ(taken[0].losses, 1);
  EXPECT_FALSE(queue().beat(lease_of(dead)));
  EXPECT_TRUE(queue().beat(lease_of(alive)));
  // Given to another, it has a whole lease again.
  const Job again = queue().claim("dead", 1e9).value();
  EXPECT_EQ(again.id, dead.id);
  for (double now = 111; now < 121; now += 1) {
    EXPECT_TRUE(watch.look(store(), now).empty()) << now;
    queue().beat(lease_of(alive));
  }
}

// The store, or this process, was away: so was the workers' way to say that they live.
TEST_P(QueueTest, APauseIsNobodysDeath) {
  submitted();
  const Job job = queue().claim("w", 1e9).value();
  LeaseWatch watch(10);
  EXPECT_TRUE(watch.look(store(), 100).empty());
  EXPECT_TRUE(watch.look(store(), 104).empty());
  EXPECT_TRUE(watch.look(store(), 1000).empty());
  EXPECT_TRUE(watch.look(store(), 1004).empty());
  EXPECT_TRUE(queue().beat(lease_of(job)));
  for (double now = 1008; now < 1018; now += 1) EXPECT_TRUE(watch.look(store(), now).empty());
  EXPECT_EQ(watch.look(store(), 1018).size(), 1u);
}

TEST_P(QueueTest, AWorkerThatStartsAgainFindsItsJobsWaiting) {
  submitted();
  submitted();
  const Job mine = queue().claim("me", 1e9).value();
  const Job others = queue().claim("other", 1e9).value();
  const std::vector<Job> taken = LeaseWatch::take_back_from(store(), "me");
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].id, mine.id);
  EXPECT_TRUE(queue().beat(lease_of(others)));
}

// What times say decides nothing: with any of them, jobs go their way, in their order.
TEST_P(QueueTest, NoClockDecidesAnything) {
  constexpr Milliseconds kTimes[] = {0, 4'000'000'000'000, -1, 1'000'000'000'000, 1};
  Ids ids;
  for (const Milliseconds time : kTimes) {
    Job job = new_job();
    job.created = time;
    ids.push_back(store().add(job)->id);
  }
  LeaseWatch watch(10);
  double steady = 50;
  for (size_t i = 0; i < ids.size(); ++i) {
    const Job job =
        store().update_next([&](Job& it) { return claim(it, "w", kTimes[4 - i]); }).value();
    EXPECT_EQ(job.id, ids[i]);
    EXPECT_TRUE(watch.look(store(), ++steady).empty());
    EXPECT_TRUE(store().update(job.id, [&](Job& it) {
      return finish(it, lease_of(job), {.ending = Ending::painted, .reason = ""}, kTimes[i]);
    }));
  }
}

}  // namespace
}  // namespace limn
