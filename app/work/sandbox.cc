#include "work/sandbox.h"

#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>

#include "work/landlock.h"
#include "work/system_calls.h"

namespace limn {
namespace {

constexpr rlim_t kMostOpenFiles = 1024;
// At the soft limit of time comes SIGXCPU, by which it is known what ended a painter.
constexpr rlim_t kSecondsToDie = 5;

// Never raises a limit that is lower already. `above`: by how much the hard limit may be higher.
bool limit(int what, double most, rlim_t above = 0) {
  if (most <= 0) return true;
  rlimit current = {};
  if (getrlimit(static_cast<__rlimit_resource_t>(what), &current) != 0) return false;
  const rlim_t wish = most < 1e18 ? static_cast<rlim_t>(most) : RLIM_INFINITY;
  const rlim_t hard =
      std::min(above < RLIM_INFINITY - wish ? wish + above : RLIM_INFINITY, current.rlim_max);
  const rlimit lower = {std::min(wish, hard), hard};
  return setrlimit(static_cast<__rlimit_resource_t>(what), &lower) == 0;
}

bool keep_to(const std::vector<int>& cores) {
  if (cores.empty()) return true;
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int core : cores) CPU_SET(core, &set);
  return sched_setaffinity(0, sizeof set, &set) == 0;
}

}  // namespace

Sandbox::Sandbox(const SandboxLimits& limits)
    : limits_(limits),
      filter_(filter_of_system_calls()),
      files_(rules_for_files(limits.readable, limits.writable)) {}

Sandbox::~Sandbox() {
  if (files_ >= 0) close(files_);
}

bool Sandbox::enter() {
  const rlimit no_core = {0, 0};
  const bool limited = setrlimit(RLIMIT_CORE, &no_core) == 0 &&
                       limit(RLIMIT_AS, limits_.address_space) &&
                       limit(RLIMIT_FSIZE, limits_.file_size) &&
                       limit(RLIMIT_CPU, limits_.core_seconds, kSecondsToDie) &&
                       limit(RLIMIT_NOFILE, kMostOpenFiles) && keep_to(limits_.cores);
  if (!limited || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
  if (files_ >= 0 && !enter_rules_for_files(files_)) return false;
  if (filter_.empty()) return true;
  const auto own = static_cast<std::uint32_t>(getpid());
  for (sock_filter& instruction : filter_) {
    if (instruction.k == kOwnProcess) instruction.k = own;
  }
  sock_fprog program = {};
  program.len = static_cast<unsigned short>(filter_.size());
  program.filter = filter_.data();
  return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

std::string protections() {
  return fmt::format("system calls are {}filtered, files are {}kept apart",
                     filter_of_system_calls().empty() ? "not " : "",
                     has_rules_for_files() ? "" : "not ");
}

}  // namespace limn
