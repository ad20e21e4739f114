// What a painter may do: pictures come from strangers, and decoders have bugs.
//
//   memory, time on a core, file sizes, open files    limits of the system (setrlimit)
//   sockets, signals to others, tracing, mounting,    refused by a filter of system calls (seccomp)
//     loading code into the kernel, and other
//     things that no painting needs
//   files                                             read where programs and the job's pictures
//                                                     are, written in the job's folder and the
//                                                     temporary one (Landlock); no links
//   more rights than its parent                       never (no_new_privs)
//
// All is prepared before the process is forked: between fork and exec a program with threads may
// only make system calls. Where the kernel, or this build, lacks the filter or Landlock, a painter
// runs without it, and `protections` says so. Where they are there but cannot be had at the moment,
// nothing is painted.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <string>
#include <vector>

namespace limn {

struct SandboxLimits {
  double address_space = 0;                     // bytes; 0: no limit, as for all others
  double file_size = 0;                         // bytes
  double core_seconds = 0;                      // over all its threads
  std::vector<std::string> readable, writable;  // folders, or files; writable ones are readable too
  std::vector<int> cores;                       // those it may run on; none: as its parent
};

class Sandbox {
 public:
  // Throws Error (resources): descriptors or memory have run out.
  explicit Sandbox(const SandboxLimits& limits);
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  // For the process itself, between fork and exec. Makes system calls only. False if it could not
  // get what this system has: it must not go on then.
  bool enter();

 private:
  SandboxLimits limits_;
  std::vector<sock_filter> filter_;  // empty: none
  int files_ = -1;                   // Landlock's rules; negative: none
};

// What this machine and this build have, for the log: "system calls are filtered, files are kept
// apart".
std::string protections();

}  // namespace limn
