#include "work/landlock.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "base/error.h"
#include "base/temporary_file.h"

namespace limn {
namespace {

constexpr std::uint64_t kReadFile = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE;
constexpr std::uint64_t kRead = kReadFile | LANDLOCK_ACCESS_FS_READ_DIR;
constexpr std::uint64_t kWriteFile = LANDLOCK_ACCESS_FS_WRITE_FILE;
// Newer than some systems' headers: from Landlock's third version on.
constexpr std::uint64_t kTruncate = 1ULL << 14;
constexpr long kKnowsTruncate = 3;
constexpr std::uint64_t kWrite = kWriteFile | LANDLOCK_ACCESS_FS_REMOVE_FILE |
                                 LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_DIR |
                                 LANDLOCK_ACCESS_FS_MAKE_REG;
// Nobody makes devices, sockets or pipes; nor links, which whoever is in no sandbox might follow.
constexpr std::uint64_t kMake = LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_SOCK |
                                LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
                                LANDLOCK_ACCESS_FS_MAKE_SYM;

long version_of_landlock() {
  return syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

[[noreturn]] void fail_to_make(int error) {
  fail(ErrorKind::resources, "cannot make a painter's sandbox: {}", std::strerror(error));
}

// Whether a path that cannot be opened is none that a painter could open.
bool leads_nowhere(int error) {
  return error == ENOENT || error == ENOTDIR || error == EACCES || error == ELOOP;
}

// System calls only. Returns 0 or errno.
int allow(int rules, const char* path, std::uint64_t access) {
  const int file = open(path, O_PATH | O_CLOEXEC);
  if (file < 0) return errno;
  struct stat status = {};
  int error = fstat(file, &status) == 0 ? 0 : errno;
  if (!S_ISDIR(status.st_mode)) access &= kReadFile | kWriteFile | kTruncate;
  landlock_path_beneath_attr beneath = {};
  beneath.allowed_access = access;
  beneath.parent_fd = file;
  if (error == 0 &&
      syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) != 0) {
    error = errno;
  }
  close(file);
  return error;
}

void allow_each(int rules, const std::vector<std::string>& paths, std::uint64_t access) {
  for (const std::string& path : paths) {
    const int error = allow(rules, path.c_str(), access);
    if (error != 0 && !leads_nowhere(error)) fail_to_make(error);
  }
}

}  // namespace

bool has_rules_for_files() { return version_of_landlock() >= 1; }

int rules_for_files(const std::vector<std::string>& readable,
                    const std::vector<std::string>& writable) {
  if (!has_rules_for_files() || (readable.empty() && writable.empty())) return -1;
  const std::uint64_t truncate = version_of_landlock() >= kKnowsTruncate ? kTruncate : 0;
  landlock_ruleset_attr handled = {};
  handled.handled_access_fs = kRead | kWrite | kMake | truncate;
  Descriptor rules(static_cast<int>(
      syscall(SYS_landlock_create_ruleset, &handled, sizeof handled.handled_access_fs, 0)));
  if (rules.number() < 0) fail_to_make(errno);
  allow_each(rules.number(), readable, kRead);
  allow_each(rules.number(), writable, kRead | kWrite | truncate);
  return rules.release();
}

bool enter_rules_for_files(int rules) {
  const int error = allow(rules, "/proc/self", kRead);  // its own, and no other's
  return (error == 0 || leads_nowhere(error)) && syscall(SYS_landlock_restrict_self, rules, 0) == 0;
}

}  // namespace limn
