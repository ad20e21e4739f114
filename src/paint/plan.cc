#include "paint/plan.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/parallel.h"
#include "canvas/sizes.h"
#include "losses/columns.h"
#include "losses/layers.h"
#include "losses/regional.h"
#include "network/network.h"
#include "network/student.h"
#include "network/weights.h"
#include "paint/objective.h"
#include "paint/pyramid.h"
#include "paint/tiles.h"
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
  if (!matrices && has_shifts(recipe)) {
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

void check_budget(const Recipe& recipe, const Budget& budget) {
  constexpr int kLeast = 16;
  if (budget.tile != 0 && budget.tile < kLeast) {
    fail(ErrorKind::usage, "tiles of {} pixels: choose at least {}", budget.tile, kLeast);
  }
  if (budget.ranks < 1) fail(ErrorKind::usage, "{} ranks: choose at least 1", budget.ranks);
  for (const Recipe& stage : stages_of(recipe)) {
    if (budget.tile == 0 || can_be_cut(stage)) continue;
    fail(ErrorKind::usage,
         "recipe '{}': style.symmetry compares opposite ends of the picture, which cannot be cut "
         "into tiles; leave out --tile, or choose no symmetry",
         recipe.name);
  }
}

Plan make_plan(const Model& model, const PictureSizes& pictures, const Recipe& recipe,
               const Budget& budget) {
  check_recipe(model, recipe);
  check_budget(recipe, budget);
  Plan plan;
  plan.budget = budget;
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
  predict_memory(plan, model, {}, {});
  return plan;
}

namespace {

// How much more than predicted a painting may take.
constexpr double kOff = 1.1;

// A level's tiles and savings.
struct Choice {
  Size tile;
  Saving saving;
};

// Predicts the memory of a plan's levels, with any choice.
class Predictions {
 public:
  Predictions(const Plan& plan, const Model& model, const Parts& parts,
              const PictureFileBytes& files)
      : plan_(plan), weights_(model.weights()), parts_(parts), files_(files) {
    const int asked = plan.recipe.picture.threads;
    threads_ = asked == 0 ? available_cores() : asked;
  }

  // What must be there for it, though predictions are off.
  double needed(const Level& level, const Choice& choice) const {
    return kOff * bytes(level, choice);
  }
  double bytes(const Level& level, const Choice& choice) const {
    const Recipe recipe = saving(plan_.stages[level.stage], choice.saving);
    PictureFileBytes files = files_;
    if (&level != &plan_.levels.back()) files.besides += pictures_bytes(plan_.sizes());
    return predict_painting_bytes(weights_, recipe, level.sizes, parts_, threads_, files,
                                  choice.tile, plan_.budget.ranks);
  }

 private:
  // Of the photo and the paintings, from which later levels begin.
  static double pictures_bytes(const WorkingSizes& sizes) {
    const auto bytes = [](const Size& size) {
      return 3.0 * sizeof(float) * size.height * size.width;
    };
    double sum = bytes(sizes.picture);
    for (const Size& painting : sizes.paintings) sum += bytes(painting);
    return sum;
  }

  const Plan& plan_;
  const Weights& weights_;
  const Parts& parts_;
  const PictureFileBytes& files_;
  int threads_;
};

// Below this, the halos of VGG-19's deepest layers take several times as long as the tiles.
constexpr int kLeastTile = 128;

// The sides to try for the tiles of a level, from the largest on: the longest side of the picture
// in 2, 3, 4 and more parts, then in steps of a tenth.
std::vector<int> sides_of_tiles(const Level& level, const Recipe& recipe) {
  const Size& picture = level.sizes.picture;
  const int longest = std::max(picture.height, picture.width) + 2 * recipe.picture.border;
  std::vector<int> sides;
  for (int parts = 2; parts < 10 && longest / parts >= kLeastTile; ++parts) {
    sides.push_back((longest + parts - 1) / parts);
  }
  for (int side = longest / 10; side > kLeastTile; side -= std::max(16, side / 10)) {
    sides.push_back(side);
  }
  if (sides.empty() || sides.back() > kLeastTile) sides.push_back(kLeastTile);
  return sides;
}

// What a budget may make of a level, in the order in which it is tried (Budget, in limn.h). A
// half-precision history has its price in quality, a short one in iterations, so both come last,
// and then with the largest tiles that they allow.
std::vector<Choice> choices_for(const Plan& plan, const Level& level,
                                const Predictions& predictions) {
  const Recipe& recipe = plan.stages[level.stage];
  std::vector<Size> tiles;
  const int asked = plan.budget.tile;
  if (asked > 0) tiles.push_back({asked, asked});
  if (asked == 0 && can_be_cut(recipe)) {
    for (const int side : sides_of_tiles(level, recipe)) tiles.push_back({side, side});
  }
  std::vector<Choice> choices;
  const auto add_whole = [&](const Saving& saving) {
    if (asked == 0) choices.push_back({{}, saving});
  };
  const auto add_tiles = [&](const Saving& saving) {
    for (const Size& tile : tiles) choices.push_back({tile, saving});
  };
  Saving saving;
  // Where all features are read by content losses too, for example, it saves nothing.
  Saving half_features = {.half_features = true};
  if (!(predictions.bytes(level, {{}, half_features}) < predictions.bytes(level, {}))) {
    half_features = {};
  }
  add_whole(saving);
  if (half_features != saving) add_whole(half_features);
  add_tiles(saving);
  if (half_features != saving) add_tiles(half_features);
  if (recipe.optimiser.kind != OptimiserKind::lbfgs) return choices;

  saving = half_features;
  const auto add_both = [&] {
    add_whole(saving);
    add_tiles(saving);
  };
  if (!recipe.optimiser.half_history) {
    saving.half_history = true;
    add_both();
  }
  for (const int history : {8, 6, 4, 3, 2}) {
    if (history >= recipe.optimiser.history) continue;
    saving.history = history;
    add_both();
  }
  return choices;
}

[[noreturn]] void refuse_budget(const Plan& plan, const Predictions& predictions) {
  constexpr double kMega = 1024.0 * 1024;
  double most = 0;
  for (const Level& level : plan.levels) {
    double least = HUGE_VAL;
    for (const Choice& choice : choices_for(plan, level, predictions)) {
      least = std::min(least, predictions.needed(level, choice));
    }
    most = std::max(most, least);
  }
  const Size& size = plan.sizes().picture;
  fail(
      ErrorKind::resources,
      "a picture of {} x {} pixels needs at least {:.0f}M of memory with recipe '{}', but may take "
      "only {:.0f}M; choose --memory {:.0f}M, or a smaller --size",
      size.width, size.height, std::ceil(most / kMega), plan.recipe.name, plan.budget.bytes / kMega,
      std::ceil(most / kMega));
}

// The first choice with which the level stays within the budget.
Choice choice_within(const Plan& plan, const Level& level, const Predictions& predictions) {
  if (plan.budget.bytes == 0) return {{plan.budget.tile, plan.budget.tile}, {}};
  const std::vector<Choice> choices = choices_for(plan, level, predictions);
  for (const Choice& choice : choices) {
    if (predictions.needed(level, choice) <= plan.budget.bytes) return choice;
  }
  refuse_budget(plan, predictions);
}

double cost_at(const Model& model, const Recipe& recipe, const Level& level) {
  const int border = 2 * recipe.picture.border;
  const auto [height, width] = level.sizes.picture;
  const Size size = {height + border, width + border};
  return cost_of(picture_tiles(*model.weights().network, recipe, size, level.tile));
}

}  // namespace

Recipe saving(Recipe recipe, const Saving& saving) {
  recipe.picture.half_features |= saving.half_features;
  recipe.optimiser.half_history |= saving.half_history;
  if (saving.history > 0) recipe.optimiser.history = saving.history;
  return recipe;
}

void predict_memory(Plan& plan, const Model& model, const Parts& parts,
                    const PictureFileBytes& files) {
  const Predictions predictions(plan, model, parts, files);
  plan.bytes = 0;
  for (Level& level : plan.levels) {
    const Choice choice = choice_within(plan, level, predictions);
    level.tile = choice.tile;
    level.saving = choice.saving;
    level.cost = cost_at(model, plan.stages[level.stage], level);
    plan.bytes = std::max(plan.bytes, predictions.bytes(level, choice));
  }
}

void leave_out_painting(Plan& plan, size_t index) {
  for (Level& level : plan.levels) {
    std::vector<Size>& paintings = level.sizes.paintings;
    paintings.erase(paintings.begin() + static_cast<std::ptrdiff_t>(index));
  }
}

}  // namespace limn
