// The server itself, over real connections on this machine.
#include "serve/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "base/temporary_file.h"
#include "serve/served.h"

namespace limn {
namespace {

using std::chrono::milliseconds;

class Connection {
 public:
  explicit Connection(int port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ =
        connect(socket_.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    const timeval patience = {20, 0};
    setsockopt(socket_.number(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  bool connected() const { return connected_; }
  bool send_text(const std::string& text) const {
    return send(socket_.number(), text.data(), text.size(), MSG_NOSIGNAL) ==
           static_cast<ssize_t>(text.size());
  }
  // Up to and including `end`, or, with "", the connection's end.
  std::string read_until(const std::string& end) const {
    std::string text;
    char c = 0;
    while (recv(socket_.number(), &c, 1, 0) == 1) {
      text += c;
      if (!end.empty() && text.ends_with(end)) break;
    }
    return text;
  }

 private:
  Descriptor socket_;
  bool connected_ = false;
};

ServerLimits quick_limits() {
  ServerLimits limits;
  limits.connections = 8;
  limits.streams = 2;
  limits.header_time = milliseconds(300);
  limits.idle_time = milliseconds(400);
  limits.stall_time = milliseconds(500);
  limits.grace_time = milliseconds(200);
  limits.drain_time = milliseconds(500);
  limits.event_interval = milliseconds(20);
  return limits;
}

struct Running {
  Served served;
  Server server;
  std::thread thread{[this] { server.run(); }};

  explicit Running(const ServerLimits& limits = quick_limits(),
                   Converter converter = Served::convert_here)
      : served(std::move(converter)),
        server(served.api, served.metrics,
               {.addresses = {"127.0.0.1"},
                .port = 0,
                .threads = 2,
                .signals = false,
                .limits = limits}) {}
  ~Running() {
    server.stop();
    if (thread.joinable()) thread.join();
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  static std::string head(const std::string& line, const std::string& more = "") {
    return line + " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + kTestToken + "\r\n" +
           more + "\r\n";
  }
  std::string ask(const std::string& text) const {
    const Connection connection(server.port());
    connection.send_text(text);
    return connection.read_until("");
  }
  std::string status(const std::string& text) const {
    const std::string answer = ask(text);
    return answer.size() < 12 ? "none" : answer.substr(9, 3);
  }
};

// What has been kept, and what is on its way.
std::uint64_t uploaded_bytes(const Served& served) {
  std::uint64_t bytes = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(served.folder.path() + "/files")) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

const std::string kClose = "Connection: close\r\n";

TEST(Server, AnswersSeveralRequestsOnAConnection) {
  const Running running;
  const Connection connection(running.server.port());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(connection.send_text(Running::head("GET /healthz")));
    EXPECT_TRUE(connection.read_until("\r\n\r\nok\n").starts_with("HTTP/1.1 200 OK\r\n"));
  }
  // Two at once.
  connection.send_text(Running::head("GET /healthz") + Running::head("GET /healthz", kClose));
  const std::string both = connection.read_until("");
  EXPECT_NE(both.find("\r\n\r\nok\nHTTP/1.1 200 OK\r\n"), std::string::npos) << both;
  EXPECT_TRUE(both.ends_with("\r\n\r\nok\n")) << both;
  EXPECT_NE(both.find("nosniff"), std::string::npos);
}

TEST(Server, KeepsAnUploadAndGivesItBack) {
  const Running running;
  std::string bytes(200'000, 'x');
  bytes += "end";
  const std::string answer = running.ask(
      Running::head("POST /api/v1/uploads",
                    kClose + "Content-Length: " + std::to_string(bytes.size()) + "\r\n") +
      bytes);
  ASSERT_TRUE(answer.starts_with("HTTP/1.1 201")) << answer;
  EXPECT_EQ(uploaded_bytes(running.served), bytes.size());
  // In chunks, after being told to go on.
  const Connection connection(running.server.port());
  connection.send_text(Running::head("POST /api/v1/uploads",
                                     "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n"));
  EXPECT_EQ(connection.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  connection.send_text("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  EXPECT_TRUE(connection.read_until("}").starts_with("HTTP/1.1 201"));
  EXPECT_EQ(uploaded_bytes(running.served), bytes.size() + 5);
}

TEST(Server, GivesAFileInPart) {
  Running running;
  const Job job = running.served.submitted();
  const std::string answer = running.ask(
      Running::head("GET /api/v1/jobs/" + job.id + "/inputs/0", kClose + "Range: bytes=2-4\r\n"));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 206")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\npho")) << answer;
}

TEST(Server, RefusesWhatIsTooLong) {
  const Running running;
  EXPECT_EQ(running.status(Running::head("GET /" + std::string(5000, 'a'), kClose)), "414");
  EXPECT_EQ(running.status(Running::head("GET /", "X: " + std::string(20000, 'a') + "\r\n")),
            "431");
  std::string many = kClose;
  for (int i = 0; i < 101; ++i) many += "A: b\r\n";
  EXPECT_EQ(running.status(Running::head("GET /", many)), "431");
  EXPECT_EQ(running.status(Running::head(
                "POST /api/v1/jobs",
                "Content-Type: application/json\r\nContent-Length: 999999999999\r\n")),
            "413");
  std::string chunked = Running::head(
      "POST /api/v1/jobs", "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n");
  for (int i = 0; i < 40; ++i) chunked += "2000\r\n" + std::string(0x2000, 'x') + "\r\n";
  EXPECT_EQ(running.status(chunked), "413");
}

TEST(Server, RefusesWhatIsNoHttp) {
  const Running running;
  EXPECT_EQ(running.status("hello\r\n\r\n"), "400");
  EXPECT_EQ(running.status("GET / HTTP/3.0\r\n\r\n"), "505");
  EXPECT_EQ(running.status("GET / HTTP/1.1\r\nHost : x\r\n\r\n"), "400");
  EXPECT_EQ(running.status(Running::head("POST /api/v1/uploads",
                                         "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n") +
                           "abc"),
            "400");
  EXPECT_EQ(running.status(Running::head("POST /api/v1/uploads",
                                         "Content-Length: 3\r\nContent-Length: 4\r\n") +
                           "abcd"),
            "400");
  EXPECT_EQ(running.status(
                Running::head("POST /api/v1/uploads", "Expect: miracles\r\nContent-Length: 3\r\n")),
            "417");
}

TEST(Server, WaitsForNobodyTooLong) {
  const Running running;
  EXPECT_EQ(running.ask(""), "");                    // says nothing
  EXPECT_EQ(running.ask("GET / HTTP/1.1\r\n"), "");  // half a header
  EXPECT_EQ(running.ask(Running::head("POST /api/v1/uploads", "Content-Length: 100\r\n") + "x"), "")
      << "half a body";
  // A body that drips.
  const Connection connection(running.server.port());
  connection.send_text(Running::head("POST /api/v1/uploads", "Content-Length: 100\r\n"));
  for (int i = 0; i < 20 && connection.send_text("x"); ++i) {
    std::this_thread::sleep_for(milliseconds(50));
  }
  EXPECT_TRUE(connection.read_until("").starts_with("HTTP/1.1 408"));
  EXPECT_GE(running.served.metrics.timed_out, 3U);
  EXPECT_EQ(uploaded_bytes(running.served), 0U);
}

TEST(Server, TurnsAwayWhatIsTooMuch) {
  ServerLimits limits = quick_limits();
  limits.stall_time = limits.grace_time = milliseconds(20'000);
  const Running running(limits);
  std::vector<std::unique_ptr<Connection>> open;
  open.reserve(limits.connections);
  for (size_t i = 0; i < limits.connections; ++i) {  // each is in the middle of a request
    open.push_back(std::make_unique<Connection>(running.server.port()));
    open.back()->send_text(
        Running::head("POST /api/v1/uploads", "Expect: 100-continue\r\nContent-Length: 1\r\n"));
    EXPECT_NE(open.back()->read_until("\r\n\r\n"), "");
  }
  EXPECT_TRUE(Connection(running.server.port()).read_until("").starts_with("HTTP/1.1 503"));
  open.front()->send_text("x");
  EXPECT_NE(open.front()->read_until("\"}\n"), "");  // the others are served
}

TEST(Server, GivesTheLongestIdlePlaceToANewOne) {
  ServerLimits limits = quick_limits();
  limits.idle_time = limits.header_time = milliseconds(20'000);
  const Running running(limits);
  std::vector<std::unique_ptr<Connection>> open;
  open.reserve(limits.connections);
  for (size_t i = 0; i < limits.connections; ++i) {
    open.push_back(std::make_unique<Connection>(running.server.port()));
    if (i % 2 == 0) open.back()->send_text("GET / HT");  // or silent
  }
  const Connection late(running.server.port());
  late.send_text(Running::head("GET /healthz"));
  EXPECT_NE(late.read_until("ok\n"), "");
  EXPECT_EQ(open.front()->read_until(""), "");
  open.back()->send_text(Running::head("GET /healthz"));
  EXPECT_NE(open.back()->read_until("ok\n"), "");
}

TEST(Server, GivesTheSilentLessTimeThanTheIdle) {
  ServerLimits limits = quick_limits();
  limits.header_time = milliseconds(100);
  limits.idle_time = milliseconds(20'000);
  const Running running(limits);
  EXPECT_EQ(running.ask(""), "");  // in less than the client's patience
  const Connection known(running.server.port());
  known.send_text(Running::head("GET /healthz"));
  known.read_until("ok\n");
  std::this_thread::sleep_for(milliseconds(300));
  known.send_text(Running::head("GET /healthz"));
  EXPECT_NE(known.read_until("ok\n"), "");
}

TEST(Server, EndsConversionsThatWait) {
  std::atomic<int> begun = 0;
  Running running(quick_limits(), [&](const auto&, const auto&, const auto&, const auto& stopped) {
    ++begun;
    while (!stopped) std::this_thread::sleep_for(milliseconds(5));
    throw Problem(503, "stopped");
  });
  Served& served = running.served;
  const Job job = served.submitted();
  const Job claimed = *served.queue.claim("worker", 0);
  std::ofstream(served.files.folder_of_job(job.id) + "/result.png") << "a picture";
  served.queue.finish(lease_of(claimed), {Ending::painted, "", true});
  std::vector<std::unique_ptr<Connection>> waiting;
  waiting.reserve(5);
  for (int i = 0; i < 5; ++i) {
    waiting.push_back(std::make_unique<Connection>(running.server.port()));
    waiting.back()->send_text(Running::head(
        "GET /api/v1/jobs/" + job.id + "/result?format=jpeg&quality=" + std::to_string(9 + i)));
  }
  while (begun == 0) std::this_thread::sleep_for(milliseconds(5));
  std::this_thread::sleep_for(milliseconds(100));  // the others are in the queue now
  running.server.stop();
  running.thread.join();
  EXPECT_EQ(begun, 1);
  for (const auto& connection : waiting) {
    EXPECT_TRUE(connection->read_until("").starts_with("HTTP/1.1 503"));
  }
}

TEST(Server, FollowsAJobUntilItIsOver) {
  Running running;
  Served& served = running.served;
  const Job job = served.submitted();
  const Connection connection(running.server.port());
  connection.send_text(Running::head("GET /api/v1/jobs/" + job.id + "/events"));
  EXPECT_NE(connection.read_until("\"state\":\"waiting\""), "");
  const Job claimed = *served.queue.claim("worker", 0);
  EXPECT_NE(connection.read_until("\"state\":\"running\""), "");
  served.queue.finish(lease_of(claimed), {Ending::refused, "so it is", false});
  EXPECT_NE(connection.read_until("").find("so it is"), std::string::npos);
}

TEST(Server, EndsWithWhatIsInProgress) {
  Running running;
  const Connection idle(running.server.port()), follower(running.server.port());
  idle.send_text(Running::head("GET /healthz"));
  idle.read_until("ok\n");
  follower.send_text(Running::head("GET /api/v1/events"));
  follower.read_until("retry: 2000\n\n");
  running.server.stop();
  EXPECT_EQ(idle.read_until(""), "");
  EXPECT_NE(follower.read_until("").find(": the server is stopping"), std::string::npos);
  running.thread.join();
  EXPECT_FALSE(Connection(running.server.port()).connected());
}

}  // namespace
}  // namespace limn
