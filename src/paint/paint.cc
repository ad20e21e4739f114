// The recipe of the whole: resize, and for each size from coarse to fine set up the objective,
// descend, keep the best; then bring the colours back.
#include <limn/limn.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/error.h"
#include "canvas/bands.h"
#include "image/alpha.h"
#include "image/border.h"
#include "image/colour.h"
#include "optimise/descent.h"
#include "paint/balance.h"
#include "paint/finish.h"
#include "paint/initial.h"
#include "paint/loss_unit.h"
#include "paint/objective.h"
#include "paint/paint.h"
#include "paint/pyramid.h"
#include "paint/schedule.h"
#include "recipe/fields.h"

namespace limn {
namespace {

// The optimiser's variable z of one size: the objective's x, or the bands that make it up.
class Variable {
 public:
  Variable(Objective& objective, const Recipe& recipe)
      : objective_(objective),
        has_unit_(recipe.optimiser.kind != OptimiserKind::lbfgs),
        // What is kept must not move, but bands move all of it.
        bands_(objective.height(), objective.width(),
               objective.targets()->free.empty() ? recipe.pyramid.bands : std::vector<double>(),
               objective.pool()),
        x_(bands_.trivial() ? 0 : bands_.pixels()),
        gradient_(x_.size()) {}

  size_t size() const { return bands_.size(); }
  std::vector<Size> planes() const { return bands_.planes(); }
  std::vector<float> of(std::vector<float> x) const { return bands_.split(std::move(x)); }

  // The losses, of which the total is what is minimised: times the objective's unit, like its
  // gradient by z.
  Losses evaluate(std::span<const float> z, std::span<float> gradient) {
    if (bands_.trivial()) return evaluate_objective(z, gradient);
    bands_.join(z, x_);
    const Losses losses = evaluate_objective(x_, gradient_);
    bands_.split_gradient(gradient_, gradient);
    return losses;
  }

  // Brings the picture into 0..1 RGB.
  void clip(std::span<float> z) {
    if (bands_.trivial()) return objective_.clip(z);
    bands_.join(z, x_);
    std::copy(x_.begin(), x_.end(), gradient_.begin());
    objective_.clip(gradient_);
    for (size_t i = 0; i < x_.size(); ++i) gradient_[i] -= x_[i];
    bands_.move(gradient_, z);
  }

  // The picture, with the border, not clamped.
  Image picture(std::vector<float> z) {
    if (bands_.trivial()) return objective_.decode(std::move(z));
    std::vector<float> x(bands_.pixels());
    bands_.join(z, x);
    return objective_.decode(std::move(x));
  }

 private:
  // The first evaluation chooses the unit.
  Losses evaluate_objective(std::span<const float> x, std::span<float> gradient) {
    Losses losses = std::exchange(has_unit_, true)
                        ? objective_.evaluate(x, gradient)
                        : choose_unit(objective_, weight_unit(objective_), x, gradient);
    losses.total *= objective_.unit();
    return losses;
  }

  Objective& objective_;
  bool has_unit_;
  Bands bands_;
  std::vector<float> x_, gradient_;  // empty where x is z
};

// A painting from its coarsest size to its finest.
class Run {
 public:
  Run(const Model& model, const Recipe& recipe, const ProgressCallback& progress, Finish finish,
      std::vector<Level> levels, Schedule schedule)
      : model_(model),
        recipe_(recipe),
        progress_(progress),
        finish_(std::move(finish)),
        levels_(std::move(levels)),
        schedule_(std::move(schedule)),
        pool_(recipe.picture.threads, recipe.picture.pinning) {
    // What the loop fills is made here once: iterations allocate nothing.
    painted_.history.reserve(static_cast<size_t>(recipe.optimiser.iterations) + 1);
    now_.iterations = recipe.optimiser.iterations;
  }

  Painted paint(Scene scene, std::optional<Image> given, LevelTargets& targets) {
    targets.resize(levels_.size());
    for (size_t i = 0; i < levels_.size(); ++i) {
      if (i > 0 && !schedule_.has_time_for(i)) {
        painted_.outcome = Outcome::out_of_time;
        break;
      }
      given = paint_level(i, scene_of(i, scene), std::move(given), targets[i]);
      if (painted_.outcome == Outcome::stopped || painted_.outcome == Outcome::failed) break;
    }
    painted_.picture = finish_(std::move(*given));
    painted_.unchanged = !changed_ && recipe_.optimiser.iterations > 0;
    painted_.seconds = schedule_.seconds();
    return std::move(painted_);
  }

 private:
  // The scene at a level's sizes; the last one takes it.
  Scene scene_of(size_t level, Scene& scene) const {
    const WorkingSizes& sizes = levels_[level].sizes;
    const bool last = level + 1 == levels_.size();
    return last ? resized(std::move(scene), sizes) : resized(std::as_const(scene), sizes);
  }

  // The picture of this level, without its border.
  Image paint_level(size_t index, Scene scene, std::optional<Image> given,
                    std::shared_ptr<const Targets>& targets) {
    const Weights& weights = model_.weights();
    const Level& level = levels_[index];
    const int border = recipe_.picture.border;
    schedule_.begin(index);
    Image photo = with_border(scene.photo, border);
    const Mask keep = with_border(scene.keep, border);
    const bool regional = is_regional(recipe_, scene.has_masks());
    if (targets && targets->basis != targets_basis(weights, recipe_, level.sizes, regional)) {
      targets.reset();
    }
    // The paintings are needed no longer than their statistics take to be measured.
    Objective objective = targets ? Objective(weights, recipe_, targets, pool_)
                                  : Objective(weights, recipe_, std::move(scene), pool_);
    scene = Scene();
    targets = objective.targets();
    balance(objective, photo);

    if (given) {
      given = with_border(resized(*given, level.sizes.picture.width, level.sizes.picture.height),
                          border);
      lay_on(*given, photo);  // what cannot be seen of a first picture is the photo
    }
    std::vector<float> x = initial_variable(objective, recipe_, photo, std::move(given));
    if (objective.grey()) objective.make_grey(x);
    if (!keep.empty()) {
      Image picture = objective.decode(std::move(x));
      lay_over(picture, photo, keep);
      x = objective.encode(std::move(picture));
    }
    photo = Image();
    Variable variable(objective, recipe_);
    const auto clip = [&](std::span<float> at) { variable.clip(at); };
    Descent descent([&](std::span<const float> at,
                        std::span<float> gradient) { return variable.evaluate(at, gradient); },
                    variable.of(std::move(x)),
                    make_optimiser(recipe_, variable.size(), pool_, variable.planes()), pool_,
                    recipe_.optimiser.clip ? clip : std::function<void(std::span<float>)>(),
                    recipe_.output.look_every);
    return descend(level, descent, variable);
  }

  // Measured at the first size, for all of them.
  void balance(Objective& objective, const Image& photo) {
    if (recipe_.balance.kind == Balance::fixed) return;
    if (!weights_) weights_ = measured_weights(objective, recipe_, photo);
    objective.multiply(*weights_);
  }

  // Runs the descent to the level's end.
  Image descend(const Level& level, Descent& descent, Variable& variable) {
    const auto picture_of = [&](std::span<const float> z) {
      return without_border(variable.picture({z.begin(), z.end()}), recipe_.picture.border);
    };
    now_.width = level.sizes.picture.width;
    now_.height = level.sizes.picture.height;
    now_.picture = [&] { return finish_(picture_of(descent.x())); };
    now_.best_picture = [&] { return finish_(picture_of(descent.best_x())); };
    const int before = done_;
    const bool was_cut_short = painted_.outcome == Outcome::out_of_time;
    painted_.outcome = iterate(level, descent);
    // Not all iterations are done if those of an earlier size are not.
    if (was_cut_short && painted_.outcome == Outcome::finished) {
      painted_.outcome = Outcome::out_of_time;
    }
    done_ = before + descent.iteration();
    descent.look();
    const bool last = recipe_.output.keep == Keep::last;
    painted_.best_iteration = before + descent.best_iteration();
    painted_.iteration = last ? done_ : painted_.best_iteration;
    changed_ = changed_ || (last ? descent.has_moved() : descent.best_iteration() > 0);
    painted_.rejected_steps += descent.rejected_steps();
    now_.picture = now_.best_picture = {};
    return without_border(
        variable.picture(last ? std::move(descent).x() : std::move(descent).best_x()),
        recipe_.picture.border);
  }

  Outcome iterate(const Level& level, Descent& descent) {
    if (!std::isfinite(descent.losses().total)) return Outcome::failed;
    if (painted_.history.empty() && !report(descent)) return Outcome::stopped;
    Plateau plateau(recipe_.optimiser.plateau);
    schedule_.begin_iterations();
    while (descent.iteration() < level.iterations) {
      if (!schedule_.has_time_for_an_iteration()) return Outcome::out_of_time;
      const Descent::Status status = descent.advance();
      if (status == Descent::Status::failed) return Outcome::failed;
      if (status == Descent::Status::converged) return Outcome::converged;
      schedule_.count_iteration();
      if (!report(descent)) return Outcome::stopped;
      if (plateau.reached(descent.losses().total)) return Outcome::converged;
    }
    return Outcome::finished;
  }

  // Tells of the present iteration; false to stop.
  bool report(const Descent& descent) {
    const int iteration = done_ + descent.iteration();
    Losses losses = descent.losses();
    losses.total = losses.content + losses.style + losses.total_variation;  // in the recipe's unit
    painted_.history.push_back({iteration, schedule_.seconds(), now_.width, now_.height, losses});
    if (!progress_) return true;
    now_.iteration = iteration;
    now_.seconds = schedule_.seconds();
    now_.losses = losses;
    return progress_(now_);
  }

  const Model& model_;
  const Recipe& recipe_;
  const ProgressCallback& progress_;
  const Finish finish_;
  const std::vector<Level> levels_;
  Schedule schedule_;
  ThreadPool pool_;
  std::optional<LossWeights> weights_;
  int done_ = 0;          // iterations of the sizes before
  bool changed_ = false;  // whether some size's picture is another one than it began with
  Painted painted_;
  Progress now_;
};

// Taken: const Pictures, or Pictures that are given back once they have been resized.
//
// What is largest here is the objective's memory. Beside it live only the pictures that are
// still needed: each is given back before the next large piece is taken.
template <typename Taken>
Painted paint_pictures(const Model& model, Taken& pictures, const PictureSizes& own,
                       const Recipe& recipe, LevelTargets& targets,
                       const ProgressCallback& progress) {
  const Stopwatch stopwatch;
  check_recipe(model, recipe);
  std::optional<Image> given = initial_picture(pictures, recipe);
  if (given && recipe.picture.colors == Colors::content) given = lightness_of(std::move(*given));
  const WorkingSizes sizes = working_sizes(own, recipe);
  std::vector<Level> levels = pyramid_levels(sizes, recipe);
  for (const Level& level : levels) check_objective(model.weights(), recipe, level.sizes);
  Schedule schedule(stopwatch, levels, recipe.optimiser.seconds);
  Finish finish(pictures, recipe, sizes.picture);
  Scene scene = make_scene(std::move(pictures), recipe, sizes);
  Run run(model, recipe, progress, std::move(finish), std::move(levels), std::move(schedule));
  return run.paint(std::move(scene), std::move(given), targets);
}

}  // namespace

void check_recipe(const Model& model, const Recipe& recipe) {
  const std::string name = "recipe '" + recipe.name + "'";
  check_ranges(recipe, name);
  check_network_name(recipe.network.name);
  // A recipe for the built-in network is not particular: its losses mean the same with any.
  const bool is_particular = recipe.network.name != kBuiltinName;
  if (is_particular && recipe.network.name != model.network()) {
    fail(ErrorKind::usage,
         "{} is for {}, but the weights in '{}' are those of {}; choose other weights, or "
         "--network {}",
         name, recipe.network.name, model.weights().source, model.network(), model.network());
  }
  const bool reads_layers = !layers_in_use(*model.weights().network, recipe).empty();
  if (!reads_layers && recipe.total_variation.weight == 0) {
    fail(ErrorKind::usage, "{} has nothing to minimise: all weights are 0", name);
  }
  if (recipe.style.statistic == StyleStatistic::mean_deviation && !recipe.style.shifts.empty()) {
    fail(ErrorKind::usage,
         "{}: style.shifts are of matrices, but style.statistic is mean-deviation; choose gram or "
         "covariance, or no shifts",
         name);
  }
}

Painted paint_sharing(const Model& model, const Pictures& pictures, const PictureSizes& own,
                      const Recipe& recipe, LevelTargets& targets,
                      const ProgressCallback& progress) {
  return paint_pictures(model, pictures, own, recipe, targets, progress);
}

Painted paint(const Model& model, Pictures pictures, const PictureSizes& own, const Recipe& recipe,
              const ProgressCallback& progress) {
  LevelTargets targets;
  return paint_pictures(model, pictures, own, recipe, targets, progress);
}

Painted paint(const Model& model, Pictures pictures, const Recipe& recipe,
              const ProgressCallback& progress) {
  const PictureSizes own = sizes_of(pictures);
  return paint(model, std::move(pictures), own, recipe, progress);
}

Painted paint(const Model& model, const Image& photo, const Image& painting, const Recipe& recipe,
              const ProgressCallback& progress) {
  return paint(model, single_style(photo, painting), recipe, progress);
}

Painted paint(const Model& model, Image&& photo, Image&& painting, const Recipe& recipe,
              const ProgressCallback& progress) {
  return paint(model, single_style(std::move(photo), std::move(painting)), recipe, progress);
}

std::string_view version() { return LIMN_VERSION; }
std::string_view instruction_set() { return kernels::instruction_set(); }

}  // namespace limn
