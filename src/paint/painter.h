// One painting from its coarsest to its finest size, step by step: the inside of limn::Run.
#pragma once

#include <limn/limn.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "base/ranks.h"
#include "base/state.h"
#include "base/stopwatch.h"
#include "canvas/canvas.h"
#include "paint/balance.h"
#include "paint/finish.h"
#include "paint/objective.h"
#include "paint/scene.h"
#include "paint/schedule.h"
#include "paint/targets.h"

namespace limn {

// What paintings of the same pictures need alike, kept from one to the next.
struct KeptLevel {
  std::shared_ptr<const Targets> targets;  // null: none yet
  // Lengths of gradients of these targets' losses, by a recipe that differs in nothing but its
  // strength; none if none were measured at this size.
  struct Gradients {
    std::string recipe;  // as TOML, of some strength
    MeasuredGradients lengths;
  };
  std::optional<Gradients> gradients;
};
using KeptLevels = std::vector<KeptLevel>;  // one per size of a pyramid

// Throws Error (usage): a plan for other pictures, empty pictures, invalid blends or masks.
void check_plan(const Plan& plan, const Pictures& pictures);

class Painter {
 public:
  // Sets up the first size. `kept`, unless null, is of an earlier painting of the same pictures, or
  // empty: it is reused where this plan's losses need the same, and measured where not. Afterwards
  // it is this plan's. Without it, the targets of a size are freed when it is over. Model and
  // `kept` must outlive the painter.
  //
  // state: the state of an earlier painting of this plan, to continue; null: starts afresh. Throws
  // Error (file) if it is not such a state.
  //
  // abandon: once another thread sets it, unless null, whatever the painter is doing throws Stopped
  // (base/parallel.h) within milliseconds, and the painter is good for nothing any more.
  //
  // ranks: paint this together: each has such a painter, of the same pictures, plan and state,
  // which takes the same steps. Throws Error (resources) if one of them computes something else.
  Painter(const Model& model, Pictures pictures, Plan plan, KeptLevels* kept,
          State* state = nullptr, const std::atomic<bool>* abandon = nullptr,
          Ranks& ranks = alone());
  ~Painter();

  // Runs one iteration; returns false if no iteration or no time is left.
  bool step();
  void stop();

  // Whether now() holds an iteration; never if the first picture's loss is not finite.
  bool has_begun() const { return !painted_.history.empty(); }
  const Progress& now() const { return now_; }
  const Plan& plan() const { return plan_; }
  std::vector<int> iterations() const;
  // Saves everything, between steps.
  void keep(State& state);
  // Ends the painting. Call once.
  Painted finish();

 private:
  struct AtLevel;

  // The recipe of the current level.
  const Recipe& recipe() const { return recipe_; }
  void begin_level(size_t level, State* state);
  bool begin_next_level();
  void end_level();
  void seek_again();
  void add_detail(std::vector<float>& x, const Image& photo, double share) const;
  void seek_beside(const Image& photo, std::vector<float> x);
  Scene scene_of(size_t level);
  void balance(Objective& objective, const Canvas& canvas, const Image& photo);
  MeasuredGradients gradients(Objective& objective, const Canvas& canvas, const Image& photo);
  double seconds() const { return seconds_before_ + stopwatch_(); }
  void check_agreement() const;
  void show();
  void record();
  void keep_progress(State& state);
  void keep_tiles(State& state);
  void keep_savings(State& state);
  void keep_level_number(State& state);
  void keep_done(State& state);
  void keep_level(State& state);
  void keep_history(State& state);

  const Model& model_;
  Plan plan_;               // changed only by a state that is restored
  KeptLevels* const kept_;  // or null
  Ranks& ranks_;
  const Stopwatch stopwatch_;
  double seconds_before_ = 0;  // of an interrupted painting
  Schedule schedule_;          // by the clock of rank 0
  ThreadPool pool_;
  std::optional<Image> given_;  // what the next size starts from; none: as the recipe says
  std::unique_ptr<Finish> finish_;
  Scene scene_;
  size_t level_ = 0;
  Recipe recipe_;
  std::unique_ptr<AtLevel> at_;
  std::optional<LossWeights> weights_;  // measured at a stage's first size, and used at all of its
  int done_ = 0;                        // at earlier sizes
  std::vector<int> done_at_;            // by size, for those that have ended
  bool changed_ = false;                // whether the picture changed at any size
  bool cut_short_ = false;              // whether time ran out at an earlier size
  std::optional<Outcome> over_;         // how the current size has ended
  bool ended_ = false;                  // so has the painting
  Painted painted_;
  Progress now_;
};

// Runs all steps, reporting the first picture and each iteration to `progress`, which may be empty.
Painted paint_all(Painter& painter, const ProgressCallback& progress);

}  // namespace limn
