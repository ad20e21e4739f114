// Counting allocations. Programs that link allocations.cc have operator new replaced, for the whole
// of them; memory that does not come from there (Buffer's) is not counted.
#pragma once

namespace limn {

// Calls of operator new so far, on all threads.
int allocations();

}  // namespace limn
