#include "paint/painter.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <utility>

#include "base/error.h"
#include "canvas/bands.h"
#include "canvas/canvas.h"
#include "canvas/initial.h"
#include "image/alpha.h"
#include "image/border.h"
#include "image/colour.h"
#include "image/repeating.h"
#include "optimise/descent.h"
#include "optimise/optimiser.h"
#include "paint/loss_unit.h"
#include "paint/plan.h"

namespace limn {
namespace {

std::optional<Image> first_picture(const Pictures& pictures, const Recipe& recipe) {
  std::optional<Image> given = initial_picture(pictures, recipe);
  if (given && recipe.picture.colors == Colors::content) given = lightness_of(std::move(*given));
  return given;
}

Image at_size(const Image& picture, const Size& size, bool repeats) {
  return repeats ? resized_repeating(picture, size.width, size.height)
                 : resized(picture, size.width, size.height);
}

}  // namespace

void check_plan(const Plan& plan, const Pictures& pictures) {
  if (plan.levels.empty() || plan.stages.empty()) {
    fail(ErrorKind::usage, "the plan has no sizes; make it with make_plan");
  }
  size_t paintings = 0;
  for (const Style& style : pictures.styles) paintings += style.paintings.size();
  if (paintings != plan.sizes().paintings.size()) {
    fail(ErrorKind::usage, "the plan is for {} paintings, but there are {}",
         plan.sizes().paintings.size(), paintings);
  }
  sizes_of(pictures);
  check_pictures(pictures, plan.recipe);
}

// All that paints at one size. Its parts refer to each other, so it must not move.
struct Painter::AtLevel {
  AtLevel(const Weights& weights, const Recipe& recipe, const Scene& scene,
          std::shared_ptr<const Targets> targets, ThreadPool& pool, const Size& tile,
          Ranks& together)
      : objective(weights, recipe, std::move(targets), pool, tile, together),
        canvas(objective.units(), objective.picture_size(),
               {.keep = scene.keep,
                .grey = scene.grey,
                .bands = recipe.pyramid.bands,
                .grey_apart = recipe.optimiser.curvature == Curvature::local,
                .repeats = recipe.picture.tileable,
                .symmetry = recipe.picture.symmetry},
               pool),
        ranks(together),
        // Where the optimiser does not depend on the unit, the first evaluation chooses it.
        has_unit(recipe.optimiser.kind != OptimiserKind::lbfgs),
        plateau(recipe.optimiser.plateau) {}
  AtLevel(const AtLevel&) = delete;
  AtLevel& operator=(const AtLevel&) = delete;

  // The losses. The total, which is minimised, is multiplied by the objective's unit, like the
  // gradient with respect to z.
  Losses evaluate(std::span<const float> z, std::span<float> d_z) {
    const std::span<const float> x = canvas.picture(z);
    const std::span<float> d_x = canvas.d_picture(d_z);
    Losses losses = std::exchange(has_unit, true)
                        ? objective.evaluate(x, d_x)
                        : choose_unit(objective, weight_unit(objective), x, d_x);
    canvas.pull(d_z);
    losses.total *= objective.unit();
    return losses;
  }

  Descent make_descent(const Recipe& recipe, std::vector<float> z, State* state) {
    const auto clip = [this](std::span<float> at) { canvas.clip(at); };
    return {[this](std::span<const float> at, std::span<float> d) { return evaluate(at, d); },
            std::move(z),
            make_optimiser(recipe, canvas.size(), objective.pool(), canvas.planes(),
                           objective.units().plane(0).gain, ranks),
            objective.pool(),
            recipe.optimiser.clip ? clip : std::function<void(std::span<float>)>(),
            recipe.output.look_every,
            state};
  }

  // Without its border, not clamped.
  Image picture(std::span<const float> z, int border) {
    return without_border(canvas.image({z.begin(), z.end()}), border);
  }

  Objective objective;
  Canvas canvas;
  Ranks& ranks;
  bool has_unit;
  std::optional<Descent> descent;
  Plateau plateau;
};

Painter::Painter(const Model& model, Pictures pictures, Plan plan, KeptLevels* kept, State* state,
                 const std::atomic<bool>* abandon, Ranks& ranks)
    : model_(model),
      plan_(std::move(plan)),
      kept_(kept),
      ranks_(ranks),
      schedule_([this] { return agreed(ranks_, seconds()); }, plan_.levels,
                plan_.recipe.optimiser.seconds),
      pool_(plan_.recipe.picture.threads, plan_.recipe.picture.pinning, abandon) {
  const Recipe& recipe = plan_.recipe;
  check_plan(plan_, pictures);
  if (kept_) kept_->resize(plan_.levels.size());
  // Reserves what the loop fills, so that iterations do not allocate.
  painted_.history.reserve(static_cast<size_t>(recipe.optimiser.iterations) + 1);
  now_.iterations = recipe.optimiser.iterations;

  if (!state) given_ = first_picture(pictures, recipe);
  pictures.initial = {};
  pictures = at_working_sizes(std::move(pictures), plan_.sizes());
  finish_ = std::make_unique<Finish>(pictures, recipe);
  scene_ = make_scene(std::move(pictures), recipe, plan_.sizes());
  if (state) keep_progress(*state);
  begin_level(level_, state);
  if (painted_.history.empty() && !over_) {
    record();
  } else {
    show();
  }
}

Painter::~Painter() = default;

// The scene at a level's sizes; the last level moves it out.
Scene Painter::scene_of(size_t level) {
  const WorkingSizes& sizes = plan_.levels[level].sizes;
  const bool last = level + 1 == plan_.levels.size();
  return last ? resized(std::move(scene_), sizes) : resized(std::as_const(scene_), sizes);
}

// The objective takes most of the memory here. Only the pictures still needed live beside it: each
// is freed before the next large allocation.
void Painter::begin_level(size_t level, State* state) {
  if (plan_.levels[level].stage != plan_.levels[level_].stage) weights_.reset();
  level_ = level;
  recipe_ = saving(plan_.stages[plan_.levels[level].stage], plan_.levels[level].saving);
  const Recipe& recipe = recipe_;
  const Weights& weights = model_.weights();
  const WorkingSizes& sizes = plan_.levels[level].sizes;
  schedule_.begin(level);
  Scene scene = with_border(scene_of(level), recipe.picture.border);
  const bool regional = is_regional(recipe, scene.has_masks());
  std::shared_ptr<const Targets> own;
  std::shared_ptr<const Targets>& targets = kept_ ? (*kept_)[level].targets : own;
  if (targets && targets->basis != targets_basis(weights, recipe, sizes, regional)) {
    (*kept_)[level] = {};
  }
  const Size& tile = plan_.levels[level].tile;
  if (!targets) targets = measure_targets(weights, recipe, sizes, scene, pool_, tile, ranks_);
  scene.sources.clear();
  at_ = std::make_unique<AtLevel>(weights, recipe, scene, targets, pool_, tile, ranks_);
  Canvas& canvas = at_->canvas;
  over_.reset();
  if (state) {
    keep_level(*state);
    at_->descent.emplace(at_->make_descent(recipe, std::vector<float>(canvas.size()), state));
  } else {
    balance(at_->objective, canvas, scene.photo);
    if (given_) {
      given_ = with_border(at_size(*given_, sizes.picture, recipe.picture.tileable),
                           recipe.picture.border);
      lay_on(*given_, scene.photo);  // the photo shows through a transparent first picture
    }
    std::vector<float> x = initial_variable(at_->objective.units(), recipe, scene.photo,
                                            std::exchange(given_, std::nullopt));
    add_detail(x, scene.photo, recipe.pyramid.detail);
    if (recipe.neighbours.photo > 0) seek_beside(scene.photo, x);
    std::vector<float> z = canvas.of(std::move(x), scene.photo);
    scene = Scene();
    at_->descent.emplace(at_->make_descent(recipe, std::move(z), nullptr));
  }
  if (!std::isfinite(at_->descent->losses().total)) over_ = Outcome::failed;
  now_.level = static_cast<int>(level);
  now_.width = sizes.picture.width;
  now_.height = sizes.picture.height;
  const auto finished = [this](std::span<const float> z) {
    return (*finish_)(at_->picture(z, plan_.recipe.picture.border));
  };
  now_.picture = [this, finished] { return finished(at_->descent->x()); };
  now_.best_picture = [this, finished] { return finished(at_->descent->best_x()); };
  schedule_.begin_iterations();
}

// Measured at a stage's first size, and used at all of its sizes.
void Painter::balance(Objective& objective, const Canvas& canvas, const Image& photo) {
  if (recipe().balance.kind == Balance::fixed) return;
  if (!weights_) {
    weights_ = weights_from(gradients(objective, canvas, photo), objective, recipe());
  }
  objective.multiply(*weights_);
}

// Measured, unless they are kept of a recipe that differs in nothing but its strength.
MeasuredGradients Painter::gradients(Objective& objective, const Canvas& canvas,
                                     const Image& photo) {
  if (!kept_) return measure_gradients(objective, canvas, recipe(), photo);
  Recipe any_strength = recipe();
  any_strength.balance.strength = Recipe().balance.strength;
  std::string text = to_toml(any_strength);
  std::optional<KeptLevel::Gradients>& known = (*kept_)[level_].gradients;
  if (!known || known->recipe != text) {
    known = {std::move(text), measure_gradients(objective, canvas, recipe(), photo)};
  }
  return known->lengths;
}

bool Painter::step() {
  while (!ended_) {
    Descent& descent = *at_->descent;
    if (!over_) {
      if (descent.iteration() >= plan_.levels[level_].iterations) {
        over_ = Outcome::finished;
      } else if (!schedule_.has_time_for_an_iteration()) {
        over_ = Outcome::out_of_time;
      }
    }
    if (over_) {
      if (!begin_next_level()) return false;
      continue;
    }
    seek_again();
    const Descent::Status status = descent.advance();
    if (status == Descent::Status::failed) over_ = Outcome::failed;
    if (status == Descent::Status::converged) over_ = Outcome::converged;
    if (over_) continue;
    check_agreement();
    schedule_.count_iteration();
    record();
    if (at_->plateau.reached(descent.losses().total)) over_ = Outcome::converged;
    return true;
  }
  return false;
}

// x += share times the photo's finest detail.
void Painter::add_detail(std::vector<float>& x, const Image& photo, double share) const {
  if (share == 0) return;
  const std::vector<float> detail = finest_band(photo.rgb, photo.height, photo.width);
  const size_t plane = x.size() / 3;
  for (size_t i = 0; i < x.size(); ++i) {
    const float gain = at_->objective.units().plane(static_cast<int>(i / plane)).gain;
    x[i] += static_cast<float>(share) * gain * detail[i];
  }
}

// Losses choose what they compare with between the photo and x with its detail.
void Painter::seek_beside(const Image& photo, std::vector<float> x) {
  add_detail(x, photo, level_ == 0 ? 0 : 1 - recipe().pyramid.detail);
  const auto share = static_cast<float>(recipe().neighbours.photo);
  const std::vector<float> of_photo = at_->objective.units().encode(photo);
  for (size_t i = 0; i < x.size(); ++i) x[i] = share * of_photo[i] + (1 - share) * x[i];
  at_->objective.seek_at(x);
}

// Losses that choose what they compare with choose anew every few iterations.
void Painter::seek_again() {
  Descent& descent = *at_->descent;
  if (descent.iteration() == 0 || !at_->objective.seek_before(descent.iteration())) return;
  descent.change_function();
}

// Ranks that round differently would soon paint different pictures, and each its tiles of another.
void Painter::check_agreement() const {
  const double loss = at_->descent->losses().total;
  const double first = agreed(ranks_, loss);
  // Bit by bit: a loss may be NaN.
  if (std::bit_cast<std::uint64_t>(loss) == std::bit_cast<std::uint64_t>(first)) return;
  fail(ErrorKind::resources,
       "rank {} computes another loss than rank 0, {} instead of {}; give all ranks processors of "
       "the same kind",
       ranks_.rank(), loss, first);
}

void Painter::stop() {
  over_ = Outcome::stopped;
  ended_ = true;
}

// Begins the level after the current one, which is over; returns false if painting has ended.
bool Painter::begin_next_level() {
  const size_t next = level_ + 1;
  ended_ =
      next == plan_.levels.size() || plan_.levels[next].iterations < 0 || over_ == Outcome::failed;
  if (!ended_ && !schedule_.has_time_for(next)) {
    over_ = Outcome::out_of_time;
    ended_ = true;
  }
  if (ended_) return false;
  end_level();
  begin_level(next, nullptr);
  return true;
}

// Collects its picture and its counts.
void Painter::end_level() {
  // If an earlier size ran out of time, not all iterations were done.
  cut_short_ = cut_short_ || over_ == Outcome::out_of_time;
  Descent& descent = *at_->descent;
  descent.look();
  const bool last = plan_.recipe.output.keep == Keep::last;
  painted_.best_iteration = done_ + descent.best_iteration();
  done_ += descent.iteration();
  done_at_.push_back(descent.iteration());
  painted_.iteration = last ? done_ : painted_.best_iteration;
  changed_ = changed_ || (last ? descent.has_moved() : descent.best_iteration() > 0);
  painted_.rejected_steps += descent.rejected_steps();
  now_.picture = now_.best_picture = {};
  std::vector<float> z = last ? std::move(descent).x() : std::move(descent).best_x();
  at_->descent.reset();  // its memory, and then that of the losses, makes room for the picture
  Image image = at_->canvas.image(std::move(z));
  at_.reset();
  given_ = without_border(std::move(image), plan_.recipe.picture.border);
}

std::vector<int> Painter::iterations() const {
  std::vector<int> iterations = done_at_;
  if (at_) iterations.push_back(at_->descent->iteration());
  iterations.resize(plan_.levels.size(), -1);
  return iterations;
}

Painted Painter::finish() {
  const bool is_last = level_ + 1 == plan_.levels.size();
  const bool is_done = at_->descent->iteration() >= plan_.levels[level_].iterations;
  if (!over_ && is_last && is_done) over_ = Outcome::finished;
  end_level();
  painted_.outcome = over_.value_or(Outcome::stopped);
  if (cut_short_ && painted_.outcome == Outcome::finished) painted_.outcome = Outcome::out_of_time;
  painted_.picture = (*finish_)(std::move(*given_));
  painted_.unchanged = !changed_ && plan_.recipe.optimiser.iterations > 0;
  painted_.seconds = seconds();
  return std::move(painted_);
}

// Updates now_ to the current iteration.
void Painter::show() {
  now_.iteration = done_ + at_->descent->iteration();
  now_.seconds = seconds();
  now_.losses = at_->descent->losses();
  now_.losses.total =  // in the recipe's unit
      now_.losses.content + now_.losses.style + now_.losses.total_variation;
}

void Painter::record() {
  show();
  painted_.history.push_back({now_.iteration, now_.seconds, plan_.levels[level_].stage, now_.width,
                              now_.height, now_.losses});
}

Painted paint_all(Painter& painter, const ProgressCallback& progress) {
  bool more = painter.has_begun();
  while (more) {
    if (progress && !progress(painter.now())) {
      painter.stop();
      break;
    }
    more = painter.step();
  }
  return painter.finish();
}

// --------------------------------------------------------------------------------------- state --

namespace {

constexpr double kMostIterations = 1e6;  // the limit of optimiser.iterations
constexpr double kMostSide = 1e6;

// An outcome, or -1 for none yet. A painting that was stopped, or had no iterations or time left,
// may continue.
void keep(State& state, std::optional<Outcome>& over) {
  int number = over ? static_cast<int>(*over) : -1;
  state.integer("painter.over", number, -1, static_cast<int>(Outcome::failed));
  if (!state.restores()) return;
  const auto saved = static_cast<Outcome>(number);
  over.reset();
  if (saved == Outcome::converged || saved == Outcome::failed) over = saved;
}

}  // namespace

// The state needed before the level is set up.
void Painter::keep_progress(State& state) {
  keep_tiles(state);
  keep_savings(state);
  keep_level_number(state);
  state.integer("painter.done", done_, 0, kMostIterations);
  keep_done(state);
  state.flag("painter.changed", changed_);
  state.flag("painter.cut_short", cut_short_);
  state.integer("painter.rejected_steps", painted_.rejected_steps, 0, kMostIterations);
  double seconds = this->seconds();
  state.number("painter.seconds", seconds);
  if (state.restores()) seconds_before_ = seconds;
  keep_history(state);
}

void Painter::keep_done(State& state) {
  std::vector<double> done(done_at_.begin(), done_at_.end());
  done.resize(level_);
  state.numbers("painter.done_at", done);
  for (double& count : done) count = std::clamp(count, 0.0, kMostIterations);
  if (state.restores()) done_at_.assign(done.begin(), done.end());
}

// A level is identified by its stage and size: a plan for more iterations may have more levels.
void Painter::keep_level_number(State& state) {
  Size size = plan_.levels[level_].sizes.picture;
  int stage = plan_.levels[level_].stage;
  state.integer("painter.stage", stage, 0, static_cast<double>(plan_.stages.size()) - 1);
  state.integer("painter.height", size.height, 1, kMostSide);
  state.integer("painter.width", size.width, 1, kMostSide);
  if (!state.restores()) return;
  const auto found = std::ranges::find_if(plan_.levels, [&](const Level& level) {
    return level.stage == stage && level.sizes.picture == size;
  });
  if (found == plan_.levels.end()) {
    state.refuse(
        fmt::format("is of a painting at {} x {} pixels, a size that this plan does not "
                    "have",
                    size.width, size.height));
  }
  level_ = found - plan_.levels.begin();
}

namespace {

// Keeps what a plan chose for each of its levels, N numbers. A level is told by stage and size.
// choice(level): the numbers. restore(level, numbers). Returns false if the state has none.
template <size_t N, typename Choice, typename Restore>
bool keep_choices(State& state, const char* name, std::vector<Level>& levels, Choice&& choice,
                  Restore&& restore) {
  if (state.restores() && !state.has(name)) return false;
  constexpr size_t kColumns = 3 + N;
  std::vector<double> numbers;
  if (state.restores()) {
    constexpr size_t kMostLevels = 1000;
    const size_t saved = state.saved_numbers(name);
    if (saved % kColumns != 0 || saved / kColumns > kMostLevels) {
      state.refuse(fmt::format("has '{}' of no level; it is damaged", name));
    }
    numbers.resize(saved);
  } else {
    for (const Level& level : levels) {
      const auto [height, width] = level.sizes.picture;
      for (const int number : {level.stage, height, width}) numbers.push_back(number);
      const std::array<int, N> chosen = choice(level);
      numbers.insert(numbers.end(), chosen.begin(), chosen.end());
    }
  }
  state.numbers(name, numbers);
  for (size_t i = 0; i < numbers.size() && state.restores(); i += kColumns) {
    for (Level& level : levels) {
      const auto [height, width] = level.sizes.picture;
      if (level.stage != numbers[i] || height != numbers[i + 1] || width != numbers[i + 2])
        continue;
      restore(level, std::span(numbers).subspan(i + 3, N));
    }
  }
  return true;
}

}  // namespace

// Another machine's plan may have other tiles, whose sums are rounded differently: each size keeps
// those it was begun with, or was going to be. Checkpoints of earlier versions have none.
void Painter::keep_tiles(State& state) {
  keep_choices<2>(
      state, "painter.tiles", plan_.levels,
      [](const Level& level) {
        return std::array{level.tile.height, level.tile.width};
      },
      [&](Level& level, std::span<const double> sides) {
        for (const double side : sides) {
          if (!(side >= 0 && side <= kMostSide)) {
            state.refuse("has tiles of no size; it is damaged");
          }
        }
        level.tile = {static_cast<int>(sides[0]), static_cast<int>(sides[1])};
      });
}

// Likewise what it saves; those of earlier versions saved nothing.
void Painter::keep_savings(State& state) {
  const bool kept = keep_choices<3>(
      state, "painter.savings", plan_.levels,
      [](const Level& level) {
        const Saving& saving = level.saving;
        return std::array{int{saving.half_features}, int{saving.half_history}, saving.history};
      },
      [&](Level& level, std::span<const double> numbers) {
        constexpr int kMostHistory = 1000;
        if (!(numbers[2] >= 0 && numbers[2] <= kMostHistory)) {
          state.refuse("has a history of no length; it is damaged");
        }
        level.saving = {numbers[0] != 0, numbers[1] != 0, static_cast<int>(numbers[2])};
      });
  for (Level& level : plan_.levels) {
    if (!kept) level.saving = {};
  }
}

void Painter::keep_history(State& state) {
  constexpr size_t kColumns = 9;
  std::vector<IterationRecord>& history = painted_.history;
  if (state.restores()) {
    history.resize(std::min(state.saved_numbers("history") / kColumns, history.capacity()));
  }
  std::vector<double> numbers(kColumns * history.size());
  const auto visit = [&](size_t i, const auto& column) {
    double* row = numbers.data() + kColumns * i;
    IterationRecord& record = history[i];
    column(row[0], record.iteration);
    column(row[1], record.seconds);
    column(row[2], record.stage);
    column(row[3], record.width);
    column(row[4], record.height);
    column(row[5], record.losses.content);
    column(row[6], record.losses.style);
    column(row[7], record.losses.total_variation);
    column(row[8], record.losses.total);
  };
  for (size_t i = 0; i < history.size() && !state.restores(); ++i) {
    visit(i, [](double& number, auto value) { number = static_cast<double>(value); });
  }
  state.numbers("history", numbers);
  for (size_t i = 0; i < history.size() && state.restores(); ++i) {
    visit(i, [](double number, auto& value) {
      using Value = std::remove_reference_t<decltype(value)>;
      value = std::is_integral_v<Value>
                  ? static_cast<Value>(number >= 0 && number <= kMostSide ? number : 0)
                  : static_cast<Value>(number);
    });
    history[i].stage = std::min(history[i].stage, static_cast<int>(plan_.stages.size()) - 1);
  }
}

void Painter::keep_level(State& state) {
  at_->objective.keep(state);
  state.flag("objective.has_unit", at_->has_unit);
  if (state.restores() && recipe().balance.kind == Balance::measured) {
    weights_ = at_->objective.weights();
  }
  limn::keep(state, over_);
  at_->plateau.keep(state);
}

void Painter::keep(State& state) {
  keep_progress(state);
  keep_level(state);
  at_->descent->keep(state);
}

}  // namespace limn
