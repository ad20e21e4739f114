// Making errors: formatted messages, and the nearest known name for an unknown one.
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

// The candidate with the smallest edit distance to `name`, if it is near enough to be a slip of the
// finger (a third of its length at most); otherwise empty.
std::string nearest_name(std::string_view name, std::span<const std::string> candidates);

// "; did you mean 'x'?" for the nearest candidate, or "" when none is near.
std::string did_you_mean(std::string_view name, std::span<const std::string> candidates);

// Text out of a file as a message may show it: printable ASCII (all else is '?'), not too long.
std::string printable(std::string_view text);

}  // namespace limn
