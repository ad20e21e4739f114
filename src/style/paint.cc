// The recipe of the whole: resize, set up the objective, descend, keep the best.
#include <limn/limn.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <utility>

#include "base/error.h"
#include "style/descent.h"
#include "style/initial.h"
#include "style/objective.h"
#include "style/paint.h"
#include "style/recipe_fields.h"
#include "style/sizes.h"

namespace limn {
namespace {

Image fit(const Image& picture, int height, int width) { return resized(picture, width, height); }

// The same for a picture that is not needed afterwards: its memory is given back.
Image fit(Image&& picture, int height, int width) {
  Image given = std::move(picture);
  const bool fits = given.height == height && given.width == width;
  return fits ? std::move(given) : fit(std::as_const(given), height, width);
}

// The optimiser's picture as one to show: within 0..1, with the photo's alpha.
Image finished_picture(const Objective& objective, std::vector<float> x,
                       const std::vector<float>& alpha) {
  Image picture = objective.decode(std::move(x));
  for (float& value : picture.rgb) value = std::clamp(value, 0.0f, 1.0f);
  picture.alpha = alpha;
  return picture;
}

// Runs the descent to its end, telling `report` of every iteration (it returns false to stop).
template <typename Report>
Outcome run(Descent& descent, int iterations, Report&& report) {
  if (!std::isfinite(descent.losses().total)) return Outcome::failed;
  if (!report()) return Outcome::stopped;
  while (descent.iteration() < iterations) {
    const Descent::Status status = descent.advance();
    if (status == Descent::Status::failed) return Outcome::failed;
    if (status == Descent::Status::converged) return Outcome::converged;
    if (!report()) return Outcome::stopped;
  }
  return Outcome::finished;
}

// Picture: const Image, or Image for pictures that are given back once they have been resized.
//
// What is largest here is the objective's memory. Beside it live only the pictures that are
// still needed: each is given back before the next large piece is taken.
template <typename Picture>
Painted paint_pictures(const Model& model, Picture& photo, Picture& painting, const Recipe& recipe,
                       std::shared_ptr<const Targets>& targets, const ProgressCallback& progress) {
  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  check_recipe(model, recipe);
  std::optional<Image> given = read_initial_picture(recipe);

  const WorkingSizes sizes = working_sizes(photo, painting, recipe);
  Image content = fit(std::move(photo), sizes.height, sizes.width);
  ThreadPool pool(recipe.picture.threads, recipe.picture.pinning);
  if (targets && targets->basis != targets_basis(model.weights(), recipe, sizes)) targets.reset();
  // The painting is needed no longer than its Gram matrices take to be measured.
  Objective objective =
      targets
          ? Objective(model.weights(), recipe, targets, pool)
          : Objective(model.weights(), recipe, content,
                      fit(std::move(painting), sizes.painting_height, sizes.painting_width), pool);
  targets = objective.targets();

  const auto clip = [&](std::span<float> x) { objective.clip(x); };
  const std::vector<float> alpha = std::move(content.alpha);
  Descent descent([&](std::span<const float> x,
                      std::span<float> gradient) { return objective.evaluate(x, gradient); },
                  initial_variable(objective, recipe, std::move(content), std::move(given)),
                  make_optimiser(recipe, objective.size(), pool), pool,
                  recipe.optimiser.clip ? clip : std::function<void(std::span<float>)>(),
                  recipe.output.look_every);

  // What the loop fills is made here once: iterations allocate nothing.
  Painted painted;
  painted.history.reserve(static_cast<size_t>(recipe.optimiser.iterations) + 1);
  Progress now;
  now.iterations = recipe.optimiser.iterations;
  now.width = sizes.width;
  now.height = sizes.height;
  const auto picture_of = [&](std::span<const float> x) {
    return finished_picture(objective, {x.begin(), x.end()}, alpha);
  };
  now.picture = [&] { return picture_of(descent.x()); };
  now.best_picture = [&] { return picture_of(descent.best_x()); };
  painted.outcome = run(descent, recipe.optimiser.iterations, [&] {
    painted.history.push_back({descent.iteration(), seconds(), descent.losses()});
    if (!progress) return true;
    now.iteration = descent.iteration();
    now.seconds = seconds();
    now.losses = descent.losses();
    return progress(now);
  });
  descent.look();
  const bool last = recipe.output.keep == Keep::last;
  painted.best_iteration = descent.best_iteration();
  painted.iteration = last ? descent.iteration() : descent.best_iteration();
  painted.rejected_steps = descent.rejected_steps();
  painted.picture = finished_picture(
      objective, last ? std::move(descent).x() : std::move(descent).best_x(), alpha);
  painted.seconds = seconds();
  return painted;
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
}

Painted paint_sharing(const Model& model, const Image& photo, const Image& painting,
                      const Recipe& recipe, std::shared_ptr<const Targets>& targets,
                      const ProgressCallback& progress) {
  return paint_pictures(model, photo, painting, recipe, targets, progress);
}

Painted paint(const Model& model, const Image& photo, const Image& painting, const Recipe& recipe,
              const ProgressCallback& progress) {
  std::shared_ptr<const Targets> targets;
  return paint_pictures(model, photo, painting, recipe, targets, progress);
}

Painted paint(const Model& model, Image&& photo, Image&& painting, const Recipe& recipe,
              const ProgressCallback& progress) {
  std::shared_ptr<const Targets> targets;
  return paint_pictures(model, photo, painting, recipe, targets, progress);
}

Evaluation evaluate(const Model& model, const Image& photo, const Image& painting,
                    const Image& picture, const Recipe& recipe) {
  check_recipe(model, recipe);
  const WorkingSizes sizes =
      working_sizes(recipe.picture.size == 0 ? picture : photo, painting, recipe);
  ThreadPool pool(recipe.picture.threads, recipe.picture.pinning);
  Objective objective(model.weights(), recipe, fit(photo, sizes.height, sizes.width),
                      fit(painting, sizes.painting_height, sizes.painting_width), pool);

  Evaluation evaluation;
  evaluation.width = sizes.width;
  evaluation.height = sizes.height;
  evaluation.gradient.resize(objective.size());
  evaluation.losses = objective.evaluate(objective.encode(fit(picture, sizes.height, sizes.width)),
                                         evaluation.gradient);
  const size_t plane_size = objective.size() / 3;
  for (size_t i = 0; i < objective.size(); ++i) {
    evaluation.gradient[i] *= objective.rgb_slope(static_cast<int>(i / plane_size));
  }
  evaluation.gradient_norm =
      std::sqrt(kernels::dot(evaluation.gradient, evaluation.gradient, pool));
  return evaluation;
}

std::string_view version() { return LIMN_VERSION; }
std::string_view instruction_set() { return kernels::instruction_set(); }

}  // namespace limn
