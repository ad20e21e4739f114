// How far paintings have come, and how long the rest will take.
#pragma once

#include <limn/limn.h>

#include <cstddef>
#include <span>
#include <vector>

#include "base/stopwatch.h"
#include "show/progress.h"

namespace limn {

// Work is iterations times pixels, since an iteration's time is nearly proportional to the pixels,
// and times what tiles cost.
class Forecast {
 public:
  // For these plans, painted in turn, starting now.
  explicit Forecast(std::span<const Plan> plans);

  // The standing of painting number `index`; call it at each of its iterations.
  Standing standing(size_t index, const Progress& progress);
  double seconds() const { return clock_(); }  // since the start

 private:
  // A painting's work, level by level of its pyramids.
  struct Work {
    std::vector<Stage> stages;
    std::vector<Level> levels;
    double whole = 0;
    double most_seconds = 0;  // 0: no limit
  };
  // The current level, and where the previous one ended.
  struct Place {
    size_t painting = 0, level = 0;
    int iteration = 0;
    double seconds = 0;
  };

  void follow(size_t index, const Progress& progress);
  double work_done(const Progress& progress) const;  // of the current painting

  std::vector<Work> paintings_;
  Place at_;
  Progress last_;  // without its pictures
  const Stopwatch clock_;
};

}  // namespace limn
