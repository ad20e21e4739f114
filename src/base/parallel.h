// Parallel loops whose results do not depend on the number of threads.
//
// Work is cut into tasks by the shape of the data, never by the thread count; each task writes its
// own output. A reduction writes one partial result per task, and the caller adds them in order.
// So any number of threads gives the same bits.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>

namespace limn {

// A reference to a callable void(size_t) that lives at least as long as the call it is passed to.
// Unlike std::function it never allocates, so that loops over kernels do not either.
class TaskReference {
 public:
  template <typename Task>
  requires(!std::is_same_v<std::remove_cvref_t<Task>, TaskReference>) TaskReference(Task&& task)
      : object_(const_cast<void*>(static_cast<const void*>(&task))),
        call_([](void* object, size_t i) {
          (*static_cast<std::remove_reference_t<Task>*>(object))(i);
        }) {}
  void operator()(size_t i) const { call_(object_, i); }

 private:
  void* object_;
  void (*call_)(void*, size_t);
};

class ThreadPool {
 public:
  // `threads` including the calling one; 0 means one for each core this process may use. Throws
  // Error (resources) when the system refuses to start as many.
  explicit ThreadPool(int threads = 0);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return threads_; }

  // Calls task(i) once for every i in [0, tasks), on all threads; returns when all are done. If
  // tasks throw, one of the exceptions is rethrown after all others are done. Not reentrant: a task
  // may not call run, and only one thread may call it at a time.
  void run(size_t tasks, TaskReference task);

 private:
  struct Crew;
  int threads_;
  std::unique_ptr<Crew> crew_;
};

// The cores this process may use (its affinity mask), at least 1.
int available_cores();

}  // namespace limn
