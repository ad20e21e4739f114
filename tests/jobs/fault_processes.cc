#include "jobs/fault_processes.h"

#include <limn/limn.h>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <span>
#include <stdexcept>

#include "base/file.h"
#include "jobs/jobs_for_tests.h"
#include "jobs/queue.h"

namespace limn {

void check(bool good, const std::string& what) {
  if (!good) throw std::runtime_error("FAILED: " + what);
}

// One short line at the end of a log: whole, or not there.
void note(const std::string& path, const std::string& line) {
  std::ofstream(path, std::ios::app) << line + "\n" << std::flush;
}

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

namespace {

constexpr int kWorkers = 3;

// Waits until as large a share of the faults has come as of the jobs is submitted, but for some
// that keep the workers busy. The last job comes after the last fault.
void await_faults(const Place& place, size_t job) {
  constexpr size_t kAhead = 30;
  const auto jobs = static_cast<size_t>(place.jobs), faults = static_cast<size_t>(place.faults);
  const size_t due = job + 1 == jobs ? faults : faults * (job - std::min(job, kAhead)) / jobs;
  while (lines_of(place.log("faults")).size() < due) usleep(2000);
}

// Submits all jobs, each with a key of its own, and notes those that were accepted. One that was
// killed before it noted the last repeats that one.
int submit_all(const Place& place) {
  const auto store = persist([&] { return open_store(place.store); });
  Files files(place.folder + "/data");
  Queue queue(*store, files);
  for (size_t i = lines_of(place.log("accepted")).size(); i < static_cast<size_t>(place.jobs);
       ++i) {
    await_faults(place, i);
    const std::string text = "picture " + std::to_string(i % 20);
    JobRequest request = request_of("studio", "job " + std::to_string(i), i % 10 == 0);
    const Job job = persist([&] {
      Files::Incoming incoming = files.receive();
      incoming.write(std::as_bytes(std::span(text)));
      request.inputs = {{"photo", "p.jpg", incoming.keep()}};
      return queue.submit(request);
    });
    note(place.log("accepted"), job.id);
  }
  return 0;
}

// "Paints": a few beats, then the result; now and then hands a job back.
void paint(Queue& queue, const Place& place, const Job& job, std::mt19937& random) {
  const Lease lease = lease_of(job);
  for (unsigned beats = random() % 3; beats > 0; --beats) {
    usleep(random() % 3000);
    if (!persist([&] { return queue.beat(lease); })) return;
  }
  if (random() % 20 == 0) {
    if (persist([&] {
          return queue.finish(lease, {.ending = Ending::handed_back, .reason = "break"});
        }))
      note(place.log("handed-back"), job.id);
    return;
  }
  replace_file(queue.files().folder_of_job(job.id) + "/result.png", std::string("painted"));
  if (persist([&] { return queue.finish(lease, {.ending = Ending::painted, .reason = ""}); }))
    note(place.log("done"), job.id);
}

int work(const Place& place, const std::string& name) {
  std::mt19937 random(std::random_device{}());
  const auto store = persist([&] { return open_store(place.store); });
  Files files(place.folder + "/data");
  Queue queue(*store, files);
  persist([&] { return LeaseWatch::take_back_from(*store, name); });
  for (;;) {
    const std::optional<Job> job = persist([&] { return queue.claim(name, 1e9); });
    if (job) {
      paint(queue, place, *job, random);
      continue;
    }
    const std::vector<Job> done =
        persist([&] { return queue.list({.states = {JobState::done}, .most = 1'000'000}); });
    if (done.size() >= static_cast<size_t>(place.jobs)) return 0;
    usleep(5000);
  }
}

}  // namespace

int run_process(const Place& place, const std::string& name) {
  return name == "submit" ? submit_all(place) : work(place, name);
}

Processes::Processes(const Place& place) : place_(place) {
  start("submit");
  for (int i = 0; i < kWorkers; ++i) start("worker-" + std::to_string(i));
}

Processes::~Processes() {
  for (const auto& [process, name] : running_) kill(process, SIGKILL);
  wait_for_all();
}

bool Processes::kill_one(std::mt19937& random) {
  reap(WNOHANG);
  if (running_.empty()) return false;
  const auto one = std::next(running_.begin(), static_cast<int>(random() % running_.size()));
  const auto [process, name] = *one;
  kill(process, SIGKILL);
  waitpid(process, nullptr, 0);
  running_.erase(process);
  start(name);
  return true;
}

void Processes::wait_for_all() {
  while (!running_.empty()) reap(0);
}

bool Processes::are_running() {
  reap(WNOHANG);
  return !running_.empty();
}

void Processes::start(const std::string& name) {
  const pid_t process = fork();
  check(process >= 0, "fork");
  if (process == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const std::string jobs = std::to_string(place_.jobs), faults = std::to_string(place_.faults);
    execl("/proc/self/exe", "job_faults", "process", name.c_str(), place_.store.c_str(),
          place_.folder.c_str(), jobs.c_str(), faults.c_str(), nullptr);
    _exit(127);
  }
  running_[process] = name;
}

void Processes::reap(int flags) {
  std::vector<pid_t> ended;
  for (const auto& [process, name] : running_) {
    int status = 0;
    if (waitpid(process, &status, flags) != process) continue;
    ended.push_back(process);
    if (status != 0) note(place_.log("trouble"), name);
  }
  for (const pid_t process : ended) running_.erase(process);
}

}  // namespace limn
