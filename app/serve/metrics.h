// Figures of the running server, in the text that Prometheus reads.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

namespace limn {

struct Metrics {
  std::array<std::atomic<std::uint64_t>, 600> answers = {};  // by status
  std::atomic<std::uint64_t> microseconds = 0;               // from a header's end to the answer's
  // Of those, by upper bounds (kSecondsBounds); a request is in the first that it fits.
  std::array<std::atomic<std::uint64_t>, 9> seconds = {};
  std::atomic<std::uint64_t> bytes_in = 0, bytes_out = 0;  // of bodies
  std::atomic<std::int64_t> connections = 0, streams = 0;  // now
  std::atomic<std::uint64_t> accepted = 0, refused = 0, timed_out = 0;

  void count_answer(int status, double took);
  // Without jobs: those are the queue's.
  std::string text() const;
};

// One line of it, with its help: "# HELP limn_x ...\n# TYPE limn_x gauge\n".
std::string metric_head(const std::string& name, const std::string& type, const std::string& help);

}  // namespace limn
