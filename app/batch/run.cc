#include "batch/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <new>
#include <utility>

#include "base/error.h"
#include "paint/plan.h"
#include "request/painting_sizes.h"
#include "show/interrupt.h"
#include "show/unpainted.h"

namespace limn {
namespace {

// Reading ahead takes memory that plans do not count. Where the pictures would take more than this
// share of what a painting may, the next are read when their turn comes.
constexpr double kShareAhead = 0.05;

double picture_bytes(const Plan& plan) {
  const auto pixels = [](const Size& size) { return 1.0 * size.height * size.width; };
  double sum = pixels(plan.sizes().picture);
  for (const Size& painting : plan.sizes().paintings) sum += pixels(painting);
  constexpr double kPlanes = 4;
  return kPlanes * sizeof(float) * sum;
}

// Calls act(); what goes wrong is the item's trouble. Returns whether nothing did.
template <typename Act>
bool attempt(BatchItem& item, const Act& act) {
  try {
    act();
    return true;
  } catch (const Error& error) {
    item.trouble = error.what();
    item.kind = error.kind();
  } catch (const std::bad_alloc&) {
    item.trouble = "not enough memory; choose a smaller --size";
    item.kind = ErrorKind::resources;
  }
  item.state = ItemState::failed;
  return false;
}

const Losses& losses_of_picture(const Painted& painted) {
  const auto found = std::ranges::find_if(
      painted.history.rbegin(), painted.history.rend(),
      [&](const IterationRecord& record) { return record.iteration <= painted.iteration; });
  return found == painted.history.rend() ? painted.history.front().losses : found->losses;
}

// Throws Error (usage) unless it came to something.
void check_painted(const Painted& painted, const Recipe& recipe) {
  if (painted.outcome == Outcome::failed) {
    fail(ErrorKind::usage,
         "nothing was painted: the loss of the first picture is not finite; choose smaller "
         "weights");
  }
  if (!is_unpainted(painted)) return;
  const Unpainted why = why_unchanged(painted, recipe);
  fail(ErrorKind::usage, "nothing was painted: {}; {}", why.cause, why.next_step);
}

}  // namespace

BatchRun::BatchRun(const Model& model, std::vector<BatchItem> items)
    : model_(model), items_(std::move(items)), reader_(model) {}

std::size_t BatchRun::count(ItemState state) const {
  return std::ranges::count(items_, state, &BatchItem::state);
}

void BatchRun::look(bool again) {
  for (size_t i = 0; i < items_.size() && !interrupted(); ++i) {
    BatchItem& item = items_[i];
    attempt(item, [&] {
      keep_dpi(item.request);
      BatchReader::Looked looked = reader_.look(item.request, again);
      item.size = looked.plan.sizes().picture;
      if (looked.up_to_date) {
        item.state = ItemState::up_to_date;
        return;
      }
      waiting_.push_back(i);
      plans_.push_back(std::move(looked.plan));
    });
  }
  const BatchItem& first = items_.front();
  const auto fails_alike = [&](const BatchItem& item) {
    return item.state == ItemState::failed && item.trouble == first.trouble;
  };
  if (std::ranges::all_of(items_, fails_alike)) fail(first.kind, "{}", trouble_text(first));
}

std::future<BatchReader::Ready> BatchRun::begin_reading(std::size_t number) {
  const Plan& plan = plans_[number];
  const double most = plan.budget.bytes;
  const bool ahead = most == 0 || picture_bytes(plan) <= kShareAhead * most;
  return std::async(ahead ? std::launch::async : std::launch::deferred,
                    [this, number] { return reader_.read(items_[waiting_[number]].request); });
}

bool BatchRun::has_same_pictures(std::size_t number, std::size_t other) const {
  const InputNames& names = items_[waiting_[number]].request.names;
  const InputNames& others = items_[waiting_[other]].request.names;
  return names.photo == others.photo && names.paintings == others.paintings;
}

// Where paintings of the same pictures follow each other, with other settings, what was measured
// of the pictures is kept. Otherwise it is freed size by size.
KeptLevels* BatchRun::kept_for(std::size_t number, const std::vector<InputDigest>& digests) {
  const bool known = !levels_.empty() && levels_of_ == digests;
  if (!known) levels_.clear();
  const bool needed = number + 1 < waiting_.size() && has_same_pictures(number, number + 1);
  if (!known && !needed) return nullptr;
  levels_of_ = digests;
  return &levels_;
}

void BatchRun::note_once(ProgressDisplay& display, std::span<const std::string> notes) {
  for (const std::string& note : notes) {
    if (noted_.insert(note).second) display.note(note);
  }
}

// Returns false if interrupted.
bool BatchRun::paint_through(Painter& painter, std::size_t number, ProgressDisplay& display,
                             ProgressStyle style) {
  bool more = painter.has_begun();
  while (more) {
    const Progress& now = painter.now();
    const Standing standing = forecast_->standing(number, now);
    left_ = standing.seconds_left;
    // In lines, every picture gets one of its own when it is done.
    const bool end = now.iteration == 0 || now.iteration == now.iterations;
    if (style != ProgressStyle::lines || !end) display.show(now, standing);
    if (interrupted()) return false;
    more = painter.step();
  }
  return true;
}

void BatchRun::paint_item(std::size_t number, BatchReader::Ready ready, ProgressDisplay& display,
                          ProgressStyle style) {
  BatchItem& item = items_[waiting_[number]];
  Inputs& inputs = ready.inputs;
  Plan& plan = inputs.plans.front();
  note_once(display, inputs.notes);
  note_once(display, notes_on_enlarging(inputs, *model_.weights().network, plan));
  Painter painter(model_, std::move(inputs.pictures), plan, kept_for(number, ready.digests));
  if (!paint_through(painter, number, display, style)) return;
  const std::vector<LevelReached> reached = levels_reached(painter.plan(), painter.iterations());
  const Painted painted = painter.finish();
  check_painted(painted, item.request.recipe);
  WriteOptions write = item.request.write;
  write.notes = provenance_notes(item.request, ready.digests, reached, /*on_the_way=*/false);
  write_image(painted.picture, item.request.output, write);
  display.preview_result(painted.picture);
  item.state = ItemState::painted;
  item.outcome = painted.outcome;
  item.iteration = painted.iteration;
  item.iterations = item.request.recipe.optimiser.iterations;
  item.seconds = painted.seconds;
  item.losses = losses_of_picture(painted);
}

void BatchRun::paint(ProgressDisplay& display, ProgressStyle style, const Done& done) {
  if (waiting_.empty()) return;
  forecast_.emplace(plans_);
  std::future<BatchReader::Ready> next = begin_reading(0);
  for (size_t number = 0; number < waiting_.size() && !interrupted(); ++number) {
    BatchItem& item = items_[waiting_[number]];
    BatchReader::Ready ready;
    const bool is_read = attempt(item, [&] { ready = next.get(); });
    if (number + 1 < waiting_.size()) next = begin_reading(number + 1);
    if (is_read) {
      attempt(item, [&] { paint_item(number, std::move(ready), display, style); });
    }
    if (item.state == ItemState::waiting) break;  // interrupted
    done(item, {number + 1, waiting_.size(), left_});
  }
}

}  // namespace limn
