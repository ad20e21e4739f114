#include "base/parallel.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "support/errors.h"

namespace limn {
namespace {

constexpr int kThreadCounts[] = {1, 2, 3, 7};

TEST(ThreadPool, RunsEveryTaskOnce) {
  for (const int threads : kThreadCounts) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (const size_t tasks : {0, 1, 2, 3, 5, 1000}) {
      std::vector<std::atomic<int>> runs(tasks);
      pool.run(tasks, [&](size_t i) { ++runs.at(i); });
      for (size_t i = 0; i < tasks; ++i) {
        ASSERT_EQ(runs[i], 1) << "task " << i << " of " << tasks << ", " << threads << " threads";
      }
    }
  }
}

// Rounds follow each other so fast that a helper may still be on its way out of the last one.
TEST(ThreadPool, KeepsManyShortRoundsApart) {
  for (const int threads : kThreadCounts) {
    ThreadPool pool(threads);
    std::vector<int> values(threads + 2);
    for (int round = 0; round < 5000; ++round) {
      pool.run(values.size(), [&](size_t i) { values[i] += round % 3; });  // not atomic: one each
    }
    for (const int value : values) ASSERT_EQ(value, 4999) << threads << " threads";
  }
}

// What tasks wrote is there when run returns, and what was written before is seen by tasks.
TEST(ThreadPool, PassesPlainMemoryFromRoundToRound) {
  ThreadPool pool(3);
  std::vector<int> a(100, 1), b(100, 0);
  for (int round = 0; round < 500; ++round) {
    pool.run(100, [&](size_t i) { b[i] = a[(i + 37) % 100] + 1; });
    pool.run(100, [&](size_t i) { a[i] = b[(i + 59) % 100]; });
  }
  for (const int value : a) EXPECT_EQ(value, 501);
}

TEST(ThreadPool, UsesOtherThreadsAndTheCallersOwn) {
  ThreadPool pool(2);
  std::set<std::thread::id> seen;
  std::atomic<int> here{0};
  std::thread::id ids[2];
  pool.run(2, [&](size_t i) {
    // Both tasks wait for each other: so two threads must be at work.
    ids[i] = std::this_thread::get_id();
    ++here;
    const auto start = std::chrono::steady_clock::now();
    while (here < 2 && std::chrono::steady_clock::now() - start < std::chrono::seconds(20)) {
      std::this_thread::yield();
    }
  });
  seen.insert(ids[0]);
  seen.insert(ids[1]);
  EXPECT_EQ(seen.size(), 2u);
  EXPECT_TRUE(seen.count(std::this_thread::get_id()));
}

TEST(ThreadPool, OfOneThreadRunsOnTheCaller) {
  ThreadPool pool(1);
  pool.run(3, [caller = std::this_thread::get_id()](size_t) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
  });
}

TEST(ThreadPool, PassesOnAnException) {
  for (const int threads : kThreadCounts) {
    ThreadPool pool(threads);
    try {
      pool.run(50, [](size_t i) {
        if (i == 17) throw std::runtime_error("task 17");
      });
      FAIL() << "nothing was thrown with " << threads << " threads";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "task 17");
    }
  }
}

TEST(ThreadPool, FinishesTheOtherTasksBeforeItPassesOnAnException) {
  for (const int threads : kThreadCounts) {
    ThreadPool pool(threads);
    std::atomic<int> done{0};
    EXPECT_THROW(pool.run(50,
                          [&](size_t i) {
                            if (i == 17) throw std::runtime_error("task 17");
                            ++done;
                          }),
                 std::runtime_error);
    EXPECT_EQ(done, 49) << threads << " threads";
  }
}

TEST(ThreadPool, WorksOnAfterAnException) {
  for (const int threads : kThreadCounts) {
    ThreadPool pool(threads);
    for (int round = 0; round < 20; ++round) {
      EXPECT_THROW(pool.run(10, [](size_t) { throw std::runtime_error("every task"); }),
                   std::runtime_error);
      std::atomic<int> done{0};
      pool.run(10, [&](size_t) { ++done; });  // throws nothing left over
      EXPECT_EQ(done, 10);
    }
  }
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // they reserve terabytes
// In a process of its own, with too little address space for the stacks of so many threads. Ends
// with 0 when making the pool throws what it should.
[[noreturn]] void end_refused_threads() {
  const rlimit little = {1 << 29, 1 << 29};
  setrlimit(RLIMIT_AS, &little);
  try {
    ThreadPool pool(1000);
  } catch (const Error& error) {
    _exit(says(error, ErrorKind::resources, "of 1000 threads", "--threads") ? 0 : 1);
  }
  _exit(2);
}

TEST(ThreadPool, ThatTheSystemRefusesIsAnError) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(end_refused_threads(), testing::ExitedWithCode(0), "");
}
#endif

TEST(ThreadPool, CanBeMadeAndNeverUsed) {
  for (int i = 0; i < 50; ++i) ThreadPool pool(4);
}

TEST(ThreadPool, OfNoNumberHasOneThreadForEachCore) {
  EXPECT_EQ(ThreadPool(0).threads(), available_cores());
  EXPECT_EQ(ThreadPool(-1).threads(), available_cores());
}

TEST(AvailableCores, AreThoseOfTheAffinityMask) {
  cpu_set_t all;
  CPU_ZERO(&all);
  ASSERT_EQ(sched_getaffinity(0, sizeof(all), &all), 0);
  EXPECT_EQ(available_cores(), CPU_COUNT(&all));

  int first = 0;
  while (!CPU_ISSET(first, &all)) ++first;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
  EXPECT_EQ(available_cores(), 1);
  EXPECT_EQ(ThreadPool().threads(), 1);
  sched_setaffinity(0, sizeof(all), &all);
}

}  // namespace
}  // namespace limn
