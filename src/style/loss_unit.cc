#include "style/loss_unit.h"

#include <cmath>

namespace limn {
namespace {

// Where a loss may begin. A gradient of 3 million floats, by values of 0..255 as some networks read
// them, has about 1e-8 of the loss in each, and 1e-5 of that when nearly all is done; its square,
// 1e-26, leaves twelve decades below. Small pictures have about the loss itself in each float; its
// square leaves twenty above.
constexpr double kLeast = 0x1p-10;
constexpr double kMost = 0x1p30;

}  // namespace

double loss_unit(double loss) {
  const bool has_size = std::isfinite(loss) && loss > 0;
  if (!has_size || (loss >= kLeast && loss <= kMost)) return 1;
  return std::ldexp(1.0, -std::ilogb(loss));
}

double choose_unit(Objective& objective, std::span<const float> x, std::span<float> gradient,
                   Losses& losses) {
  losses = objective.evaluate(x, gradient);
  const double unit = loss_unit(losses.total);
  if (unit == 1) return unit;
  LossWeights weights = objective.weights();
  for (double& weight : weights.content) weight *= unit;
  for (double& weight : weights.style) weight *= unit;
  weights.total_variation *= unit;
  objective.multiply(weights);
  losses = objective.evaluate(x, gradient);
  return unit;
}

Losses multiplied(const Losses& losses, double factor) {
  return {losses.content * factor, losses.style * factor, losses.total_variation * factor,
          losses.total * factor};
}

}  // namespace limn
