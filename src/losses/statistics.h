// The statistics compared by style losses that use more than the plain Gram matrix of a whole map:
// covariances, means and deviations, and the Gram matrices of pairs of positions (Berger and
// Memisevic 2017, arXiv 1606.01286): shifted ones, for a texture's structure over a distance, and
// mirrored ones, for its symmetry.
//
// F: one layer's features, C channels by M positions. A region counts position p with weight w(p);
// W is the sum of all w, and g(W) the scale of Gram matrices (gram.h). Its statistics are
//
//   gram               G = g(W) sum over p of w(p) F(p) F(p)^T
//   covariance         G = g(W) sum over p of w(p) (F(p) - mean) (F(p) - mean)^T
//   mean, deviation    mean = sum of w F / W,   deviation = sqrt(sum of w (F - mean)^2 / W + e)
//   paired             G_t = g(W_t) sum over p of X(p) X(t p)^T,  X = sqrt(w) F, where both are
//                      inside;  W_t = sum of sqrt(w(p) w(t p)) there
//
// with t p a shift, p + s, or the mirror image of p, and the loss that compares them is its factor
// times
//
//   gram, covariance   (|G - A|^2 + u sum over t of |G_t - A_t|^2) / (1 + u (number of t))
//   mean_deviation     sum over channels of (mean - mean_A)^2 + (deviation - deviation_A)^2
//
// In a picture that repeats, shifts go around (kernels::Shift). A mirror image's mirror image is
// the position itself, so such a G_t is symmetric.
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

#include <optional>
#include <span>
#include <vector>

#include "base/buffer.h"
#include "base/parallel.h"
#include "kernels/kernels.h"

namespace limn {

// t above: every position's partner.
struct Pairing {
  kernels::Shift shift = {};  // unless mirrored
  std::optional<kernels::Mirror> mirror = {};

  bool operator==(const Pairing&) const = default;
};

// Which statistics: one kind and, for matrices, those of pairs. mean_deviation has none, and
// covariance no mirrors.
struct StatisticsForm {
  StyleStatistic statistic = StyleStatistic::gram;
  std::vector<Pairing> pairings;
  double pairing_weight = 1;  // u
};

// The positions that count.
struct PositionWeights {
  std::span<const float> roots;  // m = sqrt(w), [H][W]; empty: w = 1 everywhere
  double total = 1;              // W, the sum of w = m^2; above 0
  GramForm gram = GramForm::per_position;
};

// e above, in squared features. It gives the root a slope where a channel is constant. Huang and
// Belongie's (arXiv 1703.06868) published code has the same value. Its root, 0.003, is far below
// the deviations of features that are about 1 in the mean or larger.
inline constexpr double kVarianceFloor = 1e-5;

// One layer's statistics in one region; those the form does not use are empty.
struct LayerStatistics {
  Buffer<float> gram;    // [C][C], symmetric
  Buffer<float> paired;  // [pairings][C][C]
  Buffer<float> mean;    // [C]; with a covariance too
  Buffer<float> deviation;
  Buffer<double> totals;  // W_t, of what was measured last

  // += share * other. With shares that sum to 1 this blends the targets of several paintings:
  //   sum over k of s_k |G - A_k|^2 = |G - sum of s_k A_k|^2 + (terms without G),
  // so the blend's gradient is that of the blended losses; likewise for means and deviations.
  void add(double share, const LayerStatistics& other);
};

// All 0. Allocates.
LayerStatistics make_statistics(const StatisticsForm& form, int channels);

// Scratch memory for the functions below; its contents do not survive a call.
struct StatisticsScratch {
  FeatureMap weighed;  // the maps are of F's shape; see scratch_maps
  FeatureMap gradient;
  FeatureMap mirrored;
  std::span<double> sums;      // statistics_sums_size(F)
  std::span<double> matrices;  // three of [C][C], aligned like a buffer; only with K
  std::span<float> products;   // two of [C][C], the second only with pairings
  std::span<float> centre;     // [C]; only of covariances
  std::span<double> parts;     // statistics_sums; only for measure()
};

// How many of the maps above are needed, from the first on. roots: whether the region has any.
int scratch_maps(const StatisticsForm& form, bool roots);
size_t statistics_sums_size(ConstFeatureMap F);

// The sums that statistics are made of: what is added up where a map is measured in parts. All of a
// form's, in order: sum w F[c], sum w F[c]^2; the Gram matrix, of a covariance w (F - mean) (F -
// mean)^T; the paired ones.
struct StatisticsSums {
  std::span<double> moments;  // 2 [C], if the form has means
  std::span<double> gram;     // [C][C]
  std::span<double> paired;   // [pairings][C][C]
};
size_t statistics_sums(const StatisticsForm& form, size_t channels);
StatisticsSums parts_of(const StatisticsForm& form, size_t channels, std::span<double> sums);

// "=" the sums over a map F, or over one part of a map, with the weights and the total of that
// part. Covariances of parts are about different means; of_part makes their sums add up. Pairs
// are those inside F, and left out of a part.
void measure_sums(const StatisticsForm& form, const PositionWeights& region, ConstFeatureMap F,
                  bool of_part, const StatisticsSums& sums, const StatisticsScratch& scratch,
                  ThreadPool& pool);
// "=" the sums over p of X(p) X(p + shift)^T, where both are inside.
void measure_pairs(ConstFeatureMap X, kernels::Shift shift, std::span<double> sums,
                   std::span<float> G, std::span<double> scratch, ThreadPool& pool);
// measured "=" the statistics of a map of F's shape with these sums.
void take_statistics(const StatisticsForm& form, const PositionWeights& region, ConstFeatureMap F,
                     bool of_parts, const StatisticsSums& sums, LayerStatistics& measured,
                     ThreadPool& pool);

// measured, "=": both.
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
