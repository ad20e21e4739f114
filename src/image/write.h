// Whether a picture could be written, asked before an hour of painting rather than after it.
#pragma once

#include <string>

#include <limn/limn.h>

namespace limn {

// Throws the Error that write_image would throw for this path and these options, as far as it can
// be known beforehand: usage (unknown ending or format, options that the format does not have, a
// longest side in pixels that it cannot hold, a terminal for "-"), file (no such folder, one that
// cannot be written to, a path that is a folder or a device, a closed standard output).
void check_writable(const std::string& path, const WriteOptions& options = {},
                    int longest_side = 1);

}  // namespace limn
