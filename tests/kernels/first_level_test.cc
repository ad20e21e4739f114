// The fused first level against its twin, the composition of the kernels it is made of: around the
// sizes of its pieces (8 x 128) and around the borders of its tasks.
//
// The first convolution gets whole numbers and a bias of halves: so its features are exact and
// never 0, their signs are the twin's, and their Gram matrix is too. All else is real.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/kernels.h"
#include "kernels/reference.h"
#include "support/convolution_ends.h"
#include "support/random_values.h"
#include "support/same_bits.h"
#include "support/simd_targets.h"
#include "support/sink_like_twin.h"
#include "support/winograd_bound.h"

namespace limn {
namespace {

using kernels::Direction;
using kernels::Sink;
using kernels::Source;
using Features = kernels::FirstLevel::Features;

constexpr Features kFeatures[] = {Features::none, Features::before_relu, Features::after_relu};
constexpr Sink::Kind kPooledSinks[] = {Sink::Kind::relu_max_pool, Sink::Kind::relu_average_pool};

class FirstLevel : public testing::Test {
 protected:
  void make(int channels, int out) {
    C_ = channels;
    out_ = out;
    kernel_1_ = random_wholes(static_cast<size_t>(channels) * 27, 1, 1);
    bias_1_ = random_wholes(channels, 2, 3);
    for (float& value : bias_1_) value += 0.5f;
    kernel_2_ = random_values(static_cast<size_t>(channels) * out * 9, 3);
    bias_2_ = random_values(out, 4);
    packed_1_ = kernels::pack_input_kernel(kernel_1_, channels);
    packed_2_ = kernels::pack_kernel(kernel_2_, channels, out);
  }

  kernels::FirstLevel fast(Features features) const {
    return {packed_1_, bias_1_.data(), &packed_2_, bias_2_.data(), features, edges_, counted_};
  }
  reference::FirstLevel slow(Features features) const {
    return {kernel_1_, bias_1_.data(), kernel_2_, bias_2_.data(), features, edges_, counted_};
  }
  GuardedPlanes picture(int height, int width) const {
    Random random(static_cast<std::uint64_t>(1000 * height + width));
    GuardedPlanes x(height, width, [&](int, int, int) { return random_whole(random, 3); });
    if (edges_ == Edges::periodic) reference::wrap_ring(x);
    return x;
  }
  // Calls check(pool) on every target, with 1 and 3 threads.
  template <typename Check>
  void in_every_way(int height, int width, Check&& check) {
    SCOPED_TRACE(testing::Message() << C_ << " to " << out_ << " channels, " << height << " x "
                                    << width << (edges_ == Edges::periodic ? ", periodic" : ""));
    on_every_target([&] {
      check(one_thread_);
      if (!HasFailure()) check(three_threads_);
    });
  }

  void expect_forward_like_twin(Sink::Kind kind, Features features, int height, int width) {
    if (!can_be_pooled(kind, height, width)) return;
    const GuardedPlanes x = picture(height, width);
    const size_t G_size = features == Features::none ? 0 : static_cast<size_t>(C_) * C_;
    std::vector<float> expected_G(G_size);
    GuardedSink plain(Sink::Kind::set, out_, height, width);
    reference::first_level(slow(features), x, plain.sink(), expected_G);
    GuardedSink expected(kind, out_, height, width);
    reference::put(plain.map, expected.sink());

    const GuardedMap F = features_after_relu(x, height, width);
    const GuardedMap magnitude =
        winograd_magnitude(kernel_2_, Direction::forward, bias_2_.data(), F, out_);
    in_every_way(height, width, [&](ThreadPool& pool) {
      GuardedSink found(kind, out_, height, width);
      Guarded<float> G(G_size);
      Guarded<double> scratch(kernels::first_level_scratch(C_, height));
      std::fill_n(scratch.data(), scratch.size(), std::nan(""));
      kernels::first_level(fast(features), x, found.sink(), G, scratch, pool);
      ASSERT_TRUE(found.written_inside_only());
      ASSERT_TRUE(G.guards_untouched());
      ASSERT_TRUE(scratch.guards_untouched());
      ASSERT_TRUE(sink_like_twin(kind, found, expected, {plain.map, magnitude}));
      ASSERT_TRUE(same_bits(expected_G, G));
    });
  }

  void expect_backward_like_twin(Sink::Kind kind, Features features, int height, int width) {
    if (!can_be_pooled(kind, height, width)) return;
    const GuardedPlanes x = picture(height, width);
    Random random(5);
    const GuardedSource source(
        gradient_of(kind), out_, height, width, random, [&] { return random_signed(random); },
        edges_);
    std::vector<float> S;
    if (features != Features::none) {
      S.resize(static_cast<size_t>(C_) * C_);
      for (int i = 0; i < C_; ++i) {
        for (int j = 0; j <= i; ++j) S[i * C_ + j] = S[j * C_ + i] = random_signed(random);
      }
    }
    GuardedPlanes expected(height, width);
    reference::first_level_backward(slow(features), x, source.source(), S, expected);
    in_every_way(height, width, [&](ThreadPool& pool) {
      GuardedPlanes d_x(height, width);
      Guarded<float> borders(kernels::first_level_borders(height, width));
      kernels::first_level_backward(fast(features), x, source.source(), S, d_x, borders, pool);
      ASSERT_TRUE(d_x.written_inside_only());
      ASSERT_TRUE(borders.guards_untouched());
      ASSERT_TRUE(near_all(d_x, expected, kTolerance, 3, height, width));
    });
  }

  GuardedMap features_after_relu(const GuardedPlanes& x, int height, int width) const {
    GuardedMap F(C_, height, width, [](int, int, int) { return 0.0f; });
    GuardedBits signs(C_, height, width);
    reference::convolve_input(kernel_1_, bias_1_.data(), x, F, &signs.bits());
    if (edges_ == Edges::periodic) reference::wrap_ring(F);
    return F;
  }

  void expect_like_twin(int height, int width) {
    for (const Sink::Kind kind : kPooledSinks) {
      for (const Features features : kFeatures) {
        expect_forward_like_twin(kind, features, height, width);
        expect_backward_like_twin(kind, features, height, width);
        if (HasFailure()) return;
      }
    }
  }

  // Of the largest value of d_x: the gradient of each feature is off by Winograd's 1e-6, and 9
  // times the channels of them are mixed into a pixel. The worst of these tests is 1.3e-6 off; one
  // term of the 144 that a pixel has at least is some 1e-2.
  static constexpr double kTolerance = 5e-6;

  int C_ = 0, out_ = 0;
  Edges edges_ = Edges::zero;
  Window counted_ = kEverywhere;
  std::vector<float> kernel_1_, bias_1_, kernel_2_, bias_2_;
  Buffer<float> packed_1_;
  kernels::PackedKernel packed_2_;
  ThreadPool one_thread_{1};
  ThreadPool three_threads_{3};
};

TEST_F(FirstLevel, IsItsTwinAtSmallSizes) {
  make(16, 16);
  for (const int height : {1, 2, 3, 4, 5, 7, 8, 9, 10, 15, 16, 17, 18}) {
    for (const int width : {1, 2, 3, 4, 5, 8, 13}) {
      expect_like_twin(height, width);
      if (HasFailure()) return;
    }
  }
}

TEST_F(FirstLevel, IsItsTwinAroundTheBordersOfPieces) {
  make(16, 32);
  for (const int height : {2, 9}) {
    for (const int width : {127, 128, 129, 257}) {
      expect_like_twin(height, width);
      if (HasFailure()) return;
    }
  }
}

// Above 512 rows a task is more than one row of pieces.
TEST_F(FirstLevel, IsItsTwinAroundTheBordersOfTasks) {
  make(16, 16);
  for (const int height : {512, 513, 521, 529, 1025}) {
    expect_like_twin(height, 3);
    if (HasFailure()) return;
  }
}

TEST_F(FirstLevel, IsItsTwinForEveryNumberOfChannels) {
  for (const auto& [channels, out] : {std::pair{32, 16}, {48, 32}, {32, 64}, {64, 64}}) {
    make(channels, out);
    expect_like_twin(9, 34);
    if (HasFailure()) return;
  }
}

// Windows that end within a piece, at its edge, and in another.
TEST_F(FirstLevel, CountsAWindowLikeItsTwin) {
  make(16, 16);
  for (const Window& window :
       {Window{0, 8, 0, 8}, {5, 17, 3, 7}, {8, 16, 128, 130}, {2, 3, 0, 130}}) {
    counted_ = window;
    expect_like_twin(18, 130);
    if (HasFailure()) return;
  }
}

// One piece reads and writes across both edges, or the first and the last do; likewise for tasks.
TEST_F(FirstLevel, WithPeriodicEdgesIsItsTwin) {
  edges_ = Edges::periodic;
  make(16, 16);
  for (const int height : {2, 4, 6, 8, 10, 16, 18}) {
    for (const int width : {2, 4, 6, 8, 14, 16}) {
      expect_like_twin(height, width);
      if (HasFailure()) return;
    }
  }
  for (const auto& [height, width] : {std::pair{16, 126}, {10, 128}, {2, 130}, {16, 258}}) {
    expect_like_twin(height, width);
    if (HasFailure()) return;
  }
  for (const int height : {512, 514, 528, 1026}) {
    expect_like_twin(height, 4);
    if (HasFailure()) return;
  }
  for (const auto& [channels, out] : {std::pair{32, 48}, {64, 64}}) {
    make(channels, out);
    expect_like_twin(16, 32);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace limn
