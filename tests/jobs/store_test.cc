// What every store does, over SQLite and over PostgreSQL.
#include "jobs/store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>

#include "jobs/each_store.h"
#include "jobs/states.h"
#include "support/errors.h"

namespace limn {
namespace {

constexpr double kLarge = 1e300;

bool claim_it(Job& job) { return claim(job, "worker", 5); }

std::vector<std::string> ids_of(const std::vector<Job>& jobs) {
  std::vector<std::string> ids;
  ids.reserve(jobs.size());
  for (const Job& job : jobs) ids.push_back(job.id);
  return ids;
}

using StoreTest = EachStore;
LIMN_WITH_EACH_STORE(StoreTest);

Job job_with_everything() {
  Job job = new_job();
  job.request.kind = JobKind::season;
  job.request.inputs = {{"photo", "a \"b\" ü.jpg", std::string(64, 'a')},
                        {"painting", "", std::string(64, 'b')},
                        {"painting", "same", std::string(64, 'b')}};
  job.request.recipe = "name = \"x\"\n# 'quotes', \\ and \u00fc\n";
  job.request.flags = {{"vary", "style-weight=1,2"}, {"size", ""}};
  job.request.preview = true;
  job.request.client = "somebody's";
  job.request.key = "key; DROP TABLE jobs";
  job.created = 1'790'000'000'123;
  return job;
}

TEST_P(StoreTest, KeepsEveryMember) {
  const Job job = job_with_everything();
  const Job kept = store().add(job).value();
  EXPECT_GT(kept.revision, 0);
  const Job changed = store()
                          .update(job.id,
                                  [](Job& it) {
                                    it.state = JobState::running;
                                    it.order = 0.1 + 0.2;
                                    it.worker = "machine-1";
                                    it.beat = 1'000'000'000'000;
                                    it.wish = Wish::yield;
                                    it.attempts = 1;
                                    it.kills = 2;
                                    it.losses = 3;
                                    it.reason = "it's so";
                                    it.bytes = kLarge;
                                    it.interrupted = true;
                                    it.started = -1;
                                    it.ended = 4;
                                    return true;
                                  })
                          .value();
  EXPECT_GT(changed.revision, kept.revision);
  const Job found = open_store(where())->find(job.id).value();
  EXPECT_EQ(found.id, job.id);
  EXPECT_EQ(found.request.kind, JobKind::season);
  ASSERT_EQ(found.request.inputs.size(), 3u);
  EXPECT_EQ(found.request.inputs[0].role, "photo");
  EXPECT_EQ(found.request.inputs[0].name, "a \"b\" ü.jpg");
  EXPECT_EQ(found.request.inputs[2].file, std::string(64, 'b'));
  EXPECT_EQ(found.request.recipe, job.request.recipe);
  EXPECT_EQ(found.request.flags, job.request.flags);
  EXPECT_TRUE(found.request.preview);
  EXPECT_EQ(found.request.client, job.request.client);
  EXPECT_EQ(found.request.key, job.request.key);
  EXPECT_EQ(found.state, JobState::running);
  EXPECT_EQ(found.order, 0.1 + 0.2);
  EXPECT_EQ(found.worker, "machine-1");
  EXPECT_EQ(found.beat, 1'000'000'000'000);
  EXPECT_EQ(found.wish, Wish::yield);
  EXPECT_EQ(found.attempts, 1);
  EXPECT_EQ(found.kills, 2);
  EXPECT_EQ(found.losses, 3);
  EXPECT_EQ(found.reason, "it's so");
  EXPECT_EQ(found.bytes, kLarge);
  EXPECT_TRUE(found.interrupted);
  EXPECT_EQ(found.created, job.created);
  EXPECT_EQ(found.started, -1);
  EXPECT_EQ(found.ended, 4);
  EXPECT_EQ(found.revision, changed.revision);
}

// A painter's last words may be anything.
TEST_P(StoreTest, KeepsWhatIsNoText) {
  const Job job = added();
  const std::string bytes("a\0b\xff\xc3 end", 9);
  ASSERT_TRUE(store().update(job.id, [&](Job& it) {
    it.reason = bytes;
    return true;
  }));
  const std::string reason = store().find(job.id)->reason;
  EXPECT_EQ(reason.substr(0, 3), "a b");
  EXPECT_EQ(reason.substr(reason.size() - 3), "end");
}

TEST_P(StoreTest, FindsNothingThatIsNotThere) {
  EXPECT_FALSE(store().find(new_job_id()));
  EXPECT_FALSE(store().find(""));
  EXPECT_FALSE(store().find(std::string("\0\xff", 2)));
  EXPECT_FALSE(store().update(new_job_id(), [](Job&) { return true; }));
  EXPECT_FALSE(store().update_next(claim_it));
  EXPECT_FALSE(store().remove(new_job_id(), may_be_erased));
  EXPECT_TRUE(store().list({}).empty());
  EXPECT_EQ(store().revision(), 0);
}

TEST_P(StoreTest, TheSameClientAndKeyAreTheSameJob) {
  const Job first = store().add(new_job(request_of("a", "k"))).value();
  const std::int64_t revision = store().revision();
  EXPECT_EQ(store().add(new_job(request_of("a", "k")))->id, first.id);
  EXPECT_EQ(store().revision(), revision);
  EXPECT_NE(store().add(new_job(request_of("b", "k")))->id, first.id);
  EXPECT_NE(store().add(new_job(request_of("a", "l")))->id, first.id);
  EXPECT_NE(store().add(new_job(request_of("a")))->id, store().add(new_job(request_of("a")))->id);
  ASSERT_TRUE(store().remove(first.id, may_be_erased));
  EXPECT_NE(store().add(new_job(request_of("a", "k")))->id, first.id);
}

TEST_P(StoreTest, AQuotaCountsWhatIsUnfinished) {
  ASSERT_TRUE(store().add(new_job(request_of("a", "k")), 2));
  ASSERT_TRUE(store().add(new_job(request_of("a")), 2));
  EXPECT_FALSE(store().add(new_job(request_of("a")), 2));
  EXPECT_TRUE(store().add(new_job(request_of("a", "k")), 2));  // the first again
  EXPECT_TRUE(store().add(new_job(request_of("b")), 2));
  const Job running = store().update_next(claim_it).value();
  EXPECT_FALSE(store().add(new_job(request_of("a")), 2));
  ASSERT_TRUE(store().update(running.id, [](Job& job) {
    return finish(job, lease_of(job), {.ending = Ending::painted, .reason = ""}, 6);
  }));
  EXPECT_TRUE(store().add(new_job(request_of("a")), 2));
  EXPECT_EQ(store().list({}).size(), 4u);
}

TEST_P(StoreTest, ListsWhatIsAskedFor) {
  Job with_file = new_job(request_of("a"));
  with_file.request.inputs = {{"photo", "", "f1"}, {"painting", "", "f2"}};
  const Job a = store().add(with_file).value();
  const Job b = added("b");
  const Job c = added("b", true);
  const Job d = added("");
  using Ids = std::vector<std::string>;
  EXPECT_EQ(ids_of(store().list({})), (Ids{c.id, a.id, b.id, d.id}));
  EXPECT_EQ(ids_of(store().list({.newest_first = true})), (Ids{d.id, c.id, b.id, a.id}));
  EXPECT_EQ(ids_of(store().list({.most = 2, .newest_first = true})), (Ids{d.id, c.id}));
  EXPECT_EQ(ids_of(store().list({.client = "b"})), (Ids{c.id, b.id}));
  EXPECT_EQ(ids_of(store().list({.client = ""})), (Ids{d.id}));
  EXPECT_EQ(ids_of(store().list({.file = "f2"})), (Ids{a.id}));
  EXPECT_EQ(ids_of(store().list({.file = "f"})), (Ids{}));
  EXPECT_EQ(ids_of(store().list({.changed_after = a.revision, .most = 2})), (Ids{b.id, c.id}));
  EXPECT_EQ(ids_of(store().list({.changed_after = store().revision()})), (Ids{}));
  EXPECT_EQ(store().list({.most = SIZE_MAX}).size(), 4u);
  EXPECT_EQ(store().list({.most = 0}).size(), 0u);
  EXPECT_EQ(ids_of(store().list({.most = 2, .skip = 1})), (Ids{a.id, b.id}));
  EXPECT_EQ(ids_of(store().list({.skip = 4})), (Ids{}));
  ASSERT_EQ(store().update_next(claim_it)->id, c.id);
  EXPECT_EQ(ids_of(store().list({.states = {JobState::running}})), (Ids{c.id}));
  EXPECT_EQ(ids_of(store().list({.states = {JobState::running, JobState::waiting}})),
            (Ids{c.id, a.id, b.id, d.id}));
  EXPECT_EQ(ids_of(store().list({.states = {JobState::running}, .client = "b", .file = "f1"})),
            (Ids{}));
  ASSERT_TRUE(store().remove(a.id, may_be_erased));
  EXPECT_EQ(ids_of(store().list({.file = "f2"})), (Ids{}));
}

TEST_P(StoreTest, NothingIsChangedByAChangeThatIsRefused) {
  const Job job = added();
  const std::int64_t revision = store().revision();
  EXPECT_FALSE(store().update(job.id, [](Job& it) {
    it.reason = "changed";
    return false;
  }));
  EXPECT_FALSE(store().remove(job.id, [](const Job&) { return false; }));
  EXPECT_THROW(store().update(job.id,
                              [](Job& it) -> bool {
                                it.reason = "changed";
                                throw std::runtime_error("x");
                              }),
               std::runtime_error);
  EXPECT_EQ(store().find(job.id)->reason, "");
  EXPECT_EQ(store().revision(), revision);
  EXPECT_TRUE(store().update(job.id, [](Job&) { return true; }));  // it is not left locked
}

TEST_P(StoreTest, TheNextJobIsTheFirstThatIsAccepted) {
  std::vector<std::string> ids;
  for (int i = 0; i < 100; ++i) ids.push_back(added().id);
  const std::string preview = added("", true).id;
  EXPECT_EQ(store().update_next(claim_it)->id, preview);
  EXPECT_EQ(store().update_next(claim_it)->id, ids[0]);
  // Far down, so that one look at the candidates is not enough.
  const auto only = [&](const std::string& id) {
    return store().update_next([&](Job& job) { return job.id == id && claim_it(job); });
  };
  EXPECT_EQ(only(ids[99])->id, ids[99]);
  EXPECT_FALSE(only(ids[99]));
  ASSERT_TRUE(store().update(ids[50], [](Job& job) { return move_to(job, -1); }));
  EXPECT_EQ(store().update_next(claim_it)->id, ids[50]);
  EXPECT_EQ(store().update_next(claim_it)->id, ids[1]);
}

TEST_P(StoreTest, TheNextJobIsOneThatWasAskedFor) {
  const std::string full = added().id;
  std::vector<std::string> previews;
  for (int i = 0; i < 40; ++i) {
    previews.push_back(added("", true).id);
    store().update(previews.back(), [&](Job& job) {
      job.order = 5;  // all the same
      job.bytes = i < 39 ? 2e9 : 1e9;
      return true;
    });
  }
  int looked_at = 0;
  const auto none = [&](Job& job) {
    EXPECT_TRUE(job.request.preview);
    ++looked_at;
    return false;
  };
  EXPECT_FALSE(store().update_next(none, {.previews_only = true}));
  EXPECT_EQ(looked_at, 40);
  EXPECT_EQ(store().update_next(claim_it, {.bytes = 1e9})->id, previews[39]);
  EXPECT_EQ(store().update_next(claim_it, {.bytes = 1e9})->id, full);
  EXPECT_FALSE(store().update_next(claim_it, {.bytes = 1e9}));
  std::set<std::string> rest;
  while (const auto job = store().update_next(claim_it)) rest.insert(job->id);
  EXPECT_EQ(rest.size(), 39u);
}

TEST_P(StoreTest, NoOrderIsLargerThanTheRevision) {
  for (int i = 0; i < 5; ++i) {
    const Job job = added();
    EXPECT_LE(job.order, static_cast<double>(store().revision()));
  }
}

TEST_P(StoreTest, ARemovalIsAChange) {
  const Job job = added();
  const std::int64_t revision = store().revision();
  ASSERT_TRUE(store().remove(job.id, may_be_erased));
  EXPECT_GT(store().revision(), revision);
  EXPECT_FALSE(store().find(job.id));
}

// ------------------------------------------------------------------------------ several at once --

TEST_P(StoreTest, ThreadsThatAddAndClaimLoseNothing) {
  constexpr int kThreads = 4;
  constexpr int kEach = 15;
  std::mutex mutex;
  std::multiset<std::string> claimed;
  std::set<std::int64_t> revisions;
  in_threads(kThreads, [&](Store& store, int) {
    for (int i = 0; i < kEach; ++i) {
      const Job job = store.add(new_job()).value();
      const std::optional<Job> got = store.update_next(claim_it);
      const std::scoped_lock lock(mutex);
      revisions.insert(job.revision);
      if (!got) continue;
      claimed.insert(got->id);
      revisions.insert(got->revision);
    }
  });
  while (const std::optional<Job> job = store().update_next(claim_it)) {
    claimed.insert(job->id);
    revisions.insert(job->revision);
  }
  EXPECT_EQ(claimed.size(), static_cast<size_t>(kThreads * kEach));
  EXPECT_EQ(std::set<std::string>(claimed.begin(), claimed.end()).size(), claimed.size());
  EXPECT_EQ(revisions.size(), 2 * claimed.size());
  for (const Job& job : store().list({})) EXPECT_EQ(job.attempts, 1);
}

TEST_P(StoreTest, ProcessesThatAddAndClaimLoseNothing) {
  constexpr int kProcesses = 4;
  constexpr int kEach = 15;
  in_processes(kProcesses, [](Store& store, int number) {
    const std::string name = std::to_string(number);
    for (int i = 0; i < kEach; ++i) {
      if (!store.add(new_job(request_of(name)))) return false;
      // Whosever they are; with SKIP LOCKED there may be none for a moment.
      const auto got = store.update_next([&](Job& job) { return claim(job, name, 5); });
      if (got && !store.update(got->id, [&](Job& job) {
            return finish(job, lease_of(*got), {.ending = Ending::painted, .reason = ""}, 6);
          }))
        return false;
    }
    return true;
  });
  EXPECT_EQ(store().list({}).size(), static_cast<size_t>(kProcesses * kEach));
  EXPECT_TRUE(store().list({.states = {JobState::running}}).empty());
  for (const Job& job : store().list({}))
    EXPECT_EQ(job.attempts, job.state == JobState::done ? 1 : 0);
  for (int i = 0; i < kProcesses; ++i)
    EXPECT_EQ(store().list({.client = std::to_string(i)}).size(), static_cast<size_t>(kEach));
}

TEST_P(StoreTest, TwoAtOnceDoNotExceedAQuota) {
  std::atomic<int> accepted = 0;
  in_threads(4, [&](Store& store, int) {
    for (int i = 0; i < 5; ++i) accepted += store.add(new_job(), 7) ? 1 : 0;
  });
  EXPECT_EQ(accepted, 7);
  EXPECT_EQ(store().list({}).size(), 7u);
}

TEST_P(StoreTest, TwoAtOnceWithOneKeyAreOneJob) {
  in_processes(4, [](Store& store, int) {
    for (int i = 0; i < 5; ++i) {
      if (!store.add(new_job(request_of("a", "key " + std::to_string(i))))) return false;
    }
    return true;
  });
  EXPECT_EQ(store().list({}).size(), 5u);
}

TEST_P(StoreTest, UpdatesOfOneJobAreNotLost) {
  const Job job = added();
  in_processes(4, [&](Store& store, int) {
    for (int i = 0; i < 10; ++i) {
      if (!store.update(job.id, [](Job& it) {
            ++it.beat;
            return true;
          }))
        return false;
    }
    return true;
  });
  EXPECT_EQ(store().find(job.id)->beat, 40);
}

// Whoever follows the revisions misses no change: each is seen once it is larger than the last
// seen, and none turns up behind that.
TEST_P(StoreTest, RevisionsBecomeVisibleInTheirOrder) {
  const std::vector<pid_t> adding = processes(4, [](Store& store, int) {
    for (int i = 0; i < 25; ++i) {
      if (!store.add(new_job())) return false;
    }
    return true;
  });
  std::atomic<bool> over = false;
  std::set<std::pair<std::string, std::int64_t>> seen;
  std::thread follower([&] {
    std::int64_t last = 0;
    for (bool last_look = false; !last_look;) {
      last_look = over;
      for (const Job& job : store().list({.changed_after = last})) {
        EXPECT_GT(job.revision, last);
        last = job.revision;
        seen.emplace(job.id, job.revision);
      }
      EXPECT_GE(store().revision(), last);
    }
  });
  wait_for(adding);
  over = true;
  follower.join();
  EXPECT_EQ(seen.size(), 100u);
}

TEST(OpenStore, RefusesWhatIsNone) {
  EXPECT_TRUE(says(error_of([] { open_store(""); }), ErrorKind::usage, "needs a name"));
  EXPECT_TRUE(says(error_of([] { open_store("/nowhere/at/all.db"); }), ErrorKind::file,
                   "/nowhere/at/all.db"));
#ifdef LIMN_POSTGRESQL
  EXPECT_TRUE(says(error_of([] { open_store("postgresql://me:secret@/x?host=/nowhere"); }),
                   ErrorKind::resources, "postgresql:///x cannot be reached"));
#else
  EXPECT_TRUE(says(error_of([] { open_store("postgresql://h/x"); }), ErrorKind::usage, "libpqxx"));
#endif
}

}  // namespace
}  // namespace limn
