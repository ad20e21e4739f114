#include "losses/statistics.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "losses/gram.h"

namespace limn {
namespace {

using kernels::Shift;

// The storage of paired matrix number `index`.
template <typename B>
auto matrix_of(B&& paired, size_t index, size_t C) {
  return std::span(paired.data() + index * C * C, C * C);
}

// W_t.
double total_of(const Pairing& t, const PositionWeights& region, ConstFeatureMap F) {
  const int height = F.height, width = F.width;
  const Shift shift = t.shift;
  if (region.roots.empty()) {
    if (t.mirror || shift.around) return static_cast<double>(F.positions());
    return 1.0 * std::max(0, height - shift.dy) * std::max(0, width - shift.dx);
  }
  const auto root = [&](int y, int x) {
    return double{region.roots[static_cast<size_t>(y) * width + x]};
  };
  double sum = 0;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      int to_y = y + shift.dy, to_x = x + shift.dx;
      if (t.mirror) {
        if (*t.mirror != kernels::Mirror::left_right) to_y = height - 1 - y;
        if (*t.mirror != kernels::Mirror::up_down) to_x = width - 1 - x;
      } else if (shift.around) {
        to_y %= height;
        to_x %= width;
      } else if (to_y >= height || to_x >= width) {
        continue;
      }
      sum += root(y, x) * root(to_y, to_x);
    }
  }
  return sum;
}

// g(W_t); without pairs, 0.
double pair_scale(GramForm form, double total) { return total > 0 ? gram_scale(form, total) : 0; }

void add_to(std::span<float> to, double share, std::span<const float> from) {
  assert(to.size() == from.size());
  for (size_t i = 0; i < to.size(); ++i) to[i] += static_cast<float>(share * from[i]);
}

// mean and deviation, "=", from their sums. deviation may be empty.
void take_moments(double total, std::span<const double> moments, std::span<float> mean,
                  std::span<float> deviation) {
  const size_t C = mean.size();
  for (size_t c = 0; c < C; ++c) {
    const double m = moments[c] / total;
    mean[c] = static_cast<float>(m);
    if (deviation.empty()) continue;
    const double variance = std::max(0.0, moments[C + c] / total - m * m);
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

// The sum over p of X(p) X(t p)^T, "=", where both are inside. plain: that of X(p) X(p)^T, and Y: a
// map of X's shape, overwritten; only for mirrors. Y = X + its mirror image has a Y Y^T that counts
// each of the two sums twice.
void pair_products(const Pairing& t, ConstFeatureMap X, std::span<const float> plain, FeatureMap Y,
                   std::span<float> G, std::span<double> sums, ThreadPool& pool) {
  if (!t.mirror) return kernels::shifted_gram(X, t.shift, G, sums, pool);
  kernels::copy(flat(X), flat(Y), pool);
  kernels::mirror(Y, *t.mirror, pool);
  kernels::add_scaled(1, flat(X), flat(Y), pool);
  kernels::gram(Y, G, sums, pool);
  for (size_t i = 0; i < G.size(); ++i) G[i] = G[i] / 2 - plain[i];
}

// d_X += the gradient of losses whose slopes with respect to the paired matrices these are. Y: as
// above.
void add_pair_gradients(const StatisticsForm& form, const LayerStatistics& slopes,
                        ConstFeatureMap X, FeatureMap Y, FeatureMap d_X, ThreadPool& pool) {
  for (size_t i = 0; i < form.pairings.size(); ++i) {
    const Pairing& t = form.pairings[i];
    const std::span<const float> S = matrix_of(slopes.paired, i, X.channels);
    if (!t.mirror) {
      kernels::add_shifted_gradient(S, X, t.shift, d_X, pool);
      continue;
    }
    kernels::copy(flat(X), flat(Y), pool);
    kernels::mirror(Y, *t.mirror, pool);
    kernels::add_gram_gradient(S, Y, d_X, pool);
  }
}

bool has_mirrors(const StatisticsForm& form) {
  return std::ranges::any_of(form.pairings, [](const Pairing& t) { return t.mirror.has_value(); });
}

// What is subtracted from the features: the mean for a covariance, nothing for a Gram matrix.
std::span<const float> centre_of(const StatisticsForm& form, const LayerStatistics& statistics) {
  if (form.statistic == StyleStatistic::covariance) return statistics.mean;
  return {};
}

}  // namespace

void LayerStatistics::add(double share, const LayerStatistics& other) {
  add_to(gram, share, other.gram);
  add_to(paired, share, other.paired);
  add_to(mean, share, other.mean);
  add_to(deviation, share, other.deviation);
}

LayerStatistics make_statistics(const StatisticsForm& form, int channels) {
  const size_t C = channels;
  const bool matrices = form.statistic != StyleStatistic::mean_deviation;
  const bool deviations = !matrices;
  const bool means = form.statistic != StyleStatistic::gram;
  assert(matrices || form.pairings.empty());
  return {Buffer<float>(matrices ? C * C : 0), Buffer<float>(form.pairings.size() * C * C),
          Buffer<float>(means ? C : 0), Buffer<float>(deviations ? C : 0),
          Buffer<double>(form.pairings.size())};
}

int scratch_maps(const StatisticsForm& form, bool roots) {
  if (form.statistic == StyleStatistic::mean_deviation) return 0;
  const bool mirrors = has_mirrors(form);
  if (roots) return form.pairings.empty() ? 1 : mirrors ? 3 : 2;
  return form.statistic == StyleStatistic::covariance || mirrors ? 1 : 0;
}

size_t statistics_sums_size(ConstFeatureMap F) {
  const size_t of_moments = 2 * static_cast<size_t>(F.channels) + kernels::moments_scratch_size(F);
  return std::max(kernels::gram_scratch_size(F), of_moments);
}

namespace {

// Y of mirrors.
FeatureMap mirror_map(const StatisticsForm& form, const PositionWeights& region,
                      const StatisticsScratch& scratch) {
  if (!has_mirrors(form)) return {};
  return region.roots.empty() ? scratch.weighed : scratch.mirrored;
}

}  // namespace

size_t statistics_sums(const StatisticsForm& form, size_t channels) {
  const bool matrices = form.statistic != StyleStatistic::mean_deviation;
  const bool means = form.statistic != StyleStatistic::gram;
  return (means ? 2 * channels : 0) +
         (matrices ? (1 + form.pairings.size()) * channels * channels : 0);
}

StatisticsSums parts_of(const StatisticsForm& form, size_t channels, std::span<double> sums) {
  const bool matrices = form.statistic != StyleStatistic::mean_deviation;
  const size_t moments = form.statistic != StyleStatistic::gram ? 2 * channels : 0;
  const size_t matrix = matrices ? channels * channels : 0;
  return {sums.first(moments), sums.subspan(moments, matrix), sums.subspan(moments + matrix)};
}

namespace {

// G += sign * total * mean mean^T, of the mean with these sums: turns products about the mean into
// products about 0, or back. In double, where the digits that cancel are there.
void move_centre(double sign, double total, std::span<const double> sums, std::span<double> G) {
  const auto C = static_cast<size_t>(std::lround(std::sqrt(static_cast<double>(G.size()))));
  for (size_t i = 0; i < C; ++i) {
    for (size_t j = 0; j < C; ++j) G[i * C + j] += sign * (sums[i] * sums[j] / total);
  }
}

}  // namespace

void measure_pairs(ConstFeatureMap X, kernels::Shift shift, std::span<double> sums,
                   std::span<float> G, std::span<double> scratch, ThreadPool& pool) {
  kernels::shifted_gram(X, shift, G, scratch, pool);
  std::ranges::copy(G, sums.begin());
}

void measure_sums(const StatisticsForm& form, const PositionWeights& region, ConstFeatureMap F,
                  bool of_part, const StatisticsSums& sums, const StatisticsScratch& scratch,
                  ThreadPool& pool) {
  assert(scratch.sums.size() >= statistics_sums_size(F));
  const size_t C = F.channels;
  if (!sums.moments.empty()) {
    kernels::moments(F, region.roots, sums.moments.first(C), sums.moments.subspan(C, C),
                     scratch.sums, pool);
  }
  if (form.statistic == StyleStatistic::mean_deviation) return;
  const auto weighed = [&](std::span<const float> centre) -> ConstFeatureMap {
    if (region.roots.empty() && centre.empty()) return F;
    kernels::weigh(F, region.roots, centre, scratch.weighed, pool);
    return scratch.weighed;
  };
  // Subtracts the mean from the features, rather than its square from their Gram matrix, where
  // large numbers would cancel if features vary little.
  const bool centred = form.statistic == StyleStatistic::covariance;
  const std::span<float> centre = scratch.centre.first(centred ? C : 0);
  take_moments(region.total, sums.moments, centre, {});
  ConstFeatureMap X = weighed(centre);
  const std::span<float> G = scratch.products.first(C * C);
  kernels::gram(X, G, scratch.sums, pool);
  std::ranges::copy(G, sums.gram.begin());
  if (of_part && centred) move_centre(1, region.total, sums.moments, sums.gram);
  if (of_part) return;
  if (!form.pairings.empty() && centred) X = weighed({});
  const size_t pair_size = form.pairings.empty() ? 0 : C * C;
  const std::span<float> paired = scratch.products.subspan(pair_size, pair_size);
  for (size_t i = 0; i < form.pairings.size(); ++i) {
    pair_products(form.pairings[i], X, G, mirror_map(form, region, scratch), paired, scratch.sums,
                  pool);
    std::ranges::copy(paired, matrix_of(sums.paired, i, C).begin());
  }
}

namespace {

// to "=" scale times the sums, as floats.
void take_matrix(double scale, std::span<const double> sums, std::span<float> to,
                 ThreadPool& pool) {
  std::ranges::transform(sums, to.begin(), [](double sum) { return static_cast<float>(sum); });
  kernels::scale(static_cast<float>(scale), to, pool);
}

}  // namespace

void take_statistics(const StatisticsForm& form, const PositionWeights& region, ConstFeatureMap F,
                     bool of_parts, const StatisticsSums& sums, LayerStatistics& measured,
                     ThreadPool& pool) {
  if (!measured.mean.empty()) {
    take_moments(region.total, sums.moments, measured.mean, measured.deviation);
  }
  if (form.statistic == StyleStatistic::mean_deviation) return;
  if (of_parts && form.statistic == StyleStatistic::covariance) {
    move_centre(-1, region.total, sums.moments, sums.gram);
  }
  for (size_t i = 0; i < form.pairings.size(); ++i) {
    measured.totals[i] = total_of(form.pairings[i], region, F);
    take_matrix(pair_scale(region.gram, measured.totals[i]), matrix_of(sums.paired, i, F.channels),
                matrix_of(measured.paired, i, F.channels), pool);
  }
  take_matrix(gram_scale(region.gram, region.total), sums.gram, measured.gram, pool);
}

void measure(const StatisticsForm& form, const PositionWeights& region, ConstFeatureMap F,
             LayerStatistics& measured, const StatisticsScratch& scratch, ThreadPool& pool) {
  const StatisticsSums sums = parts_of(form, F.channels, scratch.parts);
  measure_sums(form, region, F, false, sums, scratch, pool);
  take_statistics(form, region, F, false, sums, measured, pool);
}

double statistics_loss(const StatisticsForm& form, const PositionWeights& region, double factor,
                       std::span<const double> K, LayerStatistics& measured,
                       const LayerStatistics& target, const StatisticsScratch& scratch,
                       ThreadPool& pool, double unit) {
  if (form.statistic == StyleStatistic::mean_deviation) {
    return moments_loss(factor, unit, region.total, K, measured, target, scratch.sums);
  }
  // The slopes of symmetric matrices are doubled: with them, the gradient with respect to F is
  // twice S F. Those of shifted ones are not symmetric.
  const size_t pairs = form.pairings.size();
  const double share = factor / (1 + form.pairing_weight * static_cast<double>(pairs));
  const double of_pair = form.pairing_weight * share;
  const auto slope = [&](double part, double scale) { return unit * (2 * part * scale); };
  double loss = matrix_loss(share, 2 * slope(share, gram_scale(region.gram, region.total)), K,
                            /*symmetric=*/true, measured.gram, target.gram, scratch.matrices, pool);
  const auto C =
      static_cast<size_t>(std::lround(std::sqrt(static_cast<double>(target.gram.size()))));
  for (size_t i = 0; i < pairs; ++i) {
    const bool symmetric = form.pairings[i].mirror.has_value();
    const double scale = pair_scale(region.gram, measured.totals[i]);
    loss += matrix_loss(of_pair, (symmetric ? 2 : 1) * slope(of_pair, scale), K, symmetric,
                        matrix_of(measured.paired, i, C), matrix_of(target.paired, i, C),
                        scratch.matrices, pool);
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
    add_pair_gradients(form, slopes, F, mirror_map(form, region, scratch), d_F, pool);
    return;
  }
  const FeatureMap d_X = form.pairings.empty() ? scratch.weighed : scratch.gradient;
  kernels::weigh(F, m, centre, d_X, pool);
  kernels::turn_into_gradient(d_X, slopes.gram, 0, {}, pool);
  if (!form.pairings.empty()) {
    kernels::weigh(F, m, {}, scratch.weighed, pool);
    add_pair_gradients(form, slopes, scratch.weighed, mirror_map(form, region, scratch), d_X, pool);
  }
  kernels::add_weighed(d_X, m, d_F, pool);
}

}  // namespace limn
