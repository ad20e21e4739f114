#include "commands/housekeeping.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "base/error.h"
#include "show/console.h"

namespace limn {
namespace {

constexpr double kSecondsBetweenSweeps = 60;

}  // namespace

Housekeeping::Housekeeping(Queue& queue, const Keeping& keeping, Erased erased)
    : queue_(queue), retention_(keeping), erased_(std::move(erased)), thread_([this] { run(); }) {}

Housekeeping::~Housekeeping() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Housekeeping::run() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    lock.unlock();
    look();
    lock.lock();
    wake_.wait_for(lock, std::chrono::seconds(1), [this] { return stopped_; });
  }
}

void Housekeeping::look() {
  try {
    for (const Job& job : leases_.look(queue_.store(), clock_())) {
      say(fmt::format("limn: job {}: its worker is gone; it is {} now\n", job.id,
                      name_of(job.state)));
    }
    if (swept_ < 0 || clock_() - swept_ >= kSecondsBetweenSweeps) sweep();
    troubled_ = false;
  } catch (const Error& error) {
    if (!troubled_) say(fmt::format("limn: {}; trying again\n", error.what()));
    troubled_ = true;
  }
}

void Housekeeping::sweep() {
  swept_ = clock_();
  const Retention::Looked looked = retention_.look(queue_, clock_(), milliseconds_now());
  bytes_ = looked.bytes;
  for (const std::string& job : looked.erased) erased_(job);
  if (looked.full && !full_) {
    say("limn: more than --disk allows is kept, and no finished job is left to delete\n");
  }
  full_ = looked.full;
}

}  // namespace limn
