#include "paint/schedule.h"

#include <algorithm>
#include <utility>

namespace limn {
namespace {

// Reserved for finishing the last picture.
constexpr double kReserve = 0.02;
// A size is begun only if this many iterations fit, counting its set-up as two: fewer would not
// repair the blur of enlarging the picture.
constexpr double kLeastIterations = 6;

}  // namespace

Schedule::Schedule(std::function<double()> clock, const std::vector<Level>& levels, double limit)
    : clock_(std::move(clock)), limit_(limit * (1 - kReserve)) {
  for (const Level& level : levels) {
    const Size& picture = level.sizes.picture;
    pixels_.push_back(level.cost * picture.height * picture.width);
    costs_.push_back(pixels_.back() * level.iterations);
  }
}

bool Schedule::has_time_for(size_t level) const {
  if (limit_ == 0 || per_pixel_ == 0) return true;
  return seconds() + kLeastIterations * per_pixel_ * pixels_[level] <= limit_;
}

void Schedule::begin(size_t level) {
  level_ = level;
  const double now = seconds();
  iteration_ = per_pixel_ * pixels_[level];
  double cost = 0;
  for (size_t i = level; i < costs_.size(); ++i) cost += costs_[i];
  const double part = cost == 0 ? 1 : costs_[level] / cost;
  end_ = now + part * std::max(0.0, limit_ - now);
}

void Schedule::begin_iterations() { last_look_ = seconds(); }

bool Schedule::has_time_for_an_iteration() const {
  return limit_ == 0 || seconds() + iteration_ <= end_;
}

void Schedule::count_iteration() {
  const double now = seconds();
  iteration_ = now - last_look_;
  per_pixel_ = iteration_ / pixels_[level_];
  last_look_ = now;
}

bool Plateau::reached(double loss) {
  if (share_ == 0) return false;
  const auto least = [&](size_t iteration) -> double& { return least_[iteration % least_.size()]; };
  const size_t now = told_++;
  least(now) = now == 0 ? loss : std::min(least(now - 1), loss);
  if (now < kIterations) return false;
  const double before = least(now - kIterations);
  return before - least(now) < share_ * before;
}

void Plateau::keep(State& state) {
  state.integer("plateau.told", told_, 0, 1e9);
  state.numbers("plateau.least", least_);
}

}  // namespace limn
