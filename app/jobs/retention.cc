#include "jobs/retention.h"

#include <algorithm>
#include <set>

namespace limn {
namespace {

constexpr double kSecondsOfDay = 86'400;
constexpr double kSecondsSeen = 3600;
// An upload that no job uses stays so long, or so long when the disk is full.
constexpr double kUploadSeconds = 4 * 3600;
constexpr double kUploadSecondsWhenFull = 60;

}  // namespace

Retention::Looked Retention::look(Queue& queue, double steady, Milliseconds wall) {
  if (!begun_) {
    begun_ = true;
    first_steady_ = steady;
    first_wall_ = wall;
  }
  // By revision, that is, in the order in which they ended, whatever the clock said.
  const std::vector<Job> finished =
      queue.list({.states = {JobState::done, JobState::failed, JobState::cancelled},
                  .changed_after = 0,
                  .most = 1'000'000});
  Looked looked;
  erase_states(queue, finished);
  if (keeping_.days > 0) erase_old(queue, finished, steady, looked);
  Files& files = queue.files();
  const Files::Users users = queue.users_of_files();
  Files::Swept swept = files.sweep(users, kUploadSeconds);
  looked.bytes = files.bytes();
  if (keeping_.bytes > 0 && looked.bytes > keeping_.bytes) {
    swept = files.sweep(users, kUploadSecondsWhenFull);
    looked.bytes = files.bytes() - std::min(files.bytes(), swept.unused);
    erase_for_room(queue, finished, looked);
    looked.bytes = files.bytes();
  }
  return looked;
}

// Inside of a change that changes nothing, so that no retry comes in between.
void Retention::erase_states(Queue& queue, const std::vector<Job>& finished) {
  for (const Job& job : finished) {
    if (job.revision <= without_states_) continue;
    if (job.state == JobState::done && queue.files().has_states(job.id)) {
      queue.store().update(job.id, [&](Job& now) {
        if (now.revision == job.revision) queue.files().erase_states(job.id);
        return false;
      });
    }
    without_states_ = job.revision;
  }
}

void Retention::erase_old(Queue& queue, const std::vector<Job>& finished, double steady,
                          Looked& looked) {
  const double keep = keeping_.days * kSecondsOfDay;
  const double now = static_cast<double>(first_wall_) / 1000 + (steady - first_steady_);
  std::map<std::string, double> since;
  for (const Job& job : finished) {
    const auto before = finished_since_.find(job.id);
    const double first = before == finished_since_.end() ? steady : before->second;
    const double age = now - static_cast<double>(job.ended) / 1000;
    if (age > keep && steady - first >= std::min(keep, kSecondsSeen) &&
        queue.erase(job.id, job.revision)) {
      looked.erased.push_back(job.id);
    } else {
      since[job.id] = first;
    }
  }
  finished_since_ = std::move(since);
}

// Counts an input as freed with its last job, though it goes only with a later sweep.
void Retention::erase_for_room(Queue& queue, const std::vector<Job>& finished, Looked& looked) {
  const std::set<std::string> erased(looked.erased.begin(), looked.erased.end());
  const Files::Users users = queue.users_of_files();
  const auto free = [&](std::uint64_t bytes) { looked.bytes -= std::min(looked.bytes, bytes); };
  for (const Job& job : finished) {
    if (looked.bytes <= keeping_.bytes) break;
    if (erased.contains(job.id)) continue;
    const std::uint64_t bytes = queue.files().bytes_of_job(job.id);
    if (!queue.erase(job.id, job.revision)) continue;
    looked.erased.push_back(job.id);
    free(bytes);
    std::set<std::string> inputs;
    for (const JobInput& input : job.request.inputs) inputs.insert(input.file);
    for (const std::string& file : inputs) {
      if (!users.uses(file)) free(queue.files().bytes_of(file));
    }
  }
  looked.full = looked.bytes > keeping_.bytes;
}

}  // namespace limn
