// Shares one block of memory among things that are not needed at the same time.
#pragma once

#include <cstddef>
#include <span>

namespace limn {

// Bytes needed from one step of a computation to another, inclusive.
struct Region {
  size_t bytes = 0;  // 0: none
  int first_step = 0;
  int last_step = 0;
  size_t offset = 0;  // in the shared memory; place() sets it
};

// Sets the offsets, aligned to kBufferAlignment, so that regions needed in the same step do not
// overlap, and returns the total bytes. Regions with the longest lifetimes are placed first, each
// at the lowest offset free for its whole lifetime. That is not always optimal, which is hard to
// find, but at VGG's shapes it takes no more than the largest single step.
size_t place(std::span<Region* const> regions);

}  // namespace limn
