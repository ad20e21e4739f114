// Catches errors for inspection.
#pragma once

#include <gtest/gtest.h>
#include <limn/limn.h>

#include <array>
#include <string>
#include <string_view>

namespace limn {

// The error thrown by `act`. Fails the test if there is none.
template <typename Act>
Error error_of(Act&& act) {
  try {
    act();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return Error(ErrorKind::usage, "(no error)");
}

// Whether the error is of this kind and its message contains every part.
template <typename... Parts>
testing::AssertionResult says(const Error& error, ErrorKind kind, const Parts&... parts) {
  const std::string message = error.what();
  if (error.kind() != kind) {
    return testing::AssertionFailure() << "an error of another kind: " << message;
  }
  for (const auto part : std::array<std::string_view, sizeof...(parts)>{parts...}) {
    if (message.find(part) == std::string::npos) {
      return testing::AssertionFailure() << "'" << part << "' is not in: " << message;
    }
  }
  return testing::AssertionSuccess();
}

}  // namespace limn
