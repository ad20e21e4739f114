#include "work/memory_budget.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace limn {
namespace {

const auto never = [] { return false; };

TEST(MemoryBudget, IsGivenBack) {
  MemoryBudget budget(100);
  {
    const MemoryBudget::Share share = budget.take(60, never);
    EXPECT_TRUE(share);
    EXPECT_EQ(60, budget.used());
  }
  EXPECT_EQ(0, budget.used());
  EXPECT_FALSE(budget.somebody_waits());
}

TEST(MemoryBudget, MovesWithItsShare) {
  MemoryBudget budget(100);
  MemoryBudget::Share share = budget.take(60, never);
  MemoryBudget::Share other = std::move(share);
  share = MemoryBudget::Share();
  EXPECT_EQ(60, budget.used());
  other = MemoryBudget::Share();
  EXPECT_EQ(0, budget.used());
}

TEST(MemoryBudget, WaitsUntilThereIsEnough) {
  MemoryBudget budget(100);
  std::optional<MemoryBudget::Share> first = budget.take(60, never);
  std::atomic<bool> asked = false, taken = false;
  std::thread waiting([&] {
    const MemoryBudget::Share second = budget.take(50, [&] {
      asked = true;
      return false;
    });
    taken = static_cast<bool>(second);
  });
  while (!asked) std::this_thread::yield();
  EXPECT_TRUE(budget.somebody_waits());
  EXPECT_FALSE(taken);
  first.reset();
  waiting.join();
  EXPECT_TRUE(taken);
  EXPECT_EQ(0, budget.used());
}

TEST(MemoryBudget, CanBeGivenUp) {
  MemoryBudget budget(100);
  const MemoryBudget::Share first = budget.take(60, never);
  EXPECT_FALSE(budget.take(50, [] { return true; }));
  EXPECT_EQ(60, budget.used());
  EXPECT_FALSE(budget.somebody_waits());
}

TEST(MemoryBudget, IsNeverOverdrawn) {
  MemoryBudget budget(3);
  std::atomic<int> now = 0, most = 0;
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        const MemoryBudget::Share share = budget.take(1, never);
        const int used = ++now;
        int seen = most;
        while (used > seen && !most.compare_exchange_weak(seen, used)) {
        }
        --now;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most, 3);
  EXPECT_EQ(0, budget.used());
}

}  // namespace
}  // namespace limn
