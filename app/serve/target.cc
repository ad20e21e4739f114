#include "serve/target.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "serve/problem.h"

namespace limn {
namespace {

constexpr size_t kLongestTarget = 2048;
constexpr size_t kMostParameters = 50;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Undoes percent-encoding; in a query a plus is a blank.
std::string decoded(std::string_view text, bool query) {
  std::string plain;
  plain.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && query) c = ' ';
    if (c == '%') {
      const int high = i + 1 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) throw Problem(400, "the address has a '%' without two digits");
      c = static_cast<char>(high * 16 + low);
      if (!query && (c == '/' || c == '\\')) throw Problem(400, "the address has an escaped slash");
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      throw Problem(400, "the address has a control character");
    }
    plain += c;
  }
  if (!is_utf8(plain)) throw Problem(400, "the address is not UTF-8");
  return plain;
}

void check_path(const std::string& path) {
  if (path.find("//") != std::string::npos || path.find('\\') != std::string::npos) {
    throw Problem(400, "the address has an empty segment or a backslash");
  }
  for (size_t begin = 1; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view segment = std::string_view(path).substr(begin, end - begin);
    if (segment == "." || segment == "..") throw Problem(400, "the address has a dot segment");
    begin = end + 1;
  }
}

Query parse_query(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    if (item.empty()) continue;
    if (query.all().size() == kMostParameters) throw Problem(400, "too many query parameters");
    const size_t equals = std::min(item.find('='), item.size());
    const std::string_view value = item.substr(std::min(item.size(), equals + 1));
    query.add(decoded(item.substr(0, equals), true), decoded(value, true));
  }
  return query;
}

}  // namespace

bool is_utf8(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  for (size_t i = 0; i < text.size();) {
    const unsigned char first = byte(i);
    if (first < 0x80) {
      ++i;
      continue;
    }
    const int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    if (first < 0xc2 || first > 0xf4 || text.size() - i <= static_cast<size_t>(more)) return false;
    const unsigned char second = byte(i + 1);
    const bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
    const bool beyond = (first == 0xed && second > 0x9f) || (first == 0xf4 && second > 0x8f);
    if (overlong || beyond) return false;
    for (int k = 1; k <= more; ++k) {
      if ((byte(i + k) & 0xc0) != 0x80) return false;
    }
    i += more + 1;
  }
  return true;
}

void Query::add(std::string name, std::string value) {
  parameters_.emplace_back(std::move(name), std::move(value));
}

const std::string* Query::find(std::string_view name) const {
  const std::string* found = nullptr;
  for (const auto& [key, value] : parameters_) {
    if (key != name) continue;
    if (found != nullptr) {
      throw Problem(400, fmt::format("the parameter '{}' is given twice", name));
    }
    found = &value;
  }
  return found;
}

long long Query::number(std::string_view name, long long least, long long most,
                        long long otherwise) const {
  const std::string* text = find(name);
  if (text == nullptr) return otherwise;
  long long value = 0;
  const char* const end = text->data() + text->size();
  const auto [stopped, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc() || stopped != end || value < least || value > most) {
    throw Problem(400, fmt::format("{}: '{}' is not a whole number from {} to {}", name,
                                   shown(*text), least, most));
  }
  return value;
}

void Query::allow(std::initializer_list<std::string_view> names) const {
  const std::vector<std::string> known(names.begin(), names.end());
  for (const auto& [key, value] : parameters_) {
    if (std::ranges::find(known, key) != known.end()) continue;
    throw Problem(400,
                  fmt::format("unknown parameter '{}'{}", shown(key), did_you_mean(key, known)));
  }
}

Target parse_target(std::string_view text) {
  if (text.size() > kLongestTarget) {
    throw Problem(414, fmt::format("the address is longer than {} bytes", kLongestTarget));
  }
  if (!text.starts_with('/')) throw Problem(400, "the target must begin with '/'");
  if (text.find('#') != std::string_view::npos) throw Problem(400, "the address has a fragment");
  const size_t mark = std::min(text.find('?'), text.size());
  Target target;
  target.path = decoded(text.substr(0, mark), false);
  check_path(target.path);
  target.query = parse_query(text.substr(std::min(text.size(), mark + 1)));
  return target;
}

}  // namespace limn
