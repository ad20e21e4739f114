// RMSprop (Tieleman and Hinton 2012, lecture 6e): v, a running mean of the gradient's square, gives
// every value a step of about learning_rate.
#include <algorithm>
#include <cmath>

#include "base/buffer.h"
#include "optimise/optimiser.h"

namespace limn {
namespace {

class RmsProp : public Optimiser {
 public:
  RmsProp(const Recipe& recipe, size_t size, ThreadPool& pool, double range)
      : decay_(static_cast<float>(recipe.optimiser.beta2)),
        epsilon_(static_cast<float>(recipe.optimiser.epsilon)),
        learning_rate_(learning_rate(recipe, range)),
        pool_(pool),
        v_(size) {}

  StepStatus step(const Function&, Point& point) override {
    const auto rate = static_cast<float>(learning_rate_);
    constexpr size_t kPiece = 65536;
    const size_t size = v_.size();
    pool_.run((size + kPiece - 1) / kPiece, [&](size_t piece) {
      for (size_t i = piece * kPiece; i < std::min(size, (piece + 1) * kPiece); ++i) {
        const float g = point.gradient[i];
        v_[i] = decay_ * v_[i] + (1 - decay_) * g * g;
        // Where the gradient has always been 0 the value stays, even with eps 0.
        if (v_[i] > 0) point.x[i] -= rate * g / (std::sqrt(v_[i]) + epsilon_);
      }
    });
    return StepStatus::moved;
  }

  void recover() override {
    std::fill_n(v_.data(), v_.size(), 0.0f);
    learning_rate_ /= 2;
  }

  void keep(State& state) override {
    state.floats("rmsprop.v", v_);
    state.number("rmsprop.learning_rate", learning_rate_);
  }

 private:
  const float decay_, epsilon_;
  double learning_rate_;
  ThreadPool& pool_;
  Buffer<float> v_;
};

}  // namespace

std::unique_ptr<Optimiser> make_rmsprop(const Recipe& recipe, size_t size, ThreadPool& pool,
                                        double range) {
  return std::make_unique<RmsProp>(recipe, size, pool, range);
}

}  // namespace limn
