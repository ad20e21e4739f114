// The cosine distance against its equation, in double.
#include "losses/cosine.h"

#include <gtest/gtest.h>

#include "losses/twins.h"
#include "support/losses_alone.h"
#include "support/random_values.h"

namespace limn {
namespace {

constexpr int kCosineChannels = 32, kRowsOfMap = 4, kColumnsOfMap = 5;
constexpr double kCosineFactor = 0.3;

class Cosine : public testing::Test {
 protected:
  Cosine() {
    Random random(3);
    for (int i = 0; i < kRowsOfMap * kColumnsOfMap; ++i) {
      roots_.push_back(i % 3 == 0 ? 0.0f : std::abs(random_signed(random)));
    }
    target_.features = Buffer<float>(X_.map().floats());
    FeatureMap T = X_.map();
    T.data = target_.features.data();
    for (int c = 0; c < kCosineChannels; ++c) {
      for (int y = 0; y < kRowsOfMap; ++y) {
        for (int x = 0; x < kColumnsOfMap; ++x) T.at(c, y, x) = random_signed(random);
      }
    }
    T_ = columns_of(T, kCosineChannels);
    target_.roots = roots_;
  }

  double expected(const Vectors& X, bool centred) const {
    Vector mean(kCosineChannels);
    for (const Vector& x : X) {
      for (size_t c = 0; centred && c < mean.size(); ++c) {
        mean[c] += x[c] / static_cast<double>(X.size());
      }
    }
    double sum = 0;
    for (size_t p = 0; p < X.size(); ++p) {
      Vector a = X[p];
      for (size_t c = 0; c < a.size(); ++c) a[c] -= mean[c];
      sum += double{roots_[p]} * roots_[p] * (1 - cosine(a, T_[p]));
    }
    return kCosineFactor * sum;
  }

  ThreadPool pool_{2};
  Scratch scratch_;
  std::vector<float> roots_;
  ContentTarget target_;
  Vectors T_;
  const MapOfValues X_{
      kCosineChannels, kRowsOfMap, kColumnsOfMap,
      [random = Random(1)](int, int, int) mutable { return std::abs(random_signed(random)); }};
};

TEST_F(Cosine, IsThatOfItsEquationAndSoIsItsSlope) {
  const Vectors X = columns_of(X_.map(), kCosineChannels);
  for (const bool centred : {false, true}) {
    CosineLoss loss(Term::style, kCosineFactor, 0, X_.map(), target_, centred, scratch_);
    const AtLayer found = at_layer(loss, X_.map(), {}, scratch_, pool_);
    EXPECT_NEAR(found.loss, expected(X, centred), 1e-6 * expected(X, centred));
    const Vectors gradient = gradient_of([&](const Vectors& x) { return expected(x, centred); }, X);
    const MapOfValues d(kCosineChannels, kRowsOfMap, kColumnsOfMap);
    for (const auto& add : found.slope.addends) add(X_.map(), d.map());
    EXPECT_LT(relative_distance(columns_of(d.map(), kCosineChannels), gradient), 1e-5);
  }
}

// A direction that is not there has no cosine: nothing to divide by.
TEST_F(Cosine, OfNothingIsZeroAndFlat) {
  const MapOfValues nothing(kCosineChannels, kRowsOfMap, kColumnsOfMap);
  target_.roots.clear();
  CosineLoss loss(Term::style, kCosineFactor, 0, nothing.map(), target_, false, scratch_);
  const AtLayer found = at_layer(loss, nothing.map(), {}, scratch_, pool_);
  EXPECT_DOUBLE_EQ(found.loss, kCosineFactor * kRowsOfMap * kColumnsOfMap);
  turn_into_gradient(nothing.map(), found.slope, pool_);
  for (const Vector& d : columns_of(nothing.map(), kCosineChannels)) EXPECT_EQ(product(d, d), 0);
}

}  // namespace
}  // namespace limn
