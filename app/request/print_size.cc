#include "request/print_size.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include "base/error.h"
#include "base/lower_case.h"
#include "image/write.h"

namespace limn {
namespace {

constexpr double kCmPerInch = 2.54;
constexpr int kMostPixels = 100'000;  // as --size

struct LengthUnit {
  std::string_view name;
  double inches;
};
constexpr std::array<LengthUnit, 4> kLengthUnits = {{
    {"cm", 1 / kCmPerInch},
    {"mm", 0.1 / kCmPerInch},
    {"inch", 1},
    {"in", 1},
}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
// "1024x512" is in pixels.
bool is_unit_letter(char c) { return c >= 'a' && c <= 'z' && c != 'x'; }

// The unit at the end of the text, or null.
const LengthUnit* unit_of(std::string_view text) {
  for (const LengthUnit& unit : kLengthUnits) {
    if (text.ends_with(unit.name)) return &unit;
  }
  return nullptr;
}

// "29.7": digits, perhaps with a point, and nothing else.
std::optional<double> plain_number(std::string_view text) {
  const bool plain = std::ranges::all_of(text, [](char c) { return is_digit(c) || c == '.'; });
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!plain || !whole) return std::nullopt;
  return value;
}

// A text's parts; none of those that are missing.
struct PrintParts {
  double width = 0, height = 0;  // inches
  std::optional<double> dpi;
};

std::optional<PrintParts> parts_of_print(std::string_view text) {
  PrintParts parts;
  const size_t at = text.find('@');
  if (at != text.npos) {
    std::string_view dpi = text.substr(at + 1);
    if (dpi.ends_with("dpi")) dpi.remove_suffix(3);
    parts.dpi = plain_number(dpi);
    if (!parts.dpi) return std::nullopt;
    text = text.substr(0, at);
  }
  const LengthUnit* const unit = unit_of(text);
  if (unit == nullptr) return std::nullopt;
  text.remove_suffix(unit->name.size());
  const size_t x = text.find('x');
  const std::optional<double> width = plain_number(text.substr(0, x));
  const std::optional<double> height = x == text.npos ? width : plain_number(text.substr(x + 1));
  if (!width || !height) return std::nullopt;
  parts.width = *width * unit->inches;
  parts.height = *height * unit->inches;
  return parts;
}

bool is_dpi(double dpi) { return dpi >= kLeastDpi && dpi <= kMostDpi; }  // false for NaN

// The resolution of a print with these parts.
double dpi_of(const PrintParts& parts, const std::string& text, const std::string& flag,
              std::optional<double> given) {
  if (given) check_dpi(*given);
  if (parts.dpi && !is_dpi(*parts.dpi)) {
    fail(ErrorKind::usage,
         "{}: '{}' has {} dpi, but should have {} to {}; most prints have 150 to 300", flag, text,
         *parts.dpi, kLeastDpi, kMostDpi);
  }
  if (given && parts.dpi && *given != *parts.dpi) {
    fail(ErrorKind::usage, "--dpi: is {}, but {} '{}' has {} dpi; leave out one of them", *given,
         flag, text, *parts.dpi);
  }
  return parts.dpi.value_or(given.value_or(kPrintDpi));
}

// The pixels of a print's side.
int side_of(double inches, double dpi, double longest, const std::string& text,
            const std::string& flag) {
  const double pixels = std::round(inches * dpi);
  if (pixels < 1) {
    fail(ErrorKind::usage,
         "{}: '{}' is less than one pixel at {} dpi; choose a larger print or more dpi", flag, text,
         dpi);
  }
  if (pixels <= kMostPixels) return static_cast<int>(pixels);
  const double fitting = std::floor(kMostPixels / longest);
  fail(ErrorKind::usage, "{}: '{}' is {:.10g} pixels at {} dpi, but at most {} are possible; {}",
       flag, text, pixels, dpi, kMostPixels,
       fitting >= kLeastDpi ? fmt::format("choose at most {} dpi, or a smaller print", fitting)
                            : "choose a smaller print");
}

}  // namespace

bool is_print_size(const std::string& text) {
  const std::string lower = lower_case(text);
  if (lower.empty()) return false;
  return lower.find('@') != lower.npos || unit_of(lower) != nullptr ||
         (is_digit(lower.front()) && std::ranges::any_of(lower, is_unit_letter));
}

PrintSize parse_print_size(const std::string& text, const std::string& flag,
                           std::optional<double> dpi) {
  const std::optional<PrintParts> parts = parts_of_print(lower_case(text));
  if (!parts) {
    fail(ErrorKind::usage,
         "{}: '{}' is not a size; give pixels, 512, or a print, such as 60cm@300dpi, 297mm or "
         "24in@150dpi",
         flag, text);
  }
  PrintSize print;
  print.dpi = dpi_of(*parts, text, flag, dpi);
  const double longest = std::max(parts->width, parts->height);
  print.pixels = {side_of(parts->height, print.dpi, longest, text, flag),
                  side_of(parts->width, print.dpi, longest, text, flag)};
  return print;
}

void check_dpi(double dpi) {
  if (is_dpi(dpi)) return;
  fail(ErrorKind::usage, "--dpi: is {}, but should be {} to {}; most prints have 150 to 300", dpi,
       kLeastDpi, kMostDpi);
}

double cm_of(int pixels, double dpi) { return pixels / dpi * kCmPerInch; }

std::string print_text(const Size& pixels, double dpi) {
  return fmt::format("{:.1f} x {:.1f} cm at {} dpi", cm_of(pixels.width, dpi),
                     cm_of(pixels.height, dpi), dpi);
}

}  // namespace limn
