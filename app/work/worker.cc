#include "work/worker.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/stopwatch.h"
#include "base/temporary_file.h"
#include "show/console.h"
#include "work/job_run.h"
#include "work/worker_options.h"

namespace limn {
namespace {

constexpr double kBetweenLooks = 0.25;   // seconds between looks at the store's revision
constexpr double kBetweenWatches = 1.0;  // seconds between looks at other workers' leases
constexpr double kAfterTrouble = 2.0;    // seconds before the store is asked again

}  // namespace

struct Worker::Inside {
  Inside(Queue& given, WorkerOptions wanted)
      : queue(given),
        options(completed(std::move(wanted))),
        lock(lock_name(queue.files().folder(), options.name)),
        memory(options.memory),
        watch(options.lease) {}

  void paint_jobs(int index);
  std::optional<Job> claim();
  std::optional<JobOutcome> carry_out(const std::shared_ptr<Assignment>& assignment, int index);
  void say_how_it_ended(const Assignment& assignment, const JobOutcome& outcome);
  void count(const JobOutcome& outcome);
  void make_room_here();
  void keep_in_touch();
  void look_at_store();
  void beat_all();
  std::vector<std::shared_ptr<Assignment>> current() const;
  bool is_draining() const {
    const std::lock_guard guard(mutex);
    return draining;
  }
  void wait_for_news(std::int64_t known, double seconds);
  void pause(double seconds);
  std::int64_t latest_news() const {
    const std::lock_guard guard(mutex);
    return news;
  }
  void store_failed(const Error& error);
  void store_answers();

  Queue& queue;
  const WorkerOptions options;
  const Descriptor lock;
  MemoryBudget memory;
  MemoryBudget plans{1};
  LeaseWatch watch;
  Stopwatch clock;
  std::int64_t revision = -1;  // that was seen last, by the thread that beats

  mutable std::mutex mutex;  // for all that follows
  std::condition_variable changed;
  bool draining = false, over = false;
  bool store_is_away = false;
  std::int64_t news = 0;  // grows with each change that was seen in the store
  std::vector<std::shared_ptr<Assignment>> assignments;
  Figures figures;
  std::vector<std::thread> painters;
  std::thread touch;
};

std::vector<std::shared_ptr<Assignment>> Worker::Inside::current() const {
  const std::lock_guard guard(mutex);
  return assignments;
}

// Until something has changed since `known`, but not longer.
void Worker::Inside::wait_for_news(std::int64_t known, double seconds) {
  std::unique_lock guard(mutex);
  changed.wait_for(guard, std::chrono::duration<double>(seconds),
                   [&] { return draining || news != known; });
}

void Worker::Inside::pause(double seconds) {
  std::unique_lock guard(mutex);
  changed.wait_for(guard, std::chrono::duration<double>(seconds), [&] { return draining; });
}

// A store that is away for a while stops nothing that is being painted; it is said once.
void Worker::Inside::store_failed(const Error& error) {
  {
    const std::lock_guard guard(mutex);
    if (std::exchange(store_is_away, true)) return;
  }
  warn(fmt::format("{}; what is being painted goes on", error.what()));
}

void Worker::Inside::store_answers() {
  {
    const std::lock_guard guard(mutex);
    if (!std::exchange(store_is_away, false)) return;
  }
  warn("the jobs can be reached again");
}

// --------------------------------------------------------------------------- a painter's thread --

std::optional<Job> Worker::Inside::claim() {
  try {
    // A painter that waits for memory is next, but previews may pass it.
    std::optional<Job> job =
        queue.claim(options.name, options.memory, /*previews_only=*/memory.somebody_waits());
    store_answers();
    return job;
  } catch (const Error& error) {
    store_failed(error);
    return {};
  }
}

// Of this worker's pictures that are no previews, the one that began last makes room.
void Worker::Inside::make_room_here() {
  const auto all = current();
  const auto is_full = [](const auto& a) { return !a->job.request.preview; };
  if (std::ranges::any_of(all, [&](const auto& a) { return is_full(a) && a->make_room; })) return;
  const auto last = std::find_if(all.rbegin(), all.rend(), is_full);
  if (last != all.rend()) (*last)->make_room = true;
}

std::optional<JobOutcome> Worker::Inside::carry_out(const std::shared_ptr<Assignment>& assignment,
                                                    int index) {
  PainterTerms terms;
  terms.program = options.program;
  terms.cores = share_of_cores(usable_cores(), index, options.painters);
  terms.painting.threads = std::max(1, static_cast<int>(terms.cores.size()));
  terms.painting.checkpoint = options.checkpoint;
  terms.painting.memory = options.memory / options.painters;
  terms.grace = options.grace;
  terms.patience = options.patience;
  terms.silence = options.silence;
  const auto planned = [&](double bytes) {
    try {
      queue.set_bytes(assignment->lease, bytes);
    } catch (const Error& error) {
      store_failed(error);  // it will be planned again, should there be a next time
    }
  };
  const WorkerCalls calls = {[this] { return is_draining(); }, planned,
                             [this] { make_room_here(); }};
  return JobRun(*assignment, queue.files(), memory, plans, terms, calls).run();
}

void Worker::Inside::count(const JobOutcome& outcome) {
  const std::lock_guard guard(mutex);
  switch (outcome.ending) {
    case Ending::painted:
      ++figures.painted;
      break;
    case Ending::refused:
      ++figures.failed;
      break;
    case Ending::killed:
      ++figures.killed;
      break;
    case Ending::stopped:
    case Ending::handed_back:
      ++figures.stopped;
      break;
  }
}

// Until the store has heard it, or says that the job is another's, or there is no more time.
void Worker::Inside::say_how_it_ended(const Assignment& assignment, const JobOutcome& outcome) {
  std::optional<Stopwatch> since_draining;
  while (!assignment.lost) {
    try {
      const bool heard = queue.finish(assignment.lease, outcome);
      store_answers();
      if (heard) count(outcome);
      if (heard && outcome.ending == Ending::painted) {
        queue.files().erase_states(assignment.job.id);
      }
      return;
    } catch (const Error& error) {
      store_failed(error);
    }
    if (!is_draining()) {
      pause(kAfterTrouble);
      continue;
    }
    if (!since_draining) since_draining.emplace();
    if ((*since_draining)() > options.grace) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

void Worker::Inside::paint_jobs(int index) {
  while (!is_draining()) {
    const std::int64_t known = latest_news();
    std::optional<Job> job = claim();
    if (!job) {
      wait_for_news(known, kAfterTrouble);
      continue;
    }
    const auto assignment = std::make_shared<Assignment>(std::move(*job));
    {
      const std::lock_guard guard(mutex);
      assignments.push_back(assignment);
    }
    const std::optional<JobOutcome> outcome = carry_out(assignment, index);
    if (outcome) say_how_it_ended(*assignment, *outcome);
    {
      const std::lock_guard guard(mutex);
      std::erase(assignments, assignment);
    }
    // Trouble of the machine rather than of the job: not at once again.
    if (outcome && outcome->ending == Ending::handed_back) pause(kAfterTrouble);
  }
}

// ------------------------------------------------------------------------ the thread that beats --

void Worker::Inside::beat_all() {
  for (const auto& assignment : current()) {
    const std::optional<Wish> wish = queue.beat(assignment->lease);
    if (!wish) {
      // Its painter may just have said how it ended.
      const auto now = current();
      if (std::ranges::find(now, assignment) != now.end()) assignment->lost = true;
    } else {
      assignment->wish = *wish;
    }
  }
}

// Something has changed: wishes, previews that wait, jobs.
void Worker::Inside::look_at_store() {
  const auto all = current();
  for (const auto& assignment : all) {
    const std::optional<Job> job = queue.find(assignment->lease.job);
    const bool still = job && job->state == JobState::running && job->worker == options.name &&
                       job->attempts == assignment->lease.attempt;
    if (still) assignment->wish = job->wish;
  }
  if (static_cast<int>(all.size()) >= options.painters) {
    queue.make_room_for_previews(options.name, options.memory);
  }
  {
    const std::lock_guard guard(mutex);
    ++news;
  }
  changed.notify_all();
}

void Worker::Inside::keep_in_touch() {
  double next_beat = 0, next_watch = 0;
  while (true) {
    {
      std::unique_lock guard(mutex);
      changed.wait_for(guard, std::chrono::duration<double>(kBetweenLooks), [&] { return over; });
      if (over) return;
    }
    try {
      const std::int64_t now = queue.revision();
      if (std::exchange(revision, now) != now) look_at_store();
      if (clock() >= next_beat) {
        beat_all();
        next_beat = clock() + options.beat;
      }
      if (options.lease > 0 && clock() >= next_watch) {
        watch.look(queue.store(), clock());
        next_watch = clock() + std::min(kBetweenWatches, options.lease / 10);
      }
      store_answers();
    } catch (const Error& error) {
      store_failed(error);
    }
  }
}

// -------------------------------------------------------------------------------- the interface --

Worker::Worker(Queue& queue, WorkerOptions options)
    : inside_(std::make_unique<Inside>(queue, std::move(options))) {
  LeaseWatch::take_back_from(queue.store(), inside_->options.name);
}

Worker::~Worker() { drain(); }

void Worker::start() {
  Inside& in = *inside_;
  in.touch = std::thread([&in] { in.keep_in_touch(); });
  in.painters.reserve(in.options.painters);
  for (int i = 0; i < in.options.painters; ++i) {
    in.painters.emplace_back([&in, i] { in.paint_jobs(i); });
  }
}

void Worker::drain() {
  Inside& in = *inside_;
  {
    const std::lock_guard guard(in.mutex);
    in.draining = true;
  }
  in.changed.notify_all();
  for (std::thread& painter : in.painters) painter.join();
  in.painters.clear();
  {
    const std::lock_guard guard(in.mutex);
    in.over = true;
  }
  in.changed.notify_all();
  if (in.touch.joinable()) in.touch.join();
}

Worker::Figures Worker::figures() const {
  const Inside& in = *inside_;
  const std::lock_guard guard(in.mutex);
  Figures figures = in.figures;
  figures.painters = in.options.painters;
  figures.painting = static_cast<int>(in.assignments.size());
  figures.memory = in.memory.whole();
  figures.memory_used = in.memory.used();
  return figures;
}

const std::string& Worker::name() const { return inside_->options.name; }

}  // namespace limn
