// One painting from its coarsest size to its finest, a step at a time: limn::Run's inside.
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

// What the losses compare with at each size of a pyramid.
using LevelTargets = std::vector<std::shared_ptr<const Targets>>;

// Throws Error (usage): a picture without pixels, blends and masks that make no sense.
void check_plan(const Plan& plan, const Pictures& pictures);

class Painter {
 public:
  // Sets up the first size. `targets` are those of an earlier painting with the same pictures, or
  // none: they are used where this plan's losses compare with the same, and measured where they do
  // not. Afterwards they are this plan's. Model and targets must outlive the painter.
  //
  // state: where an earlier painting of this plan was, which this one goes on from; null: begins.
  // Throws Error (file) where the state is no such one.
  Painter(const Model& model, Pictures pictures, Plan plan, LevelTargets& targets,
          State* state = nullptr);
  ~Painter();

  // One iteration; false when there is none left to do, or no time.
  bool step();
  void stop();

  // The latest iteration; there is none where the loss of the first picture is not finite.
  bool has_begun() const { return !painted_.history.empty(); }
  const Progress& now() const { return now_; }
  const Plan& plan() const { return plan_; }
  std::vector<int> iterations() const;
  // Saves all of it, between steps.
  void keep(State& state);
  // Ends the painting. Once.
  Painted finish();

 private:
  struct AtLevel;

  void begin_level(size_t level, State* state);
  bool begin_next_level();
  void end_level();
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
  LevelTargets& targets_;
  const Stopwatch stopwatch_;
  double seconds_before_ = 0;  // that an interrupted painting took
  Schedule schedule_;
  ThreadPool pool_;
  std::optional<Image> given_;  // what the next size begins with; none: as the recipe says
  std::unique_ptr<Finish> finish_;
  Scene scene_;
  size_t level_ = 0;
  std::unique_ptr<AtLevel> at_;
  std::optional<LossWeights> weights_;  // measured at the first size, for all of them
  int done_ = 0;                        // iterations of the sizes before
  std::vector<int> done_at_;            // by size, of those that have ended
  bool changed_ = false;         // whether some size's picture is another one than it began with
  bool cut_short_ = false;       // whether time ran out at an earlier size
  std::optional<Outcome> over_;  // how the present size has ended
  bool ended_ = false;           // and the painting with it
  Painted painted_;
  Progress now_;
};

// All steps, telling `progress` of the first picture and of each iteration; it may be empty.
Painted paint_all(Painter& painter, const ProgressCallback& progress);

}  // namespace limn
