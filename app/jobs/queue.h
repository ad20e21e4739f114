// What clients and workers do with jobs: the store's verbs under the rules of states.h. This is all
// that the server and the worker see of jobs/.
#pragma once

#include <limn/limn.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "jobs/files.h"
#include "jobs/job.h"
#include "jobs/states.h"
#include "jobs/store.h"

namespace limn {

// What one client may have at a time; 0: no limit.
struct Quotas {
  int waiting = 0;  // jobs waiting or running
};

// A client has as many jobs as it may have.
class QuotaUsed : public Error {
 public:
  using Error::Error;
};

class Queue {
 public:
  Queue(Store& store, Files& files) : store_(store), files_(files) {}

  // ---- for clients ----

  // The job is kept when this returns. The same client and key give the job of the first time.
  // Throws QuotaUsed, or Error: usage (an input is not here), resources (store, disk). Two submits
  // at once do not exceed a quota either.
  Job submit(JobRequest request, const Quotas& quotas = {});
  std::optional<Job> find(const std::string& id) { return store_.find(id); }
  std::vector<Job> list(const JobQuery& query) { return store_.list(query); }
  std::int64_t revision() { return store_.revision(); }

  // Nothing if there is no such job, or if its state does not allow it.
  std::optional<Job> cancel(const std::string& id);
  std::optional<Job> retry(const std::string& id);
  // Before this waiting job (of those that are previews too, or are not), or, with "", after all
  // others.
  std::optional<Job> move_before(const std::string& id, const std::string& other);
  // And its files. With a revision: only if nothing has happened to it since.
  bool erase(const std::string& id, std::optional<std::int64_t> revision = {});

  // ---- for workers ----

  // The next job that needs at most `bytes` of memory (as far as that is known), which is all that
  // the worker has; `previews_only` for a worker that has room for nothing else. Where there is
  // none but jobs that need more, these get the reason why they wait.
  std::optional<Job> claim(const std::string& worker, double bytes, bool previews_only = false);
  // Says that the worker lives. Nothing if the lease is gone: stop, and leave the job's files
  // alone.
  std::optional<Wish> beat(const Lease& lease);
  // False if the lease is gone.
  bool finish(const Lease& lease, const JobOutcome& outcome);
  void set_bytes(const Lease& lease, double bytes);
  // Asks the job that this worker began last, and that is no preview, to make room, if more
  // previews wait that need at most `bytes` than jobs have been asked already, here and elsewhere.
  void make_room_for_previews(const std::string& worker, double bytes);

  // For Files::sweep.
  Files::Users users_of_files();

  Store& store() { return store_; }
  Files& files() { return files_; }

 private:
  void say_why_they_wait(const std::string& worker, double bytes);

  Store& store_;
  Files& files_;
};

// Watches running jobs, and takes them from workers that have stopped. One per process, asked every
// second or so. Time in which it was not asked, or could not reach the store, does not count:
// nobody could raise a counter then.
class LeaseWatch {
 public:
  explicit LeaseWatch(double lease_seconds) : lease_seconds_(lease_seconds) {}
  // `seconds` by a steady clock. Returns the jobs that now wait again (or have failed).
  std::vector<Job> look(Store& store, double seconds);
  // At a worker's start: those that it held before it died.
  static std::vector<Job> take_back_from(Store& store, const std::string& worker);

 private:
  struct Seen {
    std::string job;
    int attempt = 0;
    std::int64_t beat = 0;
    double since = 0;
  };
  double lease_seconds_;
  double last_look_ = 0;
  std::vector<Seen> seen_;
};

}  // namespace limn
