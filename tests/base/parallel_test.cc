#include "base/parallel.h"

#include <gtest/gtest.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/buffer.h"
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

TEST(ThreadPool, StopsWithinATasksTime) {
  for (const int threads : kThreadCounts) {
    std::atomic<bool> stop = false;
    ThreadPool pool(threads, Pinning::none, &stop);
    std::atomic<int> runs = 0;
    pool.run(10, [&](size_t) { ++runs; });
    EXPECT_EQ(runs, 10);
    runs = 0;
    EXPECT_THROW(pool.run(1000,
                          [&](size_t) {
                            stop = true;
                            ++runs;
                          }),
                 Stopped);
    EXPECT_LE(runs, threads);
    EXPECT_THROW(pool.run(1, [&](size_t) { ++runs; }), Stopped);
    EXPECT_LE(runs, threads);
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

TEST(ThreadPool, RunsASingleTaskOnTheCaller) {
  ThreadPool pool(3);
  for (int round = 0; round < 2000; ++round) {
    pool.run(1, [caller = std::this_thread::get_id()](size_t, int thread) {
      ASSERT_EQ(std::this_thread::get_id(), caller);
      ASSERT_EQ(thread, 0);
    });
    pool.run(2, [](size_t) {});  // the helpers are awake
  }
}

// Helpers that look out, that sleep, and that wake too late: rounds with every kind of gap between.
TEST(ThreadPool, RunsEveryTaskOnceAfterPausesOfAnyLength) {
  for (const int threads : kThreadCounts) {
    ThreadPool pool(threads);
    std::atomic<int> done{0};
    int expected = 0;
    for (int round = 0; round < 300; ++round) {
      const auto pause = std::chrono::microseconds(round);
      const auto start = std::chrono::steady_clock::now();
      if (round % 2 == 0) {
        std::this_thread::sleep_for(pause);
      } else {
        while (std::chrono::steady_clock::now() - start < pause) {
        }
      }
      const size_t tasks = round % 5;
      pool.run(tasks, [&](size_t) { ++done; });
      expected += static_cast<int>(tasks);
      ASSERT_EQ(done, expected) << threads << " threads, round " << round;
    }
  }
}

TEST(ThreadPool, TellsTasksTheirThread) {
  for (const int threads : kThreadCounts) {
    ThreadPool pool(threads);
    std::vector<std::thread::id> ids(threads);  // each written by its own thread only
    for (int round = 0; round < 200; ++round) {
      pool.run(20, [&](size_t, int thread) {
        ASSERT_GE(thread, 0);
        ASSERT_LT(thread, threads);
        if (ids[thread] == std::thread::id()) ids[thread] = std::this_thread::get_id();
        ASSERT_EQ(ids[thread], std::this_thread::get_id());
      });
    }
    EXPECT_TRUE(ids[0] == std::thread::id() || ids[0] == std::this_thread::get_id());
  }
}

// ---- scratch memory ----

TEST(Scratch, OfTheThreadsIsOfEachItsOwn) {
  constexpr size_t kSize = 1000;
  ThreadPool pool(3);
  std::vector<std::span<float>> pieces = {pool.shared_scratch(kSize)};
  for (int thread = 0; thread < 3; ++thread) pieces.push_back(pool.thread_scratch(thread, kSize));
  for (size_t piece = 0; piece < pieces.size(); ++piece) {
    ASSERT_GE(pieces[piece].size(), kSize);
    std::fill(pieces[piece].begin(), pieces[piece].end(), static_cast<float>(piece));
  }
  for (size_t piece = 0; piece < pieces.size(); ++piece) {
    for (const float value : pieces[piece]) ASSERT_EQ(value, static_cast<float>(piece));
  }
}

TEST(Scratch, IsKeptAndGrows) {
  ThreadPool pool(2);
  const float* shared = pool.shared_scratch(1000).data();
  const float* own = pool.thread_scratch(1, 1000).data();
  EXPECT_EQ(pool.shared_scratch(1000).data(), shared);
  EXPECT_EQ(pool.shared_scratch(10).data(), shared) << "it shrank";
  EXPECT_GE(pool.shared_scratch(5000).size(), 5000u);
  EXPECT_EQ(pool.thread_scratch(1, 1000).data(), own);
  EXPECT_GE(pool.thread_scratch(0, 2000).size(), 2000u);
  EXPECT_TRUE(pool.thread_scratch(0, 0).size() >= 2000);
}

TEST(Scratch, IsTakenFromWhatIsLentAsLongAsThatLasts) {
  ThreadPool pool(3);
  Buffer<float> memory(100 + 3 * 64 + 4 * 16);
  const auto lies_in_memory = [&](std::span<float> piece) {
    return piece.data() >= memory.begin() && piece.data() + piece.size() <= memory.end();
  };
  {
    const ScratchLoan loan(pool, memory);
    const std::span<float> shared = pool.shared_scratch(100);
    EXPECT_TRUE(lies_in_memory(shared));
    EXPECT_EQ(shared.size(), 100u);
    const float* end = shared.data() + shared.size();
    for (int thread = 0; thread < 3; ++thread) {
      const std::span<float> own = pool.thread_scratch(thread, 64);
      EXPECT_TRUE(lies_in_memory(own));
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(own.data()) % kBufferAlignment, 0u);
      EXPECT_GE(own.data(), end) << "it overlaps the piece before";
      end = own.data() + own.size();
    }
    EXPECT_FALSE(lies_in_memory(pool.thread_scratch(1, 200))) << "that is more than a share";
    EXPECT_FALSE(lies_in_memory(pool.shared_scratch(1000)));
  }
  EXPECT_FALSE(lies_in_memory(pool.shared_scratch(10)));
  EXPECT_FALSE(lies_in_memory(pool.thread_scratch(0, 10)));
}

TEST(Scratch, CanBeAskedForByTasks) {
  ThreadPool pool(3);
  for (const size_t size : {100, 5000, 200}) {
    std::atomic<int> wrong{0};
    pool.run(50, [&](size_t task, int thread) {
      const std::span<float> scratch = pool.thread_scratch(thread, size);
      std::fill(scratch.begin(), scratch.end(), static_cast<float>(task));
      for (const float value : scratch) wrong += value != static_cast<float>(task);
    });
    EXPECT_EQ(wrong, 0);
  }
}

// ---- pinning ----

cpu_set_t own_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  EXPECT_EQ(sched_getaffinity(0, sizeof(cores), &cores), 0);
  return cores;
}

// The cores that each thread of a pool may use, the caller's first. All threads take one task.
std::vector<cpu_set_t> cores_of_threads(ThreadPool& pool) {
  std::vector<cpu_set_t> cores(pool.threads());
  std::atomic<int> here{0};
  const auto start = std::chrono::steady_clock::now();
  pool.run(pool.threads(), [&](size_t, int thread) {
    cores[thread] = own_cores();
    ++here;
    while (here < pool.threads() &&
           std::chrono::steady_clock::now() - start < std::chrono::seconds(20)) {
      std::this_thread::yield();
    }
  });
  EXPECT_EQ(here, pool.threads());
  return cores;
}

TEST(Pinning, GivesEachHelperACoreAndLeavesTheCallerAlone) {
  const cpu_set_t before = own_cores();
  if (CPU_COUNT(&before) < 2) GTEST_SKIP() << "a single core";
  {
    ThreadPool pool(CPU_COUNT(&before));
    const std::vector<cpu_set_t> cores = cores_of_threads(pool);
    EXPECT_TRUE(CPU_EQUAL(&cores[0], &before));
    cpu_set_t taken;
    CPU_ZERO(&taken);
    for (size_t thread = 1; thread < cores.size(); ++thread) {
      EXPECT_EQ(CPU_COUNT(&cores[thread]), 1);
      CPU_OR(&taken, &taken, &cores[thread]);
    }
    EXPECT_EQ(CPU_COUNT(&taken), CPU_COUNT(&before) - 1) << "two helpers share a core";
    CPU_OR(&taken, &taken, &before);
    EXPECT_TRUE(CPU_EQUAL(&taken, &before)) << "a helper is where it may not be";
    const cpu_set_t during = own_cores();
    EXPECT_TRUE(CPU_EQUAL(&during, &before));
  }
  const cpu_set_t after = own_cores();
  EXPECT_TRUE(CPU_EQUAL(&after, &before));
}

TEST(Pinning, IsLeftOutWhereAskedAndWhereThreadsAndCoresAreNotAsMany) {
  const cpu_set_t before = own_cores();
  const int count = CPU_COUNT(&before);
  const auto expect_free = [&](int threads, Pinning pinning) {
    ThreadPool pool(threads, pinning);
    for (const cpu_set_t& cores : cores_of_threads(pool)) {
      EXPECT_TRUE(CPU_EQUAL(&cores, &before)) << threads << " threads on " << count << " cores";
    }
  };
  expect_free(count, Pinning::none);
  expect_free(count + 1, Pinning::cores);
  if (count > 1) expect_free(count - 1, Pinning::cores);
}

// ---- exceptions ----

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
