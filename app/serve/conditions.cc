#include "serve/conditions.h"

#include <algorithm>
#include <charconv>

#include "base/lower_case.h"

namespace limn {
namespace {

std::string_view trimmed_view(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

template <typename Number>
std::optional<Number> whole_number(std::string_view text) {
  if (text.empty() || text.front() == '-' || text.front() == '+') return {};
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

}  // namespace

RangeAsked parse_range(std::string_view field, std::uint64_t size) {
  using Kind = RangeAsked::Kind;
  constexpr std::string_view kUnit = "bytes=";
  field = trimmed_view(field);
  if (!field.starts_with(kUnit)) return {};
  field = trimmed_view(field.substr(kUnit.size()));
  const size_t dash = field.find('-');
  if (dash == std::string_view::npos || field.find(',') != std::string_view::npos) return {};
  const std::string_view first_text = field.substr(0, dash), last_text = field.substr(dash + 1);
  const auto first = whole_number<std::uint64_t>(first_text);
  const auto last = whole_number<std::uint64_t>(last_text);
  if ((!first && !first_text.empty()) || (!last && !last_text.empty())) return {};
  if (!first && !last) return {};
  if (!first) {  // the last so many bytes
    if (*last == 0 || size == 0) return {Kind::outside, {}};
    return {Kind::part, {size - std::min(*last, size), size - 1}};
  }
  if (last && *last < *first) return {};
  if (*first >= size) return {Kind::outside, {}};
  return {Kind::part, {*first, std::min(last.value_or(size - 1), size - 1)}};
}

bool names_tag(std::string_view field, std::string_view tag, bool weak) {
  field = trimmed_view(field);
  if (field == "*") return true;
  while (!field.empty()) {
    const bool is_weak = field.starts_with("W/");
    if (is_weak) field.remove_prefix(2);
    if (!field.starts_with('"')) return false;
    const size_t end = field.find('"', 1);
    if (end == std::string_view::npos) return false;
    if (field.substr(0, end + 1) == tag && (weak || !is_weak)) return true;
    field = trimmed_view(field.substr(end + 1));
    if (!field.empty() && !field.starts_with(',')) return false;
    if (!field.empty()) field = trimmed_view(field.substr(1));
  }
  return false;
}

bool takes_gzip(std::string_view field) {
  while (!field.empty()) {
    const std::string_view item = trimmed_view(field.substr(0, field.find(',')));
    field.remove_prefix(std::min(field.size(), field.find(',')));
    if (!field.empty()) field.remove_prefix(1);
    const size_t end = std::min(item.find(';'), item.size());
    if (lower_case(trimmed_view(item.substr(0, end))) != "gzip") continue;
    const std::string_view weight = trimmed_view(item.substr(std::min(end + 1, item.size())));
    return weight.find_first_not_of("q=0. ") != std::string_view::npos || weight.empty();
  }
  return false;
}

std::optional<std::int64_t> parse_revision(std::string_view field) {
  return whole_number<std::int64_t>(trimmed_view(field));
}

}  // namespace limn
