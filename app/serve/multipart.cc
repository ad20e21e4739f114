#include "serve/multipart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>
#include <vector>

#include "base/lower_case.h"
#include "serve/problem.h"
#include "serve/target.h"

namespace limn {
namespace {

constexpr size_t kLongestBoundary = 70;
constexpr size_t kLongestDisplayName = 200;
constexpr size_t kLongestFieldName = 64;

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_token_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// A value and its parameters: form-data; name="photo"; filename="cat.jpg".
struct Parameters {
  std::string value;
  std::vector<std::pair<std::string, std::string>> items;

  const std::string* find(std::string_view name) const {
    const auto found = std::ranges::find(items, name, &std::pair<std::string, std::string>::first);
    return found == items.end() ? nullptr : &found->second;
  }
};

// "..." from its first quote on, which it removes from `text`. Browsers write a quote in a name as
// %22 and leave backslashes alone; others escape with a backslash, which counts before a quote or
// another backslash only.
std::optional<std::string> take_quoted(std::string_view& text) {
  std::string value;
  for (size_t i = 1; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      text.remove_prefix(i + 1);
      return value;
    }
    const bool escapes =
        c == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\');
    value += escapes ? text[++i] : c;
  }
  return {};
}

std::string take_token(std::string_view& text) {
  const auto end = std::ranges::find_if_not(text, is_token_character);
  std::string token(text.begin(), end);
  text.remove_prefix(token.size());
  return token;
}

std::optional<Parameters> parse_parameters(std::string_view text) {
  Parameters result;
  text = without_blanks(text);
  const size_t end = std::min(text.find(';'), text.size());
  result.value = lower_case(without_blanks(text.substr(0, end)));
  text.remove_prefix(end);
  while (!text.empty()) {
    text = without_blanks(text.substr(1));  // behind the semicolon
    if (text.empty()) break;                // a last one that nothing follows
    std::string name = lower_case(take_token(text));
    if (name.empty() || !text.starts_with('=')) return {};
    text.remove_prefix(1);
    std::optional<std::string> value;
    if (text.starts_with('"')) {
      value = take_quoted(text);
    } else if (std::string token = take_token(text); !token.empty()) {
      value = std::move(token);
    }
    if (!value || result.find(name) != nullptr) return {};
    result.items.emplace_back(std::move(name), std::move(*value));
    text = without_blanks(text);
    if (!text.empty() && !text.starts_with(';')) return {};
  }
  return result;
}

[[noreturn]] void refuse(std::string_view what) {
  throw Problem(400, fmt::format("the form is not valid multipart/form-data: {}", what));
}

bool is_field_name(std::string_view name) {
  return !name.empty() && name.size() <= kLongestFieldName &&
         std::ranges::all_of(name, [](unsigned char c) {
           return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
         });
}

// The fields of a part's header that matter.
MultipartReader::Part parse_part_header(std::string_view header) {
  std::optional<Parameters> disposition;
  while (!header.empty()) {
    const size_t end = header.find("\r\n");
    const std::string_view line = header.substr(0, end);
    header.remove_prefix(std::min(header.size(), line.size() + 2));
    const bool clean = std::ranges::all_of(
        line, [](unsigned char c) { return c >= 0x20 ? c != 0x7f : c == '\t'; });
    const size_t colon = line.find(':');
    if (!clean || colon == std::string_view::npos || colon == 0 ||
        !std::ranges::all_of(line.substr(0, colon), is_token_character)) {
      refuse("a part has a malformed header line");
    }
    const std::string name = lower_case(line.substr(0, colon));
    if (name == "content-transfer-encoding") {
      const std::string value = lower_case(without_blanks(line.substr(colon + 1)));
      if (value != "binary" && value != "8bit" && value != "7bit") {
        refuse("a part has a transfer encoding");
      }
    }
    if (name != "content-disposition") continue;
    if (disposition) refuse("a part has two dispositions");
    disposition = parse_parameters(line.substr(colon + 1));
    if (!disposition) refuse("a part's disposition cannot be read");
  }
  if (!disposition || disposition->value != "form-data")
    refuse("a part's field name is missing or not allowed");
  const std::string* name = disposition->find("name");
  if (name == nullptr || !is_field_name(*name))
    refuse("a part's field name is missing or not allowed");
  const std::string* filename = disposition->find("filename");
  return {*name, filename == nullptr ? "" : display_name(*filename), filename != nullptr};
}

}  // namespace

std::string boundary_of(std::string_view content_type) {
  const std::optional<Parameters> parameters = parse_parameters(content_type);
  if (!parameters || parameters->value != "multipart/form-data") {
    throw Problem(
        415, fmt::format("the content type is '{}', not multipart/form-data", shown(content_type)));
  }
  const std::string* boundary = parameters->find("boundary");
  const auto allowed = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("'()+_,-./:=? ").find(c) != std::string_view::npos;
  };
  if (boundary == nullptr || boundary->empty() || boundary->size() > kLongestBoundary ||
      boundary->back() == ' ' || !std::ranges::all_of(*boundary, allowed)) {
    throw Problem(400, "the content type names no valid boundary");
  }
  return *boundary;
}

std::string display_name(std::string_view name) {
  const size_t slash = name.find_last_of("/\\");
  if (slash != std::string_view::npos) name.remove_prefix(slash + 1);
  const bool readable = is_utf8(name);
  std::string shown_name;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool control = byte < 0x20 || byte == 0x7f;
    shown_name += control || (byte >= 0x80 && !readable) ? '?' : c;
  }
  if (shown_name.size() > kLongestDisplayName) {
    size_t end = kLongestDisplayName;
    while (end > 0 && (static_cast<unsigned char>(shown_name[end]) & 0xc0) == 0x80) --end;
    shown_name.resize(end);
  }
  return shown_name == "." || shown_name == ".." ? "" : shown_name;
}

MultipartReader::MultipartReader(const std::string& boundary, Consumer consumer)
    : delimiter_("\r\n--" + boundary), consumer_(std::move(consumer)), pending_("\r\n") {
  // The first delimiter has no line end before it: as if there had been one.
}

void MultipartReader::take(std::span<const std::byte> bytes) {
  pending_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  while (step()) {
  }
  pending_.erase(0, at_);
  at_ = 0;
}

void MultipartReader::finish() const {
  if (place_ != Place::epilogue) refuse("it ends too early");
}

bool MultipartReader::step() {
  const std::string_view rest = std::string_view(pending_).substr(at_);
  switch (place_) {
    case Place::first:
      if (!std::string_view(delimiter_).starts_with(rest.substr(0, delimiter_.size()))) {
        refuse("it does not begin with its boundary");
      }
      if (rest.size() < delimiter_.size()) return false;
      at_ += delimiter_.size();
      place_ = Place::after_delimiter;
      return true;
    case Place::after_delimiter:
      return read_after_delimiter();
    case Place::header:
      return read_header();
    case Place::body:
      return read_body();
    case Place::epilogue:
      if (!std::string_view("\r\n").starts_with(rest)) refuse("something follows its end");
      return false;
  }
  return false;
}

bool MultipartReader::read_after_delimiter() {
  const std::string_view rest = std::string_view(pending_).substr(at_);
  if (rest.size() < 2) return false;
  if (rest.starts_with("--")) {
    if (parts_ == 0) refuse("it has no part");
    place_ = Place::epilogue;
  } else if (rest.starts_with("\r\n")) {
    if (++parts_ > kMostParts) {
      throw Problem(413, fmt::format("the form has more than {} parts", kMostParts));
    }
    place_ = Place::header;
  } else {
    refuse("a boundary does not end its line");
  }
  at_ += 2;
  return true;
}

bool MultipartReader::read_header() {
  const std::string_view rest = std::string_view(pending_).substr(at_);
  const size_t end = rest.find("\r\n\r\n");
  if (std::min(end, rest.size()) > kLongestHeader) refuse("a part's header is too long");
  if (end == std::string_view::npos) return false;
  const Part part = parse_part_header(rest.substr(0, end));
  at_ += end + 4;
  place_ = Place::body;
  consumer_.begin(part);
  return true;
}

void MultipartReader::give(size_t count) {
  if (count == 0) return;
  consumer_.bytes(std::as_bytes(std::span(pending_.data() + at_, count)));
  at_ += count;
}

bool MultipartReader::read_body() {
  const size_t end = pending_.find(delimiter_, at_);
  if (end != std::string::npos) {
    give(end - at_);
    at_ += delimiter_.size();
    place_ = Place::after_delimiter;
    consumer_.end();
    return true;
  }
  // The last bytes may be the beginning of a delimiter.
  const size_t rest = pending_.size() - at_;
  give(rest - std::min(rest, delimiter_.size() - 1));
  return false;
}

}  // namespace limn
