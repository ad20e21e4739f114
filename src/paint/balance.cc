#include "paint/balance.h"

#include <algorithm>
#include <cmath>

#include "canvas/initial.h"
#include "kernels/kernels.h"
#include "paint/loss_unit.h"

namespace limn {
namespace {

constexpr double kMiddle = 0.05;  // a at strength 0.5: what looked like a painting of the photo
constexpr double kReach = 20;     // the factor by which a falls from there to strength 1
// If photo and painting already agree in a layer, its gradient is almost 0 and it need not be
// pushed as hard: its gradient counts as at least this fraction of the one at noise.
constexpr double kLeastPart = 0.02;
// Losses that sum squares are about proportional to the squares of their gradients' lengths. Where
// one is so large a part of that at noise, its gradient has more than the least part ten times
// over.
constexpr double kSurelyMore = 100 * kLeastPart * kLeastPart;

// Single terms of an objective at given points, and their gradients' lengths.
class Gradients {
 public:
  struct AtPoint {
    double loss, length;
  };

  Gradients(Objective& objective, const Canvas& canvas)
      : objective_(objective),
        canvas_(canvas),
        none_(objective.weights()),
        gradient_(objective.size()) {
    std::ranges::fill(none_.content, 0.0);
    std::ranges::fill(none_.style, 0.0);
    std::ranges::fill(none_.neighbours, 0.0);
    std::ranges::fill(none_.columns, 0.0);
    none_.total_variation = 0;
  }

  // Style losses of layers on their own and, if asked for, neighbours losses, which have to seek.
  LossValues losses(std::span<const float> x, bool neighbours) {
    LossWeights weights = none_;
    std::ranges::fill(weights.style, 1.0);
    if (neighbours) std::ranges::fill(weights.neighbours, 1.0);
    objective_.multiply(weights);
    objective_.seek_afresh();
    return objective_.values(x);
  }
  AtPoint of_style(size_t layer, std::span<const float> x) {
    LossWeights weights = none_;
    weights.style[layer] = 1;
    objective_.seek_afresh();
    return of(weights, x);
  }
  // With the matches at x.
  AtPoint of_neighbours(size_t layer, std::span<const float> x) {
    LossWeights weights = none_;
    weights.neighbours[layer] = 1;
    objective_.seek_afresh();
    return of(weights, x);
  }
  AtPoint of_columns(size_t columns, std::span<const float> x) {
    LossWeights weights = none_;
    weights.columns[columns] = 1;
    objective_.seek_afresh();
    return of(weights, x);
  }
  AtPoint of_content(std::span<const float> x) {
    LossWeights weights = none_;
    std::ranges::fill(weights.content, 1.0);
    return of(weights, x);
  }
  AtPoint of_variation(std::span<const float> x) {
    LossWeights weights = none_;
    weights.total_variation = 1;
    return of(weights, x);
  }

 private:
  AtPoint of(const LossWeights& weights, std::span<const float> x) {
    objective_.multiply(weights);
    const Losses losses = choose_unit(objective_, weight_unit(objective_), x, gradient_);
    canvas_.hold(gradient_);
    const double square = kernels::dot(gradient_, gradient_, objective_.pool());
    return {losses.total, std::sqrt(square) / objective_.unit()};
  }

  Objective& objective_;
  const Canvas& canvas_;
  LossWeights none_;
  std::vector<float> gradient_;
};

// A term's own weights for its layers, scaled to sum to the term's factor.
std::vector<double> shares_of(std::vector<double> weights, double factor) {
  double sum = 0;
  for (const double weight : weights) sum += weight;
  for (double& weight : weights) weight *= sum == 0 ? 0 : factor / sum;
  return weights;
}

// What a loss that reads columns has of its term's weight: layers that are matched by themselves
// have it together.
double share_of(const ColumnsInUse& columns, std::span<const ColumnsInUse> all,
                const Recipe& recipe) {
  if (columns.reader == ColumnsInUse::Reader::transport) return recipe.transport.weight;
  double sum = 0;
  for (const ColumnsInUse& other : all) {
    if (other.reader == columns.reader) sum += other.weight;
  }
  return recipe.neighbours.weight * columns.weight / sum;
}

bool is_gradient(double norm) { return std::isfinite(norm) && norm > 0; }

}  // namespace

MeasuredGradients measure_gradients(Objective& objective, const Canvas& canvas,
                                    const Recipe& recipe, const Image& photo) {
  const LossWeights before = objective.weights();
  const std::vector<float> at_photo = objective.units().encode(photo);
  const std::vector<float> at_noise = objective.units().encode(grey_noise(photo, /*seed=*/0));
  Gradients gradients(objective, canvas);
  MeasuredGradients measured;
  // The length of a gradient at the photo, or the least part of that at noise, which is seldom more
  // and then not measured. measure: (x) to AtPoint.
  const auto length = [&](double loss_at_noise, bool of_squares, const auto& measure) {
    const auto [loss, length] = measure(at_photo);
    if (of_squares && loss >= kSurelyMore * loss_at_noise) return length;
    return std::max(length, kLeastPart * measure(at_noise).length);
  };

  // Without the content term's factor, which would cancel out.
  if (recipe.content.weight != 0) {
    measured.content = gradients.of_content(at_noise).length / recipe.content.weight;
  }
  const bool of_squares = recipe.neighbours.distance == NeighbourDistance::squared;
  const LossValues losses_at_noise = gradients.losses(at_noise, /*neighbours=*/of_squares);
  const std::vector<double> style = objective.style_weights();
  measured.style.resize(style.size());
  for (size_t i = 0; i < style.size(); ++i) {
    if (style[i] == 0) continue;
    measured.style[i] = length(losses_at_noise.style[i], true,
                               [&](std::span<const float> x) { return gradients.of_style(i, x); });
  }
  const std::vector<double> neighbours = objective.neighbours_weights();
  measured.neighbours.resize(neighbours.size());
  for (size_t i = 0; i < neighbours.size(); ++i) {
    if (neighbours[i] == 0) continue;
    measured.neighbours[i] =
        length(losses_at_noise.neighbours[i], of_squares,
               [&](std::span<const float> x) { return gradients.of_neighbours(i, x); });
  }
  measured.columns.resize(objective.columns().size());
  for (size_t i = 0; i < measured.columns.size(); ++i) {
    const double norm = gradients.of_columns(i, at_noise).length;
    // A structure loss resists, like the content's, and is 0 at the photo.
    const bool resists = objective.columns()[i].reader == ColumnsInUse::Reader::structure;
    measured.columns[i] =
        resists ? norm : std::max(gradients.of_columns(i, at_photo).length, kLeastPart * norm);
  }
  if (recipe.total_variation.weight != 0) {
    measured.variation = gradients.of_variation(at_noise).length / recipe.total_variation.weight;
  }
  objective.multiply(before);
  objective.set_unit(1);
  objective.seek_afresh();
  return measured;
}

LossWeights weights_from(const MeasuredGradients& measured, const Objective& objective,
                         const Recipe& recipe) {
  LossWeights weights = objective.weights();
  const double resistance = is_gradient(measured.content) ? measured.content : 1;
  const double a = kMiddle * std::pow(kReach, 1 - 2 * recipe.balance.strength);
  // The measured losses already include the layers' own weights.
  const std::vector<double> style = shares_of(objective.style_weights(), recipe.style.weight);
  for (size_t i = 0; i < style.size(); ++i) {
    const double norm = measured.style[i];
    if (is_gradient(norm)) weights.style[i] = style[i] * resistance / a / norm;
  }
  const std::vector<double> neighbours =
      shares_of(objective.neighbours_weights(), recipe.neighbours.weight);
  for (size_t i = 0; i < neighbours.size(); ++i) {
    const double norm = measured.neighbours[i];
    if (is_gradient(norm)) weights.neighbours[i] = neighbours[i] * resistance / a / norm;
  }
  for (size_t i = 0; i < measured.columns.size(); ++i) {
    const ColumnsInUse& columns = objective.columns()[i];
    const double norm = measured.columns[i];
    if (!is_gradient(norm)) continue;
    weights.columns[i] =
        columns.reader == ColumnsInUse::Reader::structure
            ? columns.weight * resistance / norm
            : share_of(columns, objective.columns(), recipe) * resistance / a / norm;
  }
  if (is_gradient(measured.variation)) weights.total_variation = resistance / measured.variation;
  return weights;
}

LossWeights measured_weights(Objective& objective, const Canvas& canvas, const Recipe& recipe,
                             const Image& photo) {
  return weights_from(measure_gradients(objective, canvas, recipe, photo), objective, recipe);
}

}  // namespace limn
