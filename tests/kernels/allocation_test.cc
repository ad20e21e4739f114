// "No kernel allocates but those that say so": they run in the loop over iterations.
#include <gtest/gtest.h>

#include "kernels/kernels.h"
#include "support/allocations.h"
#include "support/guarded_memory.h"
#include "support/random_values.h"

namespace limn {
namespace {

constexpr int kChannels = 32;
constexpr int kSide = 20;

template <typename Work>
int allocations_of(Work&& work) {
  work();  // whatever is made once is made now
  const int before = allocations();
  work();
  return allocations() - before;
}

class KernelsAllocateNothing : public testing::Test {
 protected:
  ThreadPool pool_{3};
  GuardedMap x_{kChannels, kSide, kSide, [](int c, int y, int x) { return float(c - y + x); }};
  GuardedMap y_{kChannels, kSide, kSide};
};

TEST_F(KernelsAllocateNothing, ForConvolutions) {
  const auto packed = kernels::pack_kernel(random_values(kChannels * kChannels * 9, 1), kChannels,
                                           kChannels, kernels::Direction::forward);
  const Buffer<float> packed_input =
      kernels::pack_input_kernel(random_values(kChannels * 27, 2), kChannels);
  GuardedPlanes planes(kSide, kSide, [](int, int, int) { return 1.0f; });
  EXPECT_EQ(allocations_of([&] {
              kernels::convolve(packed, nullptr, x_, y_, nullptr, pool_);
              kernels::convolve_input(packed_input, nullptr, planes, y_, nullptr, pool_);
              kernels::convolve_input_backward(packed_input, x_, planes, pool_);
            }),
            0);
}

TEST_F(KernelsAllocateNothing, ForReluAndPooling) {
  GuardedMap half(kChannels, kSide / 2, kSide / 2);
  GuardedBits signs(kChannels, kSide, kSide);
  GuardedBits right(kChannels, kSide / 2, kSide / 2);
  GuardedBits below(kChannels, kSide / 2, kSide / 2);
  const kernels::MaxPlaces places = {right.bits(), below.bits()};
  EXPECT_EQ(allocations_of([&] {
              kernels::relu(x_, y_, signs.bits(), pool_);
              kernels::relu_backward(signs.bits(), y_, pool_);
              kernels::max_pool(x_, half, places, pool_);
              kernels::max_pool_backward(places, half, y_, pool_);
              kernels::average_pool(x_, half, pool_);
              kernels::average_pool_backward(half, y_, pool_);
            }),
            0);
}

TEST_F(KernelsAllocateNothing, ForGramMatrices) {
  std::vector<float> G(kChannels * kChannels);
  Buffer<double> scratch(kernels::gram_scratch_size(x_));
  EXPECT_EQ(allocations_of([&] {
              kernels::gram(x_, G, scratch, pool_);
              kernels::gram_backward(G, x_, y_, pool_);
            }),
            0);
}

TEST_F(KernelsAllocateNothing, ForUpdatesOfVectors) {
  const std::vector<float> a = random_values(100'000, 1);
  std::vector<float> y = random_values(100'000, 2);
  EXPECT_EQ(allocations_of([&] {
              kernels::add_scaled(0.5f, a, y, pool_);
              kernels::add_scaled_difference(0.5f, a, a, y, pool_);
              kernels::scale(0.5f, y, pool_);
              kernels::copy(a, y, pool_);
              kernels::scaled_sum(a, 0.5f, a, y, pool_);
              kernels::subtract_from(a, y, pool_);
            }),
            0);
}

TEST_F(KernelsAllocateNothing, ForSumsOverVectors) {
  const std::vector<float> a = random_values(100'000, 1);
  const std::vector<const float*> rows(5, a.data());
  std::vector<double> products(10), scratch(kernels::products_scratch_size(5, a.size()));
  double sum = 0;
  EXPECT_EQ(allocations_of([&] {
              sum += kernels::dot(a, a, pool_);
              sum += kernels::squared_distance(a, a, pool_);
              sum += kernels::absolute_sum(a, pool_);
              kernels::products(rows, a, a, products, scratch, pool_);
            }),
            0);
  EXPECT_GT(sum, 0);
}

}  // namespace
}  // namespace limn
