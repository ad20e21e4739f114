#include "work/job_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <span>

#include "base/temporary_file.h"

namespace limn {
namespace {

constexpr mode_t kNewFile = 0666;

// Negative where it cannot be opened or is not plain. Never waits, as it would for a pipe.
int open_plain(const std::string& path, int flags, struct stat& status) {
  Descriptor file(
      open(path.c_str(), flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, kNewFile));
  const bool plain = file.number() >= 0 && fstat(file.number(), &status) == 0 &&
                     S_ISREG(status.st_mode) && status.st_nlink == 1;
  return plain ? file.release() : -1;
}

}  // namespace

std::optional<std::string> read_plain(const std::string& path, std::size_t most) {
  struct stat status = {};
  const Descriptor file(open_plain(path, O_RDONLY, status));
  if (file.number() < 0 || static_cast<std::size_t>(status.st_size) > most) return {};
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t got = 0;
  while (got < text.size()) {
    const ssize_t more = read(file.number(), text.data() + got, text.size() - got);
    if (more < 0 && errno == EINTR) continue;
    if (more <= 0) break;
    got += static_cast<std::size_t>(more);
  }
  text.resize(got);
  return text;
}

void append_plain(const std::string& path, const std::string& text, std::size_t most) {
  struct stat status = {};
  const Descriptor file(open_plain(path, O_WRONLY | O_APPEND | O_CREAT, status));
  if (file.number() < 0 || static_cast<std::size_t>(status.st_size) > most) return;
  write_all(file.number(), std::as_bytes(std::span(text)));
}

int replace_plain(const std::string& folder, const std::string& name, const std::string& text) {
  const std::string path = folder + "/" + name, beside = folder + "/." + name;
  unlink(beside.c_str());
  int error = 0;
  {
    // It must be new, so it is no link.
    const Descriptor file(
        open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kNewFile));
    error = file.number() < 0 ? errno : write_all(file.number(), std::as_bytes(std::span(text)));
  }
  if (error == 0 && std::rename(beside.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) unlink(beside.c_str());
  return error;
}

}  // namespace limn
