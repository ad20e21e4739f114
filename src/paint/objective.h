// The style transfer objective: a function of the picture, its value and its gradient.
//
//   total(x) = content.weight         * sum over content layers l of w_l * content loss_l
//            + style.weight           * sum over style layers l   of w_l * style loss_l
//            + total_variation.weight * total variation of x
//
// (neighbours and transport losses are part of the style's, structure losses of the content's)
// where each term may be multiplied by a measured weight (balance.h). One evaluation is
//
//   the network's pass forward;  columns gather;  every loss measures, then settles;  every loss
//   spreads its slopes;  columns spread theirs;  the pass backward
//
// Terms whose weight is 0 are not computed, nor is any layer below the deepest one that a loss
// reads.
#pragma once

#include <limn/limn.h>

#include <memory>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "canvas/sizes.h"
#include "canvas/units.h"
#include "losses/layers.h"
#include "losses/loss.h"
#include "network/network.h"
#include "paint/scene.h"
#include "paint/targets.h"

namespace limn {

// Throws the Error (usage) that an objective at these sizes would: layers or a pooling the network
// does not have, weights that end too early, pictures smaller than the network can read.
void check_objective(const Weights& weights, const Recipe& recipe, const WorkingSizes& sizes);

// Factors for an objective's terms.
struct LossWeights {
  std::vector<double> content, style;  // by layers in use
  double total_variation = 1;
  std::vector<double> neighbours;  // by layers in use
  std::vector<double> columns;     // by columns in use
};

class Objective {
 public:
  // Compares with these targets, whose basis must be this recipe's; the picture has their size. The
  // weights, which are not copied, and the pool must outlive the objective. Throws like
  // check_objective.
  Objective(const Weights& weights, const Recipe& recipe, std::shared_ptr<const Targets> targets,
            ThreadPool& pool);
  // Measures the targets first. The scene has no border yet; it is added here.
  Objective(const Weights& weights, const Recipe& recipe, Scene scene, ThreadPool& pool);
  // The same for one painting, applied everywhere.
  Objective(const Weights& weights, const Recipe& recipe, const Image& photo, const Image& painting,
            ThreadPool& pool);
  Objective(const Objective&) = delete;  // its parts refer to each other
  Objective& operator=(const Objective&) = delete;

  const std::shared_ptr<const Targets>& targets() const { return targets_; }  // never null
  ThreadPool& pool() const { return pool_; }
  // The unit of x.
  const Units& units() const { return units_; }
  Size picture_size() const { return targets_->picture_size(); }  // with the border
  size_t size() const {  // floats of x: planes red, green, blue
    const auto [height, width] = picture_size();
    return 3 * static_cast<size_t>(height) * width;
  }

  // From now on; initially 1 each.
  void multiply(const LossWeights& weights);
  const LossWeights& weights() const { return multiplied_; }
  // The factor for gradients, but not for losses, from now on (loss_unit.h); initially 1.
  void set_unit(double unit);
  double unit() const { return unit_; }
  // The first non-zero weight of the recipe: of the content losses, else of the style losses, else
  // of the neighbours losses, else of those that read columns, else of the total variation. The
  // picture with the lowest loss depends only on the ratios of the others to it.
  double leading_weight() const;
  // The recipe's style weights of the layers in use, including that of the whole term.
  std::vector<double> style_weights() const;
  std::vector<double> neighbours_weights() const;
  std::span<const ColumnsInUse> columns() const { return targets_->basis.columns; }
  // Number i of them, and what a neighbours loss compares them with; for tools.
  const Columns& columns_in_place(size_t i) const { return *columns_[i]; }
  ConstFeatureMap gathered(size_t i) const;

  // Some losses choose what they compare with (Loss::seek), in the first evaluation and later every
  // few iterations. Those that do so before this iteration, counted from 0, will do so in the next
  // evaluation, which is of another function then; returns whether there are any.
  bool seek_before(int iteration);
  // All of them choose at x now, and not in the first evaluation.
  void seek_at(std::span<const float> x);
  // The same as in a new objective, which has never sought.
  void seek_afresh();
  // Saves or restores what was chosen, and the factors of the losses.
  void keep(State& state);

  // The losses at x; d_x "=" the gradient with respect to x, times unit(). Allocates almost
  // nothing.
  Losses evaluate(std::span<const float> x, std::span<float> d_x);

  // The time spent in the last evaluation, by row of the network; empty if no loss reads a layer.
  std::span<const Pass::RowSeconds> row_seconds() const {
    return pass_ ? pass_->seconds() : std::span<const Pass::RowSeconds>();
  }

 private:
  void make_losses(int tap);
  void make_columns(const Weights& weights);
  void run_forward(std::span<const float> x);
  View view(std::span<const float> x) const { return {view_, x, picture_size()}; }

  const Recipe recipe_;
  ThreadPool& pool_;
  const std::shared_ptr<const Targets> targets_;
  const Units units_;
  const std::vector<LayerInUse> layers_;
  std::unique_ptr<Network> network_;  // null if no loss reads a layer
  std::unique_ptr<Pass> pass_;        // its tap i is layers_[i]
  Scratch scratch_;
  std::vector<std::unique_ptr<Loss>> losses_;  // by layer, then by columns, the variation last
  std::vector<char> due_;                      // by loss: it chooses in the next evaluation
  std::vector<std::unique_ptr<Columns>> columns_;
  std::vector<View::Layer> view_;  // by tap, then by columns
  std::vector<Slope> slopes_;      // likewise
  // By tap; null if there is none.
  std::vector<Loss*> content_, style_, neighbours_;
  std::vector<std::vector<size_t>> of_columns_;  // by columns: the numbers of their losses
  Loss* variation_ = nullptr;                    // or null
  LossWeights multiplied_;
  double unit_ = 1;
};

}  // namespace limn
