// The transport and structure losses against their equations, in double.
#include "losses/transport.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "losses/twins.h"
#include "support/losses_alone.h"
#include "support/random_values.h"

namespace limn {
namespace {

constexpr int kColumnChannels = 48, kUsed = 39;  // the rest fills blocks
constexpr int kPlaces = 11, kOfPainting = 17;
constexpr double kTransportWeight = 1.7, kPalette = 0.6;

MapOfValues columns_drawn(int places, std::uint64_t seed) {
  Random random(seed);
  return {kColumnChannels, 1, places,
          [&](int c, int, int) { return c < kUsed ? std::abs(random_signed(random)) : 0.0f; }};
}

using Distance = std::function<double(const Vector&, const Vector&)>;

double cosine_distance(const Vector& a, const Vector& b) { return 1 - cosine(a, b); }

double colour_distance(const Vector& a, const Vector& b) {
  const Vector u(a.begin(), a.begin() + 3), v(b.begin(), b.begin() + 3);
  double square = 0;
  for (size_t c = 0; c < 3; ++c) square += (u[c] - v[c]) * (u[c] - v[c]);
  return 1 - cosine(u, v) + std::sqrt(square / 3);
}

double relaxed(const Vectors& X, const Vectors& S, const Distance& d) {
  const auto one_way = [&](const Vectors& from, const Vectors& to) {
    double sum = 0;
    for (const Vector& a : from) {
      double least = HUGE_VAL;
      for (const Vector& b : to) least = std::min(least, d(a, b));
      sum += least / static_cast<double>(from.size());
    }
    return sum;
  };
  return std::max(one_way(X, S), one_way(S, X));
}

Vector mean_of(const Vectors& X) {
  Vector mean(X.front().size());
  for (const Vector& x : X) {
    for (size_t c = 0; c < x.size(); ++c) mean[c] += x[c] / static_cast<double>(X.size());
  }
  return mean;
}

// Of the means and of the covariances, as means of absolute differences.
double moments(const Vectors& X, const Vectors& S) {
  const size_t C = X.front().size();
  const auto covariance = [&](const Vectors& Y, size_t i, size_t j) {
    const Vector mean = mean_of(Y);
    double sum = 0;
    for (const Vector& y : Y) sum += (y[i] - mean[i]) * (y[j] - mean[j]);
    return sum / static_cast<double>(Y.size());
  };
  const Vector of_X = mean_of(X), of_S = mean_of(S);
  double means = 0, covariances = 0;
  for (size_t i = 0; i < C; ++i) {
    means += std::abs(of_X[i] - of_S[i]);
    for (size_t j = 0; j < C; ++j) {
      covariances += std::abs(covariance(X, i, j) - covariance(S, i, j));
    }
  }
  return means / static_cast<double>(C) + covariances / static_cast<double>(C * C);
}

class Transport : public testing::TestWithParam<std::pair<int, int>> {
 protected:
  AtLayer measured(const MapOfValues& X, const MapOfValues& S) {
    target_ = transport_target(S.map(), 1, pool_);
    loss_ = std::make_unique<TransportLoss>(kTransportWeight, kPalette, 1, 0, X.map(), kUsed,
                                            target_, scratch_);
    return at_layer(*loss_, X.map(), {}, scratch_, pool_);
  }
  double expected(const Vectors& X, const Vectors& S) const {
    return kTransportWeight * (relaxed(X, S, cosine_distance) + moments(X, S) +
                               kPalette * relaxed(X, S, colour_distance));
  }

  ThreadPool pool_{2};
  Scratch scratch_;
  TransportTarget target_;
  std::unique_ptr<TransportLoss> loss_;
};
// More places than the painting, and fewer: each side is the farther one once.
INSTANTIATE_TEST_SUITE_P(Of, Transport,
                         testing::Values(std::pair(kPlaces, kOfPainting),
                                         std::pair(kOfPainting, kPlaces)),
                         [](const auto& info) { return info.index == 0 ? "Few" : "Many"; });

TEST_P(Transport, IsThatOfItsEquation) {
  const MapOfValues X = columns_drawn(GetParam().first, 1), S = columns_drawn(GetParam().second, 2);
  const AtLayer found = measured(X, S);
  const Vectors of_S = columns_of(S.map(), kUsed);
  const double loss = expected(columns_of(X.map(), kUsed), of_S);
  EXPECT_NEAR(found.loss, loss, 1e-5 * loss);
}

TEST_P(Transport, HasTheSlopeOfItsEquation) {
  const MapOfValues X = columns_drawn(GetParam().first, 1), S = columns_drawn(GetParam().second, 2);
  const AtLayer found = measured(X, S);
  const Vectors of_S = columns_of(S.map(), kUsed);
  const Vectors gradient = gradient_of([&](const Vectors& there) { return expected(there, of_S); },
                                       columns_of(X.map(), kUsed));
  turn_into_gradient(X.map(), found.slope, pool_);
  EXPECT_LT(relative_distance(columns_of(X.map(), kUsed), gradient), 1e-4);
}

// But for the palette, whose colours are never nearer than that.
TEST_P(Transport, OfThePaintingToItselfIsNothing) {
  const MapOfValues S = columns_drawn(GetParam().first, 1);
  EXPECT_NEAR(measured(S, S).loss, kTransportWeight * kPalette * std::sqrt(1e-5 / 3), 1e-5);
}

}  // namespace
}  // namespace limn
