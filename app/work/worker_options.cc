#include "work/worker_options.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <utility>

#include "base/digest.h"
#include "base/error.h"
#include "base/folder.h"
#include "base/memory_at_hand.h"

namespace limn {
namespace {

constexpr double kShareOfMachine = 0.75;
constexpr size_t kLongestName = 64;

void check_worker_name(const std::string& name) {
  const bool fine = !name.empty() && name.size() <= kLongestName && name.front() != '.' &&
                    std::ranges::all_of(name, [](unsigned char c) {
                      return std::isalnum(c) || c == '-' || c == '_' || c == '.';
                    });
  if (fine) return;
  fail(ErrorKind::usage,
       "--name: '{}' cannot name a worker; use at most {} letters, digits, '-', '_' and '.'",
       printable(name), kLongestName);
}

}  // namespace

std::string machine_name() {
  std::string name(256, '\0');
  if (gethostname(name.data(), name.size() - 1) != 0) return "worker";
  name.resize(std::strlen(name.c_str()));
  return name.empty() ? "worker" : name;
}

std::string worker_name(const std::string& machine, const std::string& ending) {
  constexpr size_t kDigits = 8;
  if (machine.size() + ending.size() <= kLongestName) return machine + ending;
  const std::string digest = sha256_of_bytes(std::as_bytes(std::span(machine)));
  const size_t kept = kLongestName - ending.size() - kDigits - 1;
  return fmt::format("{}-{}{}", machine.substr(0, kept), digest.substr(0, kDigits), ending);
}

std::vector<int> usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cores;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return cores;
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  }
  return cores;
}

std::vector<int> share_of_cores(const std::vector<int>& cores, int index, int count) {
  const int all = static_cast<int>(cores.size());
  if (all == 0) return {};
  if (count >= all) return {cores[index % all]};
  return {cores.begin() + index * all / count, cores.begin() + (index + 1) * all / count};
}

int lock_name(const std::string& folder, const std::string& name) {
  const std::string workers = (std::filesystem::path(folder) / "workers").string();
  make_folder(workers);
  const std::string path = (std::filesystem::path(workers) / name).string();
  constexpr mode_t kOwner = 0600;
  const int file = open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, kOwner);
  if (file < 0) fail(ErrorKind::file, "cannot open '{}': {}", path, std::strerror(errno));
  if (flock(file, LOCK_EX | LOCK_NB) == 0) return file;
  close(file);
  fail(ErrorKind::file,
       "a worker called '{}' is running with this folder; give this one another --name", name);
}

WorkerOptions completed(WorkerOptions options) {
  if (options.name.empty()) options.name = worker_name(machine_name(), "");
  check_worker_name(options.name);
  if (options.painters < 1 || options.painters > 1000) {
    fail(ErrorKind::usage, "--painters: is {}, but should be 1 to 1000", options.painters);
  }
  for (const auto& [flag, seconds] :
       {std::pair("--beat", options.beat), std::pair("--grace", options.grace),
        std::pair("--lease", options.lease), std::pair("--patience", options.patience),
        std::pair("--silence", options.silence),
        std::pair("--checkpoint-every", options.checkpoint)}) {
    if (seconds >= 0 && seconds <= 1e9) continue;
    fail(ErrorKind::usage, "{}: is {}, but should be 0 to 1e9 seconds", flag, seconds);
  }
  if (options.lease > 0 && options.lease < 3 * options.beat) {
    fail(ErrorKind::usage,
         "--lease: {} seconds are too few for beats every {} seconds; three beats at least",
         options.lease, options.beat);
  }
  if (options.memory <= 0) options.memory = kShareOfMachine * memory_at_hand();
  if (options.program.empty()) options.program = "/proc/self/exe";
  return options;
}

}  // namespace limn
