// The style transfer objective: a function of the picture, its value and its gradient.
//
//   total(x) = content.weight         * sum over content layers l of w_l * content loss_l
//            + style.weight           * sum over style layers l   of w_l * style loss_l
//            + total_variation.weight * total variation of x
//
// (neighbours and transport losses are part of the style's, structure losses of the content's)
// where each term may be multiplied by a measured weight (balance.h). One evaluation is
//
//   for every tile:  the network's pass forward;  columns gather;  losses of layers measure
//   losses of columns and of the picture measure;  every loss settles
//   for every tile:  the pass forward again, unless it is the only one;  every loss spreads its
//                    slopes;  columns spread theirs;  the pass backward
//
// What tiles measure is added in their order, and so are their gradients (network/tiling.h). Ranks
// that paint together (base/ranks.h) run every so many'th tile each; all else they do alike.
// Terms whose weight is 0 are not computed, nor is any layer below the deepest one that a loss
// reads.
#pragma once

#include <limn/limn.h>

#include <memory>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "base/ranks.h"
#include "canvas/sizes.h"
#include "canvas/units.h"
#include "losses/layers.h"
#include "losses/loss.h"
#include "network/tiled_pass.h"
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
  // weights, which are not copied, the pool and the ranks must outlive the objective. Throws like
  // check_objective. core: of the tiles, at most; if 0, there is only one.
  Objective(const Weights& weights, const Recipe& recipe, std::shared_ptr<const Targets> targets,
            ThreadPool& pool, const Size& core = {}, Ranks& ranks = alone());
  // Measures the targets first. The scene has no border yet; it is added here.
  Objective(const Weights& weights, const Recipe& recipe, Scene scene, ThreadPool& pool,
            const Size& core = {});
  // The same for one painting, applied everywhere.
  Objective(const Weights& weights, const Recipe& recipe, const Image& photo, const Image& painting,
            ThreadPool& pool, const Size& core = {});
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
  ConstFeatureMap gathered(size_t i, Buffer<float>& memory) const;

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

  int tiles() const { return pass_ ? pass_->tiles() : 1; }
  // The time spent in the last evaluation's last tile, by row of the network; empty if no loss
  // reads a layer.
  std::span<const Pass::RowSeconds> row_seconds() const {
    return pass_ ? pass_->seconds() : std::span<const Pass::RowSeconds>();
  }

 private:
  void make_losses(int tap);
  void make_columns(const Weights& weights);
  void make_sums();
  int last_row_that_counts() const;
  bool is_due(size_t loss) const { return due_[loss] != 0; }
  // Its share of a vector with something of every loss.
  template <typename T>
  static std::span<T> share(std::span<T> all, const std::vector<size_t>& begins, size_t loss) {
    return all.subspan(begins[loss], begins[loss + 1] - begins[loss]);
  }
  // Calls act() for every tile of this rank, whose forward pass at x has run, and then, if there
  // are several, join(tile, rank) for every tile of all ranks, in order.
  template <typename Act, typename Join>
  void each_tile(std::span<const float> x, bool grams, const Act& act, const Join& join);
  void run_tile(int tile, std::span<const float> x, bool grams);
  void choose(std::span<const float> x);
  void look_and_find(std::span<const float> x);
  void find_among_columns(std::span<const float> x);
  template <typename Act, typename Join>
  void gather_columns(std::span<const float> x, const Act& act, const Join& join);
  template <typename T>
  void begin_by_tiles(std::span<T> memory) const;
  template <typename T>
  void end_by_tiles(std::span<T> memory) const;
  void measure(std::span<const float> x);
  Losses settle();
  void spread(std::span<const float> x, std::span<float> d_x);
  View view(std::span<const float> x) const { return {view_, x, picture_size()}; }
  std::span<const View::Layer> layer_views() const {
    return std::span(view_).first(layers_.size());
  }

  const Recipe recipe_;
  ThreadPool& pool_;
  Ranks& ranks_;
  const std::shared_ptr<const Targets> targets_;
  const Units units_;
  const std::vector<LayerInUse> layers_;
  std::unique_ptr<Network> network_;  // null if no loss reads a layer
  std::unique_ptr<TiledPass> pass_;   // its tap i is layers_[i]
  int last_row_ = 0;                  // that any loss reads
  bool has_run_ = false;              // the only tile, in this evaluation
  bool has_gathered_ = false;         // the columns, likewise
  Scratch scratch_;
  // By layer, then by columns, the variation last. The first of_layers_ of them read tiles of
  // layers, the others columns or the picture, which are whole.
  std::vector<std::unique_ptr<Loss>> losses_;
  size_t of_layers_ = 0;
  // Sums of all losses, in all, of a tile and of another rank's; and where each loss's begin.
  Buffer<double> sums_, tile_sums_, others_sums_;
  std::vector<size_t> sums_begin_;
  Buffer<float> others_patch_;  // the gradient of another rank's tile
  std::vector<char> due_;       // by loss: it chooses in the next evaluation
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
