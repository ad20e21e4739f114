#include "optimise/descent.h"

#include <cmath>
#include <utility>

#include "kernels/kernels.h"

namespace limn {
namespace {

// A loss above this multiple of the first loss counts as a blow-up. Healthy runs rise far less,
// even if they start near a minimum; diverging ones exceed it within a few steps.
constexpr double kMostGrowth = 1000;
// Each rejection makes the optimiser 2 to 10 times more careful; after 20 in a row no step is
// useful.
constexpr int kMostRejectionsInARow = 20;

}  // namespace

Descent::Descent(Function f, std::vector<float> x, std::unique_ptr<Optimiser> optimiser,
                 ThreadPool& pool, std::function<void(std::span<float>)> project, int look_every,
                 State* state)
    : f_(std::move(f)),
      optimiser_(std::move(optimiser)),
      pool_(pool),
      project_(std::move(project)),
      x_(std::move(x)),
      gradient_(x_.size()),
      best_x_(x_),
      look_every_(look_every) {
  if (state) {
    keep(*state);
    return;
  }
  begin_at_x();
}

void Descent::begin_at_x() {
  evaluate();
  begin_with_losses();
}

void Descent::begin_with_losses() {
  best_losses_ = losses_;
  first_loss_ = losses_.total;
  most_loss_ = losses_.total > 0 ? kMostGrowth * losses_.total : HUGE_VAL;
}

void Descent::change_function() {
  optimiser_->change_function();
  moved_ = has_moved();
  if (!optimiser_->compares_points()) {
    begins_anew_ = true;
    return;
  }
  begin_at_x();
  keep_best();
}

void Descent::keep_best() {
  best_iteration_ = iteration_;
  kernels::copy(x_, best_x_, pool_);
}

Descent::Status Descent::advance() {
  if (!std::isfinite(losses_.total)) return Status::failed;
  Point point = {x_, losses_, gradient_};
  const StepStatus step = optimiser_->step(f_, point);
  if (step == StepStatus::converged) return Status::converged;
  ++iteration_;
  losses_ = point.losses;
  if (project_) project_(x_);
  if (step == StepStatus::moved || project_) evaluate();
  if (std::exchange(begins_anew_, false) && std::isfinite(losses_.total)) {
    begin_with_losses();
    keep_best();
  }
  if (acceptable()) {
    rejected_in_a_row_ = 0;
    if (iteration_ % look_every_ == 0) look();
    return Status::moved;
  }
  kernels::copy(best_x_, x_, pool_);
  evaluate();
  optimiser_->recover();
  ++rejected_steps_;
  return ++rejected_in_a_row_ < kMostRejectionsInARow ? Status::rejected : Status::converged;
}

void Descent::evaluate() { losses_ = f_(x_, gradient_); }

bool Descent::acceptable() const {
  return std::isfinite(losses_.total) && losses_.total <= most_loss_;
}

// The losses and gradient at x are not saved: they are recomputed to the same bits.
void Descent::keep(State& state) {
  constexpr double kMost = 1e9;
  state.floats("descent.x", x_);
  state.floats("descent.best_x", best_x_);
  state.number("descent.best.content", best_losses_.content);
  state.number("descent.best.style", best_losses_.style);
  state.number("descent.best.total_variation", best_losses_.total_variation);
  state.number("descent.best.total", best_losses_.total);
  state.number("descent.first_loss", first_loss_);
  state.number("descent.most_loss", most_loss_);
  state.integer("descent.iteration", iteration_, 0, kMost);
  state.integer("descent.best_iteration", best_iteration_, 0, kMost);
  state.integer("descent.rejected_steps", rejected_steps_, 0, kMost);
  state.integer("descent.rejected_in_a_row", rejected_in_a_row_, 0, kMost);
  state.flag("descent.moved", moved_);
  optimiser_->keep(state);
  if (state.restores()) evaluate();
}

void Descent::look() {
  if (!(losses_.total < best_losses_.total)) return;
  best_losses_ = losses_;
  keep_best();
}

}  // namespace limn
