#include "losses/statistics.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "kernels/kernels.h"

namespace limn {
namespace {

using kernels::Shift;

// The shift and the storage of shifted matrix number `index` of a form.
Shift shift_of(const StatisticsForm& form, size_t index) {
  const int s = form.shifts[index / 2];
  return index % 2 == 0 ? Shift{s, 0} : Shift{0, s};
}
template <typename B>
auto matrix_of(B& shifted, size_t index, size_t C) {
  return std::span(shifted.data() + index * C * C, C * C);
}

void add_to(std::span<float> to, double share, std::span<const float> from) {
  assert(to.size() == from.size());
  for (size_t i = 0; i < to.size(); ++i) to[i] += static_cast<float>(share * from[i]);
}

// mean and deviation, "=". deviation may be empty.
void measure_moments(const PositionWeights& region, ConstFeatureMap F, std::span<float> mean,
                     std::span<float> deviation, std::span<double> scratch, ThreadPool& pool) {
  const size_t C = F.channels;
  const std::span<double> sums = scratch.first(C);
  const std::span<double> squares = scratch.subspan(C, C);
  kernels::moments(F, region.roots, sums, squares, scratch.subspan(2 * C), pool);
  for (size_t c = 0; c < C; ++c) {
    const double m = sums[c] / region.total;
    mean[c] = static_cast<float>(m);
    if (deviation.empty()) continue;
    const double variance = std::max(0.0, squares[c] / region.total - m * m);
    deviation[c] = static_cast<float>(std::sqrt(variance + kVarianceFloor));
  }
}

// The loss of a matrix, factor * |G - A|^2, or that of R G R^T and R A R^T. Sets G to slope * (G -
// A), or slope * K (G - A) K.
double matrix_loss(double factor, double slope, std::span<const double> K, bool symmetric,
                   std::span<float> G, std::span<const float> A, std::span<double> scratch,
                   ThreadPool& pool) {
  const size_t n = G.size();
  assert(A.size() == n);
  double sum = 0;
  if (K.empty()) {
    for (size_t i = 0; i < n; ++i) {
      const double difference = double{G[i]} - A[i];
      sum += difference * difference;
      G[i] = static_cast<float>(slope * difference);
    }
    return factor * sum;
  }
  assert(K.size() == n && scratch.size() >= 3 * n);
  const std::span<double> D = scratch.first(n);
  const std::span<double> KD = scratch.subspan(n, n);
  const std::span<double> KDK = scratch.subspan(2 * n, n);
  for (size_t i = 0; i < n; ++i) D[i] = double{G[i]} - A[i];
  const auto C = static_cast<size_t>(std::lround(std::sqrt(static_cast<double>(n))));
  const auto multiply = symmetric ? kernels::congruence : kernels::general_congruence;
  multiply(K, D, C, KD, KDK, pool);
  for (size_t i = 0; i < n; ++i) {
    sum += D[i] * KDK[i];
    G[i] = static_cast<float>(slope * KDK[i]);
  }
  return factor * sum;
}

// The loss of means and deviations. Turns them into a and b of kernels::add_moments_gradient: with
// d = mean - mean_A and e = deviation - deviation_A, the loss's gradient with respect to F[c](p) is
//
//   2 factor w / W ((K d)[c] + K[c][c] e[c] (F[c](p) - mean[c]) / deviation[c])
//
// because the gradient of a deviation with respect to F[c](p) is w / W (F[c](p) - mean[c]) /
// deviation. scratch: C doubles.
double moments_loss(double factor, double unit, double total, std::span<const double> K,
                    LayerStatistics& measured, const LayerStatistics& target,
                    std::span<double> scratch) {
  const size_t C = measured.mean.size();
  const std::span<double> d = scratch.first(C);
  for (size_t c = 0; c < C; ++c) d[c] = double{measured.mean[c]} - target.mean[c];
  double sum = 0;
  const double slope = unit * (2 * factor / total);
  for (size_t c = 0; c < C; ++c) {
    double Kd = K.empty() ? d[c] : 0.0;
    for (size_t k = 0; k < C && !K.empty(); ++k) Kd += K[c * C + k] * d[k];
    const double share = K.empty() ? 1.0 : K[c * C + c];
    const double deviation = measured.deviation[c];
    const double e = deviation - target.deviation[c];
    sum += d[c] * Kd + share * e * e;
    const double b = share * e / deviation;
    const double a = Kd - b * measured.mean[c];
    measured.mean[c] = static_cast<float>(slope * a);
    measured.deviation[c] = static_cast<float>(slope * b);
  }
  return factor * sum;
}

void add_shifted_gradients(const StatisticsForm& form, const LayerStatistics& slopes,
                           ConstFeatureMap X, FeatureMap d_X, ThreadPool& pool) {
  for (size_t i = 0; i < form.shifted_matrices(); ++i) {
    kernels::add_shifted_gradient(matrix_of(slopes.shifted, i, X.channels), X, shift_of(form, i),
                                  d_X, pool);
  }
}

// What is subtracted from the features: the mean for a covariance, nothing for a Gram matrix.
std::span<const float> centre_of(const StatisticsForm& form, const LayerStatistics& statistics) {
  if (form.statistic == StyleStatistic::covariance) return statistics.mean;
  return {};
}

}  // namespace

void LayerStatistics::add(double share, const LayerStatistics& other) {
  add_to(gram, share, other.gram);
  add_to(shifted, share, other.shifted);
  add_to(mean, share, other.mean);
  add_to(deviation, share, other.deviation);
}

LayerStatistics make_statistics(const StatisticsForm& form, int channels) {
  const size_t C = channels;
  const bool matrices = form.statistic != StyleStatistic::mean_deviation;
  const bool deviations = !matrices;
  const bool means = form.statistic != StyleStatistic::gram;
  assert(matrices || form.shifts.empty());
  return {Buffer<float>(matrices ? C * C : 0), Buffer<float>(form.shifted_matrices() * C * C),
          Buffer<float>(means ? C : 0), Buffer<float>(deviations ? C : 0)};
}

int scratch_maps(const StatisticsForm& form, bool roots) {
  if (form.statistic == StyleStatistic::mean_deviation) return 0;
  if (roots) return form.shifts.empty() ? 1 : 2;
  return form.statistic == StyleStatistic::covariance ? 1 : 0;
}

size_t statistics_sums_size(ConstFeatureMap F) {
  const size_t of_moments = 2 * static_cast<size_t>(F.channels) + kernels::moments_scratch_size(F);
  return std::max(kernels::gram_scratch_size(F), of_moments);
}

void measure(const StatisticsForm& form, const PositionWeights& region, ConstFeatureMap F,
             LayerStatistics& measured, const StatisticsScratch& scratch, ThreadPool& pool) {
  assert(scratch.sums.size() >= statistics_sums_size(F));
  if (!measured.mean.empty()) {
    measure_moments(region, F, measured.mean, measured.deviation, scratch.sums, pool);
  }
  if (form.statistic == StyleStatistic::mean_deviation) return;
  const auto weighed = [&](std::span<const float> centre) -> ConstFeatureMap {
    if (region.roots.empty() && centre.empty()) return F;
    kernels::weigh(F, region.roots, centre, scratch.weighed, pool);
    return scratch.weighed;
  };
  // Subtracts the mean from the features, rather than its square from their Gram matrix, where
  // large numbers would cancel if features vary little.
  const std::span<const float> centre = centre_of(form, measured);
  ConstFeatureMap X = weighed(centre);
  kernels::gram(X, measured.gram, scratch.sums, pool);
  if (!form.shifts.empty() && !centre.empty()) X = weighed({});
  for (size_t i = 0; i < form.shifted_matrices(); ++i) {
    kernels::shifted_gram(X, shift_of(form, i), matrix_of(measured.shifted, i, F.channels),
                          scratch.sums, pool);
  }
  const auto scale = static_cast<float>(region.scale);
  kernels::scale(scale, measured.gram, pool);
  kernels::scale(scale, measured.shifted, pool);
}

double statistics_loss(const StatisticsForm& form, const PositionWeights& region, double factor,
                       std::span<const double> K, LayerStatistics& measured,
                       const LayerStatistics& target, const StatisticsScratch& scratch,
                       ThreadPool& pool, double unit) {
  if (form.statistic == StyleStatistic::mean_deviation) {
    return moments_loss(factor, unit, region.total, K, measured, target, scratch.sums);
  }
  // The slope for G is doubled: G is symmetric, so the gradient with respect to F is twice S F.
  // Shifted matrices are not symmetric.
  const size_t shifted = form.shifted_matrices();
  const double share = factor / static_cast<double>(1 + shifted);
  const double slope = unit * (2 * share * region.scale);
  double loss = matrix_loss(share, 2 * slope, K, /*symmetric=*/true, measured.gram, target.gram,
                            scratch.matrices, pool);
  const auto C =
      static_cast<size_t>(std::lround(std::sqrt(static_cast<double>(target.gram.size()))));
  for (size_t i = 0; i < shifted; ++i) {
    loss += matrix_loss(share, slope, K, /*symmetric=*/false, matrix_of(measured.shifted, i, C),
                        matrix_of(target.shifted, i, C), scratch.matrices, pool);
  }
  return loss;
}

// With S the slopes for G, the gradient with respect to F(p) is w(p) S (F(p) - mean), with mean 0
// for a Gram matrix: the mean's own dependence on F adds nothing, since the w (F - mean) sum to 0.
// With X = sqrt(w) F, the gradient with respect to F is sqrt(w) times that with respect to X.
void add_statistics_gradient(const StatisticsForm& form, const PositionWeights& region,
                             ConstFeatureMap F, const LayerStatistics& slopes, FeatureMap d_F,
                             const StatisticsScratch& scratch, ThreadPool& pool) {
  const std::span<const float> m = region.roots;
  if (form.statistic == StyleStatistic::mean_deviation) {
    kernels::add_moments_gradient(slopes.mean, slopes.deviation, F, m, d_F, pool);
    return;
  }
  const std::span<const float> centre = centre_of(form, slopes);
  if (m.empty()) {
    if (!centre.empty()) kernels::weigh(F, {}, centre, scratch.weighed, pool);
    const ConstFeatureMap X = centre.empty() ? F : ConstFeatureMap(scratch.weighed);
    kernels::add_gram_gradient(slopes.gram, X, d_F, pool);
    add_shifted_gradients(form, slopes, F, d_F, pool);
    return;
  }
  const FeatureMap d_X = form.shifts.empty() ? scratch.weighed : scratch.gradient;
  kernels::weigh(F, m, centre, d_X, pool);
  kernels::turn_into_gradient(d_X, slopes.gram, 0, {}, pool);
  if (!form.shifts.empty()) {
    kernels::weigh(F, m, {}, scratch.weighed, pool);
    add_shifted_gradients(form, slopes, scratch.weighed, d_X, pool);
  }
  kernels::add_weighed(d_X, m, d_F, pool);
}

}  // namespace limn
