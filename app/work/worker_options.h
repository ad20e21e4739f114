// What a worker needs to know before it begins: its options, its cores, and that it is the only one
// of its name.
#pragma once

#include <string>
#include <vector>

#include "work/worker.h"

namespace limn {

// "worker" where the system has none.
std::string machine_name();

// A worker's name: the machine's and an ending. If that is too long, a digest takes the place of
// the machine's last letters, so that two machines do not come to have the same.
std::string worker_name(const std::string& machine, const std::string& ending);

// With what was left open filled in. Throws Error (usage).
WorkerOptions completed(WorkerOptions options);

// The cores that this process may use.
std::vector<int> usable_cores();
// Those of painter number `index` of `count`: a part of them all, or one that others have too.
std::vector<int> share_of_cores(const std::vector<int>& cores, int index, int count);

// Returns a descriptor that is held as long as the worker lives, whatever becomes of it: two of one
// name would take each other's jobs for their own. Throws Error (file).
int lock_name(const std::string& folder, const std::string& name);

}  // namespace limn
