// Formatted errors, and the nearest known name to an unknown one.
#pragma once

#include <limn/limn.h>

#include <fmt/format.h>

#include <span>
#include <string>
#include <string_view>

namespace limn {

// Throws Error with a formatted message.
template <typename... Args>
[[noreturn]] void fail(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(kind, fmt::format(format, std::forward<Args>(args)...));
}

// The candidate with the smallest edit distance to `name`, if close enough to be a typo (at most a
// third of the candidate's length, or 2 edits); otherwise empty.
std::string nearest_name(std::string_view name, std::span<const std::string> candidates);

// "; did you mean 'x'?" for the nearest candidate, or "" if none is close.
std::string did_you_mean(std::string_view name, std::span<const std::string> candidates);

// Text from a file made safe for messages: printable ASCII (anything else becomes '?'), truncated.
std::string printable(std::string_view text);

}  // namespace limn
