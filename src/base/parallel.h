// Parallel loops whose results do not depend on the number of threads.
//
// Work is split into tasks by the shape of the data, never by the thread count, and each task
// writes its own output. A reduction writes one partial result per task, which the caller adds in
// order. So any number of threads gives the same bits.
#pragma once

#include <atomic>
#include <cstddef>
#include <exception>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "base/buffer.h"

namespace limn {

enum class Pinning;  // limn.h

// A non-owning reference to a callable: task(i), or task(i, thread) with the number of the thread
// that runs it. The callable must outlive the call it is passed to. Unlike std::function it never
// allocates, so loops over kernels do not either.
class TaskReference {
 public:
  template <typename Task>
  requires(!std::is_same_v<std::remove_cvref_t<Task>, TaskReference>) TaskReference(Task&& task)
      : object_(const_cast<void*>(static_cast<const void*>(&task))),
        call_([](void* object, size_t i, int thread) {
          auto& call = *static_cast<std::remove_reference_t<Task>*>(object);
          if constexpr (std::is_invocable_v<decltype(call), size_t, int>) {
            call(i, thread);
          } else {
            call(i);
          }
        }) {}
  void operator()(size_t i, int thread) const { call_(object_, i, thread); }

 private:
  void* object_;
  void (*call_)(void*, size_t, int);
};

// Thrown by a pool that was stopped.
struct Stopped : std::exception {
  const char* what() const noexcept override { return "stopped"; }
};

// The calling thread and its helpers, which live as long as the pool.
//
// A pinned helper stays on one core. Otherwise the system now and then puts two threads on one
// core, and every loop waits for them. Helpers are pinned only when there are exactly as many
// threads as cores. With more threads, cores are shared anyway. With fewer, the system knows better
// which cores to leave free: which are halves of one core, and which another pool or process is
// using (two pools that both took the first cores would share them while others idle).
//
// The caller is never pinned. The helpers avoid the core on which it created the pool, so it has
// that core to itself while they are busy. Besides, the thread is not ours: threads it starts, say
// while a progress callback writes a picture, would inherit that one core for good.
class ThreadPool {
 public:
  // `threads` includes the calling one; 0 means one per core this process may use. Throws Error
  // (resources) when the system refuses to start that many.
  explicit ThreadPool(int threads = 0);  // pinned
  // Once `stop`, unless null, is true, which any thread may set, run() begins no more tasks and
  // throws Stopped: whatever was being computed is abandoned within a task's time. It must outlive
  // the pool.
  ThreadPool(int threads, Pinning pinning, const std::atomic<bool>* stop = nullptr);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return threads_; }

  // Calls task(i) once for every i in [0, tasks), on all threads; returns when all are done. A
  // single task runs on the caller. Threads spin for 50 microseconds before they sleep, unless
  // there are more threads than cores. If tasks throw, one of the exceptions is rethrown after all
  // others are done. Not reentrant: a task must not call run, and only one thread may call it at a
  // time.
  void run(size_t tasks, TaskReference task);

  // Scratch memory for kernels: one block shared by all threads, requested before run(), and one
  // per thread, requested by the tasks running on it. Contents do not survive the next request.
  // Blocks grow as needed and are freed with the pool.
  std::span<float> shared_scratch(size_t floats) {
    const bool fits = !lent_.empty() && floats <= lent_.size();
    lent_to_all_ = fits ? floats : 0;
    return fits ? lent_.first(floats) : grown(shared_scratch_, floats);
  }
  std::span<float> thread_scratch(int thread, size_t floats) {
    const std::span<float> lent = lent_share(thread);
    const bool fits = !lent.empty() && floats <= lent.size();
    return fits ? lent.first(floats) : grown(thread_scratch_[thread], floats);
  }

  // Lends memory, aligned like a Buffer, that serves requests before the pool allocates its own:
  // first the shared block, then an equal share per thread, each aligned (so a few floats more than
  // requested are needed). Lend an empty span to end the loan.
  void lend_scratch(std::span<float> memory) {
    lent_ = memory;
    lent_to_all_ = 0;
  }

 private:
  // A thread's part of the lent memory, aligned.
  std::span<float> lent_share(int thread) const {
    constexpr size_t kAligned = kBufferAlignment / sizeof(float);
    const size_t begin = (lent_to_all_ + kAligned - 1) / kAligned * kAligned;
    if (begin >= lent_.size()) return {};
    const size_t share = (lent_.size() - begin) / threads_ / kAligned * kAligned;
    return lent_.subspan(begin + thread * share, share);
  }

  static std::span<float> grown(Buffer<float>& buffer, size_t floats) {
    if (buffer.size() < floats) {
      buffer = {};  // first, so that old and new never coexist
      buffer = Buffer<float>(floats);
    }
    return buffer;
  }

  struct Crew;
  int threads_;
  std::span<float> lent_;
  size_t lent_to_all_ = 0;  // the part of it that all threads share
  Buffer<float> shared_scratch_;
  std::vector<Buffer<float>> thread_scratch_;
  std::unique_ptr<Crew> crew_;
};

// Lends scratch memory to a pool for its own lifetime.
class ScratchLoan {
 public:
  ScratchLoan(ThreadPool& pool, std::span<float> memory) : pool_(pool) {
    pool_.lend_scratch(memory);
  }
  ~ScratchLoan() { pool_.lend_scratch({}); }
  ScratchLoan(const ScratchLoan&) = delete;
  ScratchLoan& operator=(const ScratchLoan&) = delete;

 private:
  ThreadPool& pool_;
};

// The cores this process may use (its affinity mask), at least 1.
int available_cores();

}  // namespace limn
