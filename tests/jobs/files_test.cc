#include "jobs/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <random>
#include <set>
#include <thread>

#include "base/digest.h"
#include "jobs/job.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

namespace limn {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

std::string kept(Files& files, const std::string& text) {
  Files::Incoming incoming = files.receive();
  incoming.write(bytes_of(text));
  return incoming.keep();
}

Files::Users users_are(std::set<std::string> used, std::set<std::string> jobs = {}) {
  return {.uses = [used](const std::string& file) { return used.contains(file); },
          .is_job = [jobs](const std::string& job) { return jobs.contains(job); }};
}

class FilesTest : public InAFolder {
 protected:
  FilesTest() : files_(path("data")) {}
  Files& files() { return files_; }
  std::set<std::string> all_names() const {
    std::set<std::string> found;
    const std::filesystem::path top = path("data");
    for (const auto& entry : std::filesystem::recursive_directory_iterator(top)) {
      if (entry.is_regular_file()) found.insert(entry.path().lexically_relative(top).string());
    }
    return found;
  }

 private:
  Files files_;
};

TEST_F(FilesTest, AnUploadIsNamedByItsContent) {
  Files::Incoming incoming = files().receive();
  incoming.write(bytes_of("hel"));
  incoming.write({});
  incoming.write(bytes_of("lo"));
  EXPECT_EQ(incoming.size(), 5u);
  const std::string id = incoming.keep();
  EXPECT_EQ(id, sha256_of_bytes(bytes_of("hello")));
  EXPECT_TRUE(files().has(id));
  EXPECT_EQ(contents(files().path_of(id)), "hello");
  EXPECT_EQ(files().bytes_of(id), 5u);
  EXPECT_EQ(kept(files(), "hello"), id);
  EXPECT_EQ(all_names(), std::set<std::string>{"files/" + id});
}

// A painter that may read it has it open, or may open that very file and no other.
TEST_F(FilesTest, TheSameBytesAgainAreTheFileThatIsThere) {
  const std::string id = kept(files(), "hello");
  struct stat before = {}, after = {};
  ASSERT_EQ(stat(files().path_of(id).c_str(), &before), 0);
  EXPECT_EQ(kept(files(), "hello"), id);
  ASSERT_EQ(stat(files().path_of(id).c_str(), &after), 0);
  EXPECT_EQ(after.st_ino, before.st_ino);
  EXPECT_EQ(after.st_nlink, 1u);
  EXPECT_EQ(all_names(), std::set<std::string>{"files/" + id});
  // Leaving, it comes back; both have the bytes.
  std::filesystem::rename(files().path_of(id), path("data/files/leaving/" + id));
  EXPECT_EQ(kept(files(), "hello"), id);
  EXPECT_EQ(contents(files().path_of(id)), "hello");
}

TEST_F(FilesTest, NothingRemainsOfAnUploadThatIsGivenUp) {
  {
    Files::Incoming incoming = files().receive();
    incoming.write(bytes_of("half"));
    Files::Incoming moved = std::move(incoming);
    moved.write(bytes_of("way"));
    EXPECT_EQ(all_names().size(), 1u);
  }
  EXPECT_EQ(all_names(), std::set<std::string>{});
}

TEST_F(FilesTest, NothingElseBecomesAPath) {
  const std::string id = kept(files(), "x");
  for (const std::string& other :
       {std::string(), std::string("../jobs.db"), "../" + id.substr(3), id + "/", id.substr(1),
        std::string(64, '/'), std::string(64, '\0'), std::string("/etc/passwd")}) {
    EXPECT_FALSE(Files::is_id(other));
    EXPECT_FALSE(files().has(other));
    EXPECT_TRUE(says(error_of([&] { files().path_of(other); }), ErrorKind::usage, "not the id"));
    EXPECT_TRUE(
        says(error_of([&] { files().folder_of_job(other); }), ErrorKind::usage, "not the id"));
    EXPECT_TRUE(says(error_of([&] { files().erase_job(other); }), ErrorKind::usage, "not the id"));
  }
}

TEST_F(FilesTest, AJobHasAFolder) {
  const std::string job = new_job_id();
  const std::string folder = files().folder_of_job(job);
  EXPECT_EQ(folder, path("data/jobs/" + job));
  std::ofstream(folder + "/result.png") << "12345";
  EXPECT_EQ(files().bytes_of_job(job), 5u);
  const std::string id = kept(files(), "123");
  EXPECT_EQ(files().bytes(), 8u);
  EXPECT_GT(files().free_bytes(), 0u);
  files().erase_job(job);
  files().erase_job(job);  // again: as it is
  EXPECT_EQ(all_names(), std::set<std::string>{"files/" + id});
}

TEST_F(FilesTest, OnlyItsOwnerMayEnterTheFolder) {
  struct stat status = {};
  ASSERT_EQ(stat(path("data").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
}

TEST_F(FilesTest, WhereNothingCanBeMadeTheFolderIsNamed) {
  with_text("plain", "");
  EXPECT_TRUE(says(error_of([&] { Files(path("plain/data")); }), ErrorKind::file, "plain"));
}

TEST_F(FilesTest, AFullDiskIsAnErrorAndLeavesNothing) {
  const pid_t process = fork();
  if (process == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit few = {1000, 1000};
    setrlimit(RLIMIT_FSIZE, &few);
    const Error error = error_of([&] { kept(files(), std::string(5000, 'x')); });
    _exit(says(error, ErrorKind::resources, "cannot keep a file", path("data")) ? 0 : 1);
  }
  int status = 0;
  waitpid(process, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(all_names(), std::set<std::string>{});
}

// ---------------------------------------------------------------------------------------- sweep --

TEST_F(FilesTest, ASweepTakesWhatNobodyUses) {
  const std::string used = kept(files(), "used");
  const std::string unused = kept(files(), "unused");
  const std::string job = new_job_id();
  const std::string gone = new_job_id();
  std::ofstream(files().folder_of_job(job) + "/state.limn") << "state";
  std::ofstream(files().folder_of_job(gone) + "/state.limn") << "states";
  std::ofstream(path("data/files/incoming/1-2-abc")) << "half an";
  const Files::Users users = users_are({used}, {job});
  const Files::Swept first =
      files().sweep(users, 1000);  // they must have been seen unused for long
  EXPECT_EQ(first.freed, 0u);
  EXPECT_EQ(first.unused, 6u + 6 + 7);
  EXPECT_EQ(all_names().size(), 5u);
  const Files::Swept second = files().sweep(users, 0);
  EXPECT_EQ(second.freed, 6u + 6 + 7);
  EXPECT_EQ(second.unused, 0u);
  EXPECT_EQ(all_names(), (std::set<std::string>{"files/" + used, "jobs/" + job + "/state.limn"}));
}

TEST_F(FilesTest, TimeBeginsAnewWhenAFileIsHeldOrUploadedAgain) {
  constexpr double kSeconds = 0.3;
  const auto half = std::chrono::milliseconds(200);
  const std::string held = kept(files(), "held");
  const std::string again = kept(files(), "again");
  const std::string left = kept(files(), "left");
  files().sweep(users_are({}), kSeconds);
  std::this_thread::sleep_for(half);
  EXPECT_TRUE(files().hold(held));
  EXPECT_EQ(kept(files(), "again"), again);
  files().sweep(users_are({}), kSeconds);
  EXPECT_TRUE(files().has(left));
  std::this_thread::sleep_for(half);
  files().sweep(users_are({}), kSeconds);
  EXPECT_TRUE(files().has(held));
  EXPECT_TRUE(files().has(again));
  EXPECT_FALSE(files().has(left));
}

// Whatever the clocks say: files of the year 1970 and of the next century are treated alike.
TEST_F(FilesTest, NoClockCounts) {
  const std::string old = kept(files(), "old");
  const std::string future = kept(files(), "future");
  for (const auto& [id, seconds] : {std::pair(old, 0L), std::pair(future, 4'000'000'000L)}) {
    const timespec times[2] = {{seconds, 0}, {seconds, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, files().path_of(id).c_str(), times, 0), 0);
  }
  files().sweep(users_are({}), 1000);
  EXPECT_TRUE(files().has(old));
  EXPECT_TRUE(files().has(future));
  files().sweep(users_are({}), 0);
  EXPECT_FALSE(files().has(old));
  EXPECT_FALSE(files().has(future));
}

// A job comes between the sweep's two questions: the file comes back.
TEST_F(FilesTest, AFileThatIsUsedAtTheLastMomentStays) {
  const std::string id = kept(files(), "x");
  int asked = 0;
  const Files::Users users = {.uses = [&](const std::string&) { return ++asked == 2; },
                              .is_job = [](const std::string&) { return true; }};
  EXPECT_EQ(files().sweep(users, 0).freed, 0u);
  EXPECT_EQ(asked, 2);
  EXPECT_TRUE(files().has(id));
  EXPECT_EQ(all_names().size(), 1u);
}

// Between them, a submit holds the file that is leaving: it brings it back itself.
TEST_F(FilesTest, AFileThatIsHeldAtTheLastMomentStays) {
  const std::string id = kept(files(), "x");
  int asked = 0;
  const Files::Users users = {.uses =
                                  [&](const std::string& file) {
                                    if (++asked == 2) {
                                      EXPECT_FALSE(files().has(file));
                                      EXPECT_TRUE(files().hold(file));
                                    }
                                    return false;
                                  },
                              .is_job = [](const std::string&) { return true; }};
  EXPECT_EQ(files().sweep(users, 0).freed, 0u);
  EXPECT_TRUE(files().has(id));
}

TEST_F(FilesTest, AnErrorInTheMiddleBringsItBack) {
  const std::string id = kept(files(), "x");
  int asked = 0;
  const Files::Users users = {.uses = [&](const std::string&) -> bool {
                                if (++asked == 2) throw Error(ErrorKind::resources, "away");
                                return false;
                              },
                              .is_job = [](const std::string&) { return true; }};
  EXPECT_THROW(files().sweep(users, 0), Error);
  EXPECT_TRUE(files().has(id));
}

TEST_F(FilesTest, AnUploadInProgressIsNotSwept) {
  Files::Incoming incoming = files().receive();
  incoming.write(bytes_of("half"));
  Files(path("data")).sweep(users_are({}), 0);
  incoming.write(bytes_of("half"));
  EXPECT_TRUE(files().has(incoming.keep()));
}

// What a process leaves that is killed in the middle of each.
TEST_F(FilesTest, ASweepThatWasKilledIsUndone) {
  const std::string id = kept(files(), "x");
  std::filesystem::rename(files().path_of(id), path("data/files/leaving/" + id));
  EXPECT_FALSE(files().has(id));
  const Files again(path("data"));
  EXPECT_TRUE(again.has(id));
  EXPECT_EQ(all_names().size(), 1u);
}

TEST_F(FilesTest, UploadsThatWereKilledAreSwept) {
  constexpr int kProcesses = 20;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t process = fork();
    if (process == 0) {
      for (int n = 0;; ++n) kept(files(), std::string(20'000, 'a') + std::to_string(n));
    }
    usleep(5'000 + 1'000 * static_cast<useconds_t>(i));
    kill(process, SIGKILL);
    waitpid(process, nullptr, 0);
  }
  // Each file that has a name is whole.
  size_t files_seen = 0;
  for (const std::string& name : all_names()) {
    if (name.find("incoming") != std::string::npos) continue;
    const std::string id = name.substr(name.find('/') + 1);
    EXPECT_EQ(sha256_of_file(files().path_of(id)), id);
    ++files_seen;
  }
  EXPECT_GT(files_seen, 0u);
  files().sweep({.uses = [](const std::string&) { return true; },
                 .is_job = [](const std::string&) { return true; }},
                0);
  EXPECT_EQ(all_names().size(), files_seen);
}

// Sweeps that take everything unused at once, beside uploads and submits: a file of a job that was
// accepted is there at the end. Sweepers that never paused would take every file on a slow machine,
// before its job is there, and others might never meet one; so these go at the submits' own pace,
// each sweep beginning anywhere between two steps of theirs, and some submits wait for one.
TEST_F(FilesTest, NoFileOfAnAcceptedJobIsSwept) {
  constexpr int kAccepted = 100, kRefused = 20, kMostSubmits = 5'000;
  std::mutex mutex;
  std::set<std::string> used;
  // A store takes a while to answer: what was true may be so no longer.
  const Files::Users users = {.uses =
                                  [&](const std::string& file) {
                                    std::unique_lock lock(mutex);
                                    const bool is_used = used.contains(file);
                                    lock.unlock();
                                    if (!is_used) usleep(300);
                                    return is_used;
                                  },
                              .is_job = [](const std::string&) { return true; }};
  std::atomic<bool> over = false;
  std::atomic<int> steps = 0;   // of submits
  std::atomic<int> sweeps = 0;  // that have ended
  std::atomic<bool> is_waiting = false;
  const auto a_moment = [] { std::this_thread::sleep_for(std::chrono::microseconds(50)); };
  std::vector<std::thread> sweepers;
  for (unsigned seed = 0; seed < 2; ++seed) {
    sweepers.emplace_back([&, seed] {
      Files own(path("data"));  // as another process has
      std::mt19937 random(seed);
      while (!over) {
        own.sweep(users, 0);
        ++sweeps;
        const int next = steps + static_cast<int>(random() % 8);
        while (!over && !is_waiting && steps < next) a_moment();
      }
    });
  }
  std::mt19937 random(17);
  const auto step = [&] {
    ++steps;
    if (random() % 4 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 500));
  };
  // Three that end: one of them has begun since. The file is gone then.
  const auto wait_for_a_sweep = [&] {
    const int next = sweeps + 3;
    is_waiting = true;
    while (sweeps < next) a_moment();
    is_waiting = false;
  };
  // What Queue::submit does.
  const auto submit = [&](const std::string& id) {
    if (!files().hold(id)) return false;
    step();
    if (random() % 4 == 0) wait_for_a_sweep();
    {
      const std::scoped_lock lock(mutex);
      used.insert(id);
    }
    step();
    if (files().hold(id)) return true;
    const std::scoped_lock lock(mutex);
    used.erase(id);
    return false;
  };
  int accepted = 0, refused = 0;
  for (int i = 0; i < kMostSubmits && (accepted < kAccepted || refused < kRefused); ++i) {
    const std::string id = kept(files(), std::to_string(i));
    step();
    ++(submit(id) ? accepted : refused);
    step();
  }
  over = true;
  for (std::thread& sweeper : sweepers) sweeper.join();
  for (const std::string& id : used) EXPECT_TRUE(files().has(id)) << id;
  EXPECT_EQ(used.size(), static_cast<size_t>(accepted));
  EXPECT_GE(accepted, kAccepted);
  EXPECT_GE(refused, kRefused);
  RecordProperty("accepted", accepted);
  RecordProperty("refused", refused);
}

}  // namespace
}  // namespace limn
