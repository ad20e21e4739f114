#include "request/vary.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <sstream>
#include <string_view>

#include "base/error.h"
#include "recipe/fields.h"
#include "request/setting_key.h"

namespace limn {
namespace {

// Sweeps save no intermediate pictures, and names change no picture.
constexpr std::array<std::string_view, 4> kWithoutEffect = {"name", "summary", "output.save_every",
                                                            "output.save_name"};

enum class Type { number, whole_number, layers, other };

// A list of numbers varies like a number: each value is a list of one.
template <typename T>
Type type_of(const T&) {
  if constexpr (std::is_same_v<T, std::vector<LayerWeight>>) return Type::layers;
  if constexpr (std::is_same_v<T, std::vector<int>>) return Type::whole_number;
  if constexpr (std::is_same_v<T, std::vector<double>>) return Type::number;
  if constexpr (!std::is_arithmetic_v<T> || std::is_same_v<T, bool>) return Type::other;
  return std::is_integral_v<T> ? Type::whole_number : Type::number;
}

struct Setting {
  std::string key;
  Type type = Type::other;
};

// The setting with this key, or with a flag of this name.
Setting find_setting(const std::string& name) {
  Setting found = {setting_key(name, "--vary"), Type::other};
  if (std::ranges::find(kWithoutEffect, found.key) != kWithoutEffect.end()) {
    fail(ErrorKind::usage, "--vary: {} has no effect on the picture", found.key);
  }
  const Recipe defaults;
  visit_fields(defaults, [&](const Field& field, const auto& value) {
    if (field.key == found.key) found.type = type_of(value);
  });
  return found;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  if (text.empty() || text.back() == separator) parts.emplace_back();
  return parts;
}

double number_in(const std::string& text) {
  double value = NAN;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// "0.1..10x5" in its parts, as text.
struct Range {
  std::string first, last;
  bool factors = false;  // equal ones; otherwise equal steps
  int count = 0;
};

Range range_in(const std::string& text, const std::string& origin) {
  const size_t dots = text.find("..");
  const size_t sign = text.find_last_of("x+");
  Range range;
  if (sign != std::string::npos && sign > dots) {
    const char* end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data() + sign + 1, end, range.count);
    if (error != std::errc() || stopped != end) range.count = 0;
  }
  if (range.count == 0) {
    fail(ErrorKind::usage,
         "{}: '{}' does not end with the number of values; A..Bx5 gives five values in equal "
         "factors, A..B+5 five in equal steps",
         origin, text);
  }
  if (range.count < 2 || range.count > kMostValues) {
    fail(ErrorKind::usage, "{}: '{}' has {} values, but a range has 2 to {}", origin, text,
         range.count, kMostValues);
  }
  range.first = text.substr(0, dots);
  range.last = text.substr(dots + 2, sign - dots - 2);
  range.factors = text[sign] == 'x';
  return range;
}

// Four digits, and an exponent as people write it: 1e-5, not 1e-05.
std::string short_number(double value) {
  std::string text = fmt::format("{:.4g}", value);
  const size_t exponent = text.find('e');
  if (exponent != std::string::npos && text[exponent + 2] == '0') text.erase(exponent + 2, 1);
  return text;
}

// The numbers of a range as text. Its ends must be valid values of the setting.
std::vector<std::string> values_of(const Range& range, bool whole, const std::string& origin) {
  const double first = number_in(range.first);
  const double last = number_in(range.last);
  if (range.factors && (first <= 0 || last <= 0)) {
    fail(ErrorKind::usage,
         "{}: equal factors never reach 0; start above 0, or use {}..{}+{} for equal steps", origin,
         range.first, range.last, range.count);
  }
  std::vector<std::string> values = {range.first};
  for (int i = 1; i < range.count - 1; ++i) {
    const double share = static_cast<double>(i) / (range.count - 1);
    const double value =
        range.factors ? std::exp(std::log(first) + share * (std::log(last) - std::log(first)))
                      : first + share * (last - first);
    values.push_back(whole ? fmt::format("{}", std::llround(value)) : short_number(value));
  }
  values.push_back(range.last);
  return values;
}

std::vector<std::string> parse_values(const std::string& text, const Setting& setting,
                                      const Recipe& base, const std::string& origin) {
  const bool number = setting.type == Type::number || setting.type == Type::whole_number;
  if (number && text.find("..") != std::string::npos) {
    const Range range = range_in(text, origin);
    Recipe tried = base;
    for (const std::string& end : {range.first, range.last}) {
      set_field(tried, setting.key, end, origin);
    }
    return values_of(range, setting.type == Type::whole_number, origin);
  }
  const bool semicolons = setting.type == Type::layers || text.find(';') != std::string::npos;
  return split(text, semicolons ? ';' : ',');
}

}  // namespace

Variation parse_variation(const std::string& text, const Recipe& base) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos) {
    fail(ErrorKind::usage, "--vary: '{}' should be KEY=VALUES, as in style.weight=0.1,1,10", text);
  }
  std::string name = text.substr(0, equals);
  if (name.starts_with("--")) name = name.substr(2);
  const Setting setting = find_setting(name);
  const std::string origin = "--vary " + setting.key;

  Variation variation = {
      setting.key, parse_values(text.substr(equals + 1), setting, base, origin), {}};
  if (std::ssize(variation.values) > kMostValues) {
    fail(ErrorKind::usage, "{}: has {} values, but at most {} are allowed", origin,
         variation.values.size(), kMostValues);
  }
  std::vector<std::string> seen;
  for (const std::string& value : variation.values) {
    Recipe recipe = base;
    set_field(recipe, setting.key, value, origin);
    const std::string toml = to_toml(recipe);
    if (std::ranges::find(seen, toml) != seen.end()) {
      fail(ErrorKind::usage, "{}: the value {} appears twice", origin, value);
    }
    seen.push_back(toml);
    variation.recipes.push_back(std::move(recipe));
  }
  return variation;
}

}  // namespace limn
