#include "base/byte_size.h"

#include <charconv>
#include <string_view>

#include "base/error.h"
#include "base/lower_case.h"

namespace limn {

std::uint64_t parse_byte_size(const std::string& text, const std::string& flag) {
  constexpr std::string_view kUnits = "kmgt";
  constexpr double kMost = 1e18;  // an exact double, and far below what 64 bits hold
  double bytes = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] =
      std::from_chars(text.data(), end, bytes, std::chars_format::fixed);  // no exponents
  std::string unit = lower_case(std::string_view(rest, end));
  if (unit.ends_with('b')) unit.pop_back();
  const std::size_t place = unit.size() == 1 ? kUnits.find(unit) : std::string_view::npos;
  const bool known = unit.empty() || place != std::string_view::npos;
  for (std::size_t power = 0; known && !unit.empty() && power <= place; ++power) bytes *= 1024;
  if (error != std::errc() || !known || !(bytes >= 1 && bytes < kMost)) {
    fail(ErrorKind::usage, "{}: '{}' is not a size; write 512M or 8G", flag, printable(text));
  }
  return static_cast<std::uint64_t>(bytes);
}

}  // namespace limn
