// The one list of a recipe's settings. The TOML reader and writer, the command's flags, its help
// and its reports all walk it, so none of them can know a setting that another does not.
#pragma once

#include <limn/limn.h>

#include <array>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>

namespace limn {

// ---- the names of enumerated values, in recipes and on the command line ----

template <typename Enum>
struct ValueName {
  Enum value;
  std::string_view name;
};
template <typename Enum>
ValueName(Enum, const char*) -> ValueName<Enum>;

// The names of each enumeration, in the order in which messages and help list them.
template <typename Enum>
inline constexpr std::array<ValueName<Enum>, 0> kNames = {};

template <>
inline constexpr std::array kNames<Pooling> = {
    ValueName{Pooling::max, "max"},
    ValueName{Pooling::average, "average"},
};
template <>
inline constexpr std::array kNames<Convention> = {
    ValueName{Convention::file, "file"},
    ValueName{Convention::caffe, "caffe"},
    ValueName{Convention::caffe_rounded, "caffe-rounded"},
    ValueName{Convention::matconvnet, "matconvnet"},
    ValueName{Convention::torchvision, "torchvision"},
};
template <>
inline constexpr std::array kNames<ContentForm> = {
    ValueName{ContentForm::sum, "sum"},
    ValueName{ContentForm::half_sum, "half-sum"},
    ValueName{ContentForm::mean, "mean"},
    ValueName{ContentForm::root, "root"},
};
template <>
inline constexpr std::array kNames<GramForm> = {
    ValueName{GramForm::raw, "raw"},
    ValueName{GramForm::per_position, "per-position"},
};
template <>
inline constexpr std::array kNames<StyleForm> = {
    ValueName{StyleForm::mean, "mean"},
    ValueName{StyleForm::paper, "paper"},
    ValueName{StyleForm::paper_times_4, "paper-times-4"},
    ValueName{StyleForm::image, "image"},
};
template <>
inline constexpr std::array kNames<StyleStatistic> = {
    ValueName{StyleStatistic::gram, "gram"},
    ValueName{StyleStatistic::covariance, "covariance"},
    ValueName{StyleStatistic::mean_deviation, "mean-deviation"},
    ValueName{StyleStatistic::sliced, "sliced"},
};
template <>
inline constexpr std::array kNames<Colors> = {
    ValueName{Colors::style, "style"},         ValueName{Colors::content, "content"},
    ValueName{Colors::matched, "matched"},     ValueName{Colors::palette, "palette"},
    ValueName{Colors::histogram, "histogram"},
};
template <>
inline constexpr std::array kNames<Symmetry> = {
    ValueName{Symmetry::none, "none"},
    ValueName{Symmetry::left_right, "left-right"},
    ValueName{Symmetry::up_down, "up-down"},
    ValueName{Symmetry::both, "both"},
    ValueName{Symmetry::rotate_180, "rotate-180"},
};
template <>
inline constexpr std::array kNames<ShiftUnit> = {
    ValueName{ShiftUnit::cells, "cells"},
    ValueName{ShiftUnit::pixels, "pixels"},
};
template <>
inline constexpr std::array kNames<Matching> = {
    ValueName{Matching::layers, "layers"},
    ValueName{Matching::hypercolumns, "hypercolumns"},
};
template <>
inline constexpr std::array kNames<NeighbourDistance> = {
    ValueName{NeighbourDistance::squared, "squared"},
    ValueName{NeighbourDistance::cosine, "cosine"},
    ValueName{NeighbourDistance::centred_cosine, "centred-cosine"},
};
template <>
inline constexpr std::array kNames<Balance> = {
    ValueName{Balance::fixed, "fixed"},
    ValueName{Balance::measured, "measured"},
};
template <>
inline constexpr std::array kNames<VariationForm> = {
    ValueName{VariationForm::absolute, "absolute"},
    ValueName{VariationForm::squared, "squared"},
    ValueName{VariationForm::power, "power"},
};
template <>
inline constexpr std::array kNames<OptimiserKind> = {
    ValueName{OptimiserKind::lbfgs, "lbfgs"},
    ValueName{OptimiserKind::adam, "adam"},
    ValueName{OptimiserKind::rmsprop, "rmsprop"},
    ValueName{OptimiserKind::sgd, "sgd"},
};
template <>
inline constexpr std::array kNames<LineSearch> = {
    ValueName{LineSearch::none, "none"},
    ValueName{LineSearch::strong_wolfe, "strong-wolfe"},
};
template <>
inline constexpr std::array kNames<Curvature> = {
    ValueName{Curvature::one, "one"},
    ValueName{Curvature::local, "local"},
};
template <>
inline constexpr std::array kNames<AdamEpsilon> = {
    ValueName{AdamEpsilon::corrected, "corrected"},
    ValueName{AdamEpsilon::uncorrected, "uncorrected"},
};
template <>
inline constexpr std::array kNames<SizeOf> = {
    ValueName{SizeOf::longest_side, "longest-side"},
    ValueName{SizeOf::height, "height"},
};
template <>
inline constexpr std::array kNames<PaintingSize> = {
    ValueName{PaintingSize::proportional, "proportional"},
    ValueName{PaintingSize::stretched, "stretched"},
    ValueName{PaintingSize::own, "own"},
    ValueName{PaintingSize::within, "within"},
};
template <>
inline constexpr std::array kNames<Noise> = {
    ValueName{Noise::grey, "grey"},
    ValueName{Noise::uniform, "uniform"},
    ValueName{Noise::standard, "standard"},
};
template <>
inline constexpr std::array kNames<Keep> = {
    ValueName{Keep::best, "best"},
    ValueName{Keep::last, "last"},
};
template <>
inline constexpr std::array kNames<SavedName> = {
    ValueName{SavedName::number, "number"},
    ValueName{SavedName::time, "time"},
};
template <>
inline constexpr std::array kNames<Pinning> = {
    ValueName{Pinning::cores, "cores"},
    ValueName{Pinning::none, "none"},
};
template <>
inline constexpr std::array kNames<Space> = {
    ValueName{Space::rgb, "rgb"},
    ValueName{Space::network, "network"},
};

template <typename Enum>
std::string_view name_of(Enum value) {
  for (const auto& entry : kNames<Enum>) {
    if (entry.value == value) return entry.name;
  }
  return "?";
}

// ---- the fields ----

// The largest whole number up to which readers of JSON, and so of reports, represent all exactly.
inline constexpr double kMostSeed = 9007199254740991;
inline constexpr double kUnbounded = std::numeric_limits<double>::max();

struct Field {
  std::string_view key;   // in a recipe: "content.weight"
  std::string_view flag;  // on the command line: "--content-weight"
  std::string_view help;
  double least = 0;  // allowed values of numbers, both ends included
  double most = kUnbounded;
};

// Calls visit(Field, member) for every setting of `recipe` (a Recipe or a const Recipe).
template <typename RecipeType, typename Visit>
requires std::is_same_v<std::remove_const_t<RecipeType>, Recipe>
void visit_fields(RecipeType& recipe, Visit&& visit) {
  // clang-format off: a table
  visit(Field{"name", "", "Name of the recipe"}, recipe.name);
  visit(Field{"summary", "", "What it is for, in one line"}, recipe.summary);

  auto& network = recipe.network;
  visit(Field{"network.name", "--network", "Network: the built-in one, vgg19 or vgg16"},
        network.name);
  visit(Field{"network.pooling", "--pooling", "How the network downsamples its maps"},
        network.pooling);

  visit(
      Field{"network.convention", "--weights-convention",
            "Colours and units of the network's input: as the weights file says, or one of these"},
      network.convention);

  auto& content = recipe.content;
  visit(Field{"content.weight", "--content-weight", "Weight of the content loss; 0 leaves it out"},
        content.weight);
  visit(
      Field{"content.layers", "--content-layers", "Content layers; a layer's weight defaults to 1"},
      content.layers);
  visit(Field{"content.form", "--content-form", "How the content loss is scaled"}, content.form);

  auto& style = recipe.style;
  visit(Field{"style.weight", "--style-weight", "Weight of the style loss; 0 leaves it out"},
        style.weight);
  visit(Field{"style.layers", "--style-layers", "Style layers; a layer's weight defaults to 1"},
        style.layers);
  visit(Field{"style.gram", "--style-gram", "Gram matrices as raw sums or per position"},
        style.gram);
  visit(Field{"style.form", "--style-form", "How the style loss is scaled"}, style.form);

  visit(
      Field{"style.statistic", "--style-statistic", "Which statistic of the features is compared"},
      style.statistic);
  visit(Field{"style.shifts", "--style-shifts",
              "Also compare Gram matrices shifted by this much: 1,2,4; none", 1, 1000},
        style.shifts);
  visit(Field{"style.shifts_across", "--shifts-across",
              "The same, but only along rows: for patterns with another period down", 1, 1000},
        style.shifts_across);
  visit(Field{"style.shifts_down", "--shifts-down", "The same, but only along columns", 1, 1000},
        style.shifts_down);
  visit(Field{"style.shift_unit", "--shift-unit",
              "Unit of the shifts: each layer's cells, or the picture's pixels"},
        style.shift_unit);
  visit(Field{"style.shift_weight", "--shift-weight",
              "Weight of each shifted matrix, relative to the plain one's", 0, 1e6},
        style.shift_weight);
  visit(Field{"style.symmetry", "--style-symmetry",
              "Also compare products of features with their mirror image"},
        style.symmetry);
  visit(Field{"style.blend", "--blend",
              "Share of each PAINTING in a blend: 0.7,0.3; none: equal shares"},
        style.blend);
  visit(Field{"style.scale", "--style-scale",
              "Size of strokes: 0.5 halves it; one number, or one per PAINTING", 0.05, 20},
        style.scale);
  visit(Field{"style.every", "--style-every",
              "Sliced: iterations after which other directions are drawn; 0: never", 0, 1'000'000},
        style.every);

  auto& neighbours = recipe.neighbours;
  visit(Field{"neighbours.weight", "--neighbours-weight",
              "Weight of the neighbours loss, part of the style's; 0 leaves it out"},
        neighbours.weight);
  visit(Field{"neighbours.layers", "--neighbours-layers",
              "Layers whose positions are matched with the painting's; weights default to 1"},
        neighbours.layers);
  visit(Field{"neighbours.matching", "--neighbours-matching",
              "Match each layer by itself, or all layers of a place together"},
        neighbours.matching);
  visit(Field{"neighbours.distance", "--neighbours-distance",
              "Distance from a match; the cosines leave contrast free"},
        neighbours.distance);
  visit(Field{"neighbours.every", "--neighbours-every",
              "Iterations after which matches are sought again; 0: never", 0, 1'000'000},
        neighbours.every);
  visit(Field{"neighbours.uses", "--neighbours-uses",
              "How often a place of the painting is used at most, in even shares; 0: no limit"},
        neighbours.uses);
  visit(Field{"neighbours.samples", "--neighbours-samples",
              "Compare a grid of about this many places a side; 0: every place", 0, 100'000},
        neighbours.samples);
  visit(Field{"neighbours.turned", "--neighbours-turned",
              "Also search the painting turned by 90, 180 and 270 degrees"},
        neighbours.turned);
  visit(Field{"neighbours.photo", "--neighbours-photo",
              "Share of the photo where a size's first matches are sought", 0, 1},
        neighbours.photo);

  auto& transport = recipe.transport;
  visit(Field{"transport.weight", "--transport-weight",
              "Weight of the transport loss, part of the style's; 0 leaves it out"},
        transport.weight);
  visit(Field{"transport.layers", "--transport-layers",
              "Layers it reads together; a layer's weight defaults to 1"},
        transport.layers);
  visit(Field{"transport.palette", "--transport-palette", "Weight of the palette in it"},
        transport.palette);
  visit(Field{"transport.every", "--transport-every",
              "Iterations after which it draws other places; 0: never", 0, 1'000'000},
        transport.every);

  auto& structure = recipe.structure;
  visit(Field{"structure.weight", "--structure-weight",
              "Weight of the structure loss, part of the content's; 0 leaves it out"},
        structure.weight);
  visit(Field{"structure.layers", "--structure-layers",
              "Layers it reads together; a layer's weight defaults to 1"},
        structure.layers);
  visit(Field{"structure.every", "--structure-every",
              "Iterations after which it draws other places; 0: never", 0, 1'000'000},
        structure.every);

  auto& balance = recipe.balance;
  visit(Field{"balance.kind", "--balance",
              "Loss weights as given, or scaled by gradients measured first"},
        balance.kind);
  visit(Field{"balance.strength", "--strength",
              "How strong the style is: 0 is nearly the photo, 1 nearly the style alone", 0, 1},
        balance.strength);

  auto& variation = recipe.total_variation;
  visit(Field{"total_variation.weight", "--tv-weight",
              "Weight of the total variation; 0 leaves it out"},
        variation.weight);
  visit(Field{"total_variation.form", "--tv-form", "Form of the total variation"}, variation.form);

  auto& optimiser = recipe.optimiser;
  visit(Field{"optimiser.kind", "--optimiser", "Optimisation method"}, optimiser.kind);
  visit(Field{"optimiser.iterations", "--iterations", "Total iterations, over all sizes", 0,
              1'000'000},
        optimiser.iterations);
  visit(Field{"optimiser.seconds", "--seconds", "Approximate time limit in seconds; 0: no limit", 0,
              1e9},
        optimiser.seconds);
  visit(Field{"optimiser.plateau", "--plateau",
              "Stop when 20 iterations lower the loss by less than this fraction; 0: never", 0, 1},
        optimiser.plateau);
  visit(Field{"optimiser.space", "--space",
              "Units to optimise in: 0..1 RGB or those of the network's input"},
        optimiser.space);
  visit(Field{"optimiser.clip", "--clip", "Clip the picture to 0..1 after each step"},
        optimiser.clip);
  visit(Field{"optimiser.learning_rate", "--learning-rate",
              "Step length; 0: one that suits the optimiser", 0, 1e12},
        optimiser.learning_rate);
  visit(Field{"optimiser.history", "--history", "L-BFGS: number of past steps kept", 1, 1000},
        optimiser.history);
  visit(Field{"optimiser.half_history", "--half-history",
              "L-BFGS: save memory: keep past steps at half precision"},
        optimiser.half_history);
  visit(Field{"optimiser.restart_every", "--restart-every",
              "L-BFGS: forget past steps after this many iterations; 0: never", 0, 1'000'000},
        optimiser.restart_every);
  visit(Field{"optimiser.line_search", "--line-search", "L-BFGS: how a step's length is found"},
        optimiser.line_search);
  visit(Field{"optimiser.curvature", "--curvature",
              "L-BFGS: one curvature estimate, or one per place"},
        optimiser.curvature);
  visit(Field{"optimiser.beta1", "--beta1", "Adam: decay of the mean gradient", 0, 0.999999},
        optimiser.beta1);
  visit(Field{"optimiser.beta2", "--beta2", "Adam, RMSprop: decay of the mean squared gradient", 0,
              0.999999},
        optimiser.beta2);
  visit(Field{"optimiser.epsilon", "--epsilon", "Adam, RMSprop: added to the denominator", 0, 1e6},
        optimiser.epsilon);
  visit(Field{"optimiser.epsilon_form", "--epsilon-form",
              "Adam: epsilon added to corrected or uncorrected means"},
        optimiser.epsilon_form);
  visit(Field{"optimiser.decay_rate", "--decay-rate",
              "SGD: learning rate factor per --decay-steps steps", 1e-6, 1},
        optimiser.decay_rate);
  visit(Field{"optimiser.decay_steps", "--decay-steps", "SGD: steps per decay factor", 1, 1e9},
        optimiser.decay_steps);

  auto& pyramid = recipe.pyramid;
  visit(Field{"pyramid.smallest", "--smallest",
              "Longest side of the first size; 0: the largest only", 0, 100'000},
        pyramid.smallest);
  visit(Field{"pyramid.largest", "--largest",
              "Longest side of a stage's last size; 0: the picture's", 0, 100'000},
        pyramid.largest);
  visit(Field{"pyramid.fall", "--fall", "Iterations of each size, relative to the one before", 0.05,
              20},
        pyramid.fall);
  visit(Field{"pyramid.bands", "--bands",
              "Also optimise pictures 2, 4, 8, ... times smaller, with these weights", 0, 100},
        pyramid.bands);
  visit(Field{"pyramid.detail", "--detail",
              "How much of the photo's finest detail each size begins with", 0, 10},
        pyramid.detail);

  auto& picture = recipe.picture;
  visit(Field{"picture.size", "--size", "Longest side in pixels; 0 keeps the photo's size", 0,
              100'000},
        picture.size);
  visit(Field{"picture.size_of", "--size-of", "Which length --size sets"}, picture.size_of);
  visit(Field{"picture.painting_size", "--painting-size",
              "Size of paintings: in proportion, stretched to the picture's, their own, or at most "
              "the picture's"},
        picture.painting_size);
  visit(Field{"picture.colors", "--colors",
              "The painting's colours, the photo's, or one of them matched to the other"},
        picture.colors);
  visit(Field{"picture.tileable", "--tileable", "Paint a picture that repeats without a seam"},
        picture.tileable);
  visit(Field{"picture.symmetry", "--symmetry",
              "Paint a picture that equals its mirror image, exactly"},
        picture.symmetry);
  visit(Field{"picture.border", "--border", "Pixels painted around the picture, then cut off", 0,
              1000},
        picture.border);
  visit(Field{"picture.init", "--init",
              "First picture: content, noise (by --noise-share), mean, or a file"},
        picture.init);
  visit(Field{"picture.noise", "--noise", "Kind of noise for --init noise"}, picture.noise);
  visit(
      Field{"picture.noise_share", "--noise-share", "Share of noise; the rest is the photo", 0, 1},
      picture.noise_share);
  visit(Field{"picture.seed", "--seed", "Seed of the noise", 0, kMostSeed}, picture.seed);
  visit(Field{"picture.threads", "--threads", "Threads; 0: one per core. The result is the same", 0,
              1024},
        picture.threads);
  visit(Field{"picture.pinning", "--no-pin", "Let the system move threads between cores"},
        picture.pinning);
  visit(Field{"picture.half_features", "--half-features",
              "Save memory: keep features for the style gradient at half precision"},
        picture.half_features);

  auto& output = recipe.output;
  visit(Field{"output.keep", "--keep", "Which picture is the result"}, output.keep);
  visit(Field{"output.look_every", "--look-every",
              "Consider only every Nth picture when keeping the best", 1, 1'000'000},
        output.look_every);
  visit(Field{"output.save_every", "--save-every",
              "Also save the picture of every Nth iteration; 0: none", 0, 1'000'000},
        output.save_every);
  visit(Field{"output.save_name", "--save-name",
              "Names of saved pictures: by number, or by time and number"},
        output.save_name);
  // clang-format on
}

// Sets the setting with this key from text given on a command line. `origin` ("--size") names it in
// messages. Throws Error (usage): unknown key, invalid text, value out of range.
void set_field(Recipe& recipe, std::string_view key, const std::string& text,
               const std::string& origin);

// Throws Error (usage), naming `source` and the key, if a number is out of its range or a layer is
// named twice.
void check_ranges(const Recipe& recipe, const std::string& source);

// A layer list as text, "relu1_1:0.2,relu2_1:0.2".
std::string to_text(std::span<const LayerWeight> layers);

}  // namespace limn
