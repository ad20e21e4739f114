#include "paint/plan.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/parallel.h"
#include "canvas/sizes.h"
#include "losses/columns.h"
#include "losses/layers.h"
#include "network/network.h"
#include "network/student.h"
#include "network/weights.h"
#include "paint/objective.h"
#include "paint/pyramid.h"
#include "recipe/fields.h"
#include "recipe/stages.h"

namespace limn {

namespace {

// Columns do not look across the edges.
void check_repeats(const Recipe& recipe, const std::string& name) {
  const bool columns = (recipe.neighbours.weight != 0 && neighbours_read_columns(recipe)) ||
                       recipe.transport.weight != 0 || recipe.structure.weight != 0;
  if (!columns) return;
  fail(ErrorKind::usage,
       "{}: hypercolumns, transport and structure losses end at the picture's edges, so the "
       "picture would not be tileable; choose another recipe",
       name);
}

// The losses of a recipe without stages, called `name`.
void check_losses(const Model& model, const Recipe& recipe, const std::string& name) {
  const bool reads_layers = !layers_in_use(*model.weights().network, recipe).empty();
  if (!reads_layers && recipe.total_variation.weight == 0) {
    fail(ErrorKind::usage, "{} has nothing to minimise: all weights are 0", name);
  }
  for (const LayerWeight& layer : recipe.neighbours.layers) {
    const bool both =
        recipe.neighbours.weight != 0 && recipe.content.weight != 0 &&
        !neighbours_read_columns(recipe) &&
        std::ranges::count(recipe.content.layers, layer.layer, &LayerWeight::layer) > 0;
    if (!both) continue;
    fail(ErrorKind::usage,
         "{}: content.layers and neighbours.layers both name {}; choose different layers", name,
         layer.layer);
  }
  const StyleStatistic statistic = recipe.style.statistic;
  if (statistic != StyleStatistic::gram && recipe.style.symmetry != Symmetry::none) {
    fail(ErrorKind::usage,
         "{}: style.symmetry compares Gram matrices, but style.statistic is {}; choose gram, or "
         "no symmetry",
         name, name_of(statistic));
  }
  if (recipe.picture.tileable) check_repeats(recipe, name);
  const bool matrices =
      statistic == StyleStatistic::gram || statistic == StyleStatistic::covariance;
  if (!matrices && !recipe.style.shifts.empty()) {
    fail(
        ErrorKind::usage,
        "{}: style.shifts needs matrices, but style.statistic is {}; choose gram or covariance, or "
        "no shifts",
        name, name_of(statistic));
  }
}

}  // namespace

void check_recipe(const Model& model, const Recipe& recipe) {
  const std::string name = "recipe '" + recipe.name + "'";
  check_ranges(recipe, name);
  check_network_name(recipe.network.name);
  // A recipe for the built-in network accepts any: its losses mean the same with all of them.
  const bool is_particular = recipe.network.name != kBuiltinName;
  if (is_particular && recipe.network.name != model.network()) {
    fail(ErrorKind::usage,
         "{} is for {}, but the weights in '{}' are for {}; choose other weights, or use --network "
         "{}",
         name, recipe.network.name, model.weights().source, model.network(), model.network());
  }
  const std::vector<Recipe> stages = stages_of(recipe);
  for (size_t i = 0; i < stages.size(); ++i) {
    const bool several = !recipe.stages.empty();
    check_losses(model, stages[i],
                 several ? fmt::format("{}, stage '{}'", name, recipe.stages[i].name) : name);
  }
}

namespace {

// What the sides of a picture that repeats are multiples of: the stride of the deepest layer that
// any stage reads.
int tile_step(const Model& model, std::span<const Recipe> stages) {
  const NetworkTable& network = *model.weights().network;
  int row = -1;
  for (const Recipe& stage : stages) {
    row = std::max(row, deepest_row(layers_in_use(network, stage)));
  }
  return row < 0 ? 1 : stride_of(network.rows, row);
}

void check_tileable(const Size& size, int step) {
  if (size.height % step == 0 && size.width % step == 0) return;
  const auto nearest = [&](int side) { return std::max(step, (side + step / 2) / step * step); };
  fail(ErrorKind::usage,
       "--tileable: the picture would be {} x {} pixels, but with these layers its sides must be "
       "multiples of {}; choose {} x {}",
       size.width, size.height, step, nearest(size.width), nearest(size.height));
}

}  // namespace

Plan make_plan(const Model& model, const PictureSizes& pictures, const Recipe& recipe) {
  check_recipe(model, recipe);
  Plan plan;
  plan.recipe = recipe;
  if (recipe.picture.tileable) plan.recipe.picture.border = 0;
  plan.stages = stages_of(plan.recipe);
  const WorkingSizes sizes = working_sizes(pictures, recipe);
  const int step = recipe.picture.tileable ? tile_step(model, plan.stages) : 1;
  check_tileable(sizes.picture, step);
  if (const int largest = plan.stages.back().pyramid.largest;
      largest > 0 && largest < std::max(sizes.picture.height, sizes.picture.width)) {
    fail(
        ErrorKind::usage,
        "recipe '{}': painting would end at {} pixels, but the picture has {}; set pyramid.largest "
        "to 0, or add a stage without it",
        recipe.name, largest, std::max(sizes.picture.height, sizes.picture.width));
  }
  for (const Recipe& stage : plan.stages) {
    for (Level& level : pyramid_levels(sizes, stage, step)) {
      level.stage = static_cast<int>(&stage - plan.stages.data());
      check_objective(model.weights(), stage, level.sizes);
      plan.levels.push_back(std::move(level));
    }
  }
  predict_memory(plan, model, {}, 0);
  return plan;
}

void predict_memory(Plan& plan, const Model& model, const Parts& parts, double reading_bytes) {
  const int asked = plan.recipe.picture.threads;
  const int threads = asked == 0 ? available_cores() : asked;
  plan.bytes = 0;
  for (const Recipe& stage : plan.stages) {
    plan.bytes = std::max(plan.bytes, predict_painting_bytes(model.weights(), stage, plan.sizes(),
                                                             parts, threads, reading_bytes));
  }
}

void leave_out_painting(Plan& plan, size_t index) {
  for (Level& level : plan.levels) {
    std::vector<Size>& paintings = level.sizes.paintings;
    paintings.erase(paintings.begin() + static_cast<std::ptrdiff_t>(index));
  }
}

}  // namespace limn
