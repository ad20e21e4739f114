// Parallel loops whose results do not depend on the number of threads.
//
// Work is cut into tasks by the shape of the data, never by the thread count; each task writes its
// own output. A reduction writes one partial result per task, and the caller adds them in order.
// So any number of threads gives the same bits.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>
#include <vector>

#include "base/buffer.h"

namespace limn {

enum class Pinning;  // limn.h

// A reference to a callable that lives at least as long as the call it is passed to: task(i), or
// task(i, thread) with the number of the thread that runs it. Unlike std::function it never
// allocates, so that loops over kernels do not either.
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

// The calling thread and its helpers, which live as long as the pool.
//
// Pinned, a helper keeps to one core: otherwise the system puts two threads on one core now and
// then, and every loop waits for them. That is done only where there are exactly as many threads as
// cores. With more threads, cores are shared anyhow. With fewer, the system knows better which to
// leave free: which of them are halves of one core, and which another pool or process is using (two
// pools that each take the first cores would share them beside idle ones).
//
// The caller is never pinned. Helpers leave it the core on which it made the pool, so that it has a
// core to itself whenever they are busy; and the thread is not ours: threads that it starts, say
// while a progress callback writes a picture, would inherit that one core for good.
class ThreadPool {
 public:
  // `threads` including the calling one; 0 means one for each core this process may use. Throws
  // Error (resources) when the system refuses to start as many.
  explicit ThreadPool(int threads = 0);  // pinned
  ThreadPool(int threads, Pinning pinning);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return threads_; }

  // Calls task(i) once for every i in [0, tasks), on all threads; returns when all are done. A
  // single task runs on the caller. Threads look out for the next call for 50 microseconds before
  // they sleep, unless there are more of them than cores. If tasks throw, one of the exceptions is
  // rethrown after all others are done. Not reentrant: a task may not call run, and only one thread
  // may call it at a time.
  void run(size_t tasks, TaskReference task);

  // Memory that kernels may use while they run: one piece that all threads share, to be asked for
  // before run(), and one for each thread, to be asked for by the tasks that run on it. Contents
  // are not kept from one request to the next. Pieces grow and are given back with the pool.
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

  // Memory, aligned like a buffer, from which requests are met before the pool takes its own: as
  // much as is asked for to share comes first, then equal shares for the threads, each aligned (so
  // that a few floats more than are asked for are needed). Lend nothing to end it.
  void lend_scratch(std::span<float> memory) {
    lent_ = memory;
    lent_to_all_ = 0;
  }

 private:
  // A thread's part of the lent memory, its begin aligned.
  std::span<float> lent_share(int thread) const {
    constexpr size_t kAligned = kBufferAlignment / sizeof(float);
    const size_t begin = (lent_to_all_ + kAligned - 1) / kAligned * kAligned;
    if (begin >= lent_.size()) return {};
    const size_t share = (lent_.size() - begin) / threads_ / kAligned * kAligned;
    return lent_.subspan(begin + thread * share, share);
  }

  static std::span<float> grown(Buffer<float>& buffer, size_t floats) {
    if (buffer.size() < floats) {
      buffer = {};  // first, so that old and new are not held together
      buffer = Buffer<float>(floats);
    }
    return buffer;
  }

  struct Crew;
  int threads_;
  std::span<float> lent_;
  size_t lent_to_all_ = 0;  // of it, what all threads share
  Buffer<float> shared_scratch_;
  std::vector<Buffer<float>> thread_scratch_;
  std::unique_ptr<Crew> crew_;
};

// Lends a pool scratch memory for as long as it lives itself.
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
