#include "show/preview.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <ctime>
#include <mutex>
#include <thread>
#include <utility>

#include "base/stopwatch.h"

namespace limn {
namespace {

// Of the painting's time, at most.
constexpr double kShareOfTime = 0.04;
// JPEG and WebP: nobody looks for artefacts in what is replaced at once.
constexpr int kPreviewQuality = 85;

Image shrunk_to_preview(Image image) {
  const int longest = std::max(image.width, image.height);
  if (longest <= kPreviewSide) return image;
  const double scale = 1.0 * kPreviewSide / longest;
  const auto side = [&](int old) { return std::max(1, static_cast<int>(old * scale)); };
  return resized(image, side(image.width), side(image.height));
}

// The calling thread's time on a core, in seconds.
double time_on_core() {
  timespec time = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace

struct PreviewWriter::Inside {
  explicit Inside(PreviewOptions given) : options(std::move(given)), thread([this] { write(); }) {}
  ~Inside() {
    {
      const std::lock_guard lock(mutex);
      over = true;
    }
    changed.notify_all();
    thread.join();
  }

  bool is_idle() {
    const std::lock_guard lock(mutex);
    return !waiting && !writing;
  }

  void hand_over(Image picture) {
    {
      const std::lock_guard lock(mutex);
      waiting = std::move(picture);
    }
    changed.notify_all();
  }

  // The other thread: writes what is handed over, until all is over.
  void write() {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [&] { return over || waiting; });
      if (!waiting) return;
      const Image picture = std::move(*waiting);
      waiting.reset();
      writing = true;
      lock.unlock();
      const double before = time_on_core();
      std::optional<std::string> why;
      try {
        write_image(picture, options.path, {.quality = kPreviewQuality});
      } catch (const std::exception& error) {
        why = error.what();
      }
      const double took = time_on_core() - before;
      lock.lock();
      seconds_to_write = took;
      if (why && !failed) trouble = std::move(why);
      failed = failed || trouble;
      writing = false;
      changed.notify_all();
    }
  }

  const PreviewOptions options;
  Stopwatch clock;
  double next = 0;  // when the next one is due, by the clock

  std::mutex mutex;  // for all that follows
  std::condition_variable changed;
  std::optional<Image> waiting;
  bool writing = false, over = false, failed = false;
  double seconds_to_write = 0;
  std::optional<std::string> trouble;
  std::thread thread;  // last: it begins when the rest is there
};

PreviewWriter::PreviewWriter(PreviewOptions options)
    : inside_(std::make_unique<Inside>(std::move(options))) {}

PreviewWriter::~PreviewWriter() = default;

void PreviewWriter::offer(const std::function<Image()>& picture) {
  Inside& in = *inside_;
  const double now = in.clock();
  if (now < in.next || !in.is_idle()) return;
  in.hand_over(shrunk_to_preview(picture()));
  const std::lock_guard lock(in.mutex);
  const double cost = in.clock() - now + in.seconds_to_write;
  in.next = now + std::max(in.options.seconds, cost / kShareOfTime);
}

void PreviewWriter::finish(const Image& picture) {
  Inside& in = *inside_;
  in.hand_over(shrunk_to_preview(picture));
  std::unique_lock lock(in.mutex);
  in.changed.wait(lock, [&] { return !in.waiting && !in.writing; });
}

std::optional<std::string> PreviewWriter::trouble() {
  const std::lock_guard lock(inside_->mutex);
  return std::exchange(inside_->trouble, std::nullopt);
}

}  // namespace limn
