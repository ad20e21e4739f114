#include "work/live_painter.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/stopwatch.h"
#include "base/temporary_file.h"
#include "canvas/sizes.h"
#include "image/write.h"
#include "jobs/files.h"
#include "models/model_cache.h"
#include "network/student.h"
#include "paint/periods.h"
#include "recipe/fields.h"
#include "request/inputs.h"
#include "request/opened_inputs.h"
#include "work/preview_plan.h"

namespace limn {
namespace {

constexpr std::size_t kPictureBytes = 64 << 20;  // decoded: twenty of 512 x 512
// Pictures whose targets are kept: a photo with a painting, and three others tried in turn.
constexpr std::size_t kMostKnown = 4;
// Targets of larger pictures than this are measured anew: they take a quarter of a megabyte a
// thousand pixels, and first pictures do not wait for them.
constexpr int kLargestKept = 256;
// A plan that needs more is refused; the process has about twice that.
constexpr double kMostBytes = 1.5e9;
constexpr std::int64_t kMostPixels = 200'000'000;  // of a file
// Larger textures than this are not decoded just to look for periods, for which 512 pixels are
// enough.
constexpr int kMostPeriodSide = 1024;
constexpr int kQuality = 88;
// The first iterations hardly differ from what they begin with.
constexpr int kFirstShown = 2;

// Pictures are shown this far apart: while they are small nobody could see more of them, and
// encoding large ones should not slow the painting down.
double seconds_between(const LiveFigures& figures) {
  return std::max(figures.width, figures.height) <= 160 ? 0.08 : 0.25;
}

// The job's pictures by their roles, as the command of its kind names them.
InputNames names_of(const LiveJob& job, const std::string& files) {
  InputNames names;
  std::optional<std::string> from;
  for (const JobInput& input : job.request.inputs) {
    const bool left_out = input.file.empty();
    if (!left_out && !Files::is_id(input.file)) fail(ErrorKind::usage, "this is no upload's id");
    const std::string path = left_out ? std::string(kNoMask) : files + "/" + input.file;
    const std::string& role = input.role;
    if (role == "photo" || role == "picture") names.photo = path;
    if (role == "painting" || role == "example" || role == "exemplar") {
      names.paintings.push_back(path);
    }
    if (role == "mask-content") names.content_masks.push_back(path);
    if (role == "mask-style") names.style_masks.push_back(path);
    if (role == "mask-keep") names.keep_mask = path;
    if (role == "hole") names.hole = path;
    if (role == "from") from = path;
  }
  if (job.request.kind == JobKind::inpaint) names.paintings = {from.value_or(names.photo)};
  if (job.request.kind == JobKind::texture) {
    std::string size = "512";  // as limn texture has it
    for (const auto& [flag, value] : job.request.flags) {
      if (flag == "size") size = value;
    }
    names.canvas = parse_canvas(size, "size");
  }
  return names;
}

// What tells these pictures from others: the kind matters, for a hole changes a picture.
std::string identity_of(const LiveJob& job) {
  std::string text = name_of(job.request.kind);
  for (const JobInput& input : job.request.inputs) {
    text += fmt::format(" {}:{}", input.role, input.file);
  }
  return text;
}

LiveFigures figures_of(const Progress& now, double seconds) {
  return {now.width, now.height, now.iteration, std::max(now.iteration, now.iterations), seconds};
}

}  // namespace

LivePainter::LivePainter(std::string files)
    : files_(std::move(files)),
      network_(kBuiltinName),
      model_(Model::builtin()),
      pictures_(kPictureBytes) {}

// Another network's weights take the place of the last's, and so does all that was measured.
const Model& LivePainter::model_for(const Recipe& recipe) {
  const std::string& wanted = recipe.network.name;
  if (wanted == network_) return model_;
  known_.clear();
  model_ = Model(std::make_shared<const Weights>(
      read_found(wanted == kBuiltinName ? std::nullopt : find_weights(wanted))));
  network_ = wanted;
  return model_;
}

LivePainter::Known& LivePainter::known_of(const std::string& pictures) {
  const auto known = std::ranges::find(known_, pictures, &Known::pictures);
  if (known == known_.end()) {
    known_.emplace_front().pictures = pictures;
  } else {
    std::rotate(known_.begin(), known, known + 1);
  }
  if (known_.size() > kMostKnown) known_.pop_back();
  return known_.front();
}

// The job's recipe, with what the command of its kind does to it.
Recipe LivePainter::recipe_of(const LiveJob& job, const InputNames& names, const PictureSizes& own,
                              Known& known) {
  Recipe recipe = parse_recipe(job.request.recipe, "the recipe");
  const JobKind kind = job.request.kind;
  if (kind != JobKind::texture && kind != JobKind::inpaint) return recipe;
  for (const auto& [flag, value] : job.request.flags) {
    if (flag != "shifts" || value == "auto") continue;
    set_field(recipe, "style.shifts", value, "shifts");
    return recipe;
  }
  if (!may_follow_periods(recipe) || names.paintings.size() > 1) return recipe;
  const Size size = working_sizes(own, recipe).paintings.front();
  if (known.periods_at != size && std::max(size.height, size.width) <= kMostPeriodSide) {
    const ReadOptions options = {.max_pixels = kMostPixels};
    known.periods = periods_of(
        resized(pictures_.image(names.paintings.front(), size, options), size.width, size.height));
    known.periods_at = size;
  }
  if (known.periods_at == size) follow_periods(recipe, known.periods);
  return recipe;
}

void LivePainter::forget_large(KeptLevels& levels) const {
  for (KeptLevel& level : levels) {
    if (!level.targets) continue;
    const Size size = level.targets->picture_size();
    if (std::max(size.height, size.width) > kLargestKept + 64) level = {};
  }
}

LiveFigures LivePainter::paint(const LiveJob& job, const std::atomic<bool>& abandon,
                               const Show& show) {
  const Stopwatch clock;
  const Recipe given = parse_recipe(job.request.recipe, "the recipe");
  const Model& model = model_for(given);
  const InputNames names = names_of(job, files_);
  OpenedInputs opened(names, {&given, 1}, {.max_pixels = kMostPixels}, &pictures_);
  Known& known = known_of(identity_of(job));
  const Recipe recipe = recipe_of(job, names, opened.sizes(), known);
  Plan plan = plan_preview(model, opened.sizes(), recipe, job.size);
  if (plan.bytes > kMostBytes) {
    fail(ErrorKind::resources, "a preview of it needs {:.0f} MB of memory, more than it may have",
         plan.bytes / 1e6);
  }
  Inputs inputs = std::move(opened).read({std::move(plan)});
  KeptLevels& levels = known.levels;
  forget_large(levels);
  Painter painter(model, std::move(inputs.pictures), std::move(inputs.plans.front()), &levels,
                  nullptr, &abandon);
  std::optional<double> shown;
  while (painter.step()) {
    if (abandon) throw Stopped();
    const Progress& now = painter.now();
    const LiveFigures figures = figures_of(now, clock());
    const bool due =
        shown ? clock() - *shown >= seconds_between(figures) : now.iteration >= kFirstShown;
    if (!due) continue;
    shown = clock();
    show(figures, now.picture);
  }
  LiveFigures figures = figures_of(painter.now(), clock());
  figures.iteration = figures.iterations;
  const Painted painted = painter.finish();
  if (painted.outcome == Outcome::failed) {
    fail(ErrorKind::usage, "the loss of the first picture is not finite; choose smaller weights");
  }
  forget_large(levels);
  figures.width = painted.picture.width;
  figures.height = painted.picture.height;
  show(figures, [&] { return painted.picture; });
  figures.seconds = clock();
  return figures;
}

// ------------------------------------------------------------------------------- the process --

namespace {

// What the server wants, as the thread that listens has heard it.
class Wishes {
 public:
  // The next request; nothing once there will be none. Until then, or until it is superseded or to
  // be stopped, `abandon` is false.
  std::optional<LiveMessage> next() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return over_ || waiting_; });
    if (over_) return {};
    abandon_ = false;
    current_ = waiting_->number;
    return std::exchange(waiting_, {});
  }

  void take(LiveMessage message) {
    const std::lock_guard lock(mutex_);
    if (message.kind == LiveKind::paint) {
      waiting_ = std::move(message);
      abandon_ = true;
    } else if (message.kind == LiveKind::stop) {
      if (waiting_ && waiting_->number == message.number) waiting_.reset();
      if (message.number == current_) abandon_ = true;
    }
    changed_.notify_all();
  }

  void end() {
    const std::lock_guard lock(mutex_);
    over_ = abandon_ = true;
    changed_.notify_all();
  }

  const std::atomic<bool>& abandon() const { return abandon_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<LiveMessage> waiting_;  // the last to come
  std::uint32_t current_ = 0;
  bool over_ = false;
  std::atomic<bool> abandon_ = false;
};

void listen(Wishes& wishes) try {
  LiveReader reader;
  std::array<char, 16384> bytes;
  for (;;) {
    const ssize_t got = read(STDIN_FILENO, bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    reader.add({bytes.data(), static_cast<size_t>(got)});
    while (std::optional<LiveMessage> message = reader.next()) wishes.take(std::move(*message));
  }
  wishes.end();
} catch (const Error&) {
  wishes.end();
}

// False: nobody reads any more.
bool say(const LiveMessage& message) {
  const std::string bytes = to_bytes(message);
  return write_all(STDOUT_FILENO, std::as_bytes(std::span(bytes))) == 0;
}

// What went wrong, the kind of error first.
LiveMessage failure(std::uint32_t number, ErrorKind kind, const std::string& what) {
  const char* const letter = kind == ErrorKind::usage ? "u" : kind == ErrorKind::file ? "f" : "r";
  return {LiveKind::failed, number, letter + what.substr(0, 2000), ""};
}

LiveMessage answer(LivePainter& painter, const LiveMessage& request,
                   const std::atomic<bool>& abandon) {
  const std::uint32_t number = request.number;
  const auto show = [&](const LiveFigures& figures, const std::function<Image()>& picture) {
    const Image shown = resized(picture(), figures.width, figures.height);
    say({LiveKind::frame, number, to_text(figures), jpeg_in_memory(shown, kQuality)});
  };
  try {
    const LiveFigures figures = painter.paint(parse_live_job(request.head), abandon, show);
    return {LiveKind::finished, number, to_text(figures), ""};
  } catch (const Stopped&) {
    return failure(number, ErrorKind::usage, "stopped");
  } catch (const Error& error) {
    return failure(number, error.kind(), error.what());
  } catch (const std::bad_alloc&) {
    return failure(number, ErrorKind::resources,
                   "a preview of it needs more memory than it may "
                   "have; choose a smaller size");
  }
}

}  // namespace

void paint_live(const std::string& files) {
  LivePainter painter(files);
  Wishes wishes;
  std::thread([&wishes] { listen(wishes); }).detach();
  if (!say({LiveKind::ready})) return;
  while (const std::optional<LiveMessage> request = wishes.next()) {
    if (!say(answer(painter, *request, wishes.abandon()))) break;
  }
  // The thread that listens may still wait for words.
  _exit(0);
}

}  // namespace limn
