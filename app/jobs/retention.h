// How long finished jobs are kept, and how much disk all jobs may take: the oldest finished jobs go
// first, never a waiting or a running one.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "jobs/queue.h"

namespace limn {

struct Keeping {
  double days = 0;          // since it ended; 0: no limit
  std::uint64_t bytes = 0;  // of all that Files keeps; 0: no limit
};

// One per server, asked every minute or so.
//
// How old a job is, only the wall clock knows, and it may be wrong. So a job goes for its age only
// if this object has also seen it finished for an hour (or for `days`, if that is shorter) by a
// steady clock; and steps of the wall clock while this object lives have no effect. (Not for
// longer: a machine that is off at night would never see it.)
//
// It also removes the states of painted jobs whose worker died before it could.
class Retention {
 public:
  explicit Retention(const Keeping& keeping) : keeping_(keeping) {}

  struct Looked {
    std::vector<std::string> erased;  // jobs
    std::uint64_t bytes = 0;          // that are kept
    bool full = false;                // more than may be, with nothing left that may go
  };
  // `steady` in seconds, by a steady clock; `wall` is the system's.
  Looked look(Queue& queue, double steady, Milliseconds wall);

 private:
  void erase_old(Queue& queue, const std::vector<Job>& finished, double steady, Looked& looked);
  void erase_states(Queue& queue, const std::vector<Job>& finished);
  void erase_for_room(Queue& queue, const std::vector<Job>& finished, Looked& looked);

  Keeping keeping_;
  bool begun_ = false;
  double first_steady_ = 0;
  Milliseconds first_wall_ = 0;
  std::map<std::string, double> finished_since_;  // steady, by job
  std::int64_t without_states_ = -1;              // the last revision whose states are removed
};

}  // namespace limn
