// Standard output as a destination for a file's bytes.
#pragma once

namespace limn {

// The path that means standard output.
inline constexpr const char* kStandardOutput = "-";

// Throws Error: file (closed), usage (a terminal, which raw bytes would upset).
void check_standard_output();

// Copies the whole of a file, whatever its offset. Throws Error (file): the reader has gone, or the
// disk is full.
void copy_to_standard_output(int file);

}  // namespace limn
