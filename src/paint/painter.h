// One painting from its coarsest to its finest size, step by step: the inside of limn::Run.
#pragma once

#include <limn/limn.h>

#include <memory>
#include <optional>
#include <vector>

#include "base/parallel.h"
#include "base/state.h"
#include "base/stopwatch.h"
#include "canvas/canvas.h"
#include "paint/finish.h"
#include "paint/objective.h"
#include "paint/scene.h"
#include "paint/schedule.h"
#include "paint/targets.h"

namespace limn {

// The targets of the losses at each size of a pyramid.
using LevelTargets = std::vector<std::shared_ptr<const Targets>>;

// Throws Error (usage): a plan for other pictures, empty pictures, invalid blends or masks.
void check_plan(const Plan& plan, const Pictures& pictures);

class Painter {
 public:
  // Sets up the first size. `kept`, unless null, are the targets of an earlier painting of the same
  // pictures, or empty: they are reused where this plan's losses need the same targets, and
  // measured where not. Afterwards they are this plan's. Without it, the targets of a size are
  // freed when it is over. Model and targets must outlive the painter.
  //
  // state: the state of an earlier painting of this plan, to continue; null: starts afresh. Throws
  // Error (file) if it is not such a state.
  Painter(const Model& model, Pictures pictures, Plan plan, LevelTargets* kept,
          State* state = nullptr);
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

  // The recipe of the current stage.
  const Recipe& recipe() const { return plan_.stages[plan_.levels[level_].stage]; }
  void begin_level(size_t level, State* state);
  bool begin_next_level();
  void end_level();
  void seek_again();
  void add_detail(std::vector<float>& x, const Image& photo, double share) const;
  void seek_beside(const Image& photo, std::vector<float> x);
  Scene scene_of(size_t level);
  void balance(Objective& objective, const Canvas& canvas, const Image& photo);
  void show();
  void record();
  void keep_progress(State& state);
  void keep_level_number(State& state);
  void keep_done(State& state);
  void keep_level(State& state);
  void keep_history(State& state);

  const Model& model_;
  const Plan plan_;
  LevelTargets* const kept_;  // or null
  const Stopwatch stopwatch_;
  double seconds_before_ = 0;  // of an interrupted painting
  Schedule schedule_;
  ThreadPool pool_;
  std::optional<Image> given_;  // what the next size starts from; none: as the recipe says
  std::unique_ptr<Finish> finish_;
  Scene scene_;
  size_t level_ = 0;
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
