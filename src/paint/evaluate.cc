// The losses of a given picture.
#include <limn/limn.h>

#include <cmath>
#include <utility>

#include "canvas/canvas.h"
#include "image/alpha.h"
#include "image/colour.h"
#include "kernels/kernels.h"
#include "paint/balance.h"
#include "paint/loss_unit.h"
#include "paint/objective.h"
#include "paint/plan.h"
#include "paint/pyramid.h"
#include "paint/scene.h"
#include "recipe/stages.h"

namespace limn {
namespace {

// The weights that paint() would measure at its first size.
LossWeights weights_of(const Model& model, const Recipe& recipe, const Scene& scene,
                       ThreadPool& pool) {
  Scene first = resized(scene, pyramid_levels(scene.sizes(), recipe).front().sizes);
  const Image photo = first.photo;
  Objective objective(model.weights(), recipe, std::move(first), pool);
  const Canvas canvas(objective.units(), objective.picture_size(), {}, pool);
  return measured_weights(objective, canvas, recipe, photo);
}

}  // namespace

Evaluation evaluate(const Model& model, const Image& photo, const Image& painting,
                    const Image& picture, const Recipe& given, int tile) {
  // The picture is judged as it is, and its border has been cut off.
  check_recipe(model, given);
  check_budget(given, {0, tile});
  Recipe recipe = stages_of(given).back();
  recipe.picture.border = 0;
  Pictures pictures = single_style(photo, painting);
  if (recipe.picture.size == 0) {
    pictures.photo = resized(photo, picture.width, picture.height);
  }
  const WorkingSizes sizes = working_sizes(pictures, recipe);
  ThreadPool pool(recipe.picture.threads, recipe.picture.pinning);
  Scene scene = make_scene(std::move(pictures), recipe, sizes);
  scene.grey = false;  // the gradient is that of the picture as it is, with its colours
  Image judged = resized(picture, sizes.picture.width, sizes.picture.height);
  lay_on(judged, scene.photo);
  if (recipe.picture.colors == Colors::content) judged = lightness_of(std::move(judged));

  LossWeights weights;
  const bool measured = recipe.balance.kind == Balance::measured;
  if (measured) weights = weights_of(model, recipe, scene, pool);
  Objective objective(model.weights(), recipe, std::move(scene), pool, {tile, tile});
  if (measured) objective.multiply(weights);

  Evaluation evaluation;
  evaluation.width = sizes.picture.width;
  evaluation.height = sizes.picture.height;
  evaluation.gradient.resize(objective.size());
  evaluation.losses =
      choose_unit(objective, 1, objective.units().encode(std::move(judged)), evaluation.gradient);
  const double unit = objective.unit();
  const size_t plane_size = objective.size() / 3;
  for (size_t i = 0; i < objective.size(); ++i) {
    evaluation.gradient[i] *= objective.units().plane(static_cast<int>(i / plane_size)).gain;
  }
  evaluation.gradient_norm =
      std::sqrt(kernels::dot(evaluation.gradient, evaluation.gradient, pool)) / unit;
  if (unit != 1) kernels::scale(static_cast<float>(1 / unit), evaluation.gradient, pool);
  return evaluation;
}

}  // namespace limn
