#include "optimise/line_search.h"

#include <algorithm>
#include <cmath>

#include "kernels/kernels.h"

namespace limn {
namespace {

constexpr double kDecrease = 1e-4;
constexpr double kCurvature = 0.9;
constexpr int kMostEvaluations = 25;

// phi at one length.
struct Trial {
  double length = 0;
  double loss = 0;
  double slope = 0;
};

// The minimum of the cubic through both trials' losses and slopes (Nocedal and Wright, equation
// 3.59), kept a tenth away from the interval's ends; the midpoint if the cubic has no minimum.
double cubic_minimum(const Trial& a, const Trial& b) {
  const double low = std::min(a.length, b.length);
  const double high = std::max(a.length, b.length);
  const double margin = 0.1 * (high - low);
  const double d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.length - b.length);
  const double square = d1 * d1 - a.slope * b.slope;
  double length = (low + high) / 2;
  if (std::isfinite(square) && square >= 0) {
    const double d2 = std::copysign(std::sqrt(square), b.length - a.length);
    const double minimum =
        b.length - (b.length - a.length) * (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2);
    if (std::isfinite(minimum)) length = minimum;
  }
  return std::clamp(length, low + margin, high - margin);
}

class Search {
 public:
  Search(const Function& f, std::span<const float> direction, double slope,
         std::span<const float> start, Point& point, ThreadPool& pool)
      : f_(f),
        direction_(direction),
        point_(point),
        pool_(pool),
        start_x_(start),
        start_losses_(point.losses),
        start_{0, point.losses.total, slope} {}

  double run(double first) {
    Trial last = start_;
    double length = first;
    while (evaluations_ < kMostEvaluations) {
      const Trial trial = evaluate(length);
      if (too_high(trial) || (evaluations_ > 1 && trial.loss >= last.loss)) {
        return zoom(last, trial);
      }
      if (flat_enough(trial)) return trial.length;
      if (trial.slope >= 0) return zoom(trial, last);
      last = trial;
      length *= 2;
    }
    return settle();
  }

 private:
  bool too_high(const Trial& trial) const {
    return !(trial.loss <= start_.loss + kDecrease * trial.length * start_.slope);
  }
  bool flat_enough(const Trial& trial) const {
    return std::abs(trial.slope) <= -kCurvature * start_.slope;
  }

  // Moves the point to start + length * direction.
  Trial evaluate(double length) {
    ++evaluations_;
    kernels::scaled_sum(start_x_, static_cast<float>(length), direction_, point_.x, pool_);
    point_.losses = f_(point_.x, point_.gradient);
    Trial trial = {length, point_.losses.total, kernels::dot(point_.gradient, direction_, pool_)};
    if (!std::isfinite(trial.loss) || !std::isfinite(trial.slope)) {
      trial = {length, HUGE_VAL, HUGE_VAL};
    }
    if (trial.loss < best_.loss) best_ = trial;
    return trial;
  }

  // Algorithm 3.6: the interval between low and high contains a length that meets both conditions;
  // low is the end with the smaller loss.
  double zoom(Trial low, Trial high) {
    while (evaluations_ < kMostEvaluations) {
      const Trial trial = evaluate(cubic_minimum(low, high));
      if (too_high(trial) || trial.loss >= low.loss) {
        high = trial;
        continue;
      }
      if (flat_enough(trial)) return trial.length;
      if (trial.slope * (high.length - low.length) >= 0) high = low;
      low = trial;
    }
    return settle();
  }

  // No length meets both conditions: takes the best that lowers the loss, or returns to where it
  // began.
  double settle() {
    if (best_.loss < start_.loss) return evaluate(best_.length).length;
    kernels::copy(start_x_, point_.x, pool_);
    point_.losses = start_losses_;
    return 0;
  }

  const Function& f_;
  std::span<const float> direction_;
  Point& point_;
  ThreadPool& pool_;
  const std::span<const float> start_x_;
  const Losses start_losses_;
  const Trial start_;
  Trial best_ = {0, HUGE_VAL, 0};
  int evaluations_ = 0;
};

}  // namespace

double strong_wolfe(const Function& f, std::span<const float> direction, double slope, double first,
                    std::span<const float> start, Point& point, ThreadPool& pool) {
  return Search(f, direction, slope, start, point, pool).run(first);
}

}  // namespace limn
