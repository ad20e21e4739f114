#include "serve/metrics.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace limn {
namespace {

constexpr std::array<double, 8> kSecondsBounds = {0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60};

// This process's memory in use.
std::uint64_t resident_bytes() {
  unsigned long long pages = 0, resident = 0;
  if (std::FILE* file = std::fopen("/proc/self/statm", "re")) {
    if (std::fscanf(file, "%llu %llu", &pages, &resident) != 2)
      resident = 0;  // NOLINT(cert-err34-c)
    std::fclose(file);
  }
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

template <typename Number>
std::string one(const std::string& name, const std::string& type, const std::string& help,
                Number value) {
  return metric_head(name, type, help) + fmt::format("{} {}\n", name, value);
}

}  // namespace

std::string metric_head(const std::string& name, const std::string& type, const std::string& help) {
  return fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void Metrics::count_answer(int status, double took) {
  if (status >= 0 && status < 600) ++answers[static_cast<size_t>(status)];
  microseconds += static_cast<std::uint64_t>(took * 1e6);
  size_t i = 0;
  while (i < kSecondsBounds.size() && took > kSecondsBounds[i]) ++i;
  ++seconds[i];
}

std::string Metrics::text() const {
  std::string text = metric_head("limn_requests_total", "counter", "Requests answered, by status.");
  for (size_t status = 0; status < answers.size(); ++status) {
    if (answers[status] == 0) continue;
    text += fmt::format("limn_requests_total{{code=\"{}\"}} {}\n", status, answers[status].load());
  }
  const char* const kSeconds = "limn_request_seconds";
  text += metric_head(kSeconds, "histogram", "Time from a request's header to its answer's end.");
  std::uint64_t sum = 0;
  for (size_t i = 0; i < seconds.size(); ++i) {
    sum += seconds[i];
    const std::string bound =
        i < kSecondsBounds.size() ? fmt::format("{}", kSecondsBounds[i]) : "+Inf";
    text += fmt::format("{}_bucket{{le=\"{}\"}} {}\n", kSeconds, bound, sum);
  }
  text += fmt::format("{}_sum {}\n{}_count {}\n", kSeconds,
                      static_cast<double>(microseconds.load()) / 1e6, kSeconds, sum);
  text +=
      one("limn_received_bytes_total", "counter", "Bytes of requests' bodies.", bytes_in.load());
  text += one("limn_sent_bytes_total", "counter", "Bytes of answers' bodies.", bytes_out.load());
  text += one("limn_connections", "gauge", "Connections that are open.", connections.load());
  text += one("limn_event_streams", "gauge", "Clients that follow events.", streams.load());
  text += one("limn_connections_total", "counter", "Connections accepted.", accepted.load());
  text += one("limn_connections_refused_total", "counter", "Connections beyond the limit.",
              refused.load());
  text += one("limn_timeouts_total", "counter", "Connections closed because the peer was slow.",
              timed_out.load());
  text += one("limn_memory_bytes", "gauge", "Memory of the server, without painters.",
              resident_bytes());
  return text;
}

}  // namespace limn
