#include "serve/session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <cerrno>
#include <optional>
#include <vector>

#include "base/lower_case.h"
#include "serve/problem.h"
#include "serve/reply_head.h"

namespace limn {

namespace beast = boost::beast;
namespace http = beast::http;
using boost::system::error_code;
using std::chrono::steady_clock;

namespace {

constexpr size_t kPiece = 32 * 1024;  // of a body, either way
constexpr size_t kShortBody = 4096;
constexpr int kSendBuffer = 128 * 1024;    // the system's, for each connection
constexpr size_t kHeardOut = 1024 * 1024;  // of what follows after an early answer
constexpr std::chrono::milliseconds kHearing{2000};
constexpr std::chrono::milliseconds kEventTime{10'000};  // for a follower to read
constexpr std::chrono::milliseconds kQuiet{15'000};      // between comments that keep it open
constexpr std::chrono::milliseconds kPartsLook{50};      // at whether anybody waits for parts

double seconds_since(steady_clock::time_point start) {
  return std::chrono::duration<double>(steady_clock::now() - start).count();
}

// What to say to whoever sent what cannot be read; 0: nothing, for the connection is lost.
int status_of(const error_code& error) {
  using Kind = http::error;
  if (error == Kind::header_limit || error == Kind::buffer_overflow) return 431;
  if (error == Kind::body_limit) return 413;
  if (error == Kind::bad_version) return 505;
  const bool of_http = error.category() == make_error_code(Kind::bad_method).category();
  const bool lost = error == Kind::end_of_stream || error == Kind::partial_message;
  return of_http && !lost ? 400 : 0;
}

}  // namespace

struct Session::Exchange {
  http::request_parser<http::buffer_body> parser;
  Request request;
  Clock::time_point start = Clock::now();
  bool keep_alive = false;
  bool body_read = false;
  PartStream::Step part;  // the first one of an answer in parts
};

Session::Session(asio::ip::tcp::socket socket, ServerState& server)
    : server_(server),
      stream_(std::move(socket)),
      buffer_(kPiece + server.limits.header_bytes),
      timer_(stream_.get_executor()) {
  server_.sessions.insert(this);
  ++server_.metrics.connections;
}

Session::~Session() {
  server_.sessions.erase(this);
  --server_.metrics.connections;
}

void Session::drain() {
  if (idle_) close();
  timer_.cancel();
}

void Session::close() {
  error_code ignored;
  waiting_since_.reset();
  stream_.socket().close(ignored);
  timer_.cancel();
}

asio::awaitable<void> Session::run() {
  error_code ignored;
  stream_.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  // Otherwise the system takes megabytes for a peer that reads nothing, and this server goes on
  // answering what it has asked for.
  stream_.socket().set_option(asio::socket_base::send_buffer_size(kSendBuffer), ignored);
  try {
    while (co_await serve_one()) {
    }
  } catch (const std::exception&) {
    // Nothing is left to be said: whatever could be answered has been.
  }
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
}

// Waits for a request and reads its header. False: there is none, or it has been answered.
asio::awaitable<bool> Session::read_header(Exchange& exchange) {
  error_code error;
  waiting_since_ = Clock::now();
  // Who has not asked for anything yet has the header's time for all of it.
  Clock::time_point until = *waiting_since_ + server_.limits.header_time;
  if (buffer_.size() == 0) {
    if (server_.draining) co_return false;
    buffer_.shrink_to_fit();
    idle_ = true;
    stream_.expires_at(answered_ ? Clock::now() + server_.limits.idle_time : until);
    const size_t got = co_await stream_.async_read_some(
        buffer_.prepare(1024), asio::redirect_error(asio::use_awaitable, error));
    idle_ = false;
    if (error) co_return false;
    buffer_.commit(got);
  }
  exchange.start = Clock::now();
  if (answered_) until = exchange.start + server_.limits.header_time;
  exchange.parser.header_limit(static_cast<std::uint32_t>(server_.limits.header_bytes));
  exchange.parser.body_limit(boost::none);
  stream_.expires_at(until);
  co_await http::async_read_header(stream_, buffer_, exchange.parser,
                                   asio::redirect_error(asio::use_awaitable, error));
  waiting_since_.reset();
  if (!error) co_return true;
  if (error == beast::error::timeout) ++server_.metrics.timed_out;
  if (const int status = status_of(error); status != 0) {
    Reply reply = server_.api.refusal(
        Problem(status, fmt::format("the request cannot be read: {}", error.message())),
        exchange.request);
    co_await write_reply(exchange, reply);
    co_await hear_out();
  }
  co_return false;
}

asio::awaitable<bool> Session::serve_one() {
  Exchange exchange;
  const bool asked = co_await read_header(exchange);
  if (!asked) co_return false;
  const auto& header = exchange.parser.get();
  exchange.keep_alive = header.keep_alive();
  exchange.body_read = exchange.parser.is_done();
  Reply reply = co_await answer(exchange);
  exchange.body_read = exchange.parser.is_done();
  const bool written = co_await write_reply(exchange, reply);
  if (!written) co_return false;
  answered_ = true;
  if (reply.events && exchange.request.method != "HEAD") {
    co_await follow(*reply.events);
    co_return false;
  }
  if (reply.parts) {
    const bool whole = co_await write_parts(*reply.parts, exchange.part);
    co_return whole&& exchange.keep_alive;
  }
  if (!exchange.body_read) co_await hear_out();
  co_return exchange.keep_alive;
}

namespace {

// The header as the API sees it. Throws Problem.
void read_request(Request& request, const http::request_header<>& header, size_t most_fields) {
  request.method = header.method_string();
  size_t count = 0;
  for (const auto& field : header) {
    if (++count > most_fields) {
      throw Problem(431, fmt::format("there are more than {} fields", most_fields));
    }
    request.fields.emplace_back(
        lower_case({field.name_string().data(), field.name_string().size()}),
        std::string(field.value()));
  }
  request.target = parse_target(std::string_view(header.target().data(), header.target().size()));
}

}  // namespace

asio::awaitable<Reply> Session::answer(Exchange& exchange) {
  Request& request = exchange.request;
  Reply reply;
  try {
    read_request(request, exchange.parser.get(), server_.limits.header_fields);
    const Match match = server_.api.admit(request);
    const bool in_parts = match.route != nullptr && match.route->operation == Operation::paint_live;
    if (in_parts && exchange.parser.get().version() < 11) {
      throw Problem(505, "this answer comes in chunks, which need HTTP/1.1");
    }
    if (!exchange.body_read) {
      const BodyKind kind = match.route == nullptr ? BodyKind::none : match.route->body;
      const std::unique_ptr<BodyReader, DestroyedOnPool> reader(
          new BodyReader(kind, request, server_.api.queue().files(), server_.api.limits()),
          DestroyedOnPool{server_.pools.heavy});
      co_await read_body(exchange, *reader);
      const auto finish = [&] { reader->finish(); };
      co_await on_pool(server_.pools.heavy, finish);
    } else if (match.route != nullptr && match.route->body != BodyKind::none) {
      throw Problem(400, "the request has no body");
    }
    const auto task = [&] { return server_.api.answer(match, request); };
    const Api::Effort effort = Api::effort_of(match, request);
    std::optional<Reply> ready;
    if (effort == Api::Effort::conversion) {  // what is converted already waits for nobody
      const auto look = [&] { return server_.api.answer_at_once(match, request); };
      ready = co_await on_pool(server_.pools.heavy, look);
    }
    if (ready) {
      reply = std::move(*ready);
    } else if (effort == Api::Effort::none) {
      reply = task();
    } else {
      reply = co_await on_pool(server_.pools.of(effort), task);
    }
    if (reply.parts) exchange.part = co_await first_part(*reply.parts);
    if (reply.events && server_.streams >= server_.limits.streams) {
      throw Problem(503, "too many clients follow events");
    }
  } catch (const std::exception& error) {
    reply = server_.api.refusal(error, request);
  }
  co_return reply;
}

asio::awaitable<void> Session::read_body(Exchange& exchange, BodyReader& reader) {
  const ServerLimits& limits = server_.limits;
  const std::string expected = exchange.request.field_or_empty("expect");
  if (const auto length = exchange.parser.content_length(); length && *length > reader.most()) {
    throw Problem(413, fmt::format("the body is longer than {} bytes", reader.most()));
  }
  if (!expected.empty()) {
    if (!beast::iequals(expected, "100-continue")) {
      throw Problem(417, "the only Expect this server supports is 100-continue");
    }
    const bool written = co_await write("HTTP/1.1 100 Continue\r\n\r\n");
    if (!written) throw Problem(400, "the connection is lost");
  }
  const Clock::time_point start = Clock::now();
  std::vector<char> piece(kPiece);
  double total = 0;
  while (!exchange.parser.is_done()) {
    auto& body = exchange.parser.get().body();
    body.data = piece.data();
    body.size = piece.size();
    body.more = true;
    error_code error;
    stream_.expires_after(limits.stall_time);
    co_await http::async_read_some(stream_, buffer_, exchange.parser,
                                   asio::redirect_error(asio::use_awaitable, error));
    if (error == http::error::need_buffer) error = {};
    if (error) {
      if (error == beast::error::timeout) ++server_.metrics.timed_out;
      const int status = status_of(error);
      throw Problem(status == 0 ? 400 : status,
                    fmt::format("the body cannot be read: {}", error.message()));
    }
    const size_t got = piece.size() - body.size;
    total += static_cast<double>(got);
    server_.metrics.bytes_in += got;
    const Clock::duration took = Clock::now() - start;
    const double seconds = std::chrono::duration<double>(took).count();
    if (took > limits.body_time ||
        (took > limits.grace_time && total < seconds * limits.bytes_per_second)) {
      ++server_.metrics.timed_out;
      throw Problem(408, "the body comes too slowly");
    }
    if (got == 0) continue;
    const auto take = [&] { reader.take(std::as_bytes(std::span(piece.data(), got))); };
    co_await on_pool(server_.pools.heavy, take);
  }
}

asio::awaitable<bool> Session::write(std::string_view bytes) {
  error_code error;
  for (size_t at = 0; at < bytes.size() && !error; at += kPiece) {
    const std::string_view piece = bytes.substr(at, kPiece);
    stream_.expires_after(server_.limits.stall_time);
    co_await asio::async_write(stream_, asio::buffer(piece.data(), piece.size()),
                               asio::redirect_error(asio::use_awaitable, error));
  }
  if (error == beast::error::timeout) ++server_.metrics.timed_out;
  co_return !error;
}

asio::awaitable<bool> Session::write_reply(Exchange& exchange, Reply& reply) {
  const bool head = exchange.request.method == "HEAD";
  const bool has_body = may_have_body(reply);
  const std::uint64_t length = length_of(reply);
  exchange.keep_alive =
      exchange.keep_alive && exchange.body_read && !server_.draining && (!reply.events || head);
  std::string text = head_of(reply, exchange.keep_alive);
  const bool with_body = !head && has_body && !reply.file && !reply.events && !reply.parts;
  // In one packet if it is short; a long one is not copied.
  const bool short_body = with_body && reply.body.size() < kShortBody;
  if (short_body) text += reply.body;
  bool written = co_await write(text);
  if (written && with_body && !short_body) written = co_await write(reply.body);
  if (written && reply.file && !head && has_body) written = co_await write_file(*reply.file);
  if (written && !head && has_body) server_.metrics.bytes_out += length;
  server_.metrics.count_answer(reply.status, seconds_since(exchange.start));
  co_return written;
}

asio::awaitable<bool> Session::write_file(const Reply::FilePart& part) {
  std::vector<char> piece(std::min<std::uint64_t>(part.bytes, kPiece));
  for (std::uint64_t done = 0; done < part.bytes;) {
    const size_t wanted = std::min<std::uint64_t>(part.bytes - done, piece.size());
    const auto read_piece = [&] {
      ssize_t got = 0;
      do {
        got =
            pread(part.file->number(), piece.data(), wanted, static_cast<off_t>(part.first + done));
      } while (got < 0 && errno == EINTR);
      return got;
    };
    const ssize_t got = co_await on_pool(server_.pools.heavy, read_piece);
    if (got <= 0) co_return false;  // it has become shorter: the length that was said is wrong
    const bool written = co_await write(std::string_view(piece.data(), static_cast<size_t>(got)));
    if (!written) co_return false;
    done += static_cast<std::uint64_t>(got);
  }
  co_return true;
}

// A peer that has stopped reading closes the connection; it is not told of that otherwise.
bool Session::peer_is_gone() {
  char byte = 0;
  error_code error;
  stream_.socket().non_blocking(true, error);
  const size_t got =
      stream_.socket().receive(asio::buffer(&byte, 1), asio::socket_base::message_peek, error);
  return got == 0 && error != asio::error::would_block && error != asio::error::try_again;
}

asio::awaitable<void> Session::follow(EventStream& events) {
  struct Counted {
    ServerState& server;
    explicit Counted(ServerState& s) : server(s) {
      ++server.streams;
      ++server.metrics.streams;
    }
    ~Counted() {
      --server.streams;
      --server.metrics.streams;
    }
  };
  const Counted counted(server_);
  Clock::time_point last = Clock::now();
  std::string text = "retry: 2000\n\n";
  for (bool end = false; !end;) {
    const auto look = [&events, revision = server_.revision] { return events.next(revision); };
    EventStream::Step step;
    try {
      step = co_await on_pool(server_.pools.heavy, look);
    } catch (const Error&) {
      step = {": the store cannot be reached\n\n", false, false};  // it will be
    }
    end = step.end || server_.draining;
    text += step.text;
    if (server_.draining) text += ": the server is stopping\n\n";
    if (text.empty() && Clock::now() - last > kQuiet) text = ": nothing new\n\n";
    if (!text.empty()) {
      error_code error;
      stream_.expires_after(kEventTime);
      co_await asio::async_write(stream_, asio::buffer(text),
                                 asio::redirect_error(asio::use_awaitable, error));
      stream_.expires_never();
      if (error) co_return;
      server_.metrics.bytes_out += text.size();
      last = Clock::now();
      text.clear();
    }
    if (end || peer_is_gone()) co_return;
    if (step.more) continue;
    error_code ignored;
    timer_.expires_after(server_.limits.event_interval);
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

// An answer in parts begins with the first, or with what went wrong before it.
asio::awaitable<PartStream::Step> Session::first_part(PartStream& parts) {
  parts.on_news([executor = stream_.get_executor(), self = std::weak_ptr<Session*>(self_)] {
    asio::post(executor, [self] {
      if (const auto session = self.lock()) (*session)->timer_.cancel();
    });
  });
  PartStream::Step step = co_await next_part(parts);
  if (step.text.empty()) throw Problem(503, "the server is stopping, or nobody waits any more");
  co_return step;
}

// Without text: nobody reads any more, or the server ends.
asio::awaitable<PartStream::Step> Session::next_part(PartStream& parts) {
  for (;;) {
    PartStream::Step step = parts.next();
    if (!step.text.empty() || step.end) co_return step;
    if (server_.draining || peer_is_gone()) co_return PartStream::Step{"", true};
    error_code ignored;
    timer_.expires_after(kPartsLook);  // or until there is news
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
}

// The first step, then all that follow. False: the connection is of no more use.
asio::awaitable<bool> Session::write_parts(PartStream& parts, PartStream::Step& step) {
  for (;;) {
    if (step.text.empty()) co_return false;
    std::string chunk = fmt::format("{:x}\r\n{}\r\n", step.text.size(), step.text);
    if (step.end) chunk += "0\r\n\r\n";
    const bool written = co_await write(chunk);
    if (!written) co_return false;
    server_.metrics.bytes_out += step.text.size();
    if (step.end) co_return true;
    step = co_await next_part(parts);
  }
}

// After an answer that came before the request's end: closing at once would reset the connection,
// and the peer would never read the answer.
asio::awaitable<void> Session::hear_out() {
  error_code error;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, error);
  std::vector<char> piece(kPiece);
  stream_.expires_after(kHearing);
  for (size_t heard = 0; !error && heard < kHeardOut;) {
    heard += co_await stream_.async_read_some(asio::buffer(piece),
                                              asio::redirect_error(asio::use_awaitable, error));
  }
}

}  // namespace limn
