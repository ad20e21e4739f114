// What has to be done again and again while a server runs: jobs of dead workers are taken back, old
// ones deleted.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "base/stopwatch.h"
#include "jobs/queue.h"
#include "jobs/retention.h"

namespace limn {

// On a thread of its own, from its construction to its destruction.
class Housekeeping {
 public:
  // `erased` is told of each job that was deleted, on that thread.
  using Erased = std::function<void(const std::string& job)>;
  Housekeeping(Queue& queue, const Keeping& keeping, Erased erased);
  ~Housekeeping();
  Housekeeping(const Housekeeping&) = delete;
  Housekeeping& operator=(const Housekeeping&) = delete;

  std::uint64_t bytes_kept() const { return bytes_; }

 private:
  static constexpr double kLeaseSeconds = 20;  // a worker beats every two

  void run();
  void look();
  void sweep();

  Queue& queue_;
  LeaseWatch leases_{kLeaseSeconds};
  Retention retention_;
  const Erased erased_;
  const Stopwatch clock_;
  double swept_ = -1;
  bool full_ = false, troubled_ = false;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopped_ = false;
  std::thread thread_;  // the last: it uses all the others
};

}  // namespace limn
