// How far paintings are, and how long the rest takes.
#pragma once

#include <limn/limn.h>

#include <cstddef>
#include <span>
#include <vector>

#include "base/stopwatch.h"
#include "show/progress.h"

namespace limn {

// An iteration's time is nearly proportional to the picture's pixels: so their product is the work.
class Forecast {
 public:
  // For these plans, painted in turn, beginning now.
  explicit Forecast(std::span<const Plan> plans);

  // Where painting number `index` stands, to be asked at each of its iterations.
  Standing standing(size_t index, const Progress& progress);
  double seconds() const { return clock_(); }  // since the beginning

 private:
  // A painting's work, level by level of its pyramid.
  struct Work {
    std::vector<Level> levels;
    double whole = 0;
    double most_seconds = 0;  // 0: no limit
  };
  // The level at hand, and where the one before it ended.
  struct Place {
    size_t painting = 0, level = 0;
    int iteration = 0;
    double seconds = 0;
  };

  void follow(size_t index, const Progress& progress);
  double work_done(const Progress& progress) const;  // of the painting at hand

  std::vector<Work> paintings_;
  Place at_;
  Progress last_;  // without its pictures
  const Stopwatch clock_;
};

}  // namespace limn
