#include "jobs/job.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <span>
#include <string_view>

#include "base/error.h"
#include "base/random_digits.h"

namespace limn {
namespace {

// In the order of their enumerations.
constexpr std::array<const char*, 5> kStateNames = {"waiting", "running", "done", "failed",
                                                    "cancelled"};
constexpr std::array<const char*, 5> kKindNames = {"paint", "texture", "inpaint", "season",
                                                   "sweep"};
constexpr std::array<const char*, 3> kWishNames = {"go on", "yield", "cancel"};

template <typename Enumeration>
Enumeration parse(std::span<const char* const> names, const std::string& text, const char* what) {
  const auto found = std::find(names.begin(), names.end(), std::string_view(text));
  if (found != names.end()) return static_cast<Enumeration>(found - names.begin());
  std::string all;
  for (const char* name : names) all += fmt::format("{}'{}'", all.empty() ? "" : ", ", name);
  fail(ErrorKind::usage, "'{}' is not the {} of a job; there are {}", printable(text), what, all);
}

constexpr size_t kIdBytes = 16;

}  // namespace

const char* name_of(JobState state) { return kStateNames.at(static_cast<size_t>(state)); }
const char* name_of(JobKind kind) { return kKindNames.at(static_cast<size_t>(kind)); }
const char* name_of(Wish wish) { return kWishNames.at(static_cast<size_t>(wish)); }

JobState parse_job_state(const std::string& text) {
  return parse<JobState>(kStateNames, text, "state");
}
JobKind parse_job_kind(const std::string& text) { return parse<JobKind>(kKindNames, text, "kind"); }
Wish parse_wish(const std::string& text) { return parse<Wish>(kWishNames, text, "wish"); }

Milliseconds milliseconds_now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string new_job_id() { return random_digits(kIdBytes); }

bool is_job_id(const std::string& text) {
  return text.size() == 2 * kIdBytes &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace limn
