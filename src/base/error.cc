#include "base/error.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

namespace limn {
namespace {

// Levenshtein distance, one row at a time.
int edit_distance(std::string_view a, std::string_view b) {
  std::vector<int> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 1; i <= a.size(); ++i) {
    int diagonal = std::exchange(row[0], static_cast<int>(i));
    for (size_t j = 1; j <= b.size(); ++j) {
      const int substituted = diagonal + (a[i - 1] != b[j - 1]);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, substituted}));
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest_name(std::string_view name, std::span<const std::string> candidates) {
  // A name this long is no typo, and may be hostile.
  if (name.size() > 100) return {};
  const auto allowed = [](std::string_view candidate) {
    return std::max<int>(2, static_cast<int>(candidate.size()) / 3);
  };
  std::string_view nearest;
  int nearest_distance = 0;
  for (const std::string& candidate : candidates) {
    const int distance = edit_distance(name, candidate);
    if (distance > allowed(candidate)) continue;
    if (nearest.empty() || distance < nearest_distance) {
      nearest = candidate;
      nearest_distance = distance;
    }
  }
  return std::string(nearest);
}

std::string did_you_mean(std::string_view name, std::span<const std::string> candidates) {
  const std::string nearest = nearest_name(name, candidates);
  return nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest);
}

std::string printable(std::string_view text) {
  constexpr size_t kLongest = 100;  // characters: longer than any name a framework gives
  std::string shown(text.substr(0, kLongest));
  std::ranges::replace_if(
      shown, [](char c) { return c < ' ' || c > '~'; }, '?');
  if (text.size() > kLongest) shown += "...";
  return shown;
}

}  // namespace limn
