// Letters of either case as one.
#pragma once

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>

namespace limn {

// The text with its ASCII letters in lower case.
inline std::string lower_case(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

}  // namespace limn
