// The processes of faults.cc, which submit jobs, claim them and finish them, and may be killed.
#pragma once

#include <limn/limn.h>

#include <sys/types.h>
#include <unistd.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace limn {

// Where a run's processes meet.
struct Place {
  std::string store;
  std::string folder;
  int jobs = 0;
  int faults = 0;  // that come while they are submitted: jobs wait for them, however fast they are

  std::string log(const std::string& of) const { return folder + "/" + of + ".log"; }
};

// Throws std::runtime_error unless it is good.
void check(bool good, const std::string& what);

// A log of one line for each event.
void note(const std::string& path, const std::string& line);
std::vector<std::string> lines_of(const std::string& path);

// Until it does not fail for want of the store.
template <typename Act>
auto persist(Act act) {
  for (;;) {
    try {
      return act();
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::resources) throw;
      usleep(50'000);
    }
  }
}

// One of the processes, "submit" or a worker of this name, until all jobs are submitted, or done.
// Notes each job in the log "accepted", "done" or "handed-back" once the store has said so. The log
// "faults" is the caller's: a line for each that has come.
int run_process(const Place& place, const std::string& name);

// All of them: one that submits, and some workers. The program's arguments that run one are
// "process", its name, and the members of the place.
class Processes {
 public:
  explicit Processes(const Place& place);
  ~Processes();
  Processes(const Processes&) = delete;
  Processes& operator=(const Processes&) = delete;

  // One of them, at random; another of its name takes its place. False if all have ended.
  bool kill_one(std::mt19937& random);
  void wait_for_all();
  bool are_running();

 private:
  void start(const std::string& name);
  void reap(int flags);

  const Place& place_;
  std::map<pid_t, std::string> running_;
};

}  // namespace limn
