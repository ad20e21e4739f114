// replace_file against crashes: whatever prefix of its calls has been made when the machine stops,
// and whatever of what was not synced is lost, the path holds the old bytes or the new ones, whole.
//
// The calls themselves are logged: this program's write, fsync, rename and open stand in front of
// the C library's. Each prefix of the log is then replayed on a model of a disk, which keeps what
// was synced and may keep or lose everything else.
#include <dlfcn.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "support/temporary_folder.h"

#define SEEN_BY_LIBRARIES __attribute__((visibility("default")))

namespace {

struct Call {
  enum class Kind { write, sync, sync_folder, rename } kind;
  std::string path, to;
  std::string bytes;
};
std::vector<Call>* log_of_calls = nullptr;  // null: calls are not logged

std::string path_of(int file) {
  char path[4096];
  const std::string link = "/proc/self/fd/" + std::to_string(file);
  const ssize_t length = readlink(link.c_str(), path, sizeof(path));
  return length < 0 ? "" : std::string(path, static_cast<size_t>(length));
}

bool is_folder(int file) {
  struct stat status = {};
  return fstat(file, &status) == 0 && S_ISDIR(status.st_mode);
}

template <typename Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

void add(Call call) {
  std::vector<Call>* log = std::exchange(log_of_calls, nullptr);
  log->push_back(std::move(call));
  log_of_calls = log;
}

}  // namespace

extern "C" SEEN_BY_LIBRARIES ssize_t write(int file, const void* bytes, size_t count) {
  static auto* const real = next<ssize_t(int, const void*, size_t)>("write");
  const ssize_t written = real(file, bytes, count);
  if (log_of_calls && written > 0 && file > STDERR_FILENO) {
    add({Call::Kind::write, path_of(file), "",
         std::string(static_cast<const char*>(bytes), static_cast<size_t>(written))});
  }
  return written;
}

// By which streams write what is longer than their buffer.
extern "C" SEEN_BY_LIBRARIES ssize_t writev(int file, const iovec* pieces, int count) {
  static auto* const real = next<ssize_t(int, const iovec*, int)>("writev");
  const ssize_t written = real(file, pieces, count);
  std::string bytes;
  for (int i = 0; i < count && log_of_calls; ++i) {
    bytes.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
  }
  if (log_of_calls && written > 0) {
    bytes.resize(static_cast<size_t>(written));
    add({Call::Kind::write, path_of(file), "", std::move(bytes)});
  }
  return written;
}

extern "C" int fsync(int file) {
  static auto* const real = next<int(int)>("fsync");
  if (log_of_calls) {
    add({is_folder(file) ? Call::Kind::sync_folder : Call::Kind::sync, path_of(file), "", ""});
  }
  return real(file);
}

extern "C" int rename(const char* from, const char* to) noexcept {
  static auto* const real = next<int(const char*, const char*)>("rename");
  const int result = real(from, to);
  if (log_of_calls && result == 0) add({Call::Kind::rename, from, to, ""});
  return result;
}

namespace limn {
namespace {

// What may be on the disk after a crash: of each file's bytes what was synced, or also what was
// not; of the folder's names those that were synced, or also a later renaming.
using Files = std::map<std::string, std::string>;

class Disk {
 public:
  explicit Disk(Files files) : bytes_(std::move(files)) {
    for (const auto& [path, bytes] : bytes_) {
      synced_bytes_[path] = bytes;
      names_[path] = synced_names_[path] = path;
    }
  }

  void apply(const Call& call) {
    switch (call.kind) {
      case Call::Kind::write:
        names_.try_emplace(call.path, call.path);
        bytes_[call.path] += call.bytes;
        break;
      case Call::Kind::sync:
        synced_bytes_[call.path] = bytes_[call.path];
        break;
      case Call::Kind::rename:
        names_[call.to] = names_.at(call.path);
        names_.erase(call.path);
        break;
      case Call::Kind::sync_folder:
        synced_names_ = names_;
        break;
    }
  }

  // All that `path` may hold after a crash now; no value: nothing of that name.
  std::vector<std::optional<std::string>> after_crash(const std::string& path) const {
    std::vector<std::optional<std::string>> found;
    for (const auto* names : {&synced_names_, &names_}) {
      const auto name = names->find(path);
      if (name == names->end()) {
        found.emplace_back();
        continue;
      }
      const std::string& file = name->second;
      const auto synced = synced_bytes_.find(file);
      const std::string least = synced == synced_bytes_.end() ? "" : synced->second;
      const std::string& most = bytes_.at(file);
      found.emplace_back(least);
      found.emplace_back(most);
      found.emplace_back(most.substr(0, (least.size() + most.size()) / 2));  // half got there
    }
    return found;
  }

 private:
  Files bytes_, synced_bytes_;  // by the name a file was made under
  Files names_, synced_names_;  // to that one
};

class AfterACrash : public InAFolder {
 protected:
  std::vector<Call> calls_of(const std::string& path, const std::string& bytes) {
    std::vector<Call> calls;
    log_of_calls = &calls;
    replace_file(path, bytes);
    log_of_calls = nullptr;
    return calls;
  }
};

TEST_F(AfterACrash, AFileIsTheOldOneOrTheNewOne) {
  const std::string name = std::filesystem::canonical(folder()).string() + "/state";
  const std::string before(10'000, 'a'), after(300'000, 'b');
  std::ofstream(name) << before;
  const std::vector<Call> calls = calls_of(name, after);

  // Written, synced, renamed, and the folder synced: in this order.
  std::string order;
  for (const Call& call : calls) {
    const char kind = "wsfr"[static_cast<int>(call.kind)];
    if (order.empty() || order.back() != kind) order += kind;
  }
  EXPECT_EQ(order, "wsrf");

  for (size_t made = 0; made <= calls.size(); ++made) {
    Disk disk(Files{{name, before}});
    for (size_t i = 0; i < made; ++i) disk.apply(calls[i]);
    for (const auto& found : disk.after_crash(name)) {
      ASSERT_TRUE(found.has_value()) << "after call " << made;
      EXPECT_TRUE(*found == before || *found == after)
          << "after call " << made << " there are " << found->size() << " bytes";
    }
    if (made == calls.size()) {
      for (const auto& found : disk.after_crash(name)) EXPECT_TRUE(found == after);
    }
  }
}

// The model finds what would be lost without syncing: it can fail.
TEST_F(AfterACrash, TheModelLosesWhatIsNotSynced) {
  const std::string name = std::filesystem::canonical(folder()).string() + "/state";
  std::ofstream(name) << "old";
  const std::vector<Call> calls = calls_of(name, "new and longer");
  for (const Call::Kind left_out : {Call::Kind::sync, Call::Kind::sync_folder}) {
    Disk disk(Files{{name, "old"}});
    for (const Call& call : calls) {
      if (call.kind != left_out) disk.apply(call);
    }
    bool lost = false;
    for (const auto& found : disk.after_crash(name)) lost = lost || found != "new and longer";
    EXPECT_TRUE(lost);
  }
}

}  // namespace
}  // namespace limn
