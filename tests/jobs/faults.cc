// What jobs go through when processes are killed, the database goes away and the disk is full: real
// processes, which submit jobs, claim them and finish them, while this program does its worst. Then
// every job that was accepted is there, done, once.
//
//   job_faults kills sqlite|postgresql KILLS JOBS     kills them at random moments
//   job_faults away TIMES SECONDS JOBS                stops PostgreSQL, for so long each time
//   job_faults full                                   fills a small disk; needs root
//   job_faults frozen                                 PostgreSQL: a machine freezes in a
//   transaction
//
// Prints figures. Exit code 77: it cannot be tried here, and why.
#include <limn/limn.h>

#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/file.h"
#include "jobs/fault_processes.h"
#include "jobs/jobs_for_tests.h"
#include "jobs/postgresql_cluster.h"
#include "jobs/queue.h"

namespace limn {
namespace {
namespace fs = std::filesystem;

constexpr int kSkipped = 77;

void check_integrity(const std::string& file) {
  sqlite3* database = nullptr;
  sqlite3_open(file.c_str(), &database);
  std::string found;
  const auto keep = [](void* user, int, char** values, char**) {
    *static_cast<std::string*>(user) += values[0];
    return 0;
  };
  sqlite3_exec(database, "PRAGMA integrity_check", keep, &found, nullptr);
  sqlite3_close(database);
  check(found == "ok", "integrity_check: " + found);
}

struct Figures {
  int losses = 0, most_losses = 0, attempts = 0;
};

// Every job that was accepted is there, and done, once; and nothing else.
Figures verify(const Place& place) {
  check(lines_of(place.log("trouble")).empty(), "a process failed");
  const auto store = open_store(place.store);
  Files files(place.folder + "/data");
  Queue queue(*store, files);
  const std::vector<Job> jobs = queue.list({.most = 1'000'000});
  check(jobs.size() == static_cast<size_t>(place.jobs),
        std::to_string(jobs.size()) + " jobs of " + std::to_string(place.jobs));
  std::map<std::string, int> times_done;
  std::map<std::string, int> times_back;
  for (const std::string& id : lines_of(place.log("done"))) ++times_done[id];
  for (const std::string& id : lines_of(place.log("handed-back"))) ++times_back[id];
  Figures figures;
  std::set<std::string> ids;
  for (const Job& job : jobs) {
    ids.insert(job.id);
    check(job.state == JobState::done, job.id + " is " + name_of(job.state) + ": " + job.reason);
    check(times_done[job.id] <= 1, job.id + " was done twice");
    // A hand-back whose process was killed before it could note it is an attempt more.
    check(job.attempts >= 1 + job.losses + times_back[job.id], job.id + ": attempts");
    check(!is_missing(files.folder_of_job(job.id) + "/result.png"), job.id + " has no result");
    check(files.has(job.request.inputs.at(0).file), job.id + " has lost its input");
    figures.losses += job.losses;
    figures.most_losses = std::max(figures.most_losses, job.losses);
    figures.attempts += job.attempts;
  }
  const std::vector<std::string> accepted = lines_of(place.log("accepted"));
  check(std::set<std::string>(accepted.begin(), accepted.end()) == ids, "an accepted job is lost");
  files.sweep(queue.users_of_files(), 0);
  for (const char* empty : {"/data/files/incoming", "/data/files/leaving"})
    check(fs::is_empty(place.folder + empty), std::string("leftovers in ") + empty);
  if (place.store.starts_with("/")) check_integrity(place.store);
  return figures;
}

class TemporaryPlace : public Place {
 public:
  TemporaryPlace(const std::string& kind, int count, int interrupted = 0) {
    folder = (fs::temp_directory_path() / "limn-faults-XXXXXX").string();
    check(mkdtemp(folder.data()) != nullptr, "a folder");
    jobs = count;
    faults = interrupted;
    store = kind == "sqlite" ? folder + "/jobs.db" : PostgresqlCluster::one().where();
  }
  ~TemporaryPlace() {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  }
  TemporaryPlace(const TemporaryPlace&) = delete;
  TemporaryPlace& operator=(const TemporaryPlace&) = delete;
};

double seconds_since(std::chrono::steady_clock::time_point before) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
}

int kills(const std::string& kind, int count, int jobs) {
  const TemporaryPlace place(kind, jobs, count);
  if (place.store.empty()) {
    printf("skipped: %s\n", PostgresqlCluster::one().why_not().c_str());
    return kSkipped;
  }
  const auto before = std::chrono::steady_clock::now();
  std::mt19937 random(17);
  int killed = 0;
  {
    Processes processes(place);
    while (killed < count) {
      usleep(10'000 + random() % 100'000);
      if (!processes.kill_one(random)) break;
      ++killed;
      note(place.log("faults"), "killed");
    }
    processes.wait_for_all();
  }
  const Figures figures = verify(place);
  printf(
      "%s: %d kills, %d jobs in %.0f s: all done, none twice; %d were in a worker's hands when it "
      "was killed (the same one at most %d times), %d attempts\n",
      kind.c_str(), killed, jobs, seconds_since(before), figures.losses, figures.most_losses,
      figures.attempts);
  check(killed == count, "the jobs were done before all kills");
  return 0;
}

int away(int times, int seconds, int jobs) {
  const TemporaryPlace place("postgresql", jobs, times);
  if (place.store.empty()) {
    printf("skipped: %s\n", PostgresqlCluster::one().why_not().c_str());
    return kSkipped;
  }
  const auto before = std::chrono::steady_clock::now();
  std::mt19937 random(17);
  int stopped = 0;
  {
    Processes processes(place);
    for (; stopped < times; ++stopped) {
      usleep(200'000 + random() % 300'000);
      if (!processes.are_running()) break;
      PostgresqlCluster::one().stop();
      sleep(static_cast<unsigned>(seconds));
      PostgresqlCluster::one().start();
      note(place.log("faults"), "away");
    }
    processes.wait_for_all();
  }
  const Figures figures = verify(place);
  printf(
      "postgresql: %d jobs in %.0f s while the server crashed %d times and was away for %d s each: "
      "all done, none twice; %d attempts\n",
      jobs, seconds_since(before), stopped, seconds, figures.attempts);
  check(stopped == times, "the jobs were done before");
  return 0;
}

// A disk of 4 MB, in a namespace of this process alone.
int full() {
  const TemporaryPlace place("sqlite", 0);
  if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      mount("tmpfs", place.folder.c_str(), "tmpfs", 0, "size=4m") != 0) {
    printf("skipped: no small disk can be mounted here\n");
    return kSkipped;
  }
  const std::string store_file = place.folder + "/jobs.db";
  std::set<std::string> accepted;
  int refused = 0;
  {
    const auto store = open_store(store_file);
    Files files(place.folder + "/data");
    Queue queue(*store, files);
    const auto submit = [&](size_t bytes) {
      try {
        Files::Incoming incoming = files.receive();
        const std::string picture = std::string(bytes, 'x') + new_job_id();
        incoming.write(std::as_bytes(std::span(picture)));
        JobRequest request = request_of("studio");
        request.recipe = std::string(bytes / 4, 'r');
        request.inputs = {{"photo", "p.jpg", incoming.keep()}};
        const Job job = queue.submit(request);
        accepted.insert(job.id);
        std::ofstream(files.folder_of_job(job.id) + "/result.png") << picture;
        return true;
      } catch (const Error& error) {
        check(error.kind() == ErrorKind::resources, error.what());
        ++refused;
        return false;
      }
    };
    for (size_t bytes = 100'000; bytes > 100; bytes /= 2) {
      while (submit(bytes)) {
      }
    }
    check(accepted.size() == queue.list({}).size(), "jobs on the full disk");
    const auto last = queue.list({.most = 1, .newest_first = true}).at(0);
    check(queue.erase(last.id), "erasing on a full disk");  // by which there is room again
    accepted.erase(last.id);
    files.sweep(queue.users_of_files(), 0);
    for (int i = 0; i < 10 && !submit(100); ++i) {
    }
  }
  const auto store = open_store(store_file);
  std::set<std::string> found;
  for (const Job& job : store->list({})) found.insert(job.id);
  check(found == accepted, "an accepted job is lost, or a refused one is there");
  check_integrity(store_file);
  printf("full disk: %zu jobs accepted, %d refused, none lost\n", accepted.size(), refused);
  umount2(place.folder.c_str(), MNT_DETACH);
  return 0;
}

// One process stops in the middle of changing a job; another wants to change it too.
int frozen() {
  const TemporaryPlace place("postgresql", 0);
  if (place.store.empty()) {
    printf("skipped: %s\n", PostgresqlCluster::one().why_not().c_str());
    return kSkipped;
  }
  const std::string id = open_store(place.store)->add(new_job()).value().id;
  const auto raise_attempts = [&](const std::function<void()>& in_the_middle) {
    const auto store = open_store(place.store);
    return persist([&] {
      return store->update(id, [&](Job& job) {
        in_the_middle();
        ++job.attempts;
        return true;
      });
    });
  };
  const pid_t process = fork();
  if (process == 0) {
    bool first = true;
    const auto stop_once = [&] {
      if (std::exchange(first, false)) raise(SIGSTOP);
    };
    _exit(raise_attempts(stop_once) ? 0 : 1);
  }
  int status = 0;
  waitpid(process, &status, WUNTRACED);
  check(WIFSTOPPED(status), "it should have stopped");
  const auto before = std::chrono::steady_clock::now();
  check(raise_attempts([] {}).has_value(), "the other one's change");
  const double seconds = seconds_since(before);
  kill(process, SIGCONT);
  waitpid(process, &status, 0);
  check(status == 0, "its change, once it goes on");
  check(open_store(place.store)->find(id)->attempts == 2, "both changes, once each");
  printf(
      "postgresql: a process froze in a transaction; the job that it held was free after %.0f s\n",
      seconds);
  return 0;
}

int run(const std::vector<std::string>& arguments) {
  const auto number = [&](size_t at) { return std::stoi(arguments.at(at)); };
  const std::string& mode = arguments.at(0);
  if (mode == "process") {
    const Place place = {arguments.at(2), arguments.at(3), number(4), number(5)};
    return run_process(place, arguments.at(1));
  }
  if (mode == "kills") return kills(arguments.at(1), number(2), number(3));
  if (mode == "away") return away(number(1), number(2), number(3));
  if (mode == "full") return full();
  if (mode == "frozen") return frozen();
  throw std::invalid_argument("kills, away, full or frozen");
}

}  // namespace
}  // namespace limn

int main(int count, char** arguments) {
  try {
    return limn::run({arguments + 1, arguments + count});
  } catch (const std::exception& error) {
    fprintf(stderr, "job_faults: %s\n", error.what());
    return 1;
  }
}
