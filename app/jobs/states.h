// What may happen to a job: the one state machine, pure functions over Job. Everything that changes
// a job, in either store, goes through here.
//
//                  claim                    finish: painted
//   add -> waiting ------> running -----------------------------> done
//            ^  ^ \          | | \ finish: an error of its own, its painter killed for the
//            |  |  \ cancel  | |  `- 2nd time; its worker lost for the 10th ----> failed
//            |  |   `--------|-|-----------------------------.
//            |  |            | `-- wish: cancel, finish -----`--> cancelled
//            |  `-- hand back, yield, take back ---'
//            `--------------- retry ------------- done, failed, cancelled
//
// A job whose cancelling was wished for does not wait again, however its run ends: unless it was
// painted or failed by itself before its painter heard of it, it is cancelled.
#pragma once

#include <string>

#include "jobs/job.h"

namespace limn {

// How a painter ended.
enum class Ending {
  painted,      // the picture is in the job's folder
  refused,      // an error that would be the same the next time: a bad file, a bad setting
  stopped,      // it was asked to: cancelled or yielding; the best picture or the state is kept
  handed_back,  // the worker is shutting down: it goes on elsewhere
  killed,       // it crashed or ran out of memory or time
};

struct JobOutcome {
  Ending ending = Ending::painted;
  std::string reason;        // for people, where something went wrong
  bool has_picture = false;  // of a painting that was stopped
};

// A job that kills its painter this often has failed: the second time excludes an accident.
// Painters are processes of their own, so a worker that vanishes was most likely killed by somebody
// else or by a power failure: after that a job goes on, but not for ever.
inline constexpr int kMostKills = 2;
inline constexpr int kMostLosses = 10;

// Each returns false, and changes nothing, where the job is in a state in which this cannot happen,
// or the lease is no longer valid.
bool claim(Job& job, const std::string& worker, Milliseconds now);
bool beat(Job& job, const Lease& lease);
bool set_bytes(Job& job, const Lease& lease, double bytes);
bool finish(Job& job, const Lease& lease, const JobOutcome& outcome, Milliseconds now);
// The worker was seen dead: `seen` is the beat at which it had stopped.
bool take_back(Job& job, const Lease& lease, std::int64_t seen, Milliseconds now);

bool cancel(Job& job, Milliseconds now);  // waiting: at once; running: a wish
bool retry(Job& job, double order);       // done, failed or cancelled: waits again
bool ask_to_yield(Job& job);              // running without a wish, not a preview
bool move_to(Job& job, double order);     // waiting
// A waiting job that needs more memory than this worker has gets that as its reason; once: one that
// has it from another worker keeps it.
bool wait_for_memory(Job& job, const std::string& worker, double bytes);
bool may_be_erased(const Job& job);  // not running

}  // namespace limn
