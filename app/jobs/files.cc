#include "jobs/files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/digest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/temporary_file.h"
#include "jobs/job.h"

namespace limn {
namespace fs = std::filesystem;

namespace {

constexpr const char* kFiles = "/files";
constexpr const char* kIncoming = "/files/incoming";
constexpr const char* kLeaving = "/files/leaving";
constexpr const char* kJobs = "/jobs";
constexpr const char* kPictures = "/pictures";

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A full disk, a quota and a limit of the process are matters of resources.
[[noreturn]] void fail_to_keep(const std::string& folder, int error) {
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  fail(full ? ErrorKind::resources : ErrorKind::file, "cannot keep a file in '{}': {}", folder,
       std::strerror(error));
}

// Of a regular file or a folder that is there: when it was last changed, in nanoseconds.
bool find_changed(const fs::path& path, std::int64_t& changed) {
  struct stat status = {};
  if (lstat(path.c_str(), &status) != 0) return false;
  constexpr std::int64_t kNanoseconds = 1'000'000'000;
  changed = status.st_mtim.tv_sec * kNanoseconds + status.st_mtim.tv_nsec;
  return true;
}

// So that sweeps leave it. Brings it back if it is leaving. False if it is not here.
bool hold_file(const std::string& folder, const std::string& id) {
  const std::string path = folder + kFiles + "/" + id;
  if (utimensat(AT_FDCWD, path.c_str(), nullptr, 0) == 0) return true;
  const std::string leaving = folder + kLeaving + "/" + id;
  if (std::rename(leaving.c_str(), path.c_str()) == 0) {
    utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
    sync_folder(folder + kFiles);
    return true;
  }
  return !is_missing(path);  // another process brought it back meanwhile, or owns it
}

// Gives a complete upload, which is synced, its name. If the same bytes have it already, that file
// stays and this one goes: a painter may be reading that one, and its sandbox lets it read the very
// files that its job had at its start, not what took their names.
void give_name(const std::string& folder, const std::string& path, const std::string& id) {
  const std::string target = folder + kFiles + "/" + id;
  while (link(path.c_str(), target.c_str()) != 0) {
    if (errno != EEXIST) return rename_synced(path, target);  // a file system without links
    if (hold_file(folder, id)) break;                         // or else a sweep has just taken it
  }
  unlink(path.c_str());
  sync_folder(folder + kFiles);
}

// Of all in the folder, below it too. Files may come and go meanwhile.
std::uint64_t bytes_in(const fs::path& folder) {
  std::uint64_t bytes = 0;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  while (!error && entry != fs::recursive_directory_iterator()) {
    struct stat status = {};
    if (lstat(entry->path().c_str(), &status) == 0 && S_ISREG(status.st_mode))
      bytes += static_cast<std::uint64_t>(status.st_size);
    entry.increment(error);
  }
  return bytes;
}

std::uint64_t size_of(const fs::path& path) {
  struct stat status = {};
  return lstat(path.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

// Returns the bytes freed.
std::uint64_t remove_file(const fs::path& path) {
  const std::uint64_t bytes = size_of(path);
  return unlink(path.c_str()) == 0 ? bytes : 0;
}

bool lock_alone(int file) {
  int result = 0;
  while ((result = flock(file, LOCK_EX)) != 0 && errno == EINTR) {
  }
  return result == 0;
}

// Locks a new file. False if a sweep has removed it already.
bool is_locked(int file) {
  lock_alone(file);
  struct stat status = {};
  return fstat(file, &status) == 0 && status.st_nlink > 0;
}

// Removes the file unless its writer still has it locked. Returns the bytes freed.
std::uint64_t remove_unlocked(const fs::path& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0 || flock(file.number(), LOCK_EX | LOCK_NB) != 0) return 0;
  return remove_file(path);
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  while (!error && entry != fs::directory_iterator()) {
    names.push_back(entry->path().filename().string());
    entry.increment(error);
  }
  return names;
}

}  // namespace

// ----------------------------------------------------------------------------------- incoming --

struct Files::Incoming::Open {
  std::string folder;  // of Files
  std::string path;    // "" once it has been kept
  Descriptor file{-1};
  RunningSha256 digest = {};
  std::uint64_t size = 0;

  Open(const std::string& folder, const std::string& path)
      : folder(folder),
        path(path),
        file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)) {}
  Open(const Open&) = delete;
  Open& operator=(const Open&) = delete;
  ~Open() {
    if (!path.empty() && file.number() >= 0) unlink(path.c_str());
  }
};

Files::Incoming::Incoming(std::unique_ptr<Open> open) : open_(std::move(open)) {}
Files::Incoming::Incoming(Incoming&&) noexcept = default;
Files::Incoming::~Incoming() = default;

void Files::Incoming::write(std::span<const std::byte> bytes) {
  if (const int error = write_all(open_->file.number(), bytes); error != 0)
    fail_to_keep(open_->folder, error);
  open_->digest.add(bytes);
  open_->size += bytes.size();
}

std::uint64_t Files::Incoming::size() const { return open_->size; }

std::string Files::Incoming::keep() {
  int error = 0;
  while (fsync(open_->file.number()) != 0) {  // with delayed allocation a full disk shows up here
    if (errno == EINTR) continue;
    error = errno;
    break;
  }
  if (error != 0) fail_to_keep(open_->folder, error);
  std::string id = open_->digest.finish();
  give_name(open_->folder, open_->path, id);
  open_->path.clear();
  return id;
}

// It is locked while it is open, by which a sweep tells it from those that nobody writes any more.
Files::Incoming Files::receive() {
  for (;;) {
    // The process number is for people; the random part keeps apart what comes at once, from
    // several machines even.
    const std::string path =
        fmt::format("{}{}/{}-{}", folder_, kIncoming, getpid(), new_job_id().substr(0, 16));
    auto open = std::make_unique<Incoming::Open>(folder_, path);
    if (open->file.number() < 0) fail_to_keep(folder_, errno);
    if (is_locked(open->file.number())) return Incoming(std::move(open));
  }
}

// ------------------------------------------------------------------------------------- the rest --

Files::Files(std::string folder) : folder_(std::move(folder)) {
  make_folder(folder_, true);
  for (const char* part : {kFiles, kIncoming, kLeaving, kJobs, kPictures})
    make_folder(folder_ + part);
  // What a sweep that was killed had begun to remove: a job may use it.
  for (const std::string& id : names_in(folder_ + kLeaving)) {
    if (is_id(id)) hold(id);
  }
}

bool Files::is_id(const std::string& text) {
  constexpr size_t kDigits = 64;
  return text.size() == kDigits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool Files::has(const std::string& id) const { return is_id(id) && !is_missing(path_of(id)); }

std::string Files::path_of(const std::string& id) const {
  if (!is_id(id)) fail(ErrorKind::usage, "'{}' is not the id of a file", printable(id));
  return folder_ + kFiles + "/" + id;
}

std::string Files::folder_of_pictures() const { return folder_ + kPictures; }

std::string Files::folder_of_job(const std::string& job) const {
  if (!is_job_id(job)) fail(ErrorKind::usage, "'{}' is not the id of a job", printable(job));
  std::string folder = folder_ + kJobs + "/" + job;
  make_folder(folder);
  return folder;
}

void Files::erase_job(const std::string& job) {
  if (!is_job_id(job)) fail(ErrorKind::usage, "'{}' is not the id of a job", printable(job));
  std::error_code ignored;  // what remains is swept
  fs::remove_all(folder_ + kJobs + "/" + job, ignored);
}

// Without making the folder: the job may have been erased since.
std::vector<std::string> Files::states_of(const std::string& job) const {
  if (!is_job_id(job)) fail(ErrorKind::usage, "'{}' is not the id of a job", printable(job));
  std::vector<std::string> paths;
  for (const char* name : {kStateFile, kBadStateFile}) {
    std::string path = fmt::format("{}{}/{}/{}", folder_, kJobs, job, name);
    if (!is_missing(path)) paths.push_back(std::move(path));
  }
  return paths;
}

bool Files::has_states(const std::string& job) const { return !states_of(job).empty(); }

void Files::erase_states(const std::string& job) const {
  for (const std::string& path : states_of(job)) unlink(path.c_str());
}

bool Files::hold(const std::string& id) const {
  if (!is_id(id)) fail(ErrorKind::usage, "'{}' is not the id of a file", printable(id));
  return hold_file(folder_, id);
}

std::uint64_t Files::bytes() const { return bytes_in(folder_); }

std::uint64_t Files::bytes_of(const std::string& id) const {
  return is_id(id) ? size_of(path_of(id)) : 0;
}

std::uint64_t Files::bytes_of_job(const std::string& job) const {
  return is_job_id(job) ? bytes_in(folder_ + kJobs + "/" + job) : 0;
}

std::uint64_t Files::free_bytes() const {
  std::error_code error;
  const fs::space_info space = fs::space(folder_, error);
  if (error)
    fail(ErrorKind::file, "the folder '{}' cannot be reached: {}", folder_, error.message());
  return space.available;
}

// ---------------------------------------------------------------------------------------- sweep --

// What nobody needs in the folder; ripe is what this and earlier sweeps have found so, and
// unchanged, for so long.
std::vector<Files::Unneeded> Files::unneeded(
    const std::string& folder, const std::function<bool(const std::string&)>& is_needed,
    double seconds) {
  const double now = steady_seconds();
  std::vector<Unneeded> found;
  for (const std::string& name : names_in(folder)) {
    const std::string path = fmt::format("{}/{}", folder, name);
    std::int64_t changed = 0;
    if (is_needed(name) || !find_changed(path, changed)) continue;
    const auto [seen, is_new] = seen_.try_emplace(path, Seen{changed, now, true});
    if (!is_new && seen->second.changed != changed) seen->second = {changed, now, true};
    seen->second.now = true;
    found.push_back({name, now - seen->second.since >= seconds});
  }
  return found;
}

// One at a time, of all processes: what one has found to be in use and brought back, another may
// take again, and a third, which has asked before that, must not then remove it.
std::uint64_t Files::leave(const std::string& id, const Users& users) const {
  const std::string folder = folder_ + kLeaving;
  const Descriptor lock(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock.number() < 0 || !lock_alone(lock.number())) return 0;
  const std::string path = path_of(id);
  const std::string leaving = folder + "/" + id;
  if (std::rename(path.c_str(), leaving.c_str()) != 0) return 0;
  bool used = true;
  try {
    used = users.uses(id);
  } catch (...) {
    hold(id);
    throw;
  }
  if (!used) return remove_file(leaving);
  hold(id);
  return 0;
}

Files::Swept Files::sweep(const Users& users, double seconds) {
  const std::scoped_lock lock(sweeping_);
  for (auto& [path, seen] : seen_) seen.now = false;
  Swept swept;
  const auto nobody = [](const std::string&) { return false; };
  for (const Unneeded& upload : unneeded(folder_ + kIncoming, nobody, seconds)) {
    const std::string path = folder_ + kIncoming + "/" + upload.name;
    (upload.ripe ? swept.freed : swept.unused) +=
        upload.ripe ? remove_unlocked(path) : size_of(path);
  }
  const auto is_used = [&](const std::string& name) { return !is_id(name) || users.uses(name); };
  for (const Unneeded& file : unneeded(folder_ + kFiles, is_used, seconds)) {
    (file.ripe ? swept.freed : swept.unused) +=
        file.ripe ? leave(file.name, users) : size_of(path_of(file.name));
  }
  // A name begins with the upload's id; what is just being made has another, and changes.
  const auto is_of_upload = [&](const std::string& name) {
    return has(name.substr(0, name.find('-')));
  };
  for (const Unneeded& picture : unneeded(folder_ + kPictures, is_of_upload, seconds)) {
    const std::string path = folder_ + kPictures + "/" + picture.name;
    std::error_code ignored;
    (picture.ripe ? swept.freed : swept.unused) += size_of(path);
    if (picture.ripe) fs::remove_all(path, ignored);
  }
  const auto is_needed = [&](const std::string& name) {
    return !is_job_id(name) || users.is_job(name);
  };
  for (const Unneeded& job : unneeded(folder_ + kJobs, is_needed, seconds)) {
    (job.ripe ? swept.freed : swept.unused) += bytes_of_job(job.name);
    if (job.ripe) erase_job(job.name);
  }
  std::erase_if(seen_, [](const auto& entry) { return !entry.second.now; });
  return swept;
}

}  // namespace limn
