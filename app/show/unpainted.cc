#include "show/unpainted.h"

#include <fmt/format.h>

namespace limn {
namespace {

// Steps were tried, but led nowhere.
Unpainted without_better_step(int steps, double loss, const Recipe& recipe) {
  const bool searches = recipe.optimiser.kind == OptimiserKind::lbfgs &&
                        recipe.optimiser.line_search == LineSearch::strong_wolfe;
  return {
      fmt::format("none of {} steps lowered the loss of the first picture, {:.4g}", steps, loss),
      searches ? "start elsewhere with --init noise, or choose other weights"
               : "choose a smaller --learning-rate, or --optimiser lbfgs --line-search "
                 "strong-wolfe"};
}

}  // namespace

bool is_unpainted(const Painted& painted) {
  return painted.unchanged &&
         (painted.outcome == Outcome::converged || painted.outcome == Outcome::out_of_time);
}

bool is_unchanged(const Painted& painted) {
  return is_unpainted(painted) || (painted.unchanged && painted.outcome == Outcome::finished);
}

Unpainted why_unchanged(const Painted& painted, const Recipe& recipe) {
  const int steps = painted.history.empty() ? 0 : painted.history.back().iteration;
  const double loss = painted.history.empty() ? 0 : painted.history.front().losses.total;
  if (painted.outcome == Outcome::out_of_time && steps == 0) {
    return {fmt::format("--seconds {} left no time for a first step (setup took {:.1f} s)",
                        recipe.optimiser.seconds, painted.seconds),
            "increase --seconds, or choose a smaller --size"};
  }
  if (painted.rejected_steps > 0 && painted.rejected_steps >= steps) {
    return {fmt::format("all {} steps were undone: the loss grew a thousandfold or was not finite",
                        painted.rejected_steps),
            "choose a smaller --learning-rate, or smaller weights"};
  }
  if (loss == 0) {
    return {"the loss of the first picture is 0, so there is nothing to lower",
            "choose a --style-weight above 0, a painting other than the photo, or --init noise"};
  }
  if (steps == 0 && painted.outcome == Outcome::converged) {
    return {
        fmt::format("the gradient of the first picture's loss, {:.4g}, is 0, or no step along "
                    "it lowers the loss",
                    loss),
        "start elsewhere with --init noise; a painting that is the photo, or a --mask-keep that "
        "keeps all of it, leaves nothing to paint"};
  }
  return without_better_step(steps, loss, recipe);
}

}  // namespace limn
