// Writing to the user. Standard error is a courtesy: failing to write there is no reason to lose a
// painting. Standard output carries the result: failing to write there is an error.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace limn {

// Writes to standard error, unformatted; ignores failures.
void say(const std::string& text);

// What is said to standard error besides progress: a warning ("limn: what"), and the error that
// ends the program.
void warn(const std::string& what);
void say_failure(const std::string& what, int exit_code);

// From now on these, and progress, are JSON objects, one a line, for programs that started limn
// (--progress json): {"event": "warning", "message": ...}, {"event": "error", "message": ...,
// "exit_code": 3}.
void speak_json();
bool speaks_json();
// Writes an object as such a line.
void say_object(const nlohmann::ordered_json& object);

// Writes to standard output, unformatted. Throws Error (file) on failure.
void print(const std::string& text);

}  // namespace limn
