// "No kernel allocates but those that say so": they run in the loop over iterations. The pool's
// scratch memory, too, must be there after the first run.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "kernels/kernels.h"
#include "support/allocations.h"
#include "support/convolution_ends.h"
#include "support/guarded_memory.h"
#include "support/random_values.h"

namespace limn {
namespace {

constexpr int kChannels = 32;
constexpr int kSide = 20;

class KernelsAllocateNothing : public testing::Test {
 protected:
  // Calls of operator new in the second of two runs of work(), and pieces of scratch memory that
  // have moved.
  template <typename Work>
  int allocations_of(Work&& work) {
    work();  // whatever is made once is made now
    give_scratch_to_every_thread();
    const std::vector<const float*> scratch_before = scratch();
    const int before = allocations();
    work();
    const int allocated = allocations() - before;
    const std::vector<const float*> scratch_after = scratch();
    int moved = 0;
    for (size_t i = 0; i < scratch_before.size(); ++i) {
      moved += scratch_before[i] != scratch_after[i] ? 1 : 0;
    }
    return allocated + moved;
  }

  // A thread may have come too late for any task of the first run: it gets what the others have.
  void give_scratch_to_every_thread() {
    size_t most = 0;
    for (int thread = 0; thread < kThreads; ++thread) {
      most = std::max(most, pool_.thread_scratch(thread, 0).size());
    }
    for (int thread = 0; thread < kThreads; ++thread) pool_.thread_scratch(thread, most);
  }
  std::vector<const float*> scratch() {
    std::vector<const float*> pieces = {pool_.shared_scratch(0).data()};
    for (int thread = 0; thread < kThreads; ++thread) {
      pieces.push_back(pool_.thread_scratch(thread, 0).data());
    }
    return pieces;
  }

  static constexpr int kThreads = 3;
  ThreadPool pool_{kThreads};
  GuardedMap x_{kChannels, kSide, kSide, [](int c, int y, int x) { return float(c - y + x); }};
  GuardedMap y_{kChannels, kSide, kSide};
};

TEST_F(KernelsAllocateNothing, ForConvolutions) {
  using kernels::Direction;
  const auto packed =
      kernels::pack_kernel(random_values(kChannels * kChannels * 9, 1), kChannels, kChannels);
  Random random(2);
  for (const kernels::Source::Kind source_kind : kSourceKinds) {
    const GuardedSource source(source_kind, kChannels, kSide, kSide, random,
                               [&] { return random_signed(random); });
    for (const kernels::Sink::Kind sink_kind : kSinkKinds) {
      GuardedSink sink(sink_kind, kChannels, kSide, kSide);
      for (const Direction direction : {Direction::forward, Direction::backward}) {
        EXPECT_EQ(allocations_of([&] {
                    kernels::convolve(packed, direction, nullptr, source.source(), sink.sink(),
                                      pool_);
                  }),
                  0)
            << name_of(source_kind) << " to " << name_of(sink_kind);
      }
    }
  }
}

TEST_F(KernelsAllocateNothing, ForTheFirstConvolution) {
  const Buffer<float> packed =
      kernels::pack_input_kernel(random_values(kChannels * 27, 2), kChannels);
  GuardedPlanes planes(kSide, kSide, [](int, int, int) { return 1.0f; });
  EXPECT_EQ(allocations_of([&] {
              kernels::wrap_ring(planes);
              kernels::convolve_input(packed, nullptr, planes, y_, nullptr, pool_);
              kernels::wrap_ring(x_);
              kernels::convolve_input_backward(packed, x_, planes, pool_);
            }),
            0);
}

TEST_F(KernelsAllocateNothing, ForTheFirstLevel) {
  const Buffer<float> packed_1 =
      kernels::pack_input_kernel(random_values(kChannels * 27, 1), kChannels);
  const auto packed_2 =
      kernels::pack_kernel(random_values(kChannels * kChannels * 9, 2), kChannels, kChannels);
  const kernels::FirstLevel level = {packed_1, nullptr, &packed_2, nullptr,
                                     kernels::FirstLevel::Features::after_relu};
  const GuardedPlanes x(kSide, kSide, [](int c, int y, int i) { return float(c - y + i); });
  GuardedPlanes d_x(kSide, kSide);
  std::vector<float> G(kChannels * kChannels);
  Buffer<double> scratch(kernels::first_level_scratch(kChannels, kSide));
  Buffer<float> borders(kernels::first_level_borders(kSide, kSide));
  GuardedSink sink(kernels::Sink::Kind::relu_max_pool, kChannels, kSide, kSide);
  Random random(3);
  const GuardedSource source(kernels::Source::Kind::max_pool_gradient, kChannels, kSide, kSide,
                             random, [&] { return random_signed(random); });
  EXPECT_EQ(allocations_of([&] {
              kernels::first_level(level, x, sink.sink(), G, scratch, pool_);
              kernels::first_level_backward(level, x, source.source(), G, d_x, borders, pool_);
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
              kernels::add_relu_backward(signs.bits(), x_, y_, pool_);
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
  GuardedHalves half(kChannels, kSide, kSide);
  EXPECT_EQ(allocations_of([&] {
              kernels::gram(x_, G, scratch, pool_);
              kernels::turn_into_gradient(y_, G, 0.5f, x_, pool_);
              kernels::round_to_half(x_, half.map(), pool_);
              kernels::gradient_from_half(half.map(), window_of(y_), G, y_, pool_);
            }),
            0);
}

TEST_F(KernelsAllocateNothing, ForShiftedGramMatricesAndMoments) {
  constexpr size_t kC = kChannels;
  std::vector<float> G(kC * kC), a(kC), b(kC);
  const std::vector<float> m(size_t{kSide} * kSide, 0.5f);
  std::vector<double> sums(kC), squares(kC);
  Buffer<double> K(kC * kC), KD(kC * kC), KDK(kC * kC);
  Buffer<double> scratch(
      std::max(kernels::gram_scratch_size(x_), kernels::moments_scratch_size(x_)));
  EXPECT_EQ(allocations_of([&] {
              kernels::shifted_gram(x_, {1, 0}, G, scratch, pool_);
              kernels::add_shifted_gradient(G, x_, {1, 0}, y_, pool_);
              kernels::project(G, x_, y_, pool_);
              kernels::add_projection_backward(G, x_, y_, pool_);
              kernels::general_congruence(K, K, kC, KD, KDK, pool_);
              kernels::weigh(x_, m, a, y_, pool_);
              kernels::add_weighed(x_, m, y_, pool_);
              kernels::moments(x_, m, sums, squares, scratch, pool_);
              kernels::add_moments_gradient(a, b, x_, m, y_, pool_);
            }),
            0);
}

TEST_F(KernelsAllocateNothing, ForUpdatesOfVectors) {
  const std::vector<float> a = random_values(100'000, 1);
  std::vector<float> y = random_values(100'000, 2);
  EXPECT_EQ(allocations_of([&] {
              kernels::add_scaled(0.5f, a, y, pool_);
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
