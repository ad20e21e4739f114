// One optimisation run: the current point, the best point so far, and the rule for rejecting bad
// steps.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/state.h"
#include "optimise/optimiser.h"

namespace limn {

// After every advance() the current point has been evaluated: losses() and x() belong together.
//
// A step is rejected if its loss is not finite, or more than a thousand times that of the first
// point. The run then continues from the best point, with an optimiser that has forgotten its
// history and become more careful. The best point is the candidate with the lowest total loss so
// far.
class Descent {
 public:
  // Evaluates f at x. project, if given, moves x into the allowed range after every step. After the
  // first point, every look_every'th is a candidate for the best. `pool` must outlive the run.
  //
  // state: the saved state of an earlier run, with x of the same size, to continue; null to start
  // at x.
  Descent(Function f, std::vector<float> x, std::unique_ptr<Optimiser> optimiser, ThreadPool& pool,
          std::function<void(std::span<float>)> project = {}, int look_every = 1,
          State* state = nullptr);

  // Saves or restores the run.
  void keep(State& state);

  enum class Status {
    moved,
    rejected,   // the step was undone; the current point is the best one again
    converged,  // no further gain, or too many rejections in a row
    failed,     // the very first loss is not finite, so there is nothing to fall back on
  };
  Status advance();

  // f is a different function from its next evaluation on. Losses of different functions do not
  // compare, so the next point to be evaluated is the best so far: this one, if the optimiser
  // compares points, otherwise the one after the next step.
  void change_function();

  // Makes the current point a candidate for the best, whatever its number.
  void look();

  std::span<const float> x() const& { return x_; }
  const Losses& losses() const { return losses_; }
  std::span<const float> best_x() const& { return best_x_; }
  std::vector<float> x() && { return std::move(x_); }
  std::vector<float> best_x() && { return std::move(best_x_); }
  const Losses& best_losses() const { return best_losses_; }
  int iteration() const { return iteration_; }            // advances so far
  int best_iteration() const { return best_iteration_; }  // 0: the first point
  int rejected_steps() const { return rejected_steps_; }
  // Whether x has left the first point. (At the same point the loss is the same to the bit.)
  bool has_moved() const { return moved_ || (iteration_ > 0 && losses_.total != first_loss_); }

 private:
  void evaluate();
  void begin_at_x();
  void begin_with_losses();
  void keep_best();
  bool acceptable() const;

  Function f_;
  std::unique_ptr<Optimiser> optimiser_;
  ThreadPool& pool_;
  std::function<void(std::span<float>)> project_;
  std::vector<float> x_, gradient_, best_x_;
  Losses losses_, best_losses_;
  double first_loss_, most_loss_;
  const int look_every_;
  int iteration_ = 0;
  int best_iteration_ = 0;
  int rejected_steps_ = 0;
  int rejected_in_a_row_ = 0;
  bool moved_ = false;  // before the function changed
  bool begins_anew_ = false;
};

}  // namespace limn
