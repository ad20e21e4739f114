// When to stop: by the clock, and on a plateau.
#pragma once

#include <array>
#include <functional>
#include <vector>

#include "base/state.h"
#include "paint/pyramid.h"

namespace limn {

// Shares out the time that there is. An iteration is taken to cost as much as the picture has
// pixels; of the time that is left when a size begins, it gets the part that its planned iterations
// have in the cost of all that are still to come. What one size leaves, the next ones have.
class Schedule {
 public:
  // clock: seconds since the beginning, such as a Stopwatch; limit: by that clock, 0 for none.
  Schedule(std::function<double()> clock, const std::vector<Level>& levels, double limit);

  double seconds() const { return clock_(); }

  // Whether some iterations of this level fit into the time that is left. The first always begins.
  bool has_time_for(size_t level) const;
  // Begins a level with its setting up, which takes of the level's time.
  void begin(size_t level);
  // The level is set up: what passes from now on is its iterations' time.
  void begin_iterations();
  bool has_time_for_an_iteration() const;
  void count_iteration();

 private:
  std::function<double()> clock_;
  std::vector<double> pixels_, costs_;  // by level; costs of all its iterations
  double limit_;                        // 0: none
  double end_ = 0;                      // of the present level
  double last_look_ = 0;                // when its last iteration was done, or it was set up
  double iteration_ = 0;                // seconds that one takes
  double per_pixel_ = 0;                // the same over the pixels, known from the first level on
  size_t level_ = 0;
};

// Whether a loss has stopped falling.
class Plateau {
 public:
  // share: see Recipe::optimiser.plateau; 0 is never reached.
  explicit Plateau(double share) : share_(share) {}
  // Told of every iteration's loss in turn.
  bool reached(double loss);
  void keep(State& state);

 private:
  static constexpr size_t kIterations = 20;
  double share_;
  size_t told_ = 0;
  std::array<double, kIterations + 1> least_ = {};  // up to each of the last iterations, in a ring
};

}  // namespace limn
