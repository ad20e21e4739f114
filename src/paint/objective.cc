#include "paint/objective.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "losses/content.h"
#include "losses/gram.h"
#include "losses/neighbours.h"
#include "losses/regional.h"
#include "losses/sliced.h"
#include "losses/structure.h"
#include "losses/transport.h"
#include "losses/variation.h"
#include "recipe/fields.h"

namespace limn {

namespace {

void check_size(const char* what, const char* mend, int height, int width, const LeastSide& least,
                std::string_view network) {
  if (std::min(height, width) >= least.pixels) return;
  fail(ErrorKind::usage,
       "the {} is used at {} x {} pixels, but layer {} of {} needs at least {} x {}; choose a "
       "larger {} or shallower layers",
       what, width, height, least.layer, network, least.pixels, least.pixels, mend);
}

}  // namespace

void check_objective(const Weights& weights, const Recipe& recipe, const WorkingSizes& sizes) {
  const std::vector<LayerInUse> layers = layers_in_use(*weights.network, recipe);
  if (layers.empty()) return;
  if (weights.student && recipe.network.pooling != Pooling::max) {
    fail(
        ErrorKind::usage,
        "the network '{}' was trained with max pooling only; for --pooling {}, use --network vgg19",
        weights.network->name, name_of(recipe.network.pooling));
  }
  // Throws if the weights end too early.
  const Network network(weights, recipe.network.pooling, deepest_row(layers));
  const int border = 2 * recipe.picture.border;
  check_size("photo", "--size", sizes.picture.height + border, sizes.picture.width + border,
             least_picture_side(*weights.network, recipe), weights.network->name);
  for (const Size& painting : sizes.paintings) {
    check_size("painting", "--size or --style-scale", painting.height, painting.width,
               least_painting_side(*weights.network, recipe), weights.network->name);
  }
}

// -------------------------------------------------------------------------------------- making --

namespace {

std::shared_ptr<const Targets> targets_of(const Weights& weights, const Recipe& recipe, Scene scene,
                                          ThreadPool& pool) {
  const WorkingSizes sizes = scene.sizes();
  check_objective(weights, recipe, sizes);
  scene = with_border(std::move(scene), recipe.picture.border);
  return measure_targets(weights, recipe, sizes, scene, pool);
}

}  // namespace

Objective::Objective(const Weights& weights, const Recipe& recipe, Scene scene, ThreadPool& pool)
    : Objective(weights, recipe, targets_of(weights, recipe, std::move(scene), pool), pool) {}

Objective::Objective(const Weights& weights, const Recipe& recipe, const Image& photo,
                     const Image& painting, ThreadPool& pool)
    : Objective(weights, recipe, Scene{photo, {{painting, {}, 0, 1.0}}, {}, {}, {}, false}, pool) {}

Objective::Objective(const Weights& weights, const Recipe& recipe,
                     std::shared_ptr<const Targets> targets, ThreadPool& pool)
    : recipe_(recipe),
      pool_(pool),
      targets_(std::move(targets)),
      units_(recipe.optimiser.space,
             input_convention(recipe.network.convention, weights.convention)),
      layers_(layers_in_use(*weights.network, recipe)) {
  assert(targets_->basis ==
         targets_basis(weights, recipe, targets_->basis.sizes, targets_->regional));
  check_objective(weights, recipe, targets_->basis.sizes);
  if (!layers_.empty()) {
    const auto [height, width] = picture_size();
    network_ = std::make_unique<Network>(weights, recipe.network.pooling, deepest_row(layers_));
    pass_ = std::make_unique<Pass>(
        *network_, height, width,
        picture_taps(layers_, recipe.picture.half_features, targets_->regional), Purpose::gradients,
        pool.threads(), recipe.picture.tileable ? Edges::periodic : Edges::zero);
  }
  const size_t layers_and_columns = layers_.size() + columns().size();
  view_.resize(layers_and_columns);
  slopes_.resize(layers_and_columns);
  content_.resize(layers_.size());
  style_.resize(layers_.size());
  neighbours_.resize(layers_.size());
  for (int tap = 0; tap < std::ssize(layers_); ++tap) make_losses(tap);
  make_columns(weights);
  const auto& variation = recipe.total_variation;
  if (variation.weight != 0) {
    losses_.push_back(
        std::make_unique<VariationLoss>(variation.weight, variation.form, recipe.picture.tileable));
    variation_ = losses_.back().get();
  }
  due_.assign(losses_.size(), 1);
  const std::vector<double> ones(layers_.size(), 1.0);
  multiply({ones, ones, 1, ones, std::vector<double>(columns().size(), 1.0)});
}

namespace {

NeighboursForm neighbours_form(const Recipe& recipe) {
  const auto& neighbours = recipe.neighbours;
  return {neighbours.distance, neighbours.every, neighbours.uses};
}

}  // namespace

// Makes the losses of one layer.
void Objective::make_losses(int tap) {
  const LayerInUse& layer = layers_[tap];
  const Targets::Layer& target = targets_->layers[tap];
  const ConstFeatureMap shape = pass_->shape(tap);
  const double C = layer.imitation ? layer.imitation->channels : shape.channels;
  const auto M = static_cast<double>(shape.positions());
  const std::span<const double> K =
      layer.imitation ? std::span<const double>(layer.imitation->K) : std::span<const double>();

  if (layer.content_weight != 0) {
    const double factor = layer.content_weight * content_factor(recipe_.content.form, C, M);
    losses_.push_back(
        std::make_unique<ContentLoss>(factor, tap, shape, target.content, K, scratch_));
    content_[tap] = losses_.back().get();
  }
  if (targets_->basis.reads[tap].neighbours) {
    losses_.push_back(std::make_unique<NeighboursLoss>(layer.neighbours_weight,
                                                       neighbours_form(recipe_), tap, shape,
                                                       target.neighbours, K, scratch_));
    neighbours_[tap] = losses_.back().get();
  }
  if (layer.style_weight == 0) return;
  // C means and deviations replace the C^2 values of a matrix, so C replaces C^2 in the factor. The
  // mean over directions is 1 / C of the sum over channels, since each has 1 / C of every square.
  const bool sliced = recipe_.style.statistic == StyleStatistic::sliced;
  const bool of_channels = sliced || recipe_.style.statistic == StyleStatistic::mean_deviation;
  const double pixels = static_cast<double>(size()) / 3;
  const double factor = layer.style_weight *
                        style_factor(recipe_.style.form, of_channels ? std::sqrt(C) : C, M, pixels);
  if (sliced) {
    losses_.push_back(std::make_unique<SlicedLoss>(C * factor, recipe_.picture.seed,
                                                   recipe_.style.every, tap, shape, target.sliced,
                                                   layer.imitation, scratch_));
  } else if (targets_->regional) {
    losses_.push_back(std::make_unique<RegionalLoss>(factor, tap, recipe_.style.gram, shape,
                                                     target.regions, K, scratch_));
  } else {
    losses_.push_back(std::make_unique<GramLoss>(factor, tap, gram_scale(recipe_.style.gram, M),
                                                 target.gram, K, scratch_));
  }
  style_[tap] = losses_.back().get();
}

// Makes columns and the losses that read them.
void Objective::make_columns(const Weights& weights) {
  of_columns_.resize(columns().size());
  std::vector<ConstFeatureMap> shapes;
  for (int tap = 0; tap < std::ssize(layers_); ++tap) {
    shapes.push_back(pass_->shape(tap));
    if (!columns().empty()) Scratch::grow(scratch_.own, shapes.back().floats());
  }
  for (size_t i = 0; i < columns().size(); ++i) {
    const ColumnsInUse& in_use = columns()[i];
    const Targets::OfColumns& target = targets_->columns[i];
    columns_.push_back(std::make_unique<Columns>(in_use, layers_, weights.network->rows, shapes,
                                                 picture_size(), units_, targets_->basis.seed,
                                                 targets_->seen));
    Columns& columns = *columns_.back();
    const auto tap = static_cast<int>(layers_.size() + i);
    const auto add = [&](std::unique_ptr<Loss> loss) {
      of_columns_[i].push_back(losses_.size());
      losses_.push_back(std::move(loss));
    };
    switch (in_use.reader) {
      case ColumnsInUse::Reader::neighbours:
        add(std::make_unique<NeighboursLoss>(in_use.weight, neighbours_form(recipe_), tap,
                                             columns.shape(), target.neighbours,
                                             std::span<const double>(), scratch_));
        break;
      case ColumnsInUse::Reader::transport:
        for (const TransportTarget& painting : target.transport) {
          add(std::make_unique<TransportLoss>(in_use.weight, recipe_.transport.palette,
                                              recipe_.transport.every, tap, columns.shape(),
                                              columns.used_channels(), painting, scratch_));
        }
        break;
      case ColumnsInUse::Reader::structure:
        add(std::make_unique<StructureLoss>(in_use.weight, recipe_.structure.every, tap, columns,
                                            targets_->structure, scratch_));
        break;
    }
  }
}

// ------------------------------------------------------------------------------------- weights --

void Objective::multiply(const LossWeights& weights) {
  multiplied_ = weights;
  for (size_t tap = 0; tap < layers_.size(); ++tap) {
    if (content_[tap]) content_[tap]->multiply(weights.content[tap], unit_);
    if (style_[tap]) style_[tap]->multiply(weights.style[tap], unit_);
    if (neighbours_[tap]) neighbours_[tap]->multiply(weights.neighbours[tap], unit_);
  }
  for (size_t i = 0; i < of_columns_.size(); ++i) {
    for (const size_t loss : of_columns_[i]) losses_[loss]->multiply(weights.columns[i], unit_);
  }
  if (variation_) variation_->multiply(weights.total_variation, unit_);
}

void Objective::set_unit(double unit) {
  unit_ = unit;
  multiply(LossWeights(multiplied_));
}

double Objective::leading_weight() const {
  for (const LayerInUse& layer : layers_) {
    if (layer.content_weight != 0) return layer.content_weight;
  }
  for (const LayerInUse& layer : layers_) {
    if (layer.style_weight != 0) return layer.style_weight;
  }
  for (const LayerInUse& layer : layers_) {
    if (layer.neighbours_weight != 0) return layer.neighbours_weight;
  }
  if (!columns().empty()) return columns().front().weight;
  return recipe_.total_variation.weight;
}

std::vector<double> Objective::style_weights() const {
  std::vector<double> weights;
  for (const LayerInUse& layer : layers_) weights.push_back(layer.style_weight);
  return weights;
}

std::vector<double> Objective::neighbours_weights() const {
  std::vector<double> weights;
  for (size_t tap = 0; tap < layers_.size(); ++tap) {
    weights.push_back(neighbours_[tap] ? layers_[tap].neighbours_weight : 0);
  }
  return weights;
}

ConstFeatureMap Objective::gathered(size_t i) const {
  if (columns()[i].reader != ColumnsInUse::Reader::neighbours) return {};
  return static_cast<const NeighboursLoss&>(*losses_[of_columns_[i].front()]).gathered();
}

bool Objective::seek_before(int iteration) {
  bool any = false;
  for (size_t i = 0; i < losses_.size(); ++i) {
    const int every = losses_[i]->seeks_every();
    if (!losses_[i]->counts() || every == 0 || iteration % every != 0) continue;
    due_[i] = 1;
    any = true;
  }
  return any;
}

void Objective::seek_afresh() {
  for (const auto& loss : losses_) loss->forget();
  due_.assign(losses_.size(), 1);
}

void Objective::seek_at(std::span<const float> x) {
  due_.assign(losses_.size(), 1);
  run_forward(x);
}

void Objective::keep(State& state) {
  LossWeights weights = multiplied_;
  state.numbers("weights.content", weights.content);
  state.numbers("weights.style", weights.style);
  state.numbers("weights.neighbours", weights.neighbours);
  state.number("weights.total_variation", weights.total_variation);
  double unit = unit_;
  state.number("objective.unit", unit);
  state.numbers("weights.columns", weights.columns);
  for (size_t i = 0; i < columns_.size(); ++i) {
    columns_[i]->keep(state, fmt::format("columns.{}", i));
  }
  for (const auto& loss : losses_) loss->keep(state);
  if (!state.restores()) return;
  multiply(weights);
  set_unit(unit);
  due_.assign(losses_.size(), 0);
}

// ---------------------------------------------------------------------------------- evaluation --

namespace {

double& term_of(Losses& losses, Term term) {
  switch (term) {
    case Term::content:
      return losses.content;
    case Term::style:
      return losses.style;
    case Term::total_variation:
      break;
  }
  return losses.total_variation;
}

}  // namespace

// The pass, the columns, and whatever is due to be chosen at x.
void Objective::run_forward(std::span<const float> x) {
  if (pass_) pass_->forward(x, units_.of_variable(), pool_);
  for (int tap = 0; tap < std::ssize(layers_); ++tap) {
    view_[tap] = {pass_->features(tap), pass_->gram(tap)};
  }
  // Losses that choose anew do so at new places.
  for (size_t i = 0; i < losses_.size(); ++i) {
    if (!losses_[i]->counts()) due_[i] = 0;
  }
  const View of_layers = {std::span(view_).first(layers_.size()), x, picture_size()};
  for (size_t i = 0; i < columns_.size(); ++i) {
    const auto is_due = [&](size_t loss) { return due_[loss] != 0; };
    if (std::ranges::any_of(of_columns_[i], is_due)) columns_[i]->draw_next();
    view_[layers_.size() + i] = {columns_[i]->gather(of_layers, pool_), {}};
  }
  for (size_t i = 0; i < losses_.size(); ++i) {
    if (std::exchange(due_[i], 0)) losses_[i]->seek(view(x), pool_);
  }
}

Losses Objective::evaluate(std::span<const float> x, std::span<float> d_x) {
  assert(x.size() == size() && d_x.size() == size());
  run_forward(x);
  for (Slope& slope : slopes_) slope.clear();
  const View view = this->view(x);
  Losses losses;
  for (const auto& loss : losses_) {
    if (!loss->counts()) continue;
    loss->measure(view, scratch_, pool_);
    term_of(losses, loss->term()) += loss->settle(view, scratch_, pool_);
  }
  losses.total = losses.content + losses.style + losses.total_variation;

  for (const auto& loss : losses_) {
    if (loss->counts()) loss->spread(view, slopes_, scratch_, pool_);
  }
  const std::span<Slope> of_layers = std::span(slopes_).first(layers_.size());
  for (size_t i = 0; i < columns_.size(); ++i) {
    const Slope& slope = slopes_[layers_.size() + i];
    if (!slope.empty()) columns_[i]->spread(slope, of_layers, scratch_, pool_);
  }
  if (pass_) {
    pass_->backward(of_layers, d_x, pool_);
  } else {
    std::ranges::fill(d_x, 0.0f);
  }
  for (const auto& loss : losses_) {
    if (loss->counts()) loss->spread_to_picture(view, d_x, pool_);
  }
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (!slopes_[layers_.size() + i].empty()) columns_[i]->spread_to_picture(d_x);
  }
  return losses;
}

}  // namespace limn
