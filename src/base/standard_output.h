// Standard output as a place for a file's bytes.
#pragma once

namespace limn {

// The path that means standard output.
inline constexpr const char* kStandardOutput = "-";

// Throws Error: file (it is closed), usage (it is a terminal, which bytes would only upset).
void check_standard_output();

// Copies the whole of a file, whatever its offset. Throws Error (file): nobody reads any more, the
// disk behind it is full.
void copy_to_standard_output(int file);

}  // namespace limn
