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

void multiply_by(Objective& objective, double factor) {
  if (factor == 1) return;
  LossWeights weights = objective.weights();
  for (double& weight : weights.content) weight *= factor;
  for (double& weight : weights.style) weight *= factor;
  weights.total_variation *= factor;
  objective.multiply(weights);
}

}  // namespace

double range_unit(double loss) {
  const bool has_size = std::isfinite(loss) && loss > 0;
  if (!has_size || (loss >= kLeast && loss <= kMost)) return 1;
  return std::ldexp(1.0, -std::ilogb(loss));
}

double weight_unit(const Objective& objective) {
  const double leading = objective.leading_weight();
  return leading == 0 ? 1 : 1 / std::scalbn(leading, -std::ilogb(leading));
}

double choose_unit(Objective& objective, double unit, std::span<const float> x,
                   std::span<float> gradient, Losses& losses) {
  multiply_by(objective, unit);
  losses = objective.evaluate(x, gradient);
  const double range = range_unit(losses.total);
  if (range == 1) return unit;
  multiply_by(objective, range);
  losses = objective.evaluate(x, gradient);
  return unit * range;
}

Losses multiplied(const Losses& losses, double factor) {
  Losses product = {losses.content * factor, losses.style * factor, losses.total_variation * factor,
                    0};
  product.total = product.content + product.style + product.total_variation;
  return product;
}

}  // namespace limn
