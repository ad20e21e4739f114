// Optimisers: steppers over a flat vector. They know nothing of pictures or networks.
//
// The loop and the rule for rejecting bad steps are in descent.h.
#pragma once

#include <limn/limn.h>

#include <functional>
#include <memory>
#include <span>

#include "base/parallel.h"
#include "base/ranks.h"
#include "base/state.h"

namespace limn {

// The function to minimise: returns the losses at x, minimising `total`; sets gradient "=".
using Function = std::function<Losses(std::span<const float> x, std::span<float> gradient)>;

// A point and what is known about it; the three belong together.
struct Point {
  std::span<float> x;
  Losses losses;
  std::span<float> gradient;
};

enum class StepStatus {
  moved,      // x has changed; losses and gradient belong to the old x
  evaluated,  // x has changed; losses and gradient belong to the new x
  converged,  // x is unchanged: the gradient is 0, or no step lowers the loss
};

class Optimiser {
 public:
  virtual ~Optimiser() = default;
  // Moves point.x by one iteration. Only steppers with a line search call f.
  virtual StepStatus step(const Function& f, Point& point) = 0;
  // Forgets the past and steps more carefully from now on: the last step was rejected.
  virtual void recover() = 0;
  // The function is a different one from now on, though much like the last. The point is the same.
  virtual void change_function() {}
  // Whether a step needs loss and gradient of the function as it is now, to compare them with those
  // of the points it tries. Other optimisers take a gradient from just before it changed.
  virtual bool compares_points() const { return false; }
  // Saves all that later steps depend on, or restores it into an optimiser of the same recipe.
  virtual void keep(State& state) = 0;
};

// The recipe's learning rate or, where it gives none, one that suits its optimiser. range: of a
// picture's values, from black to white, in the variable's unit.
double learning_rate(const Recipe& recipe, double range);

// The recipe's optimiser, for vectors of `size` floats, which consist of these planes. `pool` must
// outlive it, and so must `ranks`: those that take every step alike, each with an optimiser of its
// own.
std::unique_ptr<Optimiser> make_optimiser(const Recipe& recipe, size_t size, ThreadPool& pool,
                                          std::span<const Size> planes = {}, double range = 1,
                                          Ranks& ranks = alone());

// ---- the four of them, with the settings they read from Recipe::optimiser ----

// Limited-memory BFGS (Nocedal and Wright, Numerical Optimization, algorithm 7.4): history,
// learning_rate (the step length without a line search), line_search, restart_every.
std::unique_ptr<Optimiser> make_lbfgs(const Recipe& recipe, size_t size, ThreadPool& pool,
                                      std::span<const Size> planes = {}, Ranks& ranks = alone());
// Adam (Kingma and Ba, arXiv 1412.6980, algorithm 1): learning_rate, beta1, beta2, epsilon,
// epsilon_form.
std::unique_ptr<Optimiser> make_adam(const Recipe& recipe, size_t size, ThreadPool& pool,
                                     double range = 1);
// RMSprop (Tieleman and Hinton 2012): a running mean of the gradient's square gives every value a
// step of about learning_rate. learning_rate, beta2 (the mean's decay), epsilon (added to its
// root).
std::unique_ptr<Optimiser> make_rmsprop(const Recipe& recipe, size_t size, ThreadPool& pool,
                                        double range = 1);
// Gradient descent, x -= learning_rate * decay_rate^(step / decay_steps) * gradient, with a
// continuous exponent.
std::unique_ptr<Optimiser> make_sgd(const Recipe& recipe, ThreadPool& pool);

}  // namespace limn
