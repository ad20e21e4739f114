#include "serve/live_request.h"

#include <fmt/format.h>

#include <algorithm>

#include "serve/job_request.h"
#include "serve/problem.h"
#include "serve/settings.h"

namespace limn {
namespace {

constexpr size_t kLongestSeat = 64;

[[noreturn]] void refuse_live(const std::string& pointer, const std::string& what) {
  throw Problem(422, fmt::format("{}: {}", pointer, what), pointer);
}

int size_in(const Json& json) {
  const auto found = json.find("size");
  if (found == json.end()) return LiveJob().size;
  const bool whole = found->is_number_integer();
  const auto size = whole ? found->get<std::int64_t>() : 0;
  if (size < kLeastLiveSize || size > kMostLiveSize) {
    refuse_live("/size", fmt::format("should be a whole number from {} to {}", kLeastLiveSize,
                                     kMostLiveSize));
  }
  return static_cast<int>(size);
}

std::string seat_in(const Json& json) {
  const auto found = json.find("seat");
  if (found == json.end()) return "";
  std::string seat = found->is_string() ? found->get<std::string>() : "\n";
  const bool printable =
      std::ranges::all_of(seat, [](unsigned char c) { return c >= 0x20 && c < 0x7F; });
  if (!printable || seat.size() > kLongestSeat) {
    refuse_live("/seat",
                fmt::format("should be at most {} printable characters of ASCII", kLongestSeat));
  }
  return seat;
}

}  // namespace

LiveRequest read_live_request(const Request& request, const Files& files) {
  Json json = parse_json(request.text, "the request");
  if (!json.is_object()) throw Problem(422, "the request should be a JSON object");
  LiveRequest live;
  live.job.size = size_in(json);
  live.seat = seat_in(json);
  json.erase("size");
  json.erase("seat");
  live.job.request = job_request_of(json, files);
  if (live.job.request.kind == JobKind::sweep) {
    refuse_live("/kind", "a sweep has no preview; submit it as a job");
  }
  for (const JobInput& input : live.job.request.inputs) {
    if (!input.file.empty()) files.hold(input.file);
  }
  return live;
}

}  // namespace limn
