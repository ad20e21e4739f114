// A process that paints: limn's own command, in a sandbox. It dies with the thread that started it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "work/sandbox.h"

namespace limn {

struct ProcessRequest {
  std::vector<std::string> command;  // the program's path, then its arguments
  std::string folder;                // it runs there
  std::string temporary;             // its TMPDIR
  // A server that answers goes before pictures, and what somebody waits for before jobs.
  int niceness = 10;
  bool listens = false;  // has an end of a conversation as its standard input, rather than nothing
  SandboxLimits limits;
};

// The exit code of a process that could not become the program: no fault of what it was to paint.
inline constexpr int kNotStarted = 127;

// Whether what limn says of its end is that the disk is full, or a quota used up: no fault of what
// it was to paint either, whoever filled it. It then says what the system said, after a colon,
// which no client's name of a file has.
bool says_disk_is_full(const std::string& message);

// What every painter may read besides its pictures, for SandboxLimits: this program, its libraries,
// what of /proc and /sys tells of the machine (not what other programs were started with), and the
// weights that were fetched.
std::vector<std::string> readable_by_painters(const std::string& program);

class PaintingProcess {
 public:
  // Throws Error (resources) if the system starts no process.
  explicit PaintingProcess(const ProcessRequest& request);
  // Kills it, if it has not ended.
  ~PaintingProcess();
  PaintingProcess(const PaintingProcess&) = delete;
  PaintingProcess& operator=(const PaintingProcess&) = delete;

  // Waits for at most this long, or until the descriptor `wake` can be read, and passes on the
  // complete lines that it has written to standard error. False once it has ended and all has been
  // read.
  using TakeLine = std::function<void(const std::string& line)>;
  bool wait(double seconds, const TakeLine& take_line, int wake = -1);

  void interrupt();  // as Ctrl-C does
  void kill();       // it, and whatever it has started

  // What it has written to standard output, up to a few megabytes.
  const std::string& output() const { return output_; }
  // The same, what was taken before left out.
  std::string take_output() { return std::exchange(output_, {}); }
  // Writes to the standard input of a process that listens. False if it does not take all of it
  // within some seconds: it has ended, or gone wrong.
  bool say(std::string_view bytes);
  // The memory that it takes at the moment, in bytes; 0 if that is not known.
  double memory() const;

  // How it ended: its exit code, or the signal that ended it.
  struct End {
    int exit_code = 0;
    int signal = 0;  // 0: none
  };
  End end() const;

 private:
  bool read_some(int& descriptor, std::string& into);
  void pass_on(const TakeLine& take_line, bool all);

  pid_t process_ = -1;
  int in_ = -1;              // the end that is written
  int out_ = -1, err_ = -1;  // the ends that are read; negative: closed
  std::string output_, unread_;
  bool ended_ = false;
  int status_ = 0;
};

}  // namespace limn
