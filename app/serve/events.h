// What happens to jobs, as events that a browser's EventSource and `curl -N` read:
//
//   event: state      id: the job's revision; data: the job, as in a list
//   event: progress   data: iteration, iterations, size, losses, done (0..1), seconds_left
//   event: preview    data: {"id", "url"}: the picture so far. A name and not the picture itself: a
//                     slow reader then misses pictures rather than falling behind, and <img> takes
//                     it as it is
//   event: deleted    data: {"id"}
//
// Nothing is queued for a reader: each is told how things stand when it has read the last of it.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "jobs/queue.h"
#include "serve/message.h"

namespace limn {

// The last jobs that this server has deleted, for those who follow events: a store says nothing of
// them. Deletions by other servers of the same store, and those before this server's start, are
// not among them.
class Deletions {
 public:
  // `revision`: the store's, after it.
  void add(const std::string& id, std::int64_t revision);
  // The number of the last one that whoever has seen this revision knows of.
  std::uint64_t known_at(std::int64_t revision) const;
  // The ids deleted after number `after`, and the number of the last.
  std::pair<std::vector<std::string>, std::uint64_t> since(std::uint64_t after) const;

 private:
  static constexpr size_t kMost = 1000;
  mutable std::mutex mutex_;
  std::deque<std::pair<std::string, std::int64_t>> deleted_;  // the last ones
  std::uint64_t last_ = 0;
};

// After the job was erased.
void note_deletion(Deletions& deletions, Queue& queue, const std::string& id);

// One event as text.
std::string event_text(const std::string& name, const std::string& data,
                       std::optional<std::int64_t> id = {});

// What a running job's folder tells: sent when it has changed.
class RunningFiles {
 public:
  RunningFiles(std::string id, std::string folder)
      : id_(std::move(id)), folder_(std::move(folder)) {}
  std::string news();

 private:
  std::string id_, folder_;
  std::string progress_tag_, preview_tag_;
};

// Of one job, until it is over.
class JobEvents : public EventStream {
 public:
  // `seen`: the revision that the client has.
  JobEvents(Queue& queue, const Job& job, std::optional<std::int64_t> seen);
  Step next(std::int64_t revision) override;

 private:
  Queue& queue_;
  Job job_;
  std::optional<std::int64_t> seen_;
  std::int64_t looked_at_ = -1;  // the store's revision
  std::string sent_;             // the last state, without its revision
  RunningFiles files_;
};

// Of all jobs that change, without end.
class AllEvents : public EventStream {
 public:
  AllEvents(Queue& queue, const Deletions& deletions, std::int64_t seen);
  Step next(std::int64_t revision) override;

 private:
  void add_changes(Step& step, std::int64_t revision);
  std::string deletions();

  Queue& queue_;
  const Deletions& deleted_;
  std::int64_t seen_;
  std::uint64_t seen_deletions_;
  // Only while a job runs does it change without news; its last state says what is none.
  struct Running {
    RunningFiles files;
    std::string sent = {};
  };
  Running& running(const std::string& id);
  std::map<std::string, Running> running_;
};

}  // namespace limn
