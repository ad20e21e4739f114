#include "base/file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/error.h"

namespace limn {
namespace fs = std::filesystem;

namespace {

using Status = struct stat;

// An open file, closed at the end of its scope.
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : number_(open(path.c_str(), flags | O_CLOEXEC)) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  bool is_open() const { return number_ >= 0; }
  int number() const { return number_; }

 private:
  int number_;
};

// Returns 0 or errno.
int status_of(const std::string& path, Status& status) {
  return stat(path.c_str(), &status) == 0 ? 0 : errno;
}

bool says_missing(int error) { return error == ENOENT || error == ENOTDIR; }

fs::path folder_of(const fs::path& target) {
  return target.has_parent_path() ? target.parent_path() : fs::path(".");
}

// Follows the symbolic links at the end of the path, whether or not a file is there.
std::string followed(std::string path) {
  constexpr int kMostLinks = 40;  // as in Linux; for a loop, open() reports the error
  for (int link = 0; link < kMostLinks; ++link) {
    std::error_code error;
    const fs::path target = fs::read_symlink(path, error);
    if (error) break;  // not a link
    path = (folder_of(path) / target).string();
  }
  return path;
}

void check_name(const std::string& path, const fs::path& target) {
  constexpr size_t kLongestName = 255;  // bytes: the limit of Linux file systems
  if (target.filename().native().size() <= kLongestName) return;
  fail(ErrorKind::file, "cannot write '{}': the name is longer than {} bytes", path, kLongestName);
}

void check_folder(const std::string& path, const std::string& folder) {
  Status status = {};
  const int error = status_of(folder, status);
  if (says_missing(error) || (error == 0 && !S_ISDIR(status.st_mode))) {
    fail(ErrorKind::file, "cannot write '{}': there is no folder '{}'; create it first", path,
         folder);
  }
  if (error != 0) {
    fail(ErrorKind::file, "cannot write '{}': the folder '{}' cannot be reached ({})", path, folder,
         std::strerror(error));
  }
  if (access(folder.c_str(), W_OK | X_OK) != 0) {
    fail(ErrorKind::file, "cannot write '{}': cannot create a file in the folder '{}' ({})", path,
         folder, std::strerror(errno));
  }
}

// Returns 0 or errno: with delayed allocation a full disk may only show up here.
int synced(int file) {
  while (fsync(file) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

// Puts the new name on disk too, as far as possible: some file systems cannot sync folders, and a
// folder that is writable but not readable cannot be opened.
int sync_folder(const fs::path& folder) {
  const Descriptor opened(folder.string(), O_RDONLY | O_DIRECTORY);
  if (!opened.is_open()) return errno == EACCES ? 0 : errno;
  const int error = synced(opened.number());
  return error == EINVAL || error == ENOTSUP ? 0 : error;
}

// Syncs, then renames; `shown` is the path used in messages.
void rename_synced(const std::string& temporary, const std::string& target,
                   const std::string& shown) {
  const auto failed = [&](int error) {
    fail(ErrorKind::file, "cannot write '{}': {}", shown, std::strerror(error));
  };
  {
    const Descriptor file(temporary, O_RDONLY);
    if (!file.is_open()) failed(errno);
    if (const int error = synced(file.number()); error != 0) failed(error);
  }
  if (std::rename(temporary.c_str(), target.c_str()) != 0) failed(errno);
  if (const int error = sync_folder(folder_of(target)); error != 0) {
    fail(ErrorKind::file,
         "'{}' was written, but a crash may still undo it: its folder cannot be "
         "synced ({})",
         shown, std::strerror(error));
  }
}

// Waits until there is something to read. Returns false if no writer came in time: a shell's pipe
// already has one, but a named pipe may get one at any moment, or never.
bool wait_for_writer(int pipe) {
  constexpr int kMilliseconds = 2000;
  pollfd waiting = {.fd = pipe, .events = POLLIN, .revents = 0};
  int ready = 0;
  do {
    ready = poll(&waiting, 1, kMilliseconds);
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

// Reads all of `file`, which is non-blocking, up to max_bytes + 1 bytes.
std::string read_all(int file, const std::string& path, const std::string& what,
                     std::size_t max_bytes) {
  std::string text;
  bool waited = false;
  while (text.size() <= max_bytes) {
    char piece[4096];
    const ssize_t bytes = read(file, piece, std::min(sizeof piece, max_bytes + 1 - text.size()));
    if (bytes > 0) {
      text.append(piece, static_cast<size_t>(bytes));
    } else if (bytes < 0 && errno == EAGAIN) {  // there is a writer: wait for it
      pollfd waiting = {.fd = file, .events = POLLIN, .revents = 0};
      poll(&waiting, 1, -1);
    } else if (bytes < 0 && errno != EINTR) {
      fail(ErrorKind::file, "cannot read the {} '{}': {}", what, path, std::strerror(errno));
    } else if (bytes == 0) {
      Status status = {};
      const bool pipe = fstat(file, &status) == 0 && S_ISFIFO(status.st_mode);
      if (!pipe || waited || !text.empty()) break;
      if (!wait_for_writer(file))
        fail(ErrorKind::file, "cannot read the {} '{}': nobody writes to this pipe", what, path);
      waited = true;
    }
  }
  return text;
}

std::optional<FileIdentity> identity_in(const Status& status) {
  return FileIdentity{status.st_dev, status.st_ino, "",
                      S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode)};
}

}  // namespace

// -------------------------------------------------------------------------------------- writing --

void check_replaceable(const std::string& path) {
  if (path.empty()) fail(ErrorKind::usage, "cannot write a file without a name");
  const fs::path target = followed(path);
  check_name(path, target);
  Status status = {};
  const int error = status_of(path, status);
  if (error == 0 && S_ISDIR(status.st_mode))
    fail(ErrorKind::file, "cannot write '{}': it is a folder", path);
  if (error == 0 && !S_ISREG(status.st_mode))
    fail(ErrorKind::file, "cannot write '{}': it is not a regular file", path);
  check_folder(path, folder_of(target).string());
  if (error != 0 && !says_missing(error))
    fail(ErrorKind::file, "cannot write '{}': {}", path, std::strerror(error));
}

void replace_file(const std::string& path, const std::function<void(const std::string&)>& write) {
  check_replaceable(path);
  const fs::path target = followed(path);
  // Keeps the ending, because writers choose their format by it. Process and serial number keep
  // concurrent writes apart.
  static std::atomic<unsigned> serial = 0;
  const fs::path temporary = folder_of(target) / fmt::format(".limn-{}-{}{}", getpid(), serial++,
                                                             target.extension().string());
  try {
    write(temporary.string());
    rename_synced(temporary.string(), target.string(), path);
  } catch (...) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw;
  }
}

void replace_file(const std::string& path, std::span<const std::byte> bytes) {
  replace_file(path, [&](const std::string& temporary) {
    std::ofstream file(temporary, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    file.close();
    if (!file) fail(ErrorKind::file, "cannot write '{}': {}", path, std::strerror(errno));
  });
}

void replace_file(const std::string& path, const std::string& text) {
  replace_file(path, std::as_bytes(std::span(text)));
}

void rename_synced(const std::string& temporary, const std::string& path) {
  rename_synced(temporary, path, path);
}

// -------------------------------------------------------------------------------------- reading --

std::string read_text(const std::string& path, const std::string& what, std::size_t max_bytes) {
  Status status = {};
  const bool pipe = status_of(path, status) == 0 && S_ISFIFO(status.st_mode);
  const std::uint64_t bytes = pipe ? 0 : file_size(path, what);
  if (bytes > max_bytes) {
    fail(ErrorKind::file, "the {} '{}' has {} bytes, more than the {} that it may have", what, path,
         bytes, max_bytes);
  }
  const Descriptor file(path, O_RDONLY | O_NONBLOCK);  // a pipe without a writer would block here
  if (!file.is_open())
    fail(ErrorKind::file, "cannot read the {} '{}': {}", what, path, std::strerror(errno));
  std::string text = read_all(file.number(), path, what, max_bytes);
  if (text.size() > max_bytes) {
    fail(ErrorKind::file, "the {} '{}' has more than the {} bytes that it may have", what, path,
         max_bytes);
  }
  return text;
}

std::uint64_t file_size(const std::string& path, const std::string& what) {
  Status status = {};
  const int error = status_of(path, status);
  if (says_missing(error)) fail(ErrorKind::file, "there is no {} '{}'", what, path);
  if (error != 0)
    fail(ErrorKind::file, "cannot read the {} '{}': {}", what, path, std::strerror(error));
  if (S_ISDIR(status.st_mode))
    fail(ErrorKind::file, "the {} '{}' is a folder, not a file", what, path);
  if (!S_ISREG(status.st_mode))
    fail(ErrorKind::file, "the {} '{}' is not a regular file", what, path);
  if (access(path.c_str(), R_OK) != 0)
    fail(ErrorKind::file, "cannot read the {} '{}': {}", what, path, std::strerror(errno));
  return static_cast<std::uint64_t>(status.st_size);
}

// ------------------------------------------------------------------------------------- identity --

bool is_missing(const std::string& path) {
  Status status = {};
  return says_missing(status_of(path, status));
}

bool is_folder(const std::string& path) {
  Status status = {};
  return status_of(path, status) == 0 && S_ISDIR(status.st_mode);
}

std::optional<FileIdentity> identity_of(const std::string& path) {
  Status status = {};
  const int error = status_of(path, status);
  if (error == 0) return identity_in(status);
  if (error != ENOENT || path.empty()) return std::nullopt;
  const fs::path target = followed(path);
  if (status_of(folder_of(target).string(), status) != 0) return std::nullopt;
  return FileIdentity{status.st_dev, status.st_ino, target.filename().string(), false};
}

std::optional<FileIdentity> identity_of_standard_input() {
  Status status = {};
  return fstat(STDIN_FILENO, &status) == 0 ? identity_in(status) : std::nullopt;
}

std::optional<FileStamp> stamp_of(const std::string& path) {
  Status status = {};
  if (status_of(path, status) != 0) return std::nullopt;
  constexpr std::int64_t kNanoseconds = 1'000'000'000;
  return FileStamp{status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size),
                   status.st_ctim.tv_sec * kNanoseconds + status.st_ctim.tv_nsec};
}

}  // namespace limn
