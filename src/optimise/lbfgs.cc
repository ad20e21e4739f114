// Limited-memory BFGS.
//
// It builds an approximate inverse Hessian H from the last m steps s = x' - x and gradient changes
// y = g' - g, and moves along d = -H g. H is never formed: the two-loop recursion (Nocedal and
// Wright, algorithm 7.4) applies it to g. The pairs are kept in a ring buffer.
//
// All vectors in the recursion are linear combinations of g, the s and the y, and it needs only
// their dot products. So it runs on coefficients (Chen, Wang and Zhou, "Large-scale L-BFGS using
// MapReduce", 2014): one pass over the history computes the new dot products, those of the newest y
// and of g; the recursion is arithmetic on 2 m + 1 numbers; a second pass adds up d. That halves
// the memory traffic of the recursion on vectors. Products are taken in double, because the
// recursion takes differences of them, and each directly from its two vectors: deriving them from
// earlier ones would cancel digits.
//
// By default the initial curvature is the same for all of x (H starts as a multiple of the
// identity). With local scales it varies by place: see local_scales.h.
//
// A pair is useful only if the loss curved upwards along the step, y . s > 0. Otherwise the history
// does not describe the loss around the current x, and is dropped as a whole.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "base/buffer.h"
#include "kernels/kernels.h"
#include "optimise/line_search.h"
#include "optimise/local_scales.h"
#include "optimise/optimiser.h"

namespace limn {
namespace {

class Lbfgs : public Optimiser {
 public:
  Lbfgs(const Recipe& recipe, size_t size, std::span<const Size> planes, ThreadPool& pool)
      : learning_rate_(recipe.optimiser.learning_rate),
        line_search_(recipe.optimiser.line_search),
        restart_every_(recipe.optimiser.restart_every),
        size_(size),
        most_(recipe.optimiser.history),
        pool_(pool),
        // Each row starts on a cache line.
        stride_((size + kLine - 1) / kLine * kLine),
        vectors_(2 * most_ * stride_),
        start_x_(line_search_ == LineSearch::none ? 0 : size),
        sy_(most_ * most_),
        yy_(most_ * most_),
        sg_(most_),
        yg_(most_),
        alpha_(most_),
        products_(2 * (2 * most_ + 1)),
        product_scratch_(kernels::products_scratch_size(2 * most_ + 1, size)) {
    if (recipe.optimiser.curvature == Curvature::local && !planes.empty()) {
      scales_.emplace(planes, pool);
      scaled_ = Buffer<float>(size);
      steps_in_use_.reserve(most_);
      changes_in_use_.reserve(most_);
    }
    rows_.reserve(2 * most_ + 1);
    coefficients_.reserve(2 * most_ + 1);
  }

  StepStatus step(const Function& f, Point& point) override {
    const std::span<float> g = scaled(point.gradient);
    if (have_step_) {
      learn(g);
    } else {
      gg_ = kernels::dot(g, g, pool_);
    }
    have_step_ = false;
    if (restart_every_ > 0 && steps_++ % restart_every_ == 0) forget();

    double slope = choose_direction(g);
    // A bad history can point uphill; the gradient itself cannot.
    if (!(slope < 0) && count_ > 0) {
      forget();
      slope = choose_direction(g);
    }
    if (!(slope < 0)) return StepStatus::converged;

    // The new pair will replace the oldest, which d still depends on.
    const std::span<float> scaled_direction = s(next_);
    const std::span<float> gradient = y(next_);
    kernels::combine(rows_, coefficients_, scaled_direction, pool_);
    kernels::copy(g, gradient, pool_);
    const std::span<float> direction = scaled(scaled_direction);

    StepStatus status = StepStatus::moved;
    double length = first_length(point);
    if (line_search_ == LineSearch::strong_wolfe) {
      kernels::copy(point.x, start_x_, pool_);
      const LineStart start = {start_x_, gradient};
      length = strong_wolfe(f, direction, slope, length, start, point, pool_);
      if (length == 0) {
        // The search has restored the point it was given.
        if (scales_) unscale(point.gradient);
        return give_up_direction();
      }
      status = StepStatus::evaluated;
    } else {
      kernels::add_scaled(static_cast<float>(length), direction, point.x, pool_);
    }
    if (length != 1) kernels::scale(static_cast<float>(length), scaled_direction, pool_);
    have_step_ = true;
    return status;
  }

  void recover() override {
    forget();
    have_step_ = false;
    caution_ *= 0.1;
  }

  // The pairs stay, for the curvature hardly differs; the last step has no pair.
  void change_function() override { have_step_ = false; }
  bool compares_points() const override { return true; }

  void keep(State& state) override {
    const auto most = static_cast<double>(most_);
    state.integer("lbfgs.count", count_, 0, most);
    state.integer("lbfgs.next", next_, 0, most - 1);
    state.integer("lbfgs.steps", steps_, 0, 1e9);
    state.integer("lbfgs.pairs", pairs_, 0, 1e9);
    state.flag("lbfgs.have_step", have_step_);
    state.number("lbfgs.scale", scale_);
    state.number("lbfgs.caution", caution_);
    state.number("lbfgs.gg", gg_);
    state.numbers("lbfgs.sy", sy_);
    state.numbers("lbfgs.yy", yy_);
    state.numbers("lbfgs.sg", sg_);
    state.numbers("lbfgs.yg", yg_);
    if (scales_) state.floats("lbfgs.r", scales_->r_to_restore());
    for (size_t i = 0; i < count_; ++i) keep_pair(state, newest(i));
    if (have_step_ && count_ < most_) keep_pair(state, next_);
  }

 private:
  static constexpr size_t kLine = kBufferAlignment / sizeof(float);
  // The number of pairs before scales are first learnt, and of new pairs before each later update.
  // (Learnt repeatedly from the same pairs, they drift apart.)
  static constexpr int kFirstScales = 5;
  static constexpr int kScalesEvery = 10;

  // The vectors at a place in the ring. Between steps, next_ holds d (then scaled to s) and the
  // gradient at the start of the step.
  std::span<float> s(size_t place) { return {vectors_.data() + 2 * place * stride_, size_}; }
  std::span<float> y(size_t place) { return {vectors_.data() + (2 * place + 1) * stride_, size_}; }

  void keep_pair(State& state, size_t place) {
    state.floats(fmt::format("lbfgs.s.{}", place), s(place));
    state.floats(fmt::format("lbfgs.y.{}", place), y(place));
  }

  // The place of a pair in use; i = 0 is the newest.
  size_t newest(size_t i) const { return (next_ + most_ - 1 - i) % most_; }
  // s . y for places a and b, where a is b or older: the recursion needs no others. y . y is kept
  // for both orders.
  double& sy(size_t a, size_t b) { return sy_[a * most_ + b]; }
  double& yy(size_t a, size_t b) { return yy_[a * most_ + b]; }

  void forget() { count_ = 0; }

  // r times x, a vector of the variable or its gradient; x itself without scales.
  std::span<float> scaled(std::span<float> x) {
    if (!scales_) return x;
    const std::span<float> product(scaled_.data(), size_);
    kernels::multiply(scales_->r(), x, product, pool_);
    return product;
  }

  void unscale(std::span<float> x) const {
    for (size_t i = 0; i < size_; ++i) x[i] /= scales_->r()[i];
  }

  // The products s . y and s . g do not change.
  void learn_scales(std::span<float> g) {
    steps_in_use_.clear();
    changes_in_use_.clear();
    for (size_t i = 0; i < count_; ++i) {
      steps_in_use_.push_back(s(newest(i)).data());
      changes_in_use_.push_back(y(newest(i)).data());
    }
    scales_->learn(steps_in_use_, changes_in_use_, g);
    for (size_t i = 0; i < count_; ++i) {
      const size_t a = newest(i);
      for (size_t j = i; j < count_; ++j) {
        const size_t b = newest(j);
        yy(a, b) = yy(b, a) = kernels::dot(y(a), y(b), pool_);
      }
      yg_[a] = kernels::dot(y(a), g, pool_);
    }
    gg_ = kernels::dot(g, g, pool_);
    scale_ = sy(newest(0), newest(0)) / yy(newest(0), newest(0));
  }

  // Adds the last step and gradient change to the history, with all their products.
  void learn(std::span<float> gradient) {
    const size_t place = next_;
    kernels::subtract_from(gradient, y(place), pool_);
    next_ = (next_ + 1) % most_;
    count_ = std::min(count_ + 1, most_);

    collect_rows(gradient);
    const std::span<double> products = std::span(products_).first(2 * rows_.size());
    kernels::products(rows_, y(place), gradient, products, product_scratch_, pool_);
    for (size_t i = 0; i < count_; ++i) {
      const size_t other = newest(i);
      sy(other, place) = products[4 * i];
      sg_[other] = products[4 * i + 1];
      yy(other, place) = yy(place, other) = products[4 * i + 2];
      yg_[other] = products[4 * i + 3];
    }
    gg_ = products.back();

    // s . y is the loss's slope along s at the end minus that at the start. Below this fraction of
    // the latter it is rounding. (A fraction does not depend on the loss's unit.)
    constexpr double kLeastChange = 1e-10;
    const double curvature = sy(place, place);
    const double square = yy(place, place);
    const double first_slope = sg_[place] - curvature;
    if (!(curvature > kLeastChange * std::abs(first_slope)) || !std::isfinite(curvature) ||
        !std::isfinite(square)) {
      forget();
    }
    scale_ = curvature / square;  // initial H: Nocedal and Wright, equation 7.20
    ++pairs_;
    if (scales_ && count_ > 0 && (pairs_ == kFirstScales || pairs_ % kScalesEvery == 0)) {
      learn_scales(gradient);
    }
  }

  // Collects s and y of every pair in use, newest first, and the gradient.
  void collect_rows(std::span<const float> gradient) {
    rows_.clear();
    for (size_t i = 0; i < count_; ++i) {
      rows_.push_back(s(newest(i)).data());
      rows_.push_back(y(newest(i)).data());
    }
    rows_.push_back(gradient.data());
  }

  // Sets rows and coefficients so that their combination is d = -H g; returns the slope of the loss
  // along d.
  double choose_direction(std::span<const float> gradient) {
    collect_rows(gradient);
    coefficients_.assign(rows_.size(), 0.0);
    if (count_ == 0) {
      coefficients_.back() = -1;
      return -gg_;
    }
    // q = g - sum of alpha y, from the newest pair to the oldest.
    for (size_t i = 0; i < count_; ++i) {
      const size_t pair = newest(i);
      double sq = sg_[pair];
      for (size_t j = 0; j < i; ++j) sq -= alpha_[newest(j)] * sy(pair, newest(j));
      alpha_[pair] = sq / sy(pair, pair);
      coefficients_[2 * i + 1] = scale_ * alpha_[pair];
    }
    coefficients_.back() = -scale_;
    // H g = scale q + sum of (alpha - beta) s, from the oldest to the newest; d is its negative.
    for (size_t i = count_; i-- > 0;) {
      const size_t pair = newest(i);
      double yq = yg_[pair];
      for (size_t j = 0; j < count_; ++j) yq -= alpha_[newest(j)] * yy(pair, newest(j));
      double yr = scale_ * yq;
      for (size_t j = i + 1; j < count_; ++j) yr -= coefficients_[2 * j] * sy(newest(j), pair);
      coefficients_[2 * i] = yr / sy(pair, pair) - alpha_[pair];
    }
    double slope = coefficients_.back() * gg_;
    for (size_t i = 0; i < count_; ++i) {
      slope += coefficients_[2 * i] * sg_[newest(i)] + coefficients_[2 * i + 1] * yg_[newest(i)];
    }
    return slope;
  }

  // With a history, d is already scaled. Without one, the loss gives the scale: falling along -g as
  // it does here, it would reach 0, its lowest conceivable value, at f / |g|^2. A tenth of that is
  // enough for the gradient's change to stand out from rounding.
  double first_length(const Point& point) const {
    if (count_ > 0) return learning_rate_ * caution_;
    constexpr double kPart = 0.1;
    const double to_zero = std::max(point.losses.total, 0.0) / gg_;
    const double length = to_zero > 0 ? kPart * to_zero : 1 / std::sqrt(gg_);
    return length * learning_rate_ * caution_;
  }

  // The line search found nothing: along the gradient itself, that is the end.
  StepStatus give_up_direction() {
    if (count_ == 0) return StepStatus::converged;
    forget();
    return StepStatus::moved;  // by nothing; the next step follows the gradient
  }

  const double learning_rate_;
  const LineSearch line_search_;
  const int restart_every_;   // iterations; 0: never
  const size_t size_, most_;  // floats of x; maximum number of pairs
  ThreadPool& pool_;

  const size_t stride_;    // floats from row to row
  Buffer<float> vectors_;  // [most_][s, y][stride_]
  Buffer<float> start_x_;  // for the line search

  // With scales_, everything above refers to the variable x / r (local_scales.h), as do the
  // products below; x, its gradient and the direction x moves along do not.
  std::optional<LocalScales> scales_;
  Buffer<float> scaled_;  // r * gradient, then r * direction
  std::vector<float*> steps_in_use_, changes_in_use_;
  int pairs_ = 0;  // learnt so far

  size_t next_ = 0;   // the next place to write
  size_t count_ = 0;  // pairs in use
  double scale_ = 1;
  double caution_ = 1;  // shrinks whenever a step is rejected
  bool have_step_ = false;
  int steps_ = 0;

  // Products by place in the ring; those with g use the current gradient.
  std::vector<double> sy_, yy_, sg_, yg_;
  double gg_ = 0;
  std::vector<double> alpha_;  // of the recursion's first loop, by place
  // d as a combination: s and y of each pair, newest first, then g.
  std::vector<const float*> rows_;
  std::vector<double> coefficients_;
  std::vector<double> products_;
  Buffer<double> product_scratch_;
};

}  // namespace

std::unique_ptr<Optimiser> make_lbfgs(const Recipe& recipe, size_t size, ThreadPool& pool,
                                      std::span<const Size> planes) {
  return std::make_unique<Lbfgs>(recipe, size, planes, pool);
}

}  // namespace limn
