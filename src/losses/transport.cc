#include "losses/transport.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace limn {
namespace {

// The columns x_i of a map of C x 1 x n, divided by their lengths (0 stays 0), as [C / 16][n][16].
std::vector<double> take_directions(ConstFeatureMap X, Buffer<float>& directions,
                                    ThreadPool& pool) {
  const auto n = static_cast<size_t>(X.width);
  std::vector<double> lengths(n);
  pool.run(n, [&](size_t i) {
    double square = 0;
    for (int block = 0; block < X.blocks(); ++block) {
      const float* cell = X.cell(block, 0, static_cast<int>(i));
      for (int c = 0; c < kBlock; ++c) square += double{cell[c]} * cell[c];
    }
    lengths[i] = std::sqrt(square);
    const auto scale = static_cast<float>(square > 0 ? 1 / lengths[i] : 0);
    for (int block = 0; block < X.blocks(); ++block) {
      const float* cell = X.cell(block, 0, static_cast<int>(i));
      float* to = directions.data() + (block * n + i) * kBlock;
      for (int c = 0; c < kBlock; ++c) to[c] = scale * cell[c];
    }
  });
  return lengths;
}

kernels::Vectors vectors_of(const Buffer<float>& directions, int channels, int count) {
  return {directions.data(), channels, count, static_cast<size_t>(count) * kBlock};
}

std::vector<std::array<float, 3>> colours_of(ConstFeatureMap X) {
  std::vector<std::array<float, 3>> colours(X.width);
  for (int i = 0; i < X.width; ++i) std::copy_n(X.cell(0, 0, i), 3, colours[i].begin());
  return colours;
}

// mean, [C]; centred "=" X - mean; covariance "=" centred centred^T / n.
void take_moments(ConstFeatureMap X, std::span<double> mean, FeatureMap centred,
                  std::span<float> covariance, std::span<double> sums, ThreadPool& pool) {
  const auto n = static_cast<float>(X.width);
  std::vector<double> squares(mean.size());
  std::vector<double> partial(kernels::moments_scratch_size(X));
  kernels::moments(X, {}, mean, squares, partial, pool);
  std::vector<float> subtracted(mean.size());
  for (size_t c = 0; c < mean.size(); ++c) {
    mean[c] /= n;
    subtracted[c] = static_cast<float>(mean[c]);
  }
  kernels::weigh(X, {}, subtracted, centred, pool);
  kernels::gram(centred, covariance, sums, pool);
  kernels::scale(1 / n, covariance, pool);
}

}  // namespace

TransportTarget transport_target(ConstFeatureMap S, double share, ThreadPool& pool) {
  const auto C = static_cast<size_t>(S.channels);
  TransportTarget target;
  target.share = share;
  target.count = S.width;
  target.directions = Buffer<float>(C * S.width);
  take_directions(S, target.directions, pool);
  target.candidates =
      kernels::pack_candidates(vectors_of(target.directions, S.channels, S.width), pool);
  target.colours = colours_of(S);
  target.mean.resize(C);
  target.covariance = Buffer<float>(C * C);
  Buffer<float> memory(S.floats());
  const FeatureMap centred = {memory.data(), S.channels, S.height, S.width};
  Buffer<double> sums(kernels::gram_scratch_size(S));
  take_moments(S, target.mean, centred, target.covariance, sums, pool);
  return target;
}

TransportLoss::TransportLoss(double weight, double palette, int every, int tap,
                             ConstFeatureMap shape, int used_channels,
                             const TransportTarget& target, Scratch& scratch)
    : Loss(Term::style, weight * target.share),
      palette_(palette),
      every_(every),
      tap_(tap),
      shape_(shape),
      C_(used_channels),
      target_(target),
      mean_(shape.channels),
      directions_(shape.positions() * shape.channels),
      centred_(shape.floats()),
      covariance_(static_cast<size_t>(shape.channels) * shape.channels) {
  features_.resize(shape.positions(), target.count);
  colours_.resize(shape.positions(), target.count);
  Scratch::grow(scratch.own, shape.floats());
  Scratch::grow(scratch.sums, kernels::gram_scratch_size(shape));
}

// --------------------------------------------------------------------------------------- moves --

void TransportLoss::Moves::resize(size_t n, size_t m) {
  forth.resize(n);
  forth_by.resize(n);
  back.resize(m);
  back_by.resize(m);
}

void TransportLoss::Moves::take_means() {
  const auto mean = [](const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return sum / static_cast<double>(values.size());
  };
  forth_mean = mean(forth_by);
  back_mean = mean(back_by);
}

template <typename Act>
void TransportLoss::Moves::each(Act&& act) const {
  const bool forwards = moves_forth();
  const size_t count = forwards ? forth.size() : back.size();
  for (size_t k = 0; k < count; ++k) {
    const auto own = static_cast<int>(k);
    if (forwards) {
      act(own, forth[k], forth_by[k], 1.0 / static_cast<double>(count));
    } else {
      act(back[k], own, back_by[k], 1.0 / static_cast<double>(count));
    }
  }
}

void TransportLoss::move_features(ConstFeatureMap X, ThreadPool& pool) {
  const auto n = static_cast<size_t>(X.width);
  const auto m = static_cast<size_t>(target_.count);
  lengths_ = take_directions(X, directions_, pool);
  const kernels::Vectors own = vectors_of(directions_, X.channels, X.width);
  const kernels::Vectors others = vectors_of(target_.directions, X.channels, target_.count);
  const std::vector<float> no_bias(std::max(n, m));
  std::vector<float> cosines(std::max(n, m));
  kernels::nearest(own, target_.candidates, std::span(no_bias).first(m), features_.forth,
                   std::span(cosines).first(n), pool);
  for (size_t i = 0; i < n; ++i) features_.forth_by[i] = 1 - cosines[i];
  kernels::nearest(others, kernels::pack_candidates(own, pool), std::span(no_bias).first(n),
                   features_.back, std::span(cosines).first(m), pool);
  for (size_t j = 0; j < m; ++j) features_.back_by[j] = 1 - cosines[j];
  features_.take_means();
}

namespace {

using Colour = std::array<float, 3>;

// As published: where colours are equal, the root would have no slope.
constexpr float kLeastSquare = 1e-5f;

float product(const Colour& a, const Colour& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }

// 1 / |a|, or 0.
float inverse_length(const Colour& a) {
  const float square = product(a, a);
  return square > 0 ? 1 / std::sqrt(square) : 0;
}

// The distance d', with the inverse lengths.
float colour_distance(const Colour& a, float of_a, const Colour& b, float of_b) {
  const Colour difference = {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
  return 1 - product(a, b) * of_a * of_b +
         std::sqrt(std::max(product(difference, difference), kLeastSquare) / 3);
}

// The nearest of `others` for each of `own`.
void nearest_colours(std::span<const Colour> own, std::span<const Colour> others,
                     std::span<int> match, std::span<double> distance, ThreadPool& pool) {
  std::vector<float> lengths(others.size());
  std::ranges::transform(others, lengths.begin(), inverse_length);
  pool.run(own.size(), [&](size_t i) {
    const float of_own = inverse_length(own[i]);
    float least = HUGE_VALF;
    for (size_t j = 0; j < others.size(); ++j) {
      const float d = colour_distance(own[i], of_own, others[j], lengths[j]);
      if (!(d < least)) continue;
      least = d;
      match[i] = static_cast<int>(j);
    }
    distance[i] = least;
  });
}

}  // namespace

void TransportLoss::move_colours(ThreadPool& pool) {
  nearest_colours(own_colours_, target_.colours, colours_.forth, colours_.forth_by, pool);
  nearest_colours(target_.colours, own_colours_, colours_.back, colours_.back_by, pool);
  colours_.take_means();
}

// ---------------------------------------------------------------------------------------- loss --

void TransportLoss::measure(const View& view, std::span<double>, Scratch& scratch,
                            ThreadPool& pool) {
  const ConstFeatureMap X = view.layers[tap_].F;
  move_features(X, pool);
  own_colours_ = colours_of(X);
  if (palette_ != 0) move_colours(pool);
  const FeatureMap centred = {centred_.data(), shape_.channels, shape_.height, shape_.width};
  take_moments(X, mean_, centred, covariance_, scratch.sums, pool);
}

// |mean X - mean S| + |cov X - cov S|. Turns both into their slopes, but for the factor.
double TransportLoss::moments(ThreadPool& pool) {
  const auto C = static_cast<size_t>(shape_.channels);
  double of_mean = 0;
  for (size_t c = 0; c < C; ++c) {
    const double difference = mean_[c] - target_.mean[c];
    of_mean += std::abs(difference);
    mean_[c] = difference > 0 ? 1 : difference < 0 ? -1 : 0;
  }
  std::vector<double> rows(C);
  pool.run(C, [&](size_t i) {
    for (size_t j = i * C; j < (i + 1) * C; ++j) {
      const float difference = covariance_[j] - target_.covariance[j];
      rows[i] += std::abs(difference);
      covariance_[j] = difference > 0 ? 1.0f : difference < 0 ? -1.0f : 0.0f;
    }
  });
  double of_covariance = 0;
  for (const double row : rows) of_covariance += row;
  return of_mean / C_ + of_covariance / (C_ * C_);
}

double TransportLoss::settle(std::span<const double>, Scratch&, ThreadPool& pool) {
  const double palette = palette_ == 0 ? 0 : palette_ * colours_.distance();
  const double loss = features_.distance() + moments(pool) + palette;
  const double n = shape_.width;
  kernels::scale(static_cast<float>(unit() * factor() * 2 / (C_ * C_ * n)), covariance_, pool);
  return factor() * loss;
}

void TransportLoss::spread(const View&, std::span<Slope> slopes, Scratch& scratch,
                           ThreadPool& pool) {
  slopes[tap_].sum = scratch.own.data();
  slopes[tap_].addends.emplace_back(
      [this, &pool](ConstFeatureMap X, FeatureMap d) { add_gradient(X, d, pool); });
}

void TransportLoss::add_gradient(ConstFeatureMap X, FeatureMap d, ThreadPool& pool) {
  add_feature_moves(X, d, pool);
  if (palette_ != 0) add_colour_moves(d);
  const FeatureMap centred = {centred_.data(), shape_.channels, shape_.height, shape_.width};
  kernels::add_gram_gradient(covariance_, centred, d, pool);
  const double of_mean = unit() * factor() / (C_ * shape_.width);
  for (int block = 0; block < d.blocks(); ++block) {
    for (int i = 0; i < d.width; ++i) {
      float* cell = d.cell(block, 0, i);
      const double* signs = mean_.data() + static_cast<size_t>(block) * kBlock;
      for (int c = 0; c < kBlock; ++c) cell[c] += static_cast<float>(of_mean * signs[c]);
    }
  }
}

// Of 1 - cos(x, s) by x:  cos x / |x|^2 - s / (|x| |s|).
void TransportLoss::add_feature_moves(ConstFeatureMap X, FeatureMap d, ThreadPool& pool) const {
  const double all = unit() * factor();
  const auto m = static_cast<size_t>(target_.count);
  pool.run(X.blocks(), [&](size_t task) {
    const auto block = static_cast<int>(task);
    features_.each([&](int x, int s, double distance, double weight) {
      if (lengths_[x] == 0) return;
      const double scale = all * weight / lengths_[x];
      const auto of_x = static_cast<float>(scale * (1 - distance) / lengths_[x]);
      const auto of_s = static_cast<float>(scale);
      const float* own = X.cell(block, 0, x);
      const float* other = target_.directions.data() + (task * m + s) * kBlock;
      float* to = d.cell(block, 0, x);
      for (int c = 0; c < kBlock; ++c) to[c] += of_x * own[c] - of_s * other[c];
    });
  });
}

void TransportLoss::add_colour_moves(FeatureMap d) const {
  const double all = unit() * factor() * palette_;
  colours_.each([&](int x, int s, double, double weight) {
    const Colour &a = own_colours_[x], &b = target_.colours[s];
    const double of_a = inverse_length(a), of_b = inverse_length(b);
    const double cosine = product(a, b) * of_a * of_b;
    const Colour apart = {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
    const double square = product(apart, apart);
    const double of_apart = square > kLeastSquare ? 1 / (3 * std::sqrt(square / 3)) : 0;
    float* to = d.cell(0, 0, x);
    for (size_t c = 0; c < 3; ++c) {
      const double slope = of_a * (cosine * of_a * a[c] - of_b * b[c]) + of_apart * apart[c];
      to[c] += static_cast<float>(all * weight * slope);
    }
  });
}

// -------------------------------------------------------------------------------------- memory --

double transport_target_bytes(int channels, int count) {
  const double C = channels, m = count;
  return sizeof(float) * (2 * C * m + 3 * m + C * C) + sizeof(double) * C;
}

double transport_bytes(ConstFeatureMap shape, int count) {
  const double C = shape.channels, n = shape.width;
  return sizeof(float) * (2 * C * n + static_cast<double>(shape.floats()) + C * C) +
         2 * (sizeof(int) + sizeof(double)) * (n + count) +
         sizeof(double) * static_cast<double>(kernels::gram_scratch_size(shape));
}

}  // namespace limn
