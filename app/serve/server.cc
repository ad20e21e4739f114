#include "serve/server.h"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <deque>
#include <string_view>

#include "base/error.h"
#include "serve/problem.h"
#include "serve/session.h"

namespace limn {

using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::chrono::milliseconds kPulse{200};       // between looks at the store's revision
constexpr std::chrono::milliseconds kOutOfFiles{100};  // until the next attempt to accept

// Said to a connection beyond the limit, if it can be said without waiting.
void turn_away(tcp::socket& socket) {
  static const std::string text = [] {
    const std::string body = problem_json(503, "too many connections");
    return fmt::format(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: {}\r\n"
        "Content-Length: {}\r\nRetry-After: 5\r\nConnection: close\r\n\r\n{}",
        kProblemType, body.size(), body);
  }();
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(text), ignored);
  socket.shutdown(tcp::socket::shutdown_both, ignored);
  socket.close(ignored);
}

// A program that this one starts has nothing to do with its connections.
void keep_from_children(int descriptor) { fcntl(descriptor, F_SETFD, FD_CLOEXEC); }

tcp::acceptor listen_at(asio::io_context& io, const std::string& address, int port,
                        error_code& error) {
  tcp::acceptor acceptor(io);
  const asio::ip::address parsed = asio::ip::make_address(address, error);
  if (error) return acceptor;
  const tcp::endpoint endpoint(parsed, static_cast<std::uint16_t>(port));
  acceptor.open(endpoint.protocol(), error);
  if (!error) keep_from_children(acceptor.native_handle());
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && parsed.is_v6()) acceptor.set_option(boost::asio::ip::v6_only(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  return acceptor;
}

}  // namespace

struct Server::Inside {
  Inside(Api& api, Metrics& metrics, const ServerOptions& options)
      : pools{.quick = asio::thread_pool(static_cast<size_t>(options.threads)),
              .heavy = asio::thread_pool(static_cast<size_t>(options.threads)),
              .conversion = asio::thread_pool(1)},
        state{.api = api, .metrics = metrics, .limits = options.limits, .pools = pools},
        on_stop(options.on_stop),
        timer(io),
        deadline(io),
        signals(io) {}

  void listen(const ServerOptions& options);
  asio::awaitable<void> accept(tcp::acceptor& acceptor);
  asio::awaitable<void> serve(tcp::socket socket);
  asio::awaitable<void> watch_revision();
  bool make_room();
  void drain();

  asio::io_context io{1};
  ServerState::Pools pools;
  ServerState state;
  std::deque<tcp::acceptor> acceptors;
  std::function<void()> on_stop;
  asio::steady_timer timer, deadline;
  asio::signal_set signals;
  int port = 0;
};

void Server::Inside::listen(const ServerOptions& options) {
  port = options.port;
  const bool all = options.all_addresses;
  error_code first;
  for (const std::string& address : options.addresses) {
    error_code error;
    tcp::acceptor acceptor = listen_at(io, address, port, error);
    if (error && all) {
      fail(ErrorKind::file, "cannot listen on {}, port {}: {}{}", address, options.port,
           error.message(),
           error == asio::error::address_in_use ? "; choose another one with --port" : "");
    }
    if (error) {
      // A machine without IPv6 has no ::1; a port that somebody has is another matter.
      if (!first || error == asio::error::address_in_use) first = error;
      if (error == asio::error::address_in_use) break;
      continue;
    }
    if (port == 0) port = acceptor.local_endpoint().port();
    acceptors.push_back(std::move(acceptor));
  }
  if (acceptors.empty() || first == asio::error::address_in_use) {
    fail(ErrorKind::file, "cannot listen on {}, port {}: {}{}", options.addresses.front(),
         options.port, first.message(),
         first == asio::error::address_in_use ? "; choose another one with --port" : "");
  }
}

asio::awaitable<void> Server::Inside::serve(tcp::socket socket) {
  {
    Session session(std::move(socket), state);
    co_await session.run();
  }
  if (state.draining && state.sessions.empty()) deadline.cancel();
}

// Closes the connection that has waited longest for its request. False: all are being answered.
bool Server::Inside::make_room() {
  Session* longest = nullptr;
  for (Session* session : state.sessions) {
    if (!session->waiting_since()) continue;
    if (longest == nullptr || *session->waiting_since() < *longest->waiting_since()) {
      longest = session;
    }
  }
  if (longest == nullptr) return false;
  longest->close();
  return true;
}

asio::awaitable<void> Server::Inside::accept(tcp::acceptor& acceptor) {
  asio::steady_timer pause(io);
  while (!state.draining) {
    error_code error;
    tcp::socket socket =
        co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (state.draining || error == asio::error::operation_aborted) co_return;
    if (error) {  // no more files, most likely
      error_code ignored;
      pause.expires_after(kOutOfFiles);
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      continue;
    }
    keep_from_children(socket.native_handle());
    ++state.metrics.accepted;
    if (state.sessions.size() >= state.limits.connections && !make_room()) {
      ++state.metrics.refused;
      turn_away(socket);
      continue;
    }
    asio::co_spawn(io, serve(std::move(socket)), asio::detached);
  }
}

// One look for all that follow events.
asio::awaitable<void> Server::Inside::watch_revision() {
  while (!state.draining) {
    if (state.streams > 0) {
      try {
        const auto look = [this] { return state.api.queue().revision(); };
        state.revision = co_await on_pool(pools.quick, look);
      } catch (const Error&) {
        // The store cannot be reached: nothing has changed as far as anybody knows.
      }
    }
    error_code ignored;
    timer.expires_after(kPulse);
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

void Server::Inside::drain() {
  if (state.draining) return;
  state.draining = true;
  error_code ignored;
  signals.clear(ignored);  // a second signal ends the program at once
  signals.cancel(ignored);
  for (tcp::acceptor& acceptor : acceptors) acceptor.close(ignored);
  timer.cancel();
  if (on_stop) on_stop();
  state.api.stop();
  for (Session* session : state.sessions) session->drain();
  if (state.sessions.empty()) return;
  deadline.expires_after(state.limits.drain_time);
  deadline.async_wait([this](const error_code& error) {
    if (error) return;
    for (Session* session : state.sessions) session->close();
  });
}

Server::Server(Api& api, Metrics& metrics, ServerOptions options)
    : inside_(std::make_unique<Inside>(api, metrics, options)) {
  inside_->listen(options);
  if (options.signals) {
    inside_->signals.add(SIGINT);
    inside_->signals.add(SIGTERM);
    inside_->signals.async_wait([inside = inside_.get()](const error_code& error, int) {
      if (!error) inside->drain();
    });
  }
}

Server::~Server() = default;

int Server::port() const { return inside_->port; }

void Server::run() {
  Inside& inside = *inside_;
  for (tcp::acceptor& acceptor : inside.acceptors) {
    asio::co_spawn(inside.io, inside.accept(acceptor), asio::detached);
  }
  asio::co_spawn(inside.io, inside.watch_revision(), asio::detached);
  inside.io.run();
  inside.pools.quick.join();
  inside.pools.heavy.join();
  inside.pools.conversion.join();
}

void Server::stop() {
  asio::post(inside_->io, [inside = inside_.get()] { inside->drain(); });
}

}  // namespace limn
