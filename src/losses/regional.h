// The style loss of one layer with separate regions, or with more statistics than the one Gram
// matrix of the whole map (for which see gram.h).
//
//   loss = sum over regions r of the picture of   share_r * loss of the statistics in r
//
// share_r is the fraction of the picture that r covers, so that the loss weighs equally on each
// pixel of a large and of a small region. Guided Gram matrices: Gatys and others 2017 (arXiv
// 1611.07865), section 4.
#pragma once

#include <limn/limn.h>

#include <span>
#include <vector>

#include "base/buffer.h"
#include "base/parallel.h"
#include "losses/loss.h"
#include "losses/statistics.h"
#include "network/vgg.h"

namespace limn {

// A region of the picture at a layer's resolution, and its target statistics.
struct RegionTarget {
  std::vector<float> roots;  // m = sqrt(w), [H][W]; empty: the whole map
  double total = 0;          // W, the sum of w; 0: no position of this layer is in the region
  double share = 1;          // of the picture
  StatisticsForm form;       // the same for all regions
  LayerStatistics statistics;
};

class RegionalLoss : public Loss {
 public:
  // Reads the features of tap number `tap`, which have this shape. K: a student's, [C][C], or
  // empty. targets: at least one; they and K must outlive the loss. Tiles (with TapRequest::around
  // if there are shifts) have no mirrored pairs.
  RegionalLoss(double factor, int tap, GramForm gram, const LayerShape& shape,
               std::span<const RegionTarget> targets, std::span<const double> K, Scratch& scratch);

  size_t sums_size() const override;
  void measure(const View&, std::span<double> sums, Scratch&, ThreadPool&) override;
  double settle(std::span<const double> sums, Scratch&, ThreadPool&) override;
  void spread(const View&, std::span<Slope>, Scratch&, ThreadPool&) override;

 private:
  StatisticsSums sums_of(size_t region, std::span<double> sums) const;
  PositionWeights region(size_t i) const;
  PositionWeights region_in(size_t i, const Window& cells, std::span<float> memory) const;
  // X, the weighed features of a tile and of what a shift reaches beyond it.
  struct Reached {
    Window in_around;
    FeatureMap X;
    std::span<const float> roots;
  };
  Reached reached(const View::Layer& layer, size_t i, kernels::Shift shift, Scratch& scratch,
                  ThreadPool& pool);
  void measure_shifts(const View::Layer& layer, size_t i, const StatisticsSums& sums,
                      Scratch& scratch, ThreadPool& pool);
  void add_gradient(ConstFeatureMap F, FeatureMap d_F);
  void add_shifted_gradients(FeatureMap d_around);

  const int tap_;
  const StatisticsForm form_;
  const StatisticsForm of_tile_;  // without pairs
  const GramForm gram_;
  const LayerShape shape_;
  const std::span<const double> K_;
  const std::span<const RegionTarget> targets_;
  std::vector<LayerStatistics> measured_;  // by region; after settle, the slopes
  Buffer<double> sums_;                    // for settle
  Buffer<float> roots_;                    // of a tile
  Buffer<float> reached_roots_;            // of a tile and what a shift reaches beyond it
  // For the slope's addends.
  View::Layer layer_;
  Scratch* scratch_ = nullptr;
  ThreadPool* pool_ = nullptr;
};

// Whether the recipe compares features some distance apart.
bool has_shifts(const Recipe& recipe);

// Whether the recipe, or masks on the pictures, require this loss.
bool is_regional(const Recipe& recipe, bool masks);

// The regions of the picture at a layer of this shape and stride (stride_of), with statistics still
// 0. No masks: one region, everywhere.
std::vector<RegionTarget> region_targets(const Recipe& recipe, std::span<const Mask> regions,
                                         ConstFeatureMap shape, int stride);

// The weights of a painting's positions at the output of the network's `row`: those inside `from`,
// without the ones there that see much of the outside.
std::vector<float> source_weights(const Mask& from, std::span<const Row> rows, int row,
                                  ConstFeatureMap shape);

// Adds `share` times the statistics of a painting's features F, the output of the network's `row`,
// to a region's target. Only the style inside `from` counts (empty: everywhere), without the
// features there that see much of the outside.
void add_source(GramForm gram, const Mask& from, double share, std::span<const Row> rows, int row,
                ConstFeatureMap F, RegionTarget& target, ThreadPool& pool);

// Scratch bytes of add_source for features of this shape.
double source_bytes(const Recipe& recipe, ConstFeatureMap shape, int stride, bool masks);

// Bytes for `regions` regions of a layer besides its features and without scratch, and bytes of
// scratch.
double regional_bytes(const Recipe& recipe, const LayerShape& shape, int stride, int regions);
struct RegionalScratchBytes {
  double weighed = 0, others = 0;  // Scratch::weighed, and all others
};
RegionalScratchBytes regional_scratch_bytes(const Recipe& recipe, const LayerShape& shape,
                                            int stride, bool masks, bool mapped);

// How many cells of a layer of this shape and stride its shifts reach beyond a tile.
int shifts_reach(const Recipe& recipe, ConstFeatureMap shape, int stride);

}  // namespace limn
