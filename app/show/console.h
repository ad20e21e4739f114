// Writing to the user. Standard error is a courtesy: failing to write there is no reason to lose a
// painting. Standard output carries the result: failing to write there is an error.
#pragma once

#include <string>

namespace limn {

// Writes to standard error, unformatted; ignores failures.
void say(const std::string& text);

// Writes to standard output, unformatted. Throws Error (file) on failure.
void print(const std::string& text);

}  // namespace limn
