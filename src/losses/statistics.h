// The statistics compared by style losses that use more than the plain Gram matrix of a whole map:
// covariances, means and deviations, and shifted Gram matrices of a region's positions (Berger and
// Memisevic 2017, arXiv 1606.01286: a texture's structure over a distance).
//
// F: one layer's features, C channels by M positions. A region counts position p with weight w(p);
// W is the sum of all w, and g the scale of Gram matrices (gram.h). Its statistics are
//
//   gram               G = g sum over p of w(p) F(p) F(p)^T
//   covariance         G = g sum over p of w(p) (F(p) - mean) (F(p) - mean)^T
//   mean, deviation    mean = sum of w F / W,   deviation = sqrt(sum of w (F - mean)^2 / W + e)
//   shifted by s       g sum over p of X(p) X(p + s)^T,  X = sqrt(w) F,  where both are inside
//
// and the loss that compares them is its factor times
//
//   gram, covariance   the mean over G and all shifted matrices of sum over i, j of (G - A)^2
//   mean_deviation     sum over channels of (mean - mean_A)^2 + (deviation - deviation_A)^2
//
// Order of calls: measure the targets once; in every evaluation measure the picture and compute the
// loss, which turns the measured statistics into slopes (the loss's gradient with respect to them);
// later, with F unchanged, add the gradient with respect to F. The gradients of several regions add
// up. Only make_statistics allocates.
//
// A student's features (network/imitation.h) are compared as R F, which needs only products with K
// = R^T R: <D, K D K> for matrices, shifted ones too, since |R D R^T|^2 = <D, K D K> for any D; <d,
// K d> for means. Deviations have no such form, because the variance of R F takes more than the
// variances of F's channels. Instead the student's own deviations are compared, each weighted by
// its channel's share of |R F|^2, K[c][c].
#pragma once

#include <limn/limn.h>

#include <span>

#include "base/buffer.h"
#include "base/parallel.h"
#include "kernels/feature_map.h"

namespace limn {

// Which statistics: one kind and, for matrices, shifts. Each shift s > 0 is used twice: down, (s,
// 0), and to the right, (0, s). mean_deviation has none.
struct StatisticsForm {
  StyleStatistic statistic = StyleStatistic::gram;
  std::span<const int> shifts;  // outlives the form

  size_t shifted_matrices() const { return 2 * shifts.size(); }
};

// The positions that count.
struct PositionWeights {
  std::span<const float> roots;  // m = sqrt(w), [H][W]; empty: w = 1 everywhere
  double total = 1;              // W, the sum of w = m^2; above 0
  double scale = 1;              // g
};

// e above, in squared features. It gives the root a slope where a channel is constant. Huang and
// Belongie's (arXiv 1703.06868) published code has the same value. Its root, 0.003, is far below
// the deviations of features that are about 1 in the mean or larger.
inline constexpr double kVarianceFloor = 1e-5;

// One layer's statistics in one region; those the form does not use are empty.
struct LayerStatistics {
  Buffer<float> gram;     // [C][C], symmetric
  Buffer<float> shifted;  // [shifts][down, right][C][C]
  Buffer<float> mean;     // [C]; with a covariance too
  Buffer<float> deviation;

  // += share * other. With shares that sum to 1 this blends the targets of several paintings:
  //   sum over k of s_k |G - A_k|^2 = |G - sum of s_k A_k|^2 + (terms without G),
  // so the blend's gradient is that of the blended losses; likewise for means and deviations.
  void add(double share, const LayerStatistics& other);
};

// All 0. Allocates.
LayerStatistics make_statistics(const StatisticsForm& form, int channels);

// Scratch memory for the functions below; its contents do not survive a call.
struct StatisticsScratch {
  FeatureMap weighed;  // both maps are of F's shape; see scratch_maps
  FeatureMap gradient;
  std::span<double> sums;      // statistics_sums_size(F)
  std::span<double> matrices;  // three of [C][C], aligned like a buffer; only with K
};

// How many of the two maps above are needed: 0, 1 (the first) or 2. roots: whether the region has
// any.
int scratch_maps(const StatisticsForm& form, bool roots);
size_t statistics_sums_size(ConstFeatureMap F);

// measured, "=".
void measure(const StatisticsForm& form, const PositionWeights& region, ConstFeatureMap F,
             LayerStatistics& measured, const StatisticsScratch& scratch, ThreadPool& pool);

// Returns the loss and turns the measured statistics into slopes, for add_statistics_gradient,
// times `unit` (loss_unit.h). K: [C][C], or empty.
double statistics_loss(const StatisticsForm& form, const PositionWeights& region, double factor,
                       std::span<const double> K, LayerStatistics& measured,
                       const LayerStatistics& target, const StatisticsScratch& scratch,
                       ThreadPool& pool, double unit = 1);

// d_F += the loss's gradient with respect to F, the measured features.
void add_statistics_gradient(const StatisticsForm& form, const PositionWeights& region,
                             ConstFeatureMap F, const LayerStatistics& slopes, FeatureMap d_F,
                             const StatisticsScratch& scratch, ThreadPool& pool);

}  // namespace limn
