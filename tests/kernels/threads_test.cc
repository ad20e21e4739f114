// Any number of threads gives the same bits; and the targets themselves.
#include <gtest/gtest.h>

#include <string_view>

#include "kernels/kernels.h"
#include "support/guarded_memory.h"
#include "support/random_values.h"
#include "support/same_bits.h"
#include "support/simd_targets.h"

namespace limn {
namespace {

constexpr int kChannels = 48;
constexpr int kHeight = 37;  // several bands of rows, the last one short
constexpr int kWidth = 29;

GuardedMap random_map(int height = kHeight, int width = kWidth, int channels = kChannels) {
  Random random(1);
  return GuardedMap(channels, height, width, [&](int, int, int) { return random_signed(random); });
}

std::vector<float> values_of(const GuardedMap& guarded) {
  const ConstFeatureMap map = guarded;
  std::vector<float> values;
  for_each_value(map.channels, map.height, map.width,
                 [&](int c, int y, int x) { values.push_back(map.at(c, y, x)); });
  return values;
}

void append(std::vector<float>& values, const GuardedBits& bits) {
  for (const std::uint16_t word : bits.words()) values.push_back(word);
}

// What work(pool) returns is the same for 1, 2, 3 and 7 threads, on every target.
template <typename Work>
void expect_same_bits(Work&& work) {
  on_every_target([&] {
    ThreadPool one(1);
    const std::vector<float> expected = work(one);
    ASSERT_FALSE(expected.empty());
    for (const int threads : {2, 3, 7}) {
      ThreadPool pool(threads);
      ASSERT_TRUE(same_bits(expected, work(pool))) << threads << " threads";
    }
  });
}

TEST(AnyNumberOfThreads, ConvolvesAlike) {
  const std::vector<float> kernel = random_values(kChannels * kChannels * 9, 2);
  const std::vector<float> bias = random_values(kChannels, 3);
  const auto packed =
      kernels::pack_kernel(kernel, kChannels, kChannels, kernels::Direction::forward);
  const GuardedMap x = random_map();
  expect_same_bits([&](ThreadPool& pool) {
    GuardedMap y(kChannels, kHeight, kWidth);
    GuardedBits signs(kChannels, kHeight, kWidth);
    kernels::convolve(packed, bias.data(), x, y, &signs.bits(), pool);
    std::vector<float> values = values_of(y);
    append(values, signs);
    return values;
  });
}

TEST(AnyNumberOfThreads, ConvolvesThePictureAlikeForwardAndBackward) {
  const Buffer<float> packed = kernels::pack_input_kernel(random_values(32 * 27, 2), 32);
  const std::vector<float> bias = random_values(32, 3);
  Random random(4);
  const GuardedPlanes x(kHeight, kWidth, [&](int, int, int) { return random_signed(random); });
  expect_same_bits([&](ThreadPool& pool) {
    GuardedMap y(32, kHeight, kWidth);
    GuardedBits signs(32, kHeight, kWidth);
    GuardedPlanes d_x(kHeight, kWidth);
    kernels::convolve_input(packed, bias.data(), x, y, &signs.bits(), pool);
    std::vector<float> values = values_of(y);
    append(values, signs);
    GuardedMap d_y = random_map(kHeight, kWidth, 32);
    kernels::convolve_input_backward(packed, d_y, d_x, pool);
    for_each_value(3, kHeight, kWidth,
                   [&](int c, int row, int i) { values.push_back(d_x.at(c, row, i)); });
    return values;
  });
}

TEST(AnyNumberOfThreads, RectifiesAndPoolsAlike) {
  const GuardedMap x = random_map();
  expect_same_bits([&](ThreadPool& pool) {
    GuardedMap y(kChannels, kHeight, kWidth);
    GuardedBits signs(kChannels, kHeight, kWidth);
    kernels::relu(x, y, signs.bits(), pool);
    std::vector<float> values = values_of(y);
    append(values, signs);

    GuardedMap most(kChannels, kHeight / 2, kWidth / 2);
    GuardedBits right(kChannels, kHeight / 2, kWidth / 2);
    GuardedBits below(kChannels, kHeight / 2, kWidth / 2);
    kernels::max_pool(x, most, {right.bits(), below.bits()}, pool);
    GuardedMap d_x(kChannels, kHeight, kWidth);
    kernels::max_pool_backward({right.bits(), below.bits()}, most, d_x, pool);
    kernels::relu_backward(signs.bits(), d_x, pool);
    append(values, right);
    append(values, below);

    GuardedMap mean(kChannels, (kHeight + 1) / 2, (kWidth + 1) / 2);
    kernels::average_pool(x, mean, pool);
    GuardedMap d_mean(kChannels, kHeight, kWidth);
    kernels::average_pool_backward(mean, d_mean, pool);
    for (const GuardedMap* map : {&most, &d_x, &mean, &d_mean}) {
      for (const float value : values_of(*map)) values.push_back(value);
    }
    return values;
  });
}

TEST(AnyNumberOfThreads, MultipliesGramMatricesAlike) {
  const GuardedMap F = random_map(260, 131, 32);  // cut into four slices
  expect_same_bits([&](ThreadPool& pool) {
    std::vector<float> G(32 * 32);
    Buffer<double> scratch(kernels::gram_scratch_size(F));
    kernels::gram(F, G, scratch, pool);
    GuardedMap d_F = random_map(260, 131, 32);
    kernels::gram_backward(G, F, d_F, pool);
    std::vector<float> values = values_of(d_F);
    values.insert(values.end(), G.begin(), G.end());
    return values;
  });
}

TEST(AnyNumberOfThreads, AddsVectorsAlike) {
  constexpr size_t kSize = 5 * 65536 + 123;
  const std::vector<float> a = random_values(kSize, 1);
  const std::vector<float> b = random_values(kSize, 2);
  expect_same_bits([&](ThreadPool& pool) {
    std::vector<float> y = random_values(kSize, 3);
    kernels::add_scaled(0.3f, a, y, pool);
    kernels::add_scaled_difference(-1.1f, a, b, y, pool);
    kernels::scale(0.7f, y, pool);
    const std::vector<const float*> rows = {a.data(), b.data(), y.data()};
    const std::vector<double> coefficients = {0.5, -0.3, 1.7};
    std::vector<double> sums(6), scratch(kernels::products_scratch_size(3, kSize));
    kernels::products(rows, a, b, sums, scratch, pool);
    kernels::combine(rows, coefficients, y, pool);
    kernels::scaled_sum(y, 0.2f, b, y, pool);
    kernels::subtract_from(a, y, pool);
    sums.push_back(kernels::dot(a, b, pool));
    sums.push_back(kernels::squared_distance(a, b, pool));
    sums.push_back(kernels::absolute_sum(a, pool));
    for (const double sum : sums) {
      // Both halves of the double's bits.
      const auto bits = std::bit_cast<std::uint64_t>(sum);
      y.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
      y.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits >> 32)));
    }
    return y;
  });
}

// Forty pieces: added in the order in which threads end, their double sum would differ now and
// then.
TEST(AnyNumberOfThreads, AddsManyPiecesInOneOrder) {
  constexpr size_t kSize = 40 * 65536;
  const std::vector<float> a = random_values(kSize, 1);
  const std::vector<float> b = random_values(kSize, 2);
  ThreadPool one(1);
  const double expected = kernels::dot(a, b, one);
  for (const int threads : {2, 3, 7}) {
    ThreadPool pool(threads);
    for (int i = 0; i < 100; ++i) ASSERT_EQ(kernels::dot(a, b, pool), expected) << threads;
  }
}

TEST(SimdTargets, AreThoseTheKernelsSayTheyRunOn) {
  const std::vector<SimdTarget> targets = simd_targets();
  ASSERT_FALSE(targets.empty());
  EXPECT_EQ(kernels::instruction_set(), targets.front().name) << "the best is not in use";
  for (const SimdTarget& target : targets) {
    const RunningOn running(target);
    EXPECT_EQ(kernels::instruction_set(), target.name);
  }
  EXPECT_EQ(kernels::instruction_set(), targets.front().name);
}

}  // namespace
}  // namespace limn
