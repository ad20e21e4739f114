#include "base/folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/file.h"
#include "base/temporary_file.h"

namespace limn {

void make_folder(const std::string& path, bool owner_only) {
  if (is_folder(path)) return;
  const std::filesystem::path parent = std::filesystem::absolute(path).parent_path();
  if (parent != parent.root_path()) make_folder(parent.string(), owner_only);
  constexpr mode_t kOwner = 0700;
  constexpr mode_t kAll = 0777;  // less what the umask takes away
  // Another process may make it at the same moment.
  if (mkdir(path.c_str(), owner_only ? kOwner : kAll) != 0 && !(errno == EEXIST && is_folder(path)))
    fail(ErrorKind::file, "cannot make the folder '{}': {}", path, std::strerror(errno));
  sync_folder(parent.string());
}

void sync_folder(const std::string& path) {
  const Descriptor folder(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.number() < 0 && errno == EACCES) return;  // it may be written, but not read
  int error = folder.number() < 0 ? errno : 0;
  while (error == 0 && fsync(folder.number()) != 0) {
    if (errno != EINTR) error = errno;
  }
  if (error != 0 && error != EINVAL && error != ENOTSUP)
    fail(ErrorKind::file, "cannot sync the folder '{}': {}", path, std::strerror(error));
}

}  // namespace limn
