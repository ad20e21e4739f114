#include "base/parallel.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"

namespace limn {

int available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

// The helping threads. They sleep until `round` changes, then take task numbers from one counter
// until none is left. The last one to finish wakes the caller.
struct ThreadPool::Crew {
  std::mutex mutex;
  std::condition_variable begin;
  std::condition_variable end;
  unsigned round = 0;
  int working = 0;
  bool quit = false;

  const TaskReference* task = nullptr;
  size_t tasks = 0;
  std::atomic<size_t> next{0};
  std::exception_ptr error;

  std::vector<std::thread> members;

  // Sends the members home. A crew that is destroyed must have been dismissed.
  void dismiss() {
    {
      const std::lock_guard lock(mutex);
      quit = true;
    }
    begin.notify_all();
    for (std::thread& member : members) member.join();
    members.clear();
  }

  void take_tasks(int thread) {
    for (;;) {
      const size_t i = next.fetch_add(1, std::memory_order_relaxed);
      if (i >= tasks) return;
      try {
        (*task)(i, thread);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
      }
    }
  }

  void serve(int thread) {
    unsigned seen = 0;
    std::unique_lock lock(mutex);
    for (;;) {
      begin.wait(lock, [&] { return quit || round != seen; });
      if (quit) return;
      seen = round;
      lock.unlock();
      take_tasks(thread);
      lock.lock();
      if (--working == 0) end.notify_one();
    }
  }
};

ThreadPool::ThreadPool(int threads)
    : threads_(threads > 0 ? threads : available_cores()), thread_scratch_(threads_) {
  crew_ = std::make_unique<Crew>();
  try {
    for (int i = 1; i < threads_; ++i) crew_->members.emplace_back([this, i] { crew_->serve(i); });
  } catch (const std::system_error& error) {
    const size_t started = crew_->members.size() + 1;
    crew_->dismiss();
    fail(ErrorKind::resources,
         "only {} of {} threads could be started ({}); choose fewer --threads", started, threads_,
         error.code().message());
  }
}

ThreadPool::~ThreadPool() { crew_->dismiss(); }

void ThreadPool::run(size_t tasks, TaskReference task) {
  Crew& crew = *crew_;
  {
    const std::lock_guard lock(crew.mutex);
    crew.task = &task;
    crew.tasks = tasks;
    crew.next.store(0, std::memory_order_relaxed);
    // A single task is not worth waking anybody for.
    crew.working = tasks > 1 ? threads_ - 1 : 0;
    if (crew.working > 0) ++crew.round;
  }
  if (tasks > 1) crew.begin.notify_all();
  crew.take_tasks(0);
  std::unique_lock lock(crew.mutex);
  crew.end.wait(lock, [&] { return crew.working == 0; });
  if (crew.error) std::rethrow_exception(std::exchange(crew.error, nullptr));
}

}  // namespace limn
