#include "jobs/queue.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"

namespace limn {
namespace {

void hold_inputs(const Files& files, const JobRequest& request) {
  for (const JobInput& input : request.inputs) {
    if (input.file.empty() || files.hold(input.file))
      continue;  // empty: "none", in place of a mask
    fail(ErrorKind::usage,
         "the {} '{}' is not here; upload it, or upload it again if that was long ago", input.role,
         printable(input.name.empty() ? input.file : input.name));
  }
}

constexpr double kPauseSeconds = 3;  // between two looks of LeaseWatch that follow one another
constexpr std::uint64_t kLittleRoom =
    10'000'000;  // bytes: more than one change of a database takes

constexpr std::size_t kMostLookedAt = 100;  // waiting jobs, where the first of them will do

JobQuery waiting_jobs() { return {.states = {JobState::waiting}, .most = 1'000'000}; }

}  // namespace

// --------------------------------------------------------------------------------- for clients --

// Holding the inputs a second time closes the race with a sweep: see files.h.
Job Queue::submit(JobRequest request, const Quotas& quotas) {
  hold_inputs(files_, request);
  Job job;
  job.id = new_job_id();
  job.request = std::move(request);
  job.created = milliseconds_now();
  const std::optional<Job> kept = store_.add(job, quotas.waiting);
  if (!kept) {
    throw QuotaUsed(
        ErrorKind::usage,
        fmt::format("you have {} jobs waiting or running, the most that are allowed; wait for one "
                    "of them, or cancel one",
                    quotas.waiting));
  }
  if (kept->id != job.id) return *kept;
  try {
    hold_inputs(files_, kept->request);
  } catch (const Error&) {
    store_.remove(job.id, may_be_erased);
    throw;
  }
  return *kept;
}

std::optional<Job> Queue::cancel(const std::string& id) {
  return store_.update(id, [](Job& job) { return limn::cancel(job, milliseconds_now()); });
}

// It waits behind the others, as if it had been submitted now.
std::optional<Job> Queue::retry(const std::string& id) {
  const double last = static_cast<double>(store_.revision() + 1);
  return store_.update(id, [&](Job& job) { return limn::retry(job, last); });
}

std::optional<Job> Queue::move_before(const std::string& id, const std::string& other) {
  if (other.empty()) {
    const double last = static_cast<double>(store_.revision() + 1);
    return store_.update(id, [&](Job& job) { return move_to(job, last); });
  }
  const std::optional<Job> moved = store_.find(id);
  if (!moved || id == other) return {};
  std::vector<Job> row = store_.list(waiting_jobs());
  std::erase_if(row, [&](const Job& job) {
    return job.id == id || job.request.preview != moved->request.preview;
  });
  const auto after =
      std::find_if(row.begin(), row.end(), [&](const Job& job) { return job.id == other; });
  if (after == row.end()) return {};
  double place = after->order - 1;
  if (after != row.begin()) {
    place = std::midpoint(std::prev(after)->order, after->order);
    if (place <= std::prev(after)->order || place >= after->order) {
      // No number is left between the two. All before move on by one, the first of them first, so
      // that their order is right at any moment.
      for (auto job = row.begin(); job != after; ++job) {
        const double order = job->order - 1;
        store_.update(job->id, [&](Job& waiting) { return move_to(waiting, order); });
      }
      place = after->order - 0.5;
    }
  }
  return store_.update(id, [&](Job& job) { return move_to(job, place); });
}

bool Queue::erase(const std::string& id, std::optional<std::int64_t> revision) {
  const auto may_go = [&](const Job& job) {
    return may_be_erased(job) && (!revision || job.revision == *revision);
  };
  bool gone = false;
  try {
    gone = store_.remove(id, may_go);
  } catch (const Error& error) {
    // On a full disk a database cannot grow even to forget. Then the files go first: that makes
    // room.
    if (error.kind() != ErrorKind::resources || files_.free_bytes() >= kLittleRoom) throw;
    const std::optional<Job> job = store_.find(id);
    if (!job || !may_go(*job)) return false;
    files_.erase_job(id);
    gone = store_.remove(id, may_go);
  }
  if (gone) files_.erase_job(id);
  return gone;
}

Files::Users Queue::users_of_files() {
  return {.uses =
              [this](const std::string& file) {
                return !store_.list({.file = file, .most = 1}).empty();
              },
          .is_job = [this](const std::string& job) { return store_.find(job).has_value(); }};
}

// --------------------------------------------------------------------------------- for workers --

std::optional<Job> Queue::claim(const std::string& worker, double bytes, bool previews_only) {
  std::optional<Job> job =
      store_.update_next([&](Job& next) { return limn::claim(next, worker, milliseconds_now()); },
                         {.bytes = bytes, .previews_only = previews_only});
  if (!job && !previews_only) say_why_they_wait(worker, bytes);
  return job;
}

void Queue::say_why_they_wait(const std::string& worker, double bytes) {
  JobQuery first = waiting_jobs();
  first.most = kMostLookedAt;
  for (Job& job : store_.list(first)) {
    if (!wait_for_memory(job, worker, bytes)) continue;  // so the store needs no transaction
    store_.update(job.id, [&](Job& waiting) { return wait_for_memory(waiting, worker, bytes); });
  }
}

std::optional<Wish> Queue::beat(const Lease& lease) {
  const std::optional<Job> job =
      store_.update(lease.job, [&](Job& running) { return limn::beat(running, lease); });
  if (!job) return {};
  return job->wish;
}

bool Queue::finish(const Lease& lease, const JobOutcome& outcome) {
  return store_
      .update(lease.job,
              [&](Job& job) { return limn::finish(job, lease, outcome, milliseconds_now()); })
      .has_value();
}

void Queue::set_bytes(const Lease& lease, double bytes) {
  store_.update(lease.job, [&](Job& job) { return limn::set_bytes(job, lease, bytes); });
}

void Queue::make_room_for_previews(const std::string& worker, double bytes) {
  JobQuery first = waiting_jobs();
  first.most = kMostLookedAt;  // previews come first
  const auto previews = std::ranges::count_if(store_.list(first), [&](const Job& job) {
    return job.request.preview && job.bytes <= bytes;
  });
  if (previews == 0) return;
  std::vector<Job> running = store_.list({.states = {JobState::running}});
  std::erase_if(running, [](const Job& job) { return job.request.preview; });
  const auto asked = std::ranges::count(running, Wish::yield, &Job::wish);
  if (asked >= previews) return;
  std::erase_if(running, [&](const Job& job) { return job.worker != worker; });
  if (running.empty()) return;
  for (const Job& job : running) {
    if (job.wish != Wish::go_on) return;
  }
  // All beat equally often, so the one with the fewest beats began last.
  const auto last = std::ranges::min_element(running, {}, &Job::beat);
  store_.update(last->id, [&](Job& job) { return job.worker == worker && ask_to_yield(job); });
}

// ---------------------------------------------------------------------------------- LeaseWatch --

namespace {

// From a worker whose beats have stopped at what `seen` has.
void take_back_into(std::vector<Job>& taken, Store& store, const Job& seen) {
  const auto back = store.update(seen.id, [&](Job& lost) {
    return take_back(lost, lease_of(seen), seen.beat, milliseconds_now());
  });
  if (back) taken.push_back(*back);
}

}  // namespace

std::vector<Job> LeaseWatch::look(Store& store, double seconds) {
  const std::vector<Job> running = store.list({.states = {JobState::running}});
  // After a pause workers get a whole lease to be seen again.
  const bool paused = seconds - last_look_ > std::max(lease_seconds_ / 2, kPauseSeconds);
  last_look_ = seconds;
  std::vector<Seen> seen;
  seen.reserve(running.size());
  std::vector<Job> taken;
  for (const Job& job : running) {
    Seen now = {job.id, job.attempts, job.beat, seconds};
    for (const Seen& before : seen_) {
      if (!paused && before.job == now.job && before.attempt == now.attempt &&
          before.beat == now.beat)
        now.since = before.since;
    }
    seen.push_back(now);
    if (seconds - now.since < lease_seconds_) continue;
    take_back_into(taken, store, job);
  }
  seen_ = std::move(seen);
  return taken;
}

std::vector<Job> LeaseWatch::take_back_from(Store& store, const std::string& worker) {
  std::vector<Job> taken;
  for (const Job& job : store.list({.states = {JobState::running}})) {
    if (job.worker != worker) continue;
    take_back_into(taken, store, job);
  }
  return taken;
}

}  // namespace limn
