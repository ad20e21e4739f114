// Checks whether a picture can be written, before an hour of painting rather than after.
#pragma once

#include <string>

#include <limn/limn.h>

namespace limn {

// Throws the Error that write_image would throw for this path and these options, as far as that can
// be known in advance: usage (unknown ending or format, options the format does not have, a longest
// side in pixels it cannot hold, a terminal for "-"), file (missing or unwritable folder, a path
// that is a folder or a device, closed standard output).
void check_writable(const std::string& path, const WriteOptions& options = {},
                    int longest_side = 1);

}  // namespace limn
