// A worker: takes jobs from the queue and has each painted by a process of its own, within this
// machine's cores and memory. One runs inside `limn serve`, others on other machines.
//
// What a worker may lose is a painter, never a job: a job is running only under a lease, which ends
// when the worker's beats end; whoever gets the job next goes on from the state in its folder.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "jobs/queue.h"

namespace limn {

struct WorkerOptions {
  std::string name;       // its own among all workers of a store; "": made from the machine's name
  int painters = 1;       // pictures painted at a time; the cores are shared out among them
  double memory = 0;      // bytes, for all painters together; 0: three quarters of the machine's
  std::string program;    // limn's command; "": this program itself
  double grace = 30;      // seconds that a painter has to save its state when asked to end
  double silence = 1800;  // seconds that a painter may give no sign of life; 0: no limit
  double beat = 2;        // seconds between beats; well below a lease's length
  // After this many seconds without a beat a worker's jobs are taken from it; every worker watches
  // the others. 0: this one does not, because something else in its process does.
  double lease = 20;
  double patience = 0;     // seconds that a job may take in one attempt; 0: no limit
  double checkpoint = 60;  // seconds between the states that a painter saves
};

class Worker {
 public:
  // Checks the options and takes back the jobs that a worker of this name left behind. Throws
  // Error: usage (options), file (a worker of this name is running in this folder).
  Worker(Queue& queue, WorkerOptions options);
  // Drains.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Starts the painters' threads, and returns.
  void start();
  // Asks painters to save their state and hands their jobs back; returns when all have ended, which
  // takes at most the grace time and a little. Nothing is claimed from the call on.
  void drain();

  // For metrics; from any thread.
  struct Figures {
    int painters = 0, painting = 0;
    double memory = 0, memory_used = 0;  // bytes; used: as the plans of the running jobs say
    std::size_t painted = 0, failed = 0, killed = 0, stopped = 0;  // since the start
  };
  Figures figures() const;

  const std::string& name() const;

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace limn
