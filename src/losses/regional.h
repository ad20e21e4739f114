// The style loss of one layer where parts of pictures are told apart, or where more is compared
// than one Gram matrix of the whole map (which is gram.h's).
//
//   loss = sum over regions r of the picture of   share_r * loss of the statistics in r
//
// share_r is the part of the picture that r covers, so that the loss presses equally hard on each
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

// A region of the picture at a layer's resolution, and what its statistics are compared with.
struct RegionTarget {
  std::vector<float> roots;  // m = sqrt(w), [H][W]; empty: the whole map
  double total = 0;          // W, the sum of w; 0: no position of this layer is in the region
  double share = 1;          // of the picture
  LayerStatistics statistics;
};

class RegionalLoss : public Loss {
 public:
  // Reads the features of tap number `tap`, which are of this shape. K: a student's, [C][C], or
  // empty. Recipe, targets and K must outlive the loss.
  RegionalLoss(double factor, int tap, const Recipe& recipe, ConstFeatureMap shape,
               std::span<const RegionTarget> targets, std::span<const double> K, Scratch& scratch);

  void measure(const View&, Scratch&, ThreadPool&) override;
  // Turns what was measured into slopes.
  double settle(const View&, Scratch&, ThreadPool&) override;
  void spread(const View&, std::span<Slope>, Scratch&, ThreadPool&) override;

 private:
  ConstFeatureMap gradient(ConstFeatureMap F, Scratch& scratch, ThreadPool& pool) const;
  Positions region(size_t i) const;

  const int tap_;
  const StatisticsForm form_;
  const GramForm gram_;
  const ConstFeatureMap shape_;
  const std::span<const double> K_;
  const std::span<const RegionTarget> targets_;
  std::vector<LayerStatistics> measured_;  // by region; after settle, the slopes
  // What the slope that was handed out works with.
  Scratch* scratch_ = nullptr;
  ThreadPool* pool_ = nullptr;
};

// Whether the recipe, or pictures of which masks tell parts apart, ask for it.
bool is_regional(const Recipe& recipe, bool masks);

// The regions at a layer of this shape, without statistics. Masks of the picture, or none: then
// there is one region, everywhere.
std::vector<RegionTarget> region_targets(const Recipe& recipe, std::span<const Mask> regions,
                                         ConstFeatureMap shape);

// Adds `share` of the statistics of a painting's features F, which end `row` of the network, to a
// region's target. Only the style inside `from` counts (empty: all of it), and not the features
// there that have seen much of what lies outside.
void add_source(const Recipe& recipe, const Mask& from, double share, std::span<const Row> rows,
                int row, ConstFeatureMap F, RegionTarget& target, ThreadPool& pool);

// Bytes that add_source takes for a while, of features of this shape.
double source_bytes(const Recipe& recipe, ConstFeatureMap shape, bool masks);

// Bytes that `regions` regions of a layer take besides its features, scratch memory not included,
// and those of the scratch memory that it needs.
double regional_bytes(const Recipe& recipe, ConstFeatureMap shape, int regions);
double regional_scratch_bytes(const Recipe& recipe, ConstFeatureMap shape, bool masks, bool mapped);

}  // namespace limn
