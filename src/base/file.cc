#include "base/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/error.h"

namespace limn {
namespace fs = std::filesystem;

namespace {

fs::path folder_of(const fs::path& target) {
  return target.has_parent_path() ? target.parent_path() : fs::path(".");
}

}  // namespace

void check_replaceable(const std::string& path) {
  constexpr size_t kLongestName = 255;  // bytes: what Linux's file systems hold
  const fs::path target(path);
  std::error_code error;
  const fs::file_status status = fs::status(target, error);
  if (path.empty()) fail(ErrorKind::usage, "cannot write a file without a name");
  if (target.filename().native().size() > kLongestName) {
    fail(ErrorKind::file, "cannot write '{}': the name is longer than {} bytes", path,
         kLongestName);
  }
  if (target.filename().empty() || fs::is_directory(status)) {
    fail(ErrorKind::file, "cannot write '{}': it is a folder", path);
  }
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    fail(ErrorKind::file, "cannot write '{}': it is not a regular file", path);
  }
  const fs::path folder = folder_of(target);
  if (!fs::is_directory(folder, error)) {
    fail(ErrorKind::file, "cannot write '{}': there is no folder '{}'; create it first", path,
         folder.string());
  }
  if (access(folder.c_str(), W_OK | X_OK) != 0) {
    fail(ErrorKind::file, "cannot write '{}': no file can be made in the folder '{}' ({})", path,
         folder.string(), std::strerror(errno));
  }
}

void replace_file(const std::string& path, const std::function<void(const std::string&)>& write) {
  check_replaceable(path);
  std::error_code error;
  fs::path target(path);
  if (fs::is_symlink(target) && fs::exists(target, error)) target = fs::canonical(target);
  // The ending stays, because writers choose their format by it. Process and serial number keep
  // apart what is written at the same time.
  static std::atomic<unsigned> serial = 0;
  const fs::path temporary = folder_of(target) / fmt::format(".limn-{}-{}{}", getpid(), serial++,
                                                             target.extension().string());
  const auto remove_temporary = [&] {
    std::error_code ignored;
    fs::remove(temporary, ignored);
  };
  try {
    write(temporary.string());
  } catch (...) {
    remove_temporary();
    throw;
  }
  // On disk before the name changes, so that a crash leaves the old file or the new one.
  if (const int file = open(temporary.c_str(), O_RDONLY | O_CLOEXEC); file >= 0) {
    fsync(file);
    close(file);
  }
  fs::rename(temporary, target, error);
  if (error) {
    remove_temporary();
    fail(ErrorKind::file, "cannot write '{}': {}", path, error.message());
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

std::string read_text(const std::string& path, const std::string& what, std::size_t max_bytes) {
  const std::uint64_t bytes = file_size(path, what);
  if (bytes > max_bytes) {
    fail(ErrorKind::file, "the {} '{}' has {} bytes, more than the {} that it may have", what, path,
         bytes, max_bytes);
  }
  std::ifstream file(path, std::ios::binary);
  std::string text(bytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(bytes));
  if (!file) fail(ErrorKind::file, "cannot read the {} '{}': {}", what, path, std::strerror(errno));
  return text;
}

std::uint64_t file_size(const std::string& path, const std::string& what) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) fail(ErrorKind::file, "there is no {} '{}'", what, path);
  if (fs::is_directory(status))
    fail(ErrorKind::file, "the {} '{}' is a folder, not a file", what, path);
  if (!fs::is_regular_file(status))
    fail(ErrorKind::file, "the {} '{}' is not a regular file", what, path);
  if (access(path.c_str(), R_OK) != 0) {
    fail(ErrorKind::file, "cannot read the {} '{}': {}", what, path, std::strerror(errno));
  }
  const std::uint64_t bytes = fs::file_size(path, error);
  if (error) fail(ErrorKind::file, "cannot read the {} '{}': {}", what, path, error.message());
  return bytes;
}

}  // namespace limn
