#include "serve/live.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/stopwatch.h"
#include "base/temporary_file.h"
#include "serve/live_process.h"
#include "serve/live_reply.h"
#include "serve/problem.h"
#include "show/console.h"

namespace limn {
namespace {

constexpr double kBetweenLooks = 0.1;  // seconds, at whether it is to stop, and at its memory
constexpr double kSecondsToStart = 30;
constexpr double kAfterTrouble = 2;  // seconds before a painter that did not start is tried again

}  // namespace

struct LivePainters::Inside {
  // Wakes a thread that waits for descriptors.
  class Bell {
   public:
    Bell() : file_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
      if (file_.number() < 0) fail(ErrorKind::resources, "cannot make a bell for a live painter");
    }
    void ring() const {
      constexpr std::uint64_t kOne = 1;
      [[maybe_unused]] const ssize_t written = write(file_.number(), &kOne, sizeof kOne);
    }
    void hush() const {
      std::uint64_t rings = 0;
      [[maybe_unused]] const ssize_t got = read(file_.number(), &rings, sizeof rings);
    }
    int descriptor() const { return file_.number(); }

   private:
    Descriptor file_;
  };

  // A request on its way through the painters.
  struct Ticket {
    LiveJob job;
    std::string seat;
    std::shared_ptr<LiveReply> reply = std::make_shared<LiveReply>();
    std::uint32_t number = 0;
    Stopwatch since;  // it came
  };

  // A painter's place: it stays when the process does not.
  struct Easel {
    explicit Easel(int given) : index(given) {}
    const int index;
    Bell bell;
    // All that follows under the mutex of all of them.
    std::string seat;                       // whose pictures it has
    std::shared_ptr<Ticket> next, current;  // told to paint it, and paints it
    Stopwatch since_used;
    double memory = 0;
    std::thread thread;
    bool is_free() const { return !next && !current; }
  };

  Inside(const Files& given, LiveOptions wanted) : files(given), options(std::move(wanted)) {
    if (options.program.empty()) options.program = "/proc/self/exe";
  }

  Easel* easel_for(const std::string& seat);
  void end_seat(const std::string& seat);
  void end_all(const Problem& problem);
  void expire();
  bool is_needed(const Easel& easel) const;

  // Of a painter's thread.
  void keep(Easel& easel);
  void converse(Easel& easel);
  void look_after(Easel& easel, LiveProcess& process);
  void mourn(Easel& easel, const LiveProcess& process);
  bool await_need(Easel& easel);
  void pause(double seconds);
  std::shared_ptr<Ticket> take_up(Easel& easel);
  void put_down(Easel& easel);

  const Files& files;
  LiveOptions options;
  mutable std::mutex mutex;  // for all that follows
  std::condition_variable changed;
  std::deque<Easel> easels;
  std::list<std::shared_ptr<Ticket>> waiting;
  std::uint32_t last_number = 0;
  bool stopping = false;
  Figures figures;
};

namespace {

// What a connection reads; the ticket's end when it goes.
class LiveParts : public PartStream {
 public:
  LiveParts(std::shared_ptr<LiveReply> reply, std::function<void()> gone)
      : reply_(std::move(reply)), gone_(std::move(gone)) {}
  ~LiveParts() override {
    reply_->leave();
    gone_();
  }
  LiveParts(const LiveParts&) = delete;
  LiveParts& operator=(const LiveParts&) = delete;
  Step next() override { return reply_->next(); }
  void on_news(std::function<void()> call) override { reply_->on_news(std::move(call)); }

 private:
  const std::shared_ptr<LiveReply> reply_;
  const std::function<void()> gone_;
};

}  // namespace

// ------------------------------------------------------------------- requests, on any thread --

// Where this seat's last request went, even if it is being painted: it has just been ended. Else
// the free painter that has been so longest.
LivePainters::Inside::Easel* LivePainters::Inside::easel_for(const std::string& seat) {
  Easel* best = nullptr;
  for (Easel& easel : easels) {
    const bool unwanted = easel.current && !easel.current->reply->is_wanted();
    if (easel.seat == seat && !easel.next && (!easel.current || unwanted)) return &easel;
    if (!easel.is_free()) continue;
    const bool better =
        best == nullptr || (easel.seat.empty() && !best->seat.empty()) ||
        (easel.seat.empty() == best->seat.empty() && easel.since_used() > best->since_used());
    if (better) best = &easel;
  }
  return best;
}

void LivePainters::Inside::end_seat(const std::string& seat) {
  const Problem superseded(409, "a newer request of the same seat has taken its place");
  const auto end = [&](const std::shared_ptr<Ticket>& ticket) {
    if (!ticket || ticket->seat != seat) return false;
    if (ticket->reply->is_wanted()) ++figures.superseded;
    ticket->reply->fail(superseded);
    return true;
  };
  waiting.remove_if(end);
  for (Easel& easel : easels) {
    if (end(easel.next)) easel.next.reset();
    if (end(easel.current)) easel.bell.ring();
  }
}

void LivePainters::Inside::end_all(const Problem& problem) {
  for (const auto& ticket : std::exchange(waiting, {})) ticket->reply->fail(problem);
  for (Easel& easel : easels) {
    for (const auto& ticket : {std::exchange(easel.next, {}), easel.current}) {
      if (ticket) ticket->reply->fail(problem);
    }
  }
}

// Those that nobody wants any more, or that have waited too long: for a painter, or for one that
// does not stop, or start.
void LivePainters::Inside::expire() {
  const auto is_over = [](const std::shared_ptr<Ticket>& ticket, double patience) {
    if (ticket->since() > patience) {
      ticket->reply->fail(Problem(503, "all live painters are busy; ask again in a moment"));
    }
    return !ticket->reply->is_wanted();
  };
  waiting.remove_if([&](const auto& ticket) { return is_over(ticket, options.patience); });
  for (Easel& easel : easels) {
    const double patience = options.patience + options.grace;
    if (easel.next && is_over(easel.next, patience)) easel.next.reset();
  }
}

std::unique_ptr<PartStream> LivePainters::paint(LiveJob job, const std::string& seat) {
  Inside& in = *inside_;
  const std::lock_guard lock(in.mutex);
  if (in.easels.empty()) {
    throw Problem(503, "this server shows no previews: it was started with --live 0");
  }
  if (in.stopping) throw Problem(503, "the server is stopping");
  in.end_seat(seat);
  in.expire();
  auto ticket = std::make_shared<Inside::Ticket>();
  ticket->job = std::move(job);
  ticket->seat = seat;
  ticket->number = ++in.last_number;
  ++in.figures.asked;
  if (Inside::Easel* const easel = in.easel_for(seat)) {
    easel->next = ticket;
    easel->seat = seat;
    easel->bell.ring();
  } else if (in.waiting.size() < in.options.waiting) {
    in.waiting.push_back(ticket);
  } else {
    throw Problem(503, "all live painters are busy, and too many requests wait for them");
  }
  in.changed.notify_all();
  const auto gone = [inside = std::weak_ptr<Inside>(inside_)] {
    const std::shared_ptr<Inside> still = inside.lock();
    if (!still) return;
    const std::lock_guard guard(still->mutex);
    for (auto& easel : still->easels) easel.bell.ring();
  };
  return std::make_unique<LiveParts>(ticket->reply, gone);
}

// ------------------------------------------------------------------------ a painter's thread --

// One more than are in use, so that the next seat finds a warm one.
bool LivePainters::Inside::is_needed(const Easel& easel) const {
  const auto in_use =
      std::ranges::count_if(easels, [](const Easel& other) { return !other.seat.empty(); });
  return easel.index <= in_use;
}

bool LivePainters::Inside::await_need(Easel& easel) {
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return stopping || is_needed(easel); });
  return !stopping;
}

void LivePainters::Inside::pause(double seconds) {
  std::unique_lock lock(mutex);
  changed.wait_for(lock, std::chrono::duration<double>(seconds), [&] { return stopping; });
  expire();
}

// What the painter is to do now; null: nothing.
std::shared_ptr<LivePainters::Inside::Ticket> LivePainters::Inside::take_up(Easel& easel) {
  const std::lock_guard lock(mutex);
  if (!easel.next && !waiting.empty()) {
    easel.next = std::move(waiting.front());
    waiting.pop_front();
    easel.seat = easel.next->seat;
    changed.notify_all();  // another one may be needed now
  }
  easel.current = std::exchange(easel.next, {});
  return easel.current;
}

void LivePainters::Inside::put_down(Easel& easel) {
  const std::lock_guard lock(mutex);
  easel.current.reset();
  easel.since_used = Stopwatch();
}

// From its process's start to that one's end.
void LivePainters::Inside::converse(Easel& easel) {
  LiveProcess process(options.program, files, easel.index);
  bool over = false;
  while (!over) {
    const bool goes_on = process.wait(kBetweenLooks, easel.bell.descriptor());
    easel.bell.hush();
    if (easel.current && !process.is_painting()) put_down(easel);
    if (!goes_on) break;
    if (!process.is_ready() && process.since_start() > kSecondsToStart) process.kill();
    if (!easel.current && process.is_ready()) {
      if (const std::shared_ptr<Ticket> ticket = take_up(easel)) {
        process.begin(ticket->number, ticket->job, ticket->reply);
      }
    }
    look_after(easel, process);
    const std::lock_guard lock(mutex);
    expire();
    over = stopping;
  }
  if (over) return;
  mourn(easel, process);
}

// Ends what nobody waits for, and what takes too long or too much.
void LivePainters::Inside::look_after(Easel& easel, LiveProcess& process) {
  const double memory = process.memory();
  {
    const std::lock_guard lock(mutex);
    easel.memory = memory;
  }
  const bool too_large = memory > options.memory;
  if (too_large && easel.current) {
    easel.current->reply->fail(
        Problem(422,
                "a preview of it takes more memory than a live painter may have; choose a smaller "
                "size"));
  }
  if (!process.is_painting()) {
    if (too_large) process.kill();
    return;
  }
  if (process.since_begun() > options.longest) {
    easel.current->reply->fail(
        Problem(422, fmt::format("a preview of it takes longer than {:.0f} seconds; choose a "
                                 "smaller size, or submit a job",
                                 options.longest)));
  }
  if (too_large || process.since_stopped() > options.grace) {
    process.kill();
  } else if (!easel.current->reply->is_wanted() && process.since_stopped() == 0) {
    process.stop();
  }
}

// It has ended, whether while it painted or not.
void LivePainters::Inside::mourn(Easel& easel, const LiveProcess& process) {
  if (const std::shared_ptr<Ticket> ticket = easel.current) {
    ticket->reply->fail(
        Problem(503, fmt::format("the painter of this preview has died: {}; another one takes its "
                                 "place",
                                 process.how_it_ended())));
    put_down(easel);
  }
  {
    const std::lock_guard lock(mutex);
    ++figures.died;
    easel.memory = 0;
  }
  if (!process.is_ready()) {
    warn(fmt::format("a live painter did not start: {}", process.how_it_ended()));
    pause(kAfterTrouble);
  }
}

void LivePainters::Inside::keep(Easel& easel) {
  while (await_need(easel)) {
    try {
      converse(easel);
    } catch (const std::exception& error) {
      warn(fmt::format("a live painter could not be started: {}", error.what()));
      pause(kAfterTrouble);
    }
  }
}

// -------------------------------------------------------------------------------- all of them --

LivePainters::LivePainters(const Files& files, LiveOptions options)
    : inside_(std::make_shared<Inside>(files, std::move(options))) {
  Inside& in = *inside_;
  for (int i = 0; i < in.options.painters; ++i) in.easels.emplace_back(i);
  for (auto& easel : in.easels) {
    easel.thread = std::thread([&in, &easel] { in.keep(easel); });
  }
}

LivePainters::~LivePainters() {
  stop();
  for (auto& easel : inside_->easels) {
    if (easel.thread.joinable()) easel.thread.join();
  }
}

void LivePainters::stop() {
  const std::lock_guard lock(inside_->mutex);
  inside_->stopping = true;
  inside_->end_all(Problem(503, "the server is stopping"));
  inside_->changed.notify_all();
  for (const auto& easel : inside_->easels) easel.bell.ring();
}

LivePainters::Figures LivePainters::figures() const {
  const std::lock_guard lock(inside_->mutex);
  Figures figures = inside_->figures;
  figures.waiting = static_cast<int>(inside_->waiting.size());
  for (const auto& easel : inside_->easels) {
    figures.painters += easel.memory > 0 ? 1 : 0;
    figures.painting += easel.current ? 1 : 0;
    figures.memory += easel.memory;
  }
  return figures;
}

}  // namespace limn
