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
        pool.threads());
  }
  view_.resize(layers_.size());
  slopes_.resize(layers_.size());
  content_.resize(layers_.size());
  style_.resize(layers_.size());
  neighbours_.resize(layers_.size());
  for (int tap = 0; tap < std::ssize(layers_); ++tap) make_losses(tap);
  const auto& variation = recipe.total_variation;
  if (variation.weight != 0) {
    losses_.push_back(std::make_unique<VariationLoss>(variation.weight, variation.form));
    variation_ = losses_.back().get();
  }
  const std::vector<double> ones(layers_.size(), 1.0);
  multiply({ones, ones, 1, ones});
}

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
  if (layer.neighbours_weight != 0) {
    losses_.push_back(std::make_unique<NeighboursLoss>(layer.neighbours_weight,
                                                       recipe_.neighbours.uses, tap, shape,
                                                       target.neighbours, K, scratch_));
    neighbours_[tap] = losses_.back().get();
  }
  if (layer.style_weight == 0) return;
  // C means and deviations replace the C^2 values of a matrix, so C replaces C^2 in the factor.
  const bool of_channels = recipe_.style.statistic == StyleStatistic::mean_deviation;
  const double pixels = static_cast<double>(size()) / 3;
  const double factor = layer.style_weight *
                        style_factor(recipe_.style.form, of_channels ? std::sqrt(C) : C, M, pixels);
  if (targets_->regional) {
    losses_.push_back(
        std::make_unique<RegionalLoss>(factor, tap, recipe_, shape, target.regions, K, scratch_));
  } else {
    losses_.push_back(std::make_unique<GramLoss>(factor, tap, gram_scale(recipe_.style.gram, M),
                                                 target.gram, K, scratch_));
  }
  style_[tap] = losses_.back().get();
}

// ------------------------------------------------------------------------------------- weights --

void Objective::multiply(const LossWeights& weights) {
  multiplied_ = weights;
  for (size_t tap = 0; tap < layers_.size(); ++tap) {
    if (content_[tap]) content_[tap]->multiply(weights.content[tap], unit_);
    if (style_[tap]) style_[tap]->multiply(weights.style[tap], unit_);
    if (neighbours_[tap]) neighbours_[tap]->multiply(weights.neighbours[tap], unit_);
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
  return recipe_.total_variation.weight;
}

std::vector<double> Objective::style_weights() const {
  std::vector<double> weights;
  for (const LayerInUse& layer : layers_) weights.push_back(layer.style_weight);
  return weights;
}

std::vector<double> Objective::neighbours_weights() const {
  std::vector<double> weights;
  for (const LayerInUse& layer : layers_) weights.push_back(layer.neighbours_weight);
  return weights;
}

bool Objective::seeks() const {
  return std::ranges::any_of(neighbours_, [](const Loss* loss) { return loss && loss->counts(); });
}

void Objective::seek_afresh() {
  for (const auto& loss : losses_) loss->forget();
  seek_next_ = true;
}

void Objective::keep(State& state) {
  LossWeights weights = multiplied_;
  state.numbers("weights.content", weights.content);
  state.numbers("weights.style", weights.style);
  state.numbers("weights.neighbours", weights.neighbours);
  state.number("weights.total_variation", weights.total_variation);
  double unit = unit_;
  state.number("objective.unit", unit);
  for (const auto& loss : losses_) loss->keep(state);
  if (!state.restores()) return;
  multiply(weights);
  set_unit(unit);
  seek_next_ = false;
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

Losses Objective::evaluate(std::span<const float> x, std::span<float> d_x) {
  assert(x.size() == size() && d_x.size() == size());
  if (pass_) pass_->forward(x, units_.of_variable(), pool_);
  for (int tap = 0; tap < std::ssize(view_); ++tap) {
    view_[tap] = {pass_->features(tap), pass_->gram(tap)};
    slopes_[tap] = {};
  }
  const View view = {view_, x, picture_size()};
  if (std::exchange(seek_next_, false)) {
    for (const auto& loss : losses_) {
      if (loss->counts()) loss->seek(view, pool_);
    }
  }
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
  if (pass_) {
    pass_->backward(slopes_, d_x, pool_);
  } else {
    std::ranges::fill(d_x, 0.0f);
  }
  for (const auto& loss : losses_) {
    if (loss->counts()) loss->spread_to_picture(view, d_x, pool_);
  }
  return losses;
}

}  // namespace limn
