// The style transfer objective: a function of the picture, its value and its gradient.
//
//   total(x) = content.weight         * sum over content layers l of w_l * content loss_l
//            + style.weight           * sum over style layers l   of w_l * style loss_l
//            + total_variation.weight * total variation of x
//
// where each term may be multiplied by a weight that was measured (balance.h). Everything above the
// kernels talks to evaluate(x). Terms whose weight is 0 are not computed, nor
// is any layer below the deepest one that a loss reads.
#pragma once

#include <limn/limn.h>

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/parallel.h"
#include "canvas/sizes.h"
#include "losses/layers.h"
#include "losses/regional.h"
#include "network/network.h"
#include "paint/scene.h"

namespace limn {

// Throws the Error (usage) that an objective at these sizes would: layers or a pooling the network
// does not have, weights that end too early, pictures smaller than the network can read.
void check_objective(const Weights& weights, const Recipe& recipe, const WorkingSizes& sizes);

// What the losses compare with: the photo's features and the paintings' statistics. Measuring them
// takes a forward pass over each; objectives of several recipes may share them.
struct Targets {
  // All that they depend on besides the pictures. Half precision is no part of it: features
  // that content losses read are never kept in it.
  struct Basis {
    const Weights* weights = nullptr;
    Pooling pooling = {};
    InputConvention convention;
    GramForm gram = {};
    StyleStatistic statistic = {};
    std::vector<int> shifts;
    std::vector<double> blend;
    Colors colors = {};
    int border = 0;
    WorkingSizes sizes;            // without the border
    std::vector<TapRequest> taps;  // of the picture, none of them half
    bool operator==(const Basis&) const = default;
  };
  struct Layer {
    Buffer<float> features;    // P, laid out like F; empty where no content loss reads it
    std::vector<float> roots;  // m = sqrt(w), [H][W]: how much of a position can be seen is w;
                               // empty: all of it, or no content loss reads the layer
    Buffer<float> gram;  // A, [C][C], scaled by the Gram form; empty where no style loss does,
                         // or where there are
    std::vector<RegionTarget> regions;
  };
  Basis basis;
  bool regional = false;
  bool grey = false;          // the picture is to have no colours
  std::vector<float> free;    // 1 - keep, of the picture with its border; empty: 1 everywhere
  std::vector<Layer> layers;  // of basis.taps
};

// The basis of the targets that the recipe's losses compare with. Throws Error (usage) for layers
// the network does not have.
Targets::Basis targets_basis(const Weights& weights, const Recipe& recipe,
                             const WorkingSizes& sizes, bool regional);

// What an objective's terms are multiplied by.
struct LossWeights {
  std::vector<double> content, style;  // by layers in use
  double total_variation = 1;
};

class Objective {
 public:
  // The pictures are taken at the sizes they have, and not needed afterwards; the picture has the
  // photo's size, and recipe.picture.border more on each side. The weights, which are not copied,
  // and the pool must outlive the objective. Throws like check_objective.
  Objective(const Weights& weights, const Recipe& recipe, Scene scene, ThreadPool& pool);
  Objective(const Objective&) = delete;  // its parts refer to each other
  Objective& operator=(const Objective&) = delete;
  // The same with one painting, everywhere.
  Objective(const Weights& weights, const Recipe& recipe, const Image& photo, const Image& painting,
            ThreadPool& pool);

  // The same with targets that were measured before, whose basis must be this recipe's.
  Objective(const Weights& weights, const Recipe& recipe, std::shared_ptr<const Targets> targets,
            ThreadPool& pool);

  // Never null.
  const std::shared_ptr<const Targets>& targets() const { return targets_; }
  ThreadPool& pool() const { return pool_; }

  // With the border.
  int height() const { return height_; }
  int width() const { return width_; }

  // From now on; 1 each at first.
  void multiply(const LossWeights& weights);
  // What gradients are multiplied with, from now on, and losses are not (loss_unit.h); 1 at first.
  void set_unit(double unit);
  double unit() const { return unit_; }
  const LossWeights& weights() const { return multiplied_; }
  // The first of the recipe's weights that is not 0: of the content losses, or else of the style
  // losses, or else of the total variation. Which picture has the least loss depends on the others'
  // proportions to it alone.
  double leading_weight() const;
  // The recipe's for the style losses of the layers in use, the whole term's included.
  std::vector<double> style_weights() const;

  // The variable x: 3 x height x width floats, planes red, green, blue, in the recipe's space.
  size_t size() const { return 3 * static_cast<size_t>(height_) * width_; }
  std::vector<float> encode(Image picture) const;  // of height() x width()
  Image decode(std::vector<float> x) const;        // not clamped, no alpha
  void clip(std::span<float> x) const;             // to the pictures within 0..1 RGB
  bool grey() const { return targets_->grey; }
  void make_grey(std::span<float> x) const;  // to the nearest picture without colours

  // The losses at x; gradient "=", by x, times unit(). Allocates next to nothing.
  Losses evaluate(std::span<const float> x, std::span<float> gradient);

  // Where the time of the last evaluation went, by the network's rows; empty when no loss reads
  // any.
  std::span<const Pass::RowSeconds> row_seconds() const {
    return pass_ ? pass_->seconds() : std::span<const Pass::RowSeconds>();
  }

  // d x / d RGB of each plane: turns a gradient by x into one by the 0..1 RGB picture.
  double rgb_slope(int plane) const { return rgb_to_variable_[plane].gain; }

 private:
  struct Affine {
    float gain = 1, offset = 0;
    float operator()(float value) const { return gain * value + offset; }
  };
  // A layer in use. Its factors hold the recipe's weights, the form's scaling, and the last the
  // measured weights.
  struct Layer : LayerInUse {
    double content_form = 0, style_form = 0;
    double content_factor = 0, style_factor = 0;
    double gram_scale = 0;
    std::optional<RegionalStyle> regional;
    // Of a student's layer that content losses read; else empty.
    Buffer<float> slope;            // [C][C]: 2 content_factor K
    Buffer<float> difference_gram;  // [C][C]
    // F - P, laid out like F: of the same, and where not all positions can be seen.
    Buffer<float> difference;
  };

  Objective(const Weights& weights, const Recipe& recipe, const WorkingSizes& sizes,
            ThreadPool& pool);
  void plan_variable(const InputConvention& convention);
  void measure_paintings(Scene& scene, Targets& targets) const;
  void measure_painting(const Source& source, Targets& targets) const;
  void make_pass(bool regional);
  void measure_regions(const Scene& scene, Targets& targets) const;
  void measure_visibility(const Mask& seen, Targets& targets) const;
  void make_mapped(Layer& layer, ConstFeatureMap shape);
  void measure_photo(const Image& photo, Targets& targets);
  void compare_with(std::shared_ptr<const Targets> targets);
  void keep_kept(std::span<float> gradient) const;
  void keep_grey(std::span<float> gradient) const;
  double content_loss_of(size_t layer);
  double style_loss_of(size_t layer);
  void fill_input(InputPlanes input, std::span<const float> planes,
                  const std::array<Affine, 3>& to_network) const;

  const Recipe recipe_;
  int height_, width_;
  ThreadPool& pool_;
  bool bgr_ = false;
  std::array<Affine, 3> rgb_to_network_;       // by RGB plane
  std::array<Affine, 3> rgb_to_variable_;      // likewise
  std::array<Affine, 3> variable_to_network_;  // likewise
  std::vector<Layer> layers_;                  // tap i of the picture's pass is layers_[i]
  std::unique_ptr<Network> network_;           // null when no loss reads a layer
  std::unique_ptr<Pass> pass_;
  std::shared_ptr<const Targets> targets_;
  std::vector<TapGradient> gradients_;  // of layers_, comparing with targets_
  LossWeights multiplied_;
  double unit_ = 1;
  RegionalScratch regional_scratch_;
  // Scratch for the losses of a student's layers, one after the other; else empty.
  Buffer<double> matrices_;   // three of [C][C]
  Buffer<double> gram_sums_;  // kernels::gram_scratch_size
};

}  // namespace limn
