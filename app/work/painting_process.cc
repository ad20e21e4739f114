#include "work/painting_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/stopwatch.h"
#include "models/model_cache.h"

namespace limn {
namespace {

constexpr size_t kMostOutput = 4 << 20;    // bytes of standard output
constexpr size_t kLongestLine = 64 << 10;  // bytes
constexpr double kSecondsToListen = 5;

// What of the environment a painter needs: not, for instance, a database's password.
std::vector<std::string> environment(const std::string& temporary) {
  constexpr std::array<std::string_view, 12> kKept = {
      "PATH=", "HOME=", "XDG_CACHE_HOME=", "TZ=",   "LANG=", "LC_",
      "VIPS_", "ASAN_", "UBSAN_",          "LSAN_", "TSAN_", "LD_LIBRARY_PATH="};
  std::vector<std::string> kept;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string_view text = *variable;
    for (const std::string_view name : kKept) {
      if (text.starts_with(name)) kept.emplace_back(text);
    }
  }
  kept.push_back("TMPDIR=" + temporary);
  return kept;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// A pipe, both of whose ends are closed at its own end unless taken.
struct Pipe {
  Pipe() {
    if (pipe2(ends.data(), O_CLOEXEC) != 0) {
      fail(ErrorKind::resources, "cannot start a painter: {}", std::strerror(errno));
    }
  }
  ~Pipe() {
    for (const int end : ends) {
      if (end >= 0) close(end);
    }
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int take_reading_end() { return std::exchange(ends[0], -1); }
  std::array<int, 2> ends = {-1, -1};
};

// What a process has as its standard input: nothing, or the other end of ours. (A pipe whose reader
// has ended would send this program a signal; a socket can be written to without.)
struct Input {
  explicit Input(bool listens) {
    std::array<int, 2> ends = {-1, -1};
    if (listens && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
      fail(ErrorKind::resources, "cannot start a painter: {}", std::strerror(errno));
    }
    ours = ends[0];
    theirs = listens ? ends[1] : open("/dev/null", O_RDONLY | O_CLOEXEC);
  }
  ~Input() {
    for (const int end : {ours, theirs}) {
      if (end >= 0) close(end);
    }
  }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  int take_ours() { return std::exchange(ours, -1); }
  int ours = -1, theirs = -1;
};

// Everything that the new process needs, made before there is one.
struct Start {
  Sandbox& sandbox;
  const char* folder;
  char* const* arguments;
  char* const* variables;
  int in, out, err;
  int niceness;
  pid_t parent;
};

// When the machine runs out of memory, painters die before whoever has started them.
void offer_to_die_first() {
  const int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  [[maybe_unused]] const ssize_t written = write(file, "500", 3);
  close(file);
}

// In the new process: system calls only, up to exec.
[[noreturn]] void become(const Start& start) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != start.parent) _exit(kNotStarted);  // it died before this was asked for
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int ignored : {SIGINT, SIGTERM, SIGHUP, SIGPIPE}) signal(ignored, SIG_DFL);
  setpriority(PRIO_PROCESS, 0, start.niceness);
  offer_to_die_first();
  const bool ready = dup2(start.in, 0) == 0 && dup2(start.out, 1) == 1 && dup2(start.err, 2) == 2 &&
                     chdir(start.folder) == 0;
  close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  if (ready && start.sandbox.enter()) execve(start.arguments[0], start.arguments, start.variables);
  _exit(kNotStarted);
}

}  // namespace

std::vector<std::string> readable_by_painters(const std::string& program) {
  std::vector<std::string> readable = {program,
                                       "/usr",
                                       "/lib",
                                       "/lib64",
                                       "/proc/cpuinfo",
                                       "/proc/meminfo",
                                       "/proc/stat",
                                       "/proc/sys/vm/overcommit_memory",
                                       "/sys/devices/system/cpu",
                                       "/dev/zero",
                                       "/dev/random",
                                       "/dev/urandom",
                                       "/etc/ld.so.cache",
                                       "/etc/ld.so.preload",
                                       "/etc/localtime"};
  try {
    readable.push_back(model_cache_folder());
  } catch (const Error&) {
    // Without a home there is no cache.
  }
  return readable;
}

bool says_disk_is_full(const std::string& message) {
  for (const int error : {ENOSPC, EDQUOT}) {
    if (message.find(fmt::format(": {}", std::strerror(error))) != message.npos) return true;
  }
  return false;
}

PaintingProcess::PaintingProcess(const ProcessRequest& request) {
  Sandbox sandbox(request.limits);
  std::vector<std::string> command = request.command, variables = environment(request.temporary);
  const std::vector<char*> arguments = pointers_to(command), kept = pointers_to(variables);
  Pipe out, err;
  Input in(request.listens);
  const Start start = {
      sandbox,     request.folder.c_str(), arguments.data(), kept.data(), in.theirs, out.ends[1],
      err.ends[1], request.niceness,       getpid()};
  process_ = fork();
  if (process_ == 0) become(start);
  if (process_ < 0) {
    fail(ErrorKind::resources, "cannot start a painter: {}", std::strerror(errno));
  }
  setpgid(process_, process_);  // whoever comes first
  out_ = out.take_reading_end();
  err_ = err.take_reading_end();
  in_ = in.take_ours();
  for (const int end : {out_, err_}) fcntl(end, F_SETFL, O_NONBLOCK);
}

PaintingProcess::~PaintingProcess() {
  if (!ended_) {
    kill();
    waitpid(process_, &status_, 0);
  }
  for (const int end : {in_, out_, err_}) {
    if (end >= 0) close(end);
  }
}

bool PaintingProcess::say(std::string_view bytes) {
  const Stopwatch clock;
  while (!bytes.empty()) {
    const ssize_t sent = send(in_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
    if (sent >= 0 || errno == EINTR) continue;
    const double left = kSecondsToListen - clock();
    if (errno != EAGAIN || left <= 0) return false;
    pollfd ready = {in_, POLLOUT, 0};
    poll(&ready, 1, static_cast<int>(left * 1000) + 1);
  }
  return true;
}

// Reads what there is; false at the end of it for now, closing the descriptor at the end for good.
bool PaintingProcess::read_some(int& descriptor, std::string& into) {
  if (descriptor < 0) return false;
  std::array<char, 16384> bytes;
  const ssize_t got = read(descriptor, bytes.data(), bytes.size());
  if (got > 0) {
    into.append(bytes.data(), static_cast<size_t>(got));
    return true;
  }
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return false;
  close(descriptor);
  descriptor = -1;
  return false;
}

void PaintingProcess::pass_on(const TakeLine& take_line, bool all) {
  size_t begin = 0;
  for (size_t end = 0; (end = unread_.find('\n', begin)) != unread_.npos; begin = end + 1) {
    take_line(unread_.substr(begin, end - begin));
  }
  unread_.erase(0, begin);
  if (unread_.size() > kLongestLine || (all && !unread_.empty())) {
    take_line(unread_);
    unread_.clear();
  }
}

bool PaintingProcess::wait(double seconds, const TakeLine& take_line, int wake) {
  if (ended_) return false;
  std::array<pollfd, 3> ends = {{{out_, POLLIN, 0}, {err_, POLLIN, 0}, {wake, POLLIN, 0}}};
  // Once both are closed, or a painter holds them after its end, time alone limits the wait.
  poll(ends.data(), ends.size(), static_cast<int>(seconds * 1000));
  const bool gone = waitpid(process_, &status_, WNOHANG) == process_;
  // What it wrote before its end is in the pipes now.
  for (int chunk = 0; chunk < 64 && read_some(err_, unread_); ++chunk) pass_on(take_line, false);
  for (int chunk = 0; chunk < 64 && read_some(out_, output_); ++chunk) {
    if (output_.size() > kMostOutput) output_.resize(kMostOutput);
  }
  if (!gone) return true;
  ended_ = true;
  ::kill(-process_, SIGKILL);  // whatever it has left behind
  pass_on(take_line, true);
  return false;
}

void PaintingProcess::interrupt() {
  if (!ended_) ::kill(process_, SIGINT);
}

void PaintingProcess::kill() {
  if (ended_) return;
  ::kill(-process_, SIGKILL);
  ::kill(process_, SIGKILL);  // should it not lead its group yet
}

double PaintingProcess::memory() const {
  if (ended_) return 0;
  std::ifstream file(fmt::format("/proc/{}/statm", process_));
  double whole = 0, resident = 0, shared = 0;
  file >> whole >> resident >> shared;
  return file ? resident * static_cast<double>(sysconf(_SC_PAGESIZE)) : 0;
}

PaintingProcess::End PaintingProcess::end() const {
  if (WIFSIGNALED(status_)) return {0, WTERMSIG(status_)};
  return {WEXITSTATUS(status_), 0};
}

}  // namespace limn
