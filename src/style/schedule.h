// When to stop: by the clock, and on a plateau.
#pragma once

#include <chrono>
#include <vector>

#include "style/pyramid.h"

namespace limn {

// Seconds since its making.
class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Shares out the time that there is. An iteration is taken to cost as much as the picture has
// pixels; of the time that is left when a size begins, it gets the part that its planned iterations
// have in the cost of all that are still to come. What one size leaves, the next ones have.
class Schedule {
 public:
  // limit: seconds by the stopwatch; 0 for none.
  Schedule(const Stopwatch& stopwatch, const std::vector<Level>& levels, double limit);

  double seconds() const { return stopwatch_.seconds(); }

  // Whether some iterations of this level fit into the time that is left. The first always begins.
  bool has_time_for(size_t level) const;
  void begin(size_t level);
  bool has_time_for_an_iteration() const;
  void count_iteration();

 private:
  Stopwatch stopwatch_;
  std::vector<double> pixels_, costs_;  // by level; costs of all its iterations
  double limit_;                        // 0: none
  double end_ = 0;                      // of the present level
  double last_look_ = 0;                // when its last iteration was done
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

 private:
  static constexpr size_t kIterations = 20;
  double share_;
  std::vector<double> least_;  // up to each iteration
};

}  // namespace limn
