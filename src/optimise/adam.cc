// Adam (Kingma and Ba, arXiv 1412.6980, algorithm 1): running means of the gradient (m) and of its
// square (v), both corrected for starting at 0, give every value a step of about learning_rate.
#include <algorithm>
#include <cmath>

#include "base/buffer.h"
#include "optimise/optimiser.h"

namespace limn {
namespace {

class Adam : public Optimiser {
 public:
  Adam(const Recipe& recipe, size_t size, ThreadPool& pool, double range)
      : settings_(recipe),
        learning_rate_(learning_rate(recipe, range)),
        pool_(pool),
        m_(size),
        v_(size) {}

  StepStatus step(const Function&, Point& point) override {
    const auto& o = settings_.optimiser;
    ++t_;
    const double correction1 = 1 - std::pow(o.beta1, t_);
    const double correction2 = 1 - std::pow(o.beta2, t_);
    const auto beta1 = static_cast<float>(o.beta1);
    const auto beta2 = static_cast<float>(o.beta2);
    // step = rate * m / (sqrt(v) * root + eps): in the corrected form the bias corrections apply to
    // m and v; in the uncorrected form both are part of the rate, and eps is not corrected.
    const bool corrected = o.epsilon_form == AdamEpsilon::corrected;
    const auto rate = static_cast<float>(learning_rate_ / correction1 *
                                         (corrected ? 1.0 : std::sqrt(correction2)));
    const auto root = static_cast<float>(corrected ? 1 / std::sqrt(correction2) : 1.0);
    const auto epsilon = static_cast<float>(o.epsilon);

    constexpr size_t kPiece = 65536;
    const size_t size = m_.size();
    pool_.run((size + kPiece - 1) / kPiece, [&](size_t piece) {
      for (size_t i = piece * kPiece; i < std::min(size, (piece + 1) * kPiece); ++i) {
        const float g = point.gradient[i];
        m_[i] = beta1 * m_[i] + (1 - beta1) * g;
        v_[i] = beta2 * v_[i] + (1 - beta2) * g * g;
        // Where the gradient has always been 0, v and m are 0 and the value stays, even with eps 0.
        if (v_[i] > 0) point.x[i] -= rate * m_[i] / (std::sqrt(v_[i]) * root + epsilon);
      }
    });
    return StepStatus::moved;
  }

  void recover() override {
    std::fill_n(m_.data(), m_.size(), 0.0f);
    std::fill_n(v_.data(), v_.size(), 0.0f);
    t_ = 0;
    learning_rate_ /= 2;
  }

  void keep(State& state) override {
    state.floats("adam.m", m_);
    state.floats("adam.v", v_);
    state.number("adam.learning_rate", learning_rate_);
    state.integer("adam.t", t_, 0, 1e9);
  }

 private:
  const Recipe settings_;
  double learning_rate_;
  ThreadPool& pool_;
  Buffer<float> m_, v_;
  int t_ = 0;
};

}  // namespace

std::unique_ptr<Optimiser> make_adam(const Recipe& recipe, size_t size, ThreadPool& pool,
                                     double range) {
  return std::make_unique<Adam>(recipe, size, pool, range);
}

}  // namespace limn
