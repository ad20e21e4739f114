#include "serve/sandboxed.h"

#include <fmt/format.h>

#include <string_view>

#include "base/stopwatch.h"
#include "serve/problem.h"
#include "work/painting_process.h"

namespace limn {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr double kMostAddresses = 0;  // sanitizers reserve terabytes
#else
constexpr double kMostAddresses = 16e9;  // bytes
#endif
constexpr double kMostWritten = 8e9;      // bytes of a file
constexpr double kMostCoreSeconds = 600;  // over all threads
constexpr double kMostSeconds = 300;      // by the clock
constexpr double kBetweenStops = 0.02;    // between looks at whether it has ended
constexpr size_t kMostWords = 500;        // of what it says when it fails

ProcessRequest request_of_call(const SandboxedCall& call) {
  ProcessRequest request;
  request.command = {"/proc/self/exe", "serve"};
  request.command.insert(request.command.end(), call.arguments.begin(), call.arguments.end());
  request.folder = call.folder.empty() ? "/" : call.folder;
  request.temporary = request.folder;
  request.niceness = 5;  // somebody waits for it
  request.limits.address_space = kMostAddresses;
  request.limits.file_size = kMostWritten;
  request.limits.core_seconds = kMostCoreSeconds;
  request.limits.readable = {"/proc/self/exe",
                             "/usr",
                             "/lib",
                             "/lib64",
                             "/proc",
                             "/sys",
                             "/dev",
                             "/etc/ld.so.cache",
                             "/etc/ld.so.preload",
                             "/etc/localtime"};
  request.limits.readable.insert(request.limits.readable.end(), call.readable.begin(),
                                 call.readable.end());
  request.limits.writable = {"/dev/null"};
  if (!call.folder.empty()) request.limits.writable.push_back(call.folder);
  return request;
}

// Whoever asks knows the picture by its id, and nothing of this machine's folders.
std::string without_folders(std::string text, const SandboxedCall& call) {
  for (const std::string& path : call.readable) {
    const std::string folder = path.substr(0, path.rfind('/') + 1);
    for (size_t at = 0; !folder.empty() && (at = text.find(folder, at)) != text.npos;) {
      text.erase(at, folder.size());
    }
  }
  return text;
}

}  // namespace

std::string run_sandboxed(const SandboxedCall& call, const std::atomic<bool>& stopped) {
  PaintingProcess process(request_of_call(call));
  std::string said;
  const Stopwatch clock;
  const auto take_line = [&said](const std::string& line) {
    constexpr std::string_view kStart = "limn: ";
    const size_t skipped = line.starts_with(kStart) ? kStart.size() : 0;
    if (said.size() < kMostWords)
      said += (said.empty() ? "" : " ") + line.substr(skipped, kMostWords);
  };
  while (process.wait(kBetweenStops, take_line)) {
    if (stopped || clock() > kMostSeconds) process.kill();
  }
  const PaintingProcess::End end = process.end();
  if (end.signal == 0 && end.exit_code == 0) return process.output();
  if (stopped) throw Problem(503, "the server is stopping; ask again");
  if (end.signal != 0 || end.exit_code == kNotStarted) {
    throw Problem(
        503, fmt::format("{}: it took too long, or too much memory, and was ended", call.failure));
  }
  if (says_disk_is_full(said)) {
    throw Problem(507, fmt::format("{}: there is no room on the disk", call.failure));
  }
  throw Problem(422, fmt::format("{}: {}", call.failure, shown(without_folders(said, call))));
}

}  // namespace limn
