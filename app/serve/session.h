// One connection: its requests, one after the other. Only server.cc and session.cc know of Boost.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <type_traits>
#include <utility>

#include "serve/api.h"
#include "serve/metrics.h"
#include "serve/server.h"

namespace limn {

namespace asio = boost::asio;

class Session;

// What all connections share. Only the thread that waits for sockets touches what is not const,
// except for the API and the metrics.
struct ServerState {
  Api& api;
  Metrics& metrics;
  const ServerLimits limits;
  struct Pools {
    asio::thread_pool quick, heavy, conversion;
    asio::thread_pool& of(Api::Effort effort) {
      return effort == Api::Effort::heavy        ? heavy
             : effort == Api::Effort::conversion ? conversion
                                                 : quick;
    }
  };
  Pools& pools;
  std::set<Session*> sessions = {};
  size_t streams = 0;
  std::int64_t revision = 0;  // of the store, as last seen
  bool draining = false;
};

// Runs a task that may wait for a disk on a pool; the coroutine goes on where it was.
template <typename Task>
asio::awaitable<std::invoke_result_t<Task&>> on_pool(asio::thread_pool& pool, Task& task) {
  using Result = std::invoke_result_t<Task&>;
  const auto run = [&task]() -> asio::awaitable<Result> { co_return task(); };
  if constexpr (std::is_void_v<Result>) {
    co_await asio::co_spawn(pool, run, asio::use_awaitable);
  } else {
    co_return co_await asio::co_spawn(pool, run, asio::use_awaitable);
  }
}

// What of a body did not become a file is removed, which may take a while.
struct DestroyedOnPool {
  asio::thread_pool& pool;
  void operator()(BodyReader* reader) const {
    asio::post(pool, [reader] { delete reader; });
  }
};

class Session {
 public:
  Session(asio::ip::tcp::socket socket, ServerState& server);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  asio::awaitable<void> run();
  // Ends it: at once if it only waits for a request.
  void drain();
  void close();
  // Since when it has waited for a request, or for the rest of its header; nothing: one is being
  // answered.
  std::optional<std::chrono::steady_clock::time_point> waiting_since() const {
    return waiting_since_;
  }

 private:
  using Clock = std::chrono::steady_clock;
  struct Exchange;  // a request being answered

  asio::awaitable<bool> serve_one();  // false: the connection is at its end
  asio::awaitable<bool> read_header(Exchange& exchange);
  asio::awaitable<Reply> answer(Exchange& exchange);
  asio::awaitable<void> read_body(Exchange& exchange, BodyReader& reader);
  asio::awaitable<bool> write_reply(Exchange& exchange, Reply& reply);
  asio::awaitable<bool> write(std::string_view bytes);
  asio::awaitable<bool> write_file(const Reply::FilePart& part);
  asio::awaitable<void> follow(EventStream& events);
  asio::awaitable<PartStream::Step> first_part(PartStream& parts);
  asio::awaitable<PartStream::Step> next_part(PartStream& parts);
  asio::awaitable<bool> write_parts(PartStream& parts, PartStream::Step& step);
  asio::awaitable<void> hear_out();
  bool peer_is_gone();

  ServerState& server_;
  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_;
  asio::steady_timer timer_;
  // For whoever has news for this session, on another thread: nothing once it has gone.
  const std::shared_ptr<Session*> self_ = std::make_shared<Session*>(this);
  bool idle_ = false, answered_ = false;
  std::optional<Clock::time_point> waiting_since_;
};

}  // namespace limn
