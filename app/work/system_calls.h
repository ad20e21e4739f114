// The filter of a painter's system calls.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

namespace limn {

// Stands in the filter for the number of the process that it is for: more than any process has.
// Where it is the operand of an instruction the process puts its own number in its place.
inline constexpr std::uint32_t kOwnProcess = 0x7ffffff1;

// The filter as the kernel takes it; empty if this build has no libseccomp, or this machine cannot
// filter. What it refuses fails with EPERM, or ENOSYS. Throws Error (resources) if it cannot be
// made now.
std::vector<sock_filter> filter_of_system_calls();

}  // namespace limn
