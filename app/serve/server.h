// HTTP/1.1 by Boost.Beast: one thread does all that waits for sockets, a few others what waits for
// disks. Whatever a peer does, or leaves undone, costs a bounded amount of memory and time:
//
//   header    16 KiB, 100 fields, 10 s; a connection's first within 10 s of its beginning
//   body      what its route allows; at least 1 KiB/s on the average; 20 s without a byte
//   answer    32 KiB at a time, each within 20 s
//   waiting   60 s between two requests
//   peers     512 connections, 128 of which follow events; one more takes the place of that which
//             has waited longest for its request
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "serve/api.h"
#include "serve/metrics.h"

namespace limn {

struct ServerLimits {
  size_t connections = 512;
  size_t streams = 128;
  size_t header_bytes = 16 * 1024;
  size_t header_fields = 100;
  std::chrono::milliseconds header_time{10'000};
  std::chrono::milliseconds idle_time{60'000};
  std::chrono::milliseconds stall_time{20'000};  // without a byte, either way
  std::chrono::milliseconds grace_time{10'000};  // before the rate is looked at
  double bytes_per_second = 1024;                // the slowest body
  std::chrono::milliseconds body_time{3'600'000};
  std::chrono::milliseconds drain_time{5'000};  // for requests in progress, when it stops
  std::chrono::milliseconds event_interval{250};
};

struct ServerOptions {
  std::vector<std::string> addresses = {"127.0.0.1", "::1"};
  bool all_addresses = false;  // must be had; otherwise one is enough
  int port = 8080;             // 0: any that is free
  int threads = 2;             // for what is quick; and for the rest
  bool signals = false;        // SIGINT and SIGTERM stop it
  ServerLimits limits;
  // Called once, when it begins to stop; must not wait.
  std::function<void()> on_stop = {};
};

class Server {
 public:
  // Listens from now on. Throws Error (file): the addresses are taken or not this machine's.
  Server(Api& api, Metrics& metrics, ServerOptions options);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  int port() const;
  // Serves until it is stopped, and everything in progress has ended.
  void run();
  // From any thread: accepts no more, and lets requests in progress end.
  void stop();

 private:
  struct Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace limn
