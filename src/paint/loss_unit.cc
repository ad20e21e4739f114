#include "paint/loss_unit.h"

#include <cmath>

namespace limn {
namespace {

// The range in which a loss may begin. For 3 million floats, with a network input of 0..255 as in
// some networks, each float's gradient is about 1e-8 of the loss, and 1e-5 of that when nearly
// finished; its square, 1e-26, leaves twelve decades below. In small pictures each is about the
// loss itself; its square leaves twenty decades above.
constexpr double kLeast = 0x1p-10;
constexpr double kMost = 0x1p30;

}  // namespace

double range_unit(double loss) {
  const bool has_size = std::isnormal(loss) && loss > 0;
  if (!has_size || (loss >= kLeast && loss <= kMost)) return 1;
  return std::ldexp(1.0, -std::ilogb(loss));
}

double weight_unit(const Objective& objective) {
  const double leading = objective.leading_weight();
  return !std::isnormal(leading) ? 1 : 1 / std::scalbn(leading, -std::ilogb(leading));
}

Losses choose_unit(Objective& objective, double unit, std::span<const float> x,
                   std::span<float> gradient) {
  objective.set_unit(unit);
  const Losses losses = objective.evaluate(x, gradient);
  const double range = range_unit(losses.total * unit);
  if (range == 1) return losses;
  objective.set_unit(unit * range);
  return objective.evaluate(x, gradient);
}

}  // namespace limn
