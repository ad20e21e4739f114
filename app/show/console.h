// Writing to the user. What is said on standard error is a courtesy: that it cannot be said is no
// reason to lose a painting. What is printed on standard output is the result: that it cannot be
// printed is an error.
#pragma once

#include <string>

namespace limn {

// To standard error, as it is; failures are ignored.
void say(const std::string& text);

// To standard output, as it is. Throws Error (file) when it does not get there.
void print(const std::string& text);

}  // namespace limn
