// Plain gradient descent with a learning rate that decays exponentially.
#include <cmath>

#include "kernels/kernels.h"
#include "optimise/optimiser.h"

namespace limn {
namespace {

class Sgd : public Optimiser {
 public:
  Sgd(const Recipe& recipe, ThreadPool& pool)
      : learning_rate_(learning_rate(recipe, 1)),
        decay_rate_(recipe.optimiser.decay_rate),
        decay_steps_(recipe.optimiser.decay_steps),
        pool_(pool) {}

  StepStatus step(const Function&, Point& point) override {
    const double rate = learning_rate_ * std::pow(decay_rate_, steps_ / decay_steps_);
    ++steps_;
    kernels::add_scaled(static_cast<float>(-rate), point.gradient, point.x, pool_);
    return StepStatus::moved;
  }

  void recover() override { learning_rate_ /= 2; }

  void keep(State& state) override {
    state.number("sgd.learning_rate", learning_rate_);
    state.integer("sgd.steps", steps_, 0, 1e9);
  }

 private:
  double learning_rate_;
  const double decay_rate_, decay_steps_;
  ThreadPool& pool_;
  int steps_ = 0;
};

}  // namespace

std::unique_ptr<Optimiser> make_sgd(const Recipe& recipe, ThreadPool& pool) {
  return std::make_unique<Sgd>(recipe, pool);
}

}  // namespace limn
