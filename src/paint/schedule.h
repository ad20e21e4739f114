// When to stop: by the clock, and on a plateau.
#pragma once

#include <array>
#include <functional>
#include <vector>

#include "base/state.h"
#include "paint/pyramid.h"

namespace limn {

// Divides the available time among sizes. An iteration is assumed to cost time in proportion to the
// pixels. When a size begins, it gets the fraction of the remaining time that its planned
// iterations have in the total cost of those still to come. Time left over goes to later sizes.
class Schedule {
 public:
  // clock: seconds since the start, such as a Stopwatch; limit: by that clock, 0 for none.
  Schedule(std::function<double()> clock, const std::vector<Level>& levels, double limit);

  double seconds() const { return clock_(); }

  // Whether some iterations of this level fit into the remaining time. The first always begins.
  bool has_time_for(size_t level) const;
  // Begins a level with its set-up, which counts towards the level's time.
  void begin(size_t level);
  // The set-up is done: from now on, time is spent on iterations.
  void begin_iterations();
  bool has_time_for_an_iteration() const;
  void count_iteration();

 private:
  std::function<double()> clock_;
  std::vector<double> pixels_, costs_;  // by level: pixels, times what tiles cost; that of all
                                        // its iterations
  double limit_;                        // 0: none
  double end_ = 0;                      // of the current level
  double last_look_ = 0;                // when its last iteration ended, or its set-up
  double iteration_ = 0;                // seconds per iteration
  double per_pixel_ = 0;                // the same per pixel, known after the first iteration
  size_t level_ = 0;
};

// Detects that a loss has stopped falling.
class Plateau {
 public:
  // share: see Recipe::optimiser.plateau; never reached if 0.
  explicit Plateau(double share) : share_(share) {}
  // Call once per iteration with its loss.
  bool reached(double loss);
  void keep(State& state);

 private:
  static constexpr size_t kIterations = 20;
  double share_;
  size_t told_ = 0;
  std::array<double, kIterations + 1> least_ = {};  // up to each of the last iterations, a ring
};

}  // namespace limn
