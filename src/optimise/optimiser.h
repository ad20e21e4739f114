// Optimisers: steppers over a flat vector. They know nothing of pictures or networks.
//
// The loop and the rule by which bad steps are taken back live in descent.h.
#pragma once

#include <limn/limn.h>

#include <functional>
#include <memory>
#include <span>

#include "base/parallel.h"
#include "base/state.h"

namespace limn {

// What is minimised: returns the losses at x, of which `total` counts; gradient "=", by x.
using Function = std::function<Losses(std::span<const float> x, std::span<float> gradient)>;

// A point and what is known about it. The three belong together.
struct Point {
  std::span<float> x;
  Losses losses;
  std::span<float> gradient;
};

enum class StepStatus {
  moved,      // x has changed; losses and gradient are of the old x
  evaluated,  // x has changed; losses and gradient are of the new x
  converged,  // x is as it was: the gradient is 0, or no step lowers the loss
};

class Optimiser {
 public:
  virtual ~Optimiser() = default;
  // Moves point.x by one iteration. Steppers that search along a line call f, others do not.
  virtual StepStatus step(const Function& f, Point& point) = 0;
  // Forgets the past and goes more carefully from here on: the last step was taken back.
  virtual void recover() = 0;
  // Saves all that the next steps depend on, or restores it in an optimiser of the same recipe.
  virtual void keep(State& state) = 0;
};

// The optimiser of a recipe, for vectors of `size` floats. `pool` must outlive it.
std::unique_ptr<Optimiser> make_optimiser(const Recipe& recipe, size_t size, ThreadPool& pool,
                                          std::span<const Size> planes = {});

// ---- the three of them, with the settings they read from Recipe::optimiser ----

// Limited-memory BFGS (Nocedal and Wright, Numerical Optimization, algorithm 7.4): history,
// learning_rate (the length of a step without a line search), line_search, restart_every.
std::unique_ptr<Optimiser> make_lbfgs(const Recipe& recipe, size_t size, ThreadPool& pool,
                                      std::span<const Size> planes = {});
// Adam (Kingma and Ba, arXiv 1412.6980, algorithm 1): learning_rate, beta1, beta2, epsilon,
// epsilon_form.
std::unique_ptr<Optimiser> make_adam(const Recipe& recipe, size_t size, ThreadPool& pool);
// Gradient descent, x -= learning_rate * decay_rate^(step / decay_steps) * gradient, the exponent
// continuous.
std::unique_ptr<Optimiser> make_sgd(const Recipe& recipe, ThreadPool& pool);

}  // namespace limn
