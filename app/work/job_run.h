// One attempt at a job, from its claim to what is to be told the queue: links and recipe, plan,
// memory, a process that paints or goes on painting, and its end.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/stopwatch.h"
#include "jobs/files.h"
#include "jobs/job.h"
#include "jobs/states.h"
#include "work/command_line.h"
#include "work/memory_budget.h"
#include "work/painting_process.h"

namespace limn {

// A job that a painter has, as its thread and the one that beats see it.
struct Assignment {
  explicit Assignment(Job claimed) : job(std::move(claimed)), lease(lease_of(job)) {}
  const Job job;
  const Lease lease;
  std::atomic<Wish> wish = Wish::go_on;
  std::atomic<bool> lost = false;       // the lease: its files are another's now
  std::atomic<bool> make_room = false;  // this worker itself needs its memory, for a preview
};

struct PainterTerms {
  std::string program;     // limn's command
  std::vector<int> cores;  // on which it paints; none: any
  PaintingTerms painting;
  double grace = 30;      // seconds
  double patience = 0;    // seconds for an attempt; 0: no limit
  double silence = 1800;  // seconds without a sign of life; 0: no limit
};

// What an attempt asks of its worker.
struct WorkerCalls {
  std::function<bool()> draining;
  std::function<void(double bytes)> planned;  // may fail, and does not throw
  std::function<void()> make_room;            // a preview waits for memory
};

class JobRun {
 public:
  // `plans` has a share of 1 for whoever makes a plan.
  JobRun(Assignment& assignment, const Files& files, MemoryBudget& memory, MemoryBudget& plans,
         const PainterTerms& terms, const WorkerCalls& worker);

  // Nothing if the lease was lost. Does not throw.
  std::optional<JobOutcome> run();

 private:
  enum class Why { none, asked, lost, memory, silent, slow };

  JobOutcome attempt();
  std::optional<JobOutcome> plan();
  JobOutcome paint();
  JobOutcome paint_once(std::vector<std::string> arguments);
  Why watch(PaintingProcess& process, double most_memory, double silence, double patience);
  Why why_to_stop(const PaintingProcess& process, double most_memory, double silence,
                  double patience) const;
  JobOutcome outcome_of(const PaintingProcess::End& end, Why why) const;
  std::string how_it_died(const PaintingProcess::End& end, Why why) const;
  ProcessRequest process(std::vector<std::string> arguments, double bytes) const;
  double most_memory() const;
  bool is_asked_to_stop() const;

  void take_line(const std::string& line);
  void keep_progress(const std::string& line);
  void log(const std::string& text);
  std::string without_paths(std::string text) const;
  void clean_report() const;

  Assignment& assignment_;
  const Job& job_;
  const Files& files_;
  MemoryBudget& memory_;
  MemoryBudget& plans_;
  const PainterTerms& terms_;
  const WorkerCalls& worker_;
  std::string folder_;  // the job's
  double bytes_ = 0;    // of memory, by its plan

  // Of the process at hand.
  Stopwatch since_line_, since_start_;
  std::string error_;   // its last word, if it failed
  int exit_code_ = 0;   // of the last painter
  std::string result_;  // the outcome that it told, if it wrote a picture
};

}  // namespace limn
