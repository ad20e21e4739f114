#include "losses/gram.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "kernels/kernels.h"

namespace limn {

double gram_scale(GramForm form, double M) { return form == GramForm::raw ? 1.0 : 1.0 / M; }

double style_factor(StyleForm form, double C, double M, double pixels) {
  switch (form) {
    case StyleForm::mean:
      return 1.0 / (C * C);
    case StyleForm::paper:
      return 1.0 / (4 * C * C * M * M);
    case StyleForm::paper_times_4:
      return 1.0 / (C * C * M * M);
    case StyleForm::image:
      return 1.0 / (4 * 9 * pixels * pixels);
  }
  return 0;
}

GramLoss::GramLoss(double factor, int tap, double g, std::span<const float> A,
                   std::span<const double> K, Scratch& scratch)
    : Loss(Term::style, factor), tap_(tap), g_(g), A_(A), K_(K), S_(A.size()) {
  Scratch::grow(scratch.matrices, 3 * K.size());
}

void GramLoss::measure(const View& view, std::span<double> sums, Scratch&, ThreadPool&) {
  const std::span<const float> G = view.layers[tap_].G;
  assert(G.size() == A_.size());
  std::copy(G.begin(), G.end(), sums.begin());
}

double GramLoss::settle(std::span<const double> G, Scratch& scratch, ThreadPool& pool) {
  return factor() * (K_.empty() ? settle_plain(G) : settle_mapped(G, scratch, pool));
}

double GramLoss::settle_plain(std::span<const double> G) {
  const double slope = unit() * (4 * factor() * g_);
  double sum = 0;
  for (size_t i = 0; i < G.size(); ++i) {
    const double difference = g_ * G[i] - A_[i];
    sum += difference * difference;
    S_[i] = static_cast<float>(slope * difference);
  }
  return sum;
}

double GramLoss::settle_mapped(std::span<const double> G, Scratch& scratch, ThreadPool& pool) {
  const size_t n = K_.size();
  const std::span<double> D(scratch.matrices.data(), n);
  const std::span<double> KD(scratch.matrices.data() + n, n);
  const std::span<double> KDK(scratch.matrices.data() + 2 * n, n);
  for (size_t i = 0; i < n; ++i) D[i] = g_ * G[i] - A_[i];
  const auto C = static_cast<size_t>(std::lround(std::sqrt(static_cast<double>(n))));
  kernels::congruence(K_, D, C, KD, KDK, pool);
  const double slope = unit() * (4 * factor() * g_);
  double sum = 0;
  for (size_t i = 0; i < n; ++i) {
    sum += D[i] * KDK[i];
    S_[i] = static_cast<float>(slope * KDK[i]);
  }
  return sum;
}

void GramLoss::spread(const View&, std::span<Slope> slopes, Scratch&, ThreadPool&) {
  slopes[tap_].S = S_;
}

double gram_bytes(double C) { return C * C * (2 * sizeof(float) + sizeof(double)); }
double gram_scratch_bytes(double C) { return sizeof(double) * 3 * C * C; }

}  // namespace limn
