// Where jobs are kept: a few verbs that a database has, and no rules. The rules are states.h, which
// the queue (queue.h) applies through `update`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "jobs/job.h"

namespace limn {

// Which jobs to list.
struct JobQuery {
  std::vector<JobState> states = {};  // any of these; none: all
  std::optional<std::string> client = {};
  std::int64_t changed_after = -1;  // with a larger revision only
  std::string file = {};            // that use this file as an input; "": no matter
  size_t most = 1000;               // the first so many
  size_t skip = 0;                  // after leaving out so many
  // By revision, the newest first; otherwise as they run, or, of those that changed after
  // something, by revision.
  bool newest_first = false;
};

// Which waiting jobs come into question.
struct NextQuery {
  double bytes = std::numeric_limits<double>::infinity();  // those that need more do not
  bool previews_only = false;
};

// Every member may be called from any thread, and by several processes at once. Everything it has
// said to have done survives a power failure. All throw Error: resources if the store cannot be
// reached, is locked for too long or full, and nothing is changed then (unless the message says
// that this is unknown: PostgreSQL went away for good while it committed); file if it is damaged.
//
// Revisions become visible in their order: whoever has seen one finds no change with a smaller one
// later.
class Store {
 public:
  virtual ~Store() = default;

  // Adds the job, giving it a revision and the last place in the order. If one with the same client
  // and key (not "") is there already, returns that one instead. Nothing if its client has
  // `most_unfinished` jobs waiting or running already (0: no limit).
  virtual std::optional<Job> add(Job job, int most_unfinished = 0) = 0;

  virtual std::optional<Job> find(const std::string& id) = 0;
  virtual std::vector<Job> list(const JobQuery& query) = 0;
  // How many there are in each state; states without jobs are left out.
  virtual std::map<JobState, std::size_t> counts() = 0;

  // Reads the job, lets `change` change it, and writes it with a new revision, unless `change`
  // returns false; nobody else changes it in between. Returns the job as it then is, or nothing if
  // there is none or nothing was changed. `change` may be called several times, always with a job
  // as it is in the store, and must not call the store.
  using Change = std::function<bool(Job& job)>;
  virtual std::optional<Job> update(const std::string& id, const Change& change) = 0;

  // The same for the first waiting job, in the order in which they run, that the query and `change`
  // accept; two callers never get the same one (SKIP LOCKED).
  virtual std::optional<Job> update_next(const Change& change, const NextQuery& query = {}) = 0;

  // Removes the job if `may_go` accepts it.
  virtual bool remove(const std::string& id, const std::function<bool(const Job&)>& may_go) = 0;

  // The revision of the last change, a removal included, cheaply: whether anything has changed. No
  // job's `order` is larger.
  virtual std::int64_t revision() = 0;
};

// A file's name or "postgresql://...". Makes the file or the tables if they are not there. Throws
// Error: usage (this build has no PostgreSQL), file (damaged, another program's, a newer limn's),
// resources (it cannot be reached).
std::unique_ptr<Store> open_store(const std::string& where);

}  // namespace limn
