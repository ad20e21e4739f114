// What is wrong with a request, as RFC 9457 says it: a status, a title, and a sentence or two for
// whoever sent it.
#pragma once

#include <limn/limn.h>

#include <string>
#include <string_view>

namespace limn {

// Thrown by whatever reads a request; it becomes the answer.
class Problem : public Error {
 public:
  Problem(int status, const std::string& detail, std::string pointer = "");

  int status() const { return status_; }
  // Of the wrong value in the request's JSON (RFC 6901): "/settings/style/weight"; or "".
  const std::string& pointer() const { return pointer_; }

 private:
  int status_;
  std::string pointer_;
};

// "Not Found"; "Unknown" for a status that this server does not use.
std::string_view title_of(int status);

// The body of such an answer; its media type.
std::string problem_json(int status, std::string_view detail, std::string_view pointer = {});
inline constexpr const char* kProblemType = "application/problem+json";

// Text from a client made safe to repeat in a message: printable UTF-8 of moderate length.
std::string shown(std::string_view text);

}  // namespace limn
