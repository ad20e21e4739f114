// Sharing one piece of memory among things that are not needed at the same time.
#pragma once

#include <cstddef>
#include <span>

namespace limn {

// Some bytes that are needed from one step of a computation to another, both included.
struct Region {
  size_t bytes = 0;  // 0: there is none
  int first_step = 0;
  int last_step = 0;
  size_t offset = 0;  // in the shared memory; place() sets it
};

// Sets the offsets, aligned to kBufferAlignment, so that regions needed in the same step do not
// overlap, and returns how many bytes all of them take together. What is needed longest is placed
// first, each region at the lowest offset that is free for as long: not always the best there is,
// which is hard to find, but at VGG's shapes no more than the one step that needs most.
size_t place(std::span<Region* const> regions);

}  // namespace limn
