#include "jobs/states.h"

#include "base/error.h"

namespace limn {
namespace {

bool is_valid(const Lease& lease, const Job& job) {
  return job.state == JobState::running && job.id == lease.job && job.worker == lease.worker &&
         job.attempts == lease.attempt;
}

void leave_worker(Job& job) {
  job.worker.clear();
  job.beat = 0;
  job.wish = Wish::go_on;
}

void wait_again(Job& job, const std::string& reason) {
  leave_worker(job);
  job.state = JobState::waiting;
  job.reason = reason;
  job.ended = 0;
  job.interrupted = false;
}

void end(Job& job, JobState state, const std::string& reason, Milliseconds now) {
  leave_worker(job);
  job.state = state;
  job.reason = reason;
  job.ended = now;
}

// After its run was broken off: by its wish, or by nobody's.
void break_off(Job& job, const std::string& reason, bool has_picture, Milliseconds now) {
  if (job.wish == Wish::cancel) {
    end(job, JobState::cancelled, "", now);
    job.interrupted = has_picture;
  } else {
    wait_again(job, reason);
  }
}

}  // namespace

bool claim(Job& job, const std::string& worker, Milliseconds now) {
  if (job.state != JobState::waiting) return false;
  job.state = JobState::running;
  job.worker = worker;
  job.beat = 0;
  job.wish = Wish::go_on;
  job.started = now;
  job.reason.clear();
  ++job.attempts;
  return true;
}

bool beat(Job& job, const Lease& lease) {
  if (!is_valid(lease, job)) return false;
  ++job.beat;
  return true;
}

bool set_bytes(Job& job, const Lease& lease, double bytes) {
  if (!is_valid(lease, job)) return false;
  job.bytes = bytes;
  return true;
}

bool finish(Job& job, const Lease& lease, const JobOutcome& outcome, Milliseconds now) {
  if (!is_valid(lease, job)) return false;
  switch (outcome.ending) {
    case Ending::painted:
      end(job, JobState::done, "", now);
      break;
    case Ending::refused:
      end(job, JobState::failed, outcome.reason, now);
      break;
    case Ending::stopped:
    case Ending::handed_back:
      break_off(job, outcome.reason, outcome.has_picture, now);
      break;
    case Ending::killed:
      ++job.kills;
      if (job.kills >= kMostKills && job.wish != Wish::cancel) {
        end(job, JobState::failed, outcome.reason, now);
      } else {
        break_off(job, outcome.reason, outcome.has_picture, now);
      }
      break;
  }
  return true;
}

bool take_back(Job& job, const Lease& lease, std::int64_t seen, Milliseconds now) {
  if (!is_valid(lease, job) || job.beat != seen) return false;
  ++job.losses;
  if (job.losses >= kMostLosses && job.wish != Wish::cancel) {
    end(job, JobState::failed,
        fmt::format("its worker vanished {} times while it painted this, last on '{}'", job.losses,
                    lease.worker),
        now);
  } else {
    break_off(job, fmt::format("its worker '{}' vanished", lease.worker), false, now);
  }
  return true;
}

bool cancel(Job& job, Milliseconds now) {
  if (job.state == JobState::running) {
    job.wish = Wish::cancel;
    return true;
  }
  if (job.state != JobState::waiting) return false;
  end(job, JobState::cancelled, "", now);
  return true;
}

bool retry(Job& job, double order) {
  if (job.state == JobState::waiting || job.state == JobState::running) return false;
  wait_again(job, "");
  job.order = order;
  job.kills = 0;
  job.losses = 0;
  job.bytes = 0;  // another worker, or another limn, may plan it otherwise
  return true;
}

bool ask_to_yield(Job& job) {
  if (job.state != JobState::running || job.request.preview || job.wish != Wish::go_on)
    return false;
  job.wish = Wish::yield;
  return true;
}

bool move_to(Job& job, double order) {
  if (job.state != JobState::waiting) return false;
  job.order = order;
  return true;
}

bool wait_for_memory(Job& job, const std::string& worker, double bytes) {
  constexpr const char* kSentence = "it waits for a worker with more memory: ";
  if (job.state != JobState::waiting || job.bytes <= bytes || job.reason.starts_with(kSentence))
    return false;
  job.reason = fmt::format("{}it needs about {:.0f} MB, and '{}' has {:.0f} MB", kSentence,
                           job.bytes / 1e6, worker, bytes / 1e6);
  return true;
}

bool may_be_erased(const Job& job) { return job.state != JobState::running; }

}  // namespace limn
