#include "base/parallel.h"

#include <hwy/cache_control.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"

namespace limn {
namespace {

// The cores this thread may run on; none if the system does not say.
std::optional<cpu_set_t> allowed_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof(cores), &cores) != 0) return std::nullopt;
  return cores;
}

// Pins each thread to its own core, leaving out the one the caller runs on. There must be as many
// cores as threads including the caller. If the system refuses, only speed suffers.
void pin(std::vector<std::thread>& threads, const cpu_set_t& cores) {
  const int ours = sched_getcpu();
  int core = -1;
  for (std::thread& thread : threads) {
    do ++core;
    while (core < CPU_SETSIZE && (!CPU_ISSET(core, &cores) || core == ours));
    if (core >= CPU_SETSIZE) return;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    pthread_setaffinity_np(thread.native_handle(), sizeof(one), &one);
  }
}

}  // namespace

int available_cores() {
  if (const std::optional<cpu_set_t> cores = allowed_cores())
    return std::max(1, CPU_COUNT(&*cores));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

// The helper threads. They wait until `round` changes, join the round, and take task numbers from a
// shared counter until none are left. The caller takes tasks too, then closes the round and waits
// for the helpers that joined. A helper that wakes too late finds the round closed; nobody waits
// for it.
struct ThreadPool::Crew {
  // How long to spin for work, or for others to finish, before sleeping: about the time a wake-up
  // takes (60 us on a virtual machine), so waiting costs at most twice the minimum.
  static constexpr std::chrono::microseconds kSpin{50};

  std::mutex mutex;
  std::condition_variable begin;
  std::condition_variable end;
  std::atomic<unsigned> round{0};  // changed with the mutex held
  std::atomic<int> working{0};     // members that have joined and not finished
  std::atomic<bool> quit{false};
  bool open = false;
  bool spins = false;  // off where threads would compete for cores

  const TaskReference* task = nullptr;
  size_t tasks = 0;
  std::atomic<size_t> next{0};
  std::exception_ptr error;
  const std::atomic<bool>* stop = nullptr;  // or null

  std::vector<std::thread> members;

  // Stops and joins the members. A crew must be dismissed before it is destroyed.
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
      if (stop != nullptr && *stop) return keep(std::make_exception_ptr(Stopped()));
      try {
        (*task)(i, thread);
      } catch (...) {
        keep(std::current_exception());
      }
    }
  }

  void keep(std::exception_ptr thrown) {
    const std::lock_guard lock(mutex);
    if (!error) error = std::move(thrown);
  }

  // Spins briefly until `ready`; may return before it is true.
  template <typename Ready>
  void spin(Ready&& ready) const {
    if (!spins) return;
    const auto deadline = std::chrono::steady_clock::now() + kSpin;
    do {
      for (int i = 0; i < 16; ++i) {
        if (ready()) return;
        hwy::Pause();
      }
    } while (std::chrono::steady_clock::now() < deadline);
  }

  void serve(int thread) {
    unsigned seen = 0;
    const auto called = [&] { return quit || round != seen; };
    for (;;) {
      spin(called);
      {
        std::unique_lock lock(mutex);
        begin.wait(lock, called);
        if (quit) return;
        seen = round;
        if (!open) continue;
        ++working;
      }
      take_tasks(thread);
      const std::lock_guard lock(mutex);
      if (--working == 0) end.notify_one();
    }
  }

  void run(size_t count, const TaskReference& work) {
    const bool alone = count <= 1 || members.empty();
    {
      const std::lock_guard lock(mutex);
      task = &work;
      tasks = count;
      next.store(0, std::memory_order_relaxed);
      open = !alone;
      if (open) ++round;
    }
    if (!alone) begin.notify_all();
    take_tasks(0);
    if (!alone) wait_for_members();
    if (error) std::rethrow_exception(std::exchange(error, nullptr));
  }

  void wait_for_members() {
    {
      const std::lock_guard lock(mutex);
      open = false;
    }
    const auto all_done = [this] { return working == 0; };
    spin(all_done);
    std::unique_lock lock(mutex);
    end.wait(lock, all_done);
  }
};

ThreadPool::ThreadPool(int threads) : ThreadPool(threads, Pinning::cores) {}

ThreadPool::ThreadPool(int threads, Pinning pinning, const std::atomic<bool>* stop)
    : threads_(threads > 0 ? threads : available_cores()), thread_scratch_(threads_) {
  crew_ = std::make_unique<Crew>();
  crew_->spins = threads_ <= available_cores();
  crew_->stop = stop;
  try {
    for (int i = 1; i < threads_; ++i) crew_->members.emplace_back([this, i] { crew_->serve(i); });
  } catch (const std::system_error& error) {
    const size_t started = crew_->members.size() + 1;
    crew_->dismiss();
    fail(ErrorKind::resources,
         "only {} of {} threads could be started ({}); choose fewer --threads", started, threads_,
         error.code().message());
  }
  const std::optional<cpu_set_t> cores = allowed_cores();
  if (pinning == Pinning::cores && cores && CPU_COUNT(&*cores) == threads_) {
    pin(crew_->members, *cores);
  }
}

ThreadPool::~ThreadPool() { crew_->dismiss(); }

void ThreadPool::run(size_t tasks, TaskReference task) { crew_->run(tasks, task); }

}  // namespace limn
