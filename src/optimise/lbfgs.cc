// Limited-memory BFGS.
//
// It builds an approximate inverse Hessian H from the last m steps s = x' - x and gradient changes
// y = g' - g, and moves along d = -H g. H is never formed: the two-loop recursion (Nocedal and
// Wright, algorithm 7.4) applies it to g. The pairs are kept in a ring of places (history.h).
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
//
// Ranks that paint together keep a share of the history each (history.h), and take every step
// alike: x, its gradient and the direction are whole on all of them.
#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "base/buffer.h"
#include "kernels/kernels.h"
#include "optimise/history.h"
#include "optimise/line_search.h"
#include "optimise/local_scales.h"
#include "optimise/optimiser.h"

namespace limn {
namespace {

class Lbfgs : public Optimiser {
 public:
  Lbfgs(const Recipe& recipe, size_t size, std::span<const Size> planes, ThreadPool& pool,
        Ranks& ranks)
      : learning_rate_(learning_rate(recipe, 1)),
        line_search_(recipe.optimiser.line_search),
        restart_every_(recipe.optimiser.restart_every),
        size_(size),
        most_(recipe.optimiser.history),
        pool_(pool),
        share_(share_of_history(size, by_place(recipe) ? widest_row(planes) : 0, ranks)),
        history_(make_history(share_, most_, recipe.optimiser.half_history, pool)),
        start_x_(line_search_ == LineSearch::none ? 0 : size),
        products_(most_),
        alpha_(most_) {
    if (by_place(recipe) && !planes.empty()) scales_.emplace(planes, share_, pool);
    if (scales_ || recipe.optimiser.half_history || share_.is_shared()) {
      work_ = Buffer<float>(size);
    }
    places_.reserve(most_);
    coefficients_.reserve(2 * most_ + 1);
  }

  StepStatus step(const Function& f, Point& point) override {
    const std::span<float> g = scaled(point.gradient);
    if (have_step_) {
      learn(g);
    } else {
      products_.gg = kernels::dot(g, g, pool_);
    }
    have_step_ = false;
    if (restart_every_ > 0 && steps_++ % restart_every_ == 0) forget();

    double slope = choose_direction();
    // A bad history can point uphill; the gradient itself cannot.
    if (!(slope < 0) && count_ > 0) {
      forget();
      slope = choose_direction();
    }
    if (!(slope < 0)) return StepStatus::converged;

    // The new pair replaces the oldest, on which d depends.
    const std::span<float> direction =
        scaled(history_->open(next_, places_, coefficients_, g, work_));

    StepStatus status = StepStatus::moved;
    double length = first_length(point);
    if (line_search_ == LineSearch::strong_wolfe) {
      kernels::copy(point.x, start_x_, pool_);
      length = strong_wolfe(f, direction, slope, length, start_x_, point, pool_);
      if (length == 0) {
        history_->gradient_at_start(next_, point.gradient);
        if (scales_) unscale(point.gradient);
        return give_up_direction();
      }
      status = StepStatus::evaluated;
    } else {
      kernels::add_scaled(static_cast<float>(length), direction, point.x, pool_);
    }
    if (length != 1) history_->lengthen(next_, length);
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
    products_.keep(state);
    if (scales_) state.floats("lbfgs.r", scales_->r_to_restore());
    collect_places();
    history_->keep(state, places_, have_step_ ? &next_ : nullptr);
  }

 private:
  // The number of pairs before scales are first learnt, and of new pairs before each later update.
  // (Learnt repeatedly from the same pairs, they drift apart.)
  static constexpr int kFirstScales = 5;
  static constexpr int kScalesEvery = 10;

  static bool by_place(const Recipe& recipe) {
    return recipe.optimiser.curvature == Curvature::local;
  }

  // The place of a pair in use; i = 0 is the newest. Between steps, next_ is that of the open pair.
  size_t newest(size_t i) const { return (next_ + most_ - 1 - i) % most_; }

  void forget() { count_ = 0; }

  // Collects the places of the pairs in use, newest first.
  void collect_places() {
    places_.clear();
    for (size_t i = 0; i < count_; ++i) places_.push_back(newest(i));
  }

  // r times x, a vector of the variable or its gradient; x itself without scales.
  std::span<float> scaled(std::span<float> x) {
    if (!scales_) return x;
    kernels::multiply(scales_->r(), x, work_, pool_);
    return work_;
  }

  void unscale(std::span<float> x) const {
    for (size_t i = 0; i < size_; ++i) x[i] /= scales_->r()[i];
  }

  void learn_scales(std::span<float> g) {
    scales_->learn(*history_, places_, g);
    history_->end_rescaling(places_, g, products_);
    for (const size_t place : places_) {
      if (!(products_.sy(place, place) > 0)) return forget();  // after rounding
    }
    scale_ = products_.sy(newest(0), newest(0)) / products_.yy(newest(0), newest(0));
  }

  // Adds the last step and gradient change to the history, with all their products.
  void learn(std::span<float> gradient) {
    const size_t place = next_;
    history_->close(place, gradient);
    next_ = (next_ + 1) % most_;
    count_ = std::min(count_ + 1, most_);
    collect_places();
    history_->multiply(places_, gradient, products_);

    // s . y is the loss's slope along s at the end minus that at the start. Below this fraction of
    // the latter it is rounding. (A fraction does not depend on the loss's unit.)
    constexpr double kLeastChange = 1e-10;
    const double curvature = products_.sy(place, place);
    const double square = products_.yy(place, place);
    const double first_slope = products_.sg[place] - curvature;
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

  // Sets places and coefficients so that their combination is d = -H g; returns the slope of the
  // loss along d.
  double choose_direction() {
    collect_places();
    coefficients_.assign(2 * count_ + 1, 0.0);
    if (count_ == 0) {
      coefficients_.back() = -1;
      return -products_.gg;
    }
    PairProducts& p = products_;
    // q = g - sum of alpha y, from the newest pair to the oldest.
    for (size_t i = 0; i < count_; ++i) {
      const size_t pair = newest(i);
      double sq = p.sg[pair];
      for (size_t j = 0; j < i; ++j) sq -= alpha_[newest(j)] * p.sy(pair, newest(j));
      alpha_[pair] = sq / p.sy(pair, pair);
      coefficients_[2 * i + 1] = scale_ * alpha_[pair];
    }
    coefficients_.back() = -scale_;
    // H g = scale q + sum of (alpha - beta) s, from the oldest to the newest; d is its negative.
    for (size_t i = count_; i-- > 0;) {
      const size_t pair = newest(i);
      double yq = p.yg[pair];
      for (size_t j = 0; j < count_; ++j) yq -= alpha_[newest(j)] * p.yy(pair, newest(j));
      double yr = scale_ * yq;
      for (size_t j = i + 1; j < count_; ++j) yr -= coefficients_[2 * j] * p.sy(newest(j), pair);
      coefficients_[2 * i] = yr / p.sy(pair, pair) - alpha_[pair];
    }
    double slope = coefficients_.back() * p.gg;
    for (size_t i = 0; i < count_; ++i) {
      slope += coefficients_[2 * i] * p.sg[newest(i)] + coefficients_[2 * i + 1] * p.yg[newest(i)];
    }
    return slope;
  }

  // With a history, d is already scaled. Without one, the loss gives the scale: falling along -g as
  // it does here, it would reach 0, its lowest conceivable value, at f / |g|^2. A tenth of that is
  // enough for the gradient's change to stand out from rounding.
  double first_length(const Point& point) const {
    if (count_ > 0) return learning_rate_ * caution_;
    constexpr double kPart = 0.1;
    const double to_zero = std::max(point.losses.total, 0.0) / products_.gg;
    const double length = to_zero > 0 ? kPart * to_zero : 1 / std::sqrt(products_.gg);
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
  const Share share_;  // of the history
  const std::unique_ptr<History> history_;
  Buffer<float> start_x_;  // for the line search

  // With scales_, history and products refer to the variable x / r (local_scales.h); x, its
  // gradient and the direction x moves along do not.
  std::optional<LocalScales> scales_;
  // r * gradient, then the direction, whole; empty: neither is needed
  Buffer<float> work_;
  int pairs_ = 0;  // learnt so far

  size_t next_ = 0;   // the next place to write
  size_t count_ = 0;  // pairs in use
  double scale_ = 1;
  double caution_ = 1;  // shrinks whenever a step is rejected
  bool have_step_ = false;
  int steps_ = 0;

  PairProducts products_;      // those with g use the current gradient
  std::vector<double> alpha_;  // of the recursion's first loop, by place
  // d as a combination: s and y of the pair at each of these places, then g.
  std::vector<size_t> places_;
  std::vector<double> coefficients_;
};

}  // namespace

std::unique_ptr<Optimiser> make_lbfgs(const Recipe& recipe, size_t size, ThreadPool& pool,
                                      std::span<const Size> planes, Ranks& ranks) {
  return std::make_unique<Lbfgs>(recipe, size, planes, pool, ranks);
}

}  // namespace limn
