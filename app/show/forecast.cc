#include "show/forecast.h"

#include <algorithm>

namespace limn {
namespace {

// Of one iteration. An iteration that is none still takes a look at its picture.
double work_of(const Level& level) {
  return 1.0 * level.sizes.picture.width * level.sizes.picture.height;
}

double work_of(std::span<const Level> levels) {
  double work = 0;
  for (const Level& level : levels) work += std::max(1, level.iterations) * work_of(level);
  return work;
}

}  // namespace

Forecast::Forecast(const PictureSizes& pictures, std::span<const Recipe> recipes) {
  for (const Recipe& recipe : recipes) {
    Plan& plan = plans_.emplace_back();
    plan.levels = pyramid_levels(working_sizes(pictures, recipe), recipe);
    plan.work = work_of(plan.levels);
    plan.most_seconds = recipe.optimiser.seconds;
  }
}

// A level may end before its iterations are done: that the size is another one tells the next.
void Forecast::follow(size_t index, const Progress& progress) {
  if (index != at_.painting || progress.iteration == 0) {
    at_ = {index, 0, 0, 0};
  } else if (progress.width != last_.width || progress.height != last_.height) {
    const size_t next = std::min(at_.level + 1, plans_[index].levels.size() - 1);
    at_ = {index, next, last_.iteration, last_.seconds};
  }
  last_.iteration = progress.iteration;
  last_.seconds = progress.seconds;
  last_.width = progress.width;
  last_.height = progress.height;
}

double Forecast::work_done(const Progress& progress) const {
  const std::vector<Level>& levels = plans_[at_.painting].levels;
  return work_of(std::span(levels).first(at_.level)) +
         (progress.iteration - at_.iteration) * work_of(levels[at_.level]);
}

Standing Forecast::standing(size_t index, const Progress& progress) {
  follow(index, progress);
  const Plan& plan = plans_[index];
  const double here = std::min(plan.work, work_done(progress));
  double done = here;
  for (size_t i = 0; i < index; ++i) done += plans_[i].work;

  Standing standing;
  standing.result = plan.levels.back().sizes.picture;
  standing.done = progress.iteration == progress.iterations ? 1 : here / plan.work;
  standing.number = static_cast<int>(index) + 1;
  standing.count = static_cast<int>(plans_.size());
  const double seconds_here = progress.seconds - at_.seconds;
  if (seconds_here > 0) standing.pace = (progress.iteration - at_.iteration) / seconds_here;
  if (done <= 0) return standing;

  const double seconds_each = clock_() / done;  // for a unit of work
  const auto seconds_for = [&](double work, const Plan& painting, double spent) {
    const double seconds = work * seconds_each;
    if (painting.most_seconds == 0) return seconds;
    return std::min(seconds, std::max(0.0, painting.most_seconds - spent));
  };
  standing.seconds_left = seconds_for((1 - standing.done) * plan.work, plan, progress.seconds);
  for (size_t i = index + 1; i < plans_.size(); ++i) {
    standing.seconds_left += seconds_for(plans_[i].work, plans_[i], 0);
  }
  return standing;
}

}  // namespace limn
