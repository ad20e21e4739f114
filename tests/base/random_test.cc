#include "base/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace limn {
namespace {

// The first values of SplitMix64 as its authors' code gives them.
TEST(RandomNumbers, AreThoseOfSplitMix64) {
  Random zero(0);
  EXPECT_EQ(zero.bits(), 0xE220A8397B1DCDAFu);
  EXPECT_EQ(zero.bits(), 0x6E789E6AA1B965F4u);
  EXPECT_EQ(zero.bits(), 0x06C45D188009454Fu);
  EXPECT_EQ(zero.bits(), 0xF88BB8A8724C81ECu);
  Random other(1234567);
  EXPECT_EQ(other.bits(), 6457827717110365317u);
  EXPECT_EQ(other.bits(), 3203168211198807973u);
  EXPECT_EQ(other.bits(), 9817491932198370423u);
  EXPECT_EQ(other.bits(), 4593380528125082431u);
  EXPECT_EQ(other.bits(), 16408922859458223821u);
}

TEST(RandomNumbers, UniformOnesAreTheUpper24Bits) {
  Random bits(42);
  Random uniform(42);
  for (int i = 0; i < 1000; ++i) {
    const double value = uniform.uniform();
    EXPECT_EQ(value, static_cast<double>(bits.bits() >> 40) / 16777216.0);
    EXPECT_EQ(static_cast<double>(static_cast<float>(value)), value) << "not exact as a float";
    EXPECT_GE(value, 0);
    EXPECT_LT(value, 1);
  }
}

// The means of 100,000 draws stand within five of their own deviations.
TEST(RandomNumbers, NormalOnesHaveMean0AndDeviation1) {
  constexpr int kDraws = 100'000;
  Random random(3);
  double sum = 0, squares = 0;
  int beyond_2 = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double value = random.normal();
    ASSERT_TRUE(std::isfinite(value));
    sum += value;
    squares += value * value;
    beyond_2 += std::abs(value) > 2 ? 1 : 0;
  }
  const double deviation_of_mean = 1 / std::sqrt(kDraws);
  EXPECT_NEAR(sum / kDraws, 0, 5 * deviation_of_mean);
  EXPECT_NEAR(squares / kDraws, 1, 5 * std::sqrt(2.0) * deviation_of_mean);
  EXPECT_NEAR(beyond_2 / double{kDraws}, 0.0455, 5 * std::sqrt(0.0455) * deviation_of_mean);
}

TEST(RandomNumbers, OfEqualSeedsAreEqualAndOfOthersAreNot) {
  std::set<std::uint64_t> first;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    Random a(seed);
    Random b(seed);
    EXPECT_EQ(a.bits(), b.bits());
    EXPECT_EQ(a.normal(), b.normal());
    first.insert(Random(seed).bits());
  }
  EXPECT_EQ(first.size(), 1000u);
}

}  // namespace
}  // namespace limn
