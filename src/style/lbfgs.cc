// Limited-memory BFGS.
//
// From the last m steps s = x' - x and gradient changes y = g' - g it builds an approximate inverse
// Hessian H, and goes along d = -H g. H is never formed: the two-loop recursion (Nocedal and
// Wright, algorithm 7.4) applies it to g with 4 m vector operations. The pairs are kept in a ring.
//
// A pair is only of use if the loss curved upwards along the step, y . s > 0. Otherwise the history
// says nothing true about the place x has come to: it is dropped whole and begins again.
#include <algorithm>
#include <cmath>
#include <vector>

#include "base/buffer.h"
#include "kernels/kernels.h"
#include "style/line_search.h"
#include "style/optimiser.h"

namespace limn {
namespace {

class Lbfgs : public Optimiser {
 public:
  Lbfgs(const Recipe& recipe, size_t size, ThreadPool& pool)
      : learning_rate_(recipe.optimiser.learning_rate),
        line_search_(recipe.optimiser.line_search),
        pool_(pool),
        pairs_(recipe.optimiser.history),
        direction_(size),
        last_gradient_(size) {
    for (Pair& pair : pairs_) {
      pair.s = Buffer<float>(size);
      pair.y = Buffer<float>(size);
    }
  }

  StepStatus step(const Function& f, Point& point) override {
    if (have_step_) learn(point.gradient);
    have_step_ = false;

    double slope = choose_direction(point.gradient);
    // A history gone bad can point uphill; the gradient itself cannot.
    if (!(slope < 0) && count_ > 0) {
      forget();
      slope = choose_direction(point.gradient);
    }
    if (!(slope < 0)) return StepStatus::converged;

    std::copy(point.gradient.begin(), point.gradient.end(), last_gradient_.data());
    StepStatus status = StepStatus::moved;
    double length = first_length(point);
    if (line_search_ == LineSearch::strong_wolfe) {
      length = strong_wolfe(f, direction_, slope, length, point, pool_);
      if (length == 0) return give_up_direction();
      status = StepStatus::evaluated;
    } else {
      kernels::add_scaled(static_cast<float>(length), direction_, point.x, pool_);
    }
    kernels::scale(static_cast<float>(length), direction_, pool_);  // now s
    have_step_ = true;
    return status;
  }

  void recover() override {
    forget();
    have_step_ = false;
    caution_ *= 0.1;
  }

 private:
  struct Pair {
    Buffer<float> s, y;
    double rho = 0;    // 1 / (y . s)
    double alpha = 0;  // of the recursion's first loop
  };

  void forget() { count_ = 0; }
  Pair& newest(int i) {  // i = 0 is the newest
    const int n = static_cast<int>(pairs_.size());
    return pairs_[(next_ + n - 1 - i) % n];
  }

  // Takes the last step (in direction_) and the change of the gradient into the history.
  void learn(std::span<const float> gradient) {
    Pair& pair = pairs_[next_];
    std::copy_n(direction_.data(), direction_.size(), pair.s.data());
    std::copy(gradient.begin(), gradient.end(), pair.y.data());
    kernels::add_scaled(-1.0f, last_gradient_, pair.y, pool_);
    const double ys = kernels::dot(pair.y, pair.s, pool_);
    const double yy = kernels::dot(pair.y, pair.y, pool_);
    // Below this the curvature is the rounding of the gradient, not the loss's.
    constexpr double kLeastCurvature = 1e-10;
    if (!(ys > kLeastCurvature * yy) || !std::isfinite(ys) || !std::isfinite(yy)) {
      forget();
      return;
    }
    pair.rho = 1 / ys;
    scale_ = ys / yy;  // H's size before any pair: Nocedal and Wright, equation 7.20
    next_ = (next_ + 1) % static_cast<int>(pairs_.size());
    count_ = std::min(count_ + 1, static_cast<int>(pairs_.size()));
  }

  // direction_ = -H gradient; returns the slope of the loss along it.
  double choose_direction(std::span<const float> gradient) {
    std::copy(gradient.begin(), gradient.end(), direction_.data());
    kernels::scale(-1.0f, direction_, pool_);
    for (int i = 0; i < count_; ++i) {
      Pair& pair = newest(i);
      pair.alpha = pair.rho * kernels::dot(pair.s, direction_, pool_);
      kernels::add_scaled(static_cast<float>(-pair.alpha), pair.y, direction_, pool_);
    }
    if (count_ > 0) kernels::scale(static_cast<float>(scale_), direction_, pool_);
    for (int i = count_ - 1; i >= 0; --i) {
      const Pair& pair = newest(i);
      const double beta = pair.rho * kernels::dot(pair.y, direction_, pool_);
      kernels::add_scaled(static_cast<float>(pair.alpha - beta), pair.s, direction_, pool_);
    }
    return kernels::dot(direction_, gradient, pool_);
  }

  // With a history d is scaled already. Without one, the loss itself gives the scale: it would
  // reach 0, its least conceivable value, at f / |g|^2 along -g if it went on falling as it does
  // here. A tenth of that is far enough for the gradient's change to stand out from rounding.
  double first_length(const Point& point) {
    if (count_ > 0) return learning_rate_ * caution_;
    constexpr double kPart = 0.1;
    const double square = kernels::dot(point.gradient, point.gradient, pool_);
    const double to_zero = std::max(point.losses.total, 0.0) / square;
    const double length = to_zero > 0 ? kPart * to_zero : 1 / std::sqrt(square);
    return length * learning_rate_ * caution_;
  }

  // The line search found nothing: along the gradient itself that means the end.
  StepStatus give_up_direction() {
    if (count_ == 0) return StepStatus::converged;
    forget();
    return StepStatus::moved;  // by nothing; the next step goes along the gradient
  }

  const double learning_rate_;
  const LineSearch line_search_;
  ThreadPool& pool_;
  std::vector<Pair> pairs_;
  Buffer<float> direction_;  // d, and after the step s
  Buffer<float> last_gradient_;
  int next_ = 0;   // the pair to be written next
  int count_ = 0;  // pairs in use
  double scale_ = 1;
  double caution_ = 1;  // shrinks whenever a step had to be taken back
  bool have_step_ = false;
};

}  // namespace

std::unique_ptr<Optimiser> make_lbfgs(const Recipe& recipe, size_t size, ThreadPool& pool) {
  return std::make_unique<Lbfgs>(recipe, size, pool);
}

}  // namespace limn
