#include "show/forecast.h"

#include <algorithm>

namespace limn {
namespace {

// The work of one iteration.
double work_of(const Level& level) {
  return level.cost * level.sizes.picture.width * level.sizes.picture.height;
}

// A level without iterations still evaluates its picture once.
double work_of(std::span<const Level> levels) {
  double work = 0;
  for (const Level& level : levels) work += std::max(1, level.iterations) * work_of(level);
  return work;
}

}  // namespace

Forecast::Forecast(std::span<const Plan> plans) {
  for (const Plan& plan : plans) {
    paintings_.push_back(
        {plan.recipe.stages, plan.levels, work_of(plan.levels), plan.recipe.optimiser.seconds});
  }
}

void Forecast::follow(size_t index, const Progress& progress) {
  if (index != at_.painting || progress.iteration == 0) {
    at_ = {index, 0, 0, 0};
  } else if (progress.level != static_cast<int>(at_.level)) {
    at_ = {index, static_cast<size_t>(progress.level), last_.iteration, last_.seconds};
  }
  last_.iteration = progress.iteration;
  last_.seconds = progress.seconds;
}

double Forecast::work_done(const Progress& progress) const {
  const std::vector<Level>& levels = paintings_[at_.painting].levels;
  return work_of(std::span(levels).first(at_.level)) +
         (progress.iteration - at_.iteration) * work_of(levels[at_.level]);
}

Standing Forecast::standing(size_t index, const Progress& progress) {
  follow(index, progress);
  const Work& work = paintings_[index];
  const double here = std::min(work.whole, work_done(progress));
  double done = here;
  for (size_t i = 0; i < index; ++i) done += paintings_[i].whole;

  Standing standing;
  standing.result = work.levels.back().sizes.picture;
  if (!work.stages.empty()) standing.stage = work.stages[work.levels[at_.level].stage].name;
  standing.done = progress.iteration == progress.iterations ? 1 : here / work.whole;
  standing.number = static_cast<int>(index) + 1;
  standing.count = static_cast<int>(paintings_.size());
  const double seconds_here = progress.seconds - at_.seconds;
  if (seconds_here > 0) standing.pace = (progress.iteration - at_.iteration) / seconds_here;
  if (done <= 0) return standing;

  const double seconds_each = clock_() / done;  // for a unit of work
  const auto seconds_for = [&](double amount, const Work& painting, double spent) {
    const double seconds = amount * seconds_each;
    if (painting.most_seconds == 0) return seconds;
    return std::min(seconds, std::max(0.0, painting.most_seconds - spent));
  };
  standing.seconds_left = seconds_for((1 - standing.done) * work.whole, work, progress.seconds);
  for (size_t i = index + 1; i < paintings_.size(); ++i) {
    standing.seconds_left += seconds_for(paintings_[i].whole, paintings_[i], 0);
  }
  return standing;
}

}  // namespace limn
