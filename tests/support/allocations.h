// Counts allocations. Linking allocations.cc replaces operator new in the whole program; memory
// from elsewhere (Buffer's) is not counted.
#pragma once

namespace limn {

// The number of calls of operator new so far, on all threads.
int allocations();

}  // namespace limn
