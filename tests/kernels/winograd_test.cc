// The 3 x 3 convolution against its slow twin: every source with every sink, in both directions.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/kernels.h"
#include "kernels/reference.h"
#include "support/convolution_ends.h"
#include "support/guarded_memory.h"
#include "support/random_values.h"
#include "support/sanitized.h"
#include "support/simd_targets.h"
#include "support/sink_like_twin.h"
#include "support/winograd_bound.h"

namespace limn {
namespace {

using kernels::Direction;
using kernels::Sink;
using kernels::Source;

// ------------------------------------------------------------------------------- the comparison --

struct Shape {
  int in, out;        // channels that the convolution reads and writes
  int height, width;  // of what it works on
};

class Winograd : public testing::Test {
 protected:
  // Makes the convolution that reads `in` and writes `out` channels in this direction.
  void make(int in, int out, Direction direction) {
    in_ = in;
    out_ = out;
    direction_ = direction;
    const auto seed = static_cast<std::uint64_t>(1000 * in + out);
    kernel_ = random_values(static_cast<size_t>(in) * out * 9, seed);
    bias_ = random_values(out, seed + 1);
    for (float& value : bias_) value *= 4;
    packed_ = direction == Direction::forward ? kernels::pack_kernel(kernel_, in, out)
                                              : kernels::pack_kernel(kernel_, out, in);
  }

  // From one source into each of the sinks, on every target, with 1 and 3 threads. `turn` says
  // which of the sinks have a bias.
  void expect_like_twin(Source::Kind source_kind, std::span<const Sink::Kind> sink_kinds,
                        int height, int width, int turn, Edges edges = Edges::zero) {
    if (!can_be_pooled(source_kind, height, width)) return;
    if (edges == Edges::periodic && !can_repeat(source_kind, height, width)) return;
    Random random(static_cast<std::uint64_t>(100 * height + width));
    const GuardedSource source(
        source_kind, in_, height, width, random, [&] { return random_signed(random); }, edges);
    GuardedMap x(in_, height, width);
    reference::expand(source.source(), x);
    const GuardedMap start(out_, height, width,
                           [&](int, int, int) { return random_signed(random); });
    for (const bool with_bias : {false, true}) {
      const float* bias = with_bias ? bias_.data() : nullptr;
      GuardedSink plain(Sink::Kind::set, out_, height, width);
      reference::convolve(kernel_, direction_, bias, source.source(), plain.sink());
      GuardedMap magnitude = winograd_magnitude(kernel_, direction_, bias, x, out_);
      for (const Sink::Kind sink_kind : sink_kinds) {
        if ((turn + static_cast<int>(sink_kind)) % 2 == (with_bias ? 0 : 1)) continue;
        if (!can_be_pooled(sink_kind, height, width)) continue;
        const bool adds = sink_kind == Sink::Kind::add;
        if (adds) {
          magnitude.fill([&](int c, int row, int column) {
            return magnitude.at(c, row, column) + std::abs(start.at(c, row, column));
          });
        }
        const auto made = [&] {
          GuardedSink sink(sink_kind, out_, height, width);
          if (adds) sink.map.fill([&](int c, int y, int i) { return start.at(c, y, i); });
          return sink;
        };
        GuardedSink expected = made();
        reference::put(plain.map, expected.sink());
        on_every_target([&] {
          for (ThreadPool* pool : {&one_thread_, &three_threads_}) {
            SCOPED_TRACE(testing::Message()
                         << name_of(source_kind) << " to " << name_of(sink_kind) << ", "
                         << (direction_ == Direction::forward ? "forward, " : "backward, ") << in_
                         << " to " << out_ << " channels, " << height << " x " << width << ", bias "
                         << with_bias << ", threads " << pool->threads()
                         << (edges == Edges::periodic ? ", periodic" : ""));
            GuardedSink found = made();
            kernels::convolve(packed_, direction_, bias, source.source(), found.sink(), *pool);
            ASSERT_TRUE(found.written_inside_only());
            ASSERT_TRUE(sink_like_twin(sink_kind, found, expected, {plain.map, magnitude}));
          }
        });
        if (HasFailure()) return;
      }
    }
  }

  int in_ = 0, out_ = 0;
  Direction direction_ = Direction::forward;
  std::vector<float> kernel_, bias_;
  kernels::PackedKernel packed_;
  ThreadPool one_thread_{1};
  ThreadPool three_threads_{3};
};

class WinogradInDirection : public Winograd, public testing::WithParamInterface<Direction> {};
INSTANTIATE_TEST_SUITE_P(Direction, WinogradInDirection,
                         testing::Values(Direction::forward, Direction::backward),
                         [](const auto& info) {
                           return info.param == Direction::forward ? "Forward" : "Backward";
                         });

TEST_P(WinogradInDirection, IsItsTwinAtEverySmallSize) {
  constexpr int kMost = kSanitized ? 9 : 14;  // 9: two tiles and a remainder
  make(16, 32, GetParam());
  for (int height = 1; height <= kMost; ++height) {
    for (int width = 1; width <= kMost; ++width) {
      for (const Source::Kind source : kSourceKinds) {
        expect_like_twin(source, kSinkKinds, height, width, height + width);
        if (HasFailure()) return;
      }
    }
  }
}

// Every remainder of the groups of tiles, and maps of more tiles than a task has.
TEST_P(WinogradInDirection, IsItsTwinAtEveryWidth) {
  make(16, 48, GetParam());
  for (int width = 15; width <= 50; ++width) {
    const int height = width % 5 == 0 ? 45 : 3 + width % 3;
    const Source::Kind source = kSourceKinds[width % 4];
    expect_like_twin(source, kSinkKinds, height, width, width / 4);
    if (HasFailure()) return;
  }
}

TEST_P(WinogradInDirection, IsItsTwinForEveryNumberOfChannels) {
  for (const int in : {16, 32, 48, 64}) {
    for (const int out : {16, 32, 48, 64}) {
      make(in, out, GetParam());
      const int turn = in / 16 + out / 16;
      for (const auto& [height, width] : {std::pair{9, 17}, {2, 31}, {1, 50}, {17, 3}}) {
        expect_like_twin(kSourceKinds[(turn + width) % 4], kSinkKinds, height, width, turn);
        if (HasFailure()) return;
      }
    }
  }
}

// Where there are many, all output blocks are computed at once (blocks_at_a_time), and kernels are
// transformed by tasks of output blocks (has_few_tiles).
TEST_P(WinogradInDirection, IsItsTwinForManyChannels) {
  for (const auto& [in, out] : {std::pair{256, 16}, {272, 48}, {16, 272}, {160, 224}}) {
    make(in, out, GetParam());
    for (const Source::Kind source : kSourceKinds) {
      expect_like_twin(source, kSinkKinds, 7, 9, out / 16);
      if (HasFailure()) return;
    }
  }
}

// Edges are the source's alone, so one sink is enough.
constexpr Sink::Kind kOneSink[] = {Sink::Kind::set};

TEST_P(WinogradInDirection, WithPeriodicEdgesIsItsTwinAtEverySmallSize) {
  constexpr int kMost = kSanitized ? 8 : 12;
  make(16, 32, GetParam());
  for (int height = 1; height <= kMost; ++height) {
    for (int width = 1; width <= kMost; ++width) {
      for (const Source::Kind source : kSourceKinds) {
        expect_like_twin(source, kOneSink, height, width, height + width, Edges::periodic);
        if (HasFailure()) return;
      }
    }
  }
}

// Several tasks of tiles; and many channels, for which few tiles have a way of their own.
TEST_P(WinogradInDirection, WithPeriodicEdgesIsItsTwinForTexturesOfAnyNumberOfChannels) {
  const Shape shapes[] = {{16, 16, 48, 32}, {32, 48, 16, 32}, {64, 64, 16, 16}, {48, 32, 18, 34},
                          {272, 48, 4, 6},  {272, 48, 2, 2},  {16, 272, 6, 4},  {160, 224, 1, 1}};
  for (const auto& [in, out, height, width] : shapes) {
    make(in, out, GetParam());
    for (const Source::Kind source : kSourceKinds) {
      expect_like_twin(source, kOneSink, height, width, 0, Edges::periodic);
      if (HasFailure()) return;
    }
  }
}

// The tolerance above is for single values at the worst of places. As a whole the layer's error
// must be what winograd.cc says, a few 1e-6: such sums hardly vary, so twice the measured error is
// enough.
TEST_F(Winograd, IsAsExactAsItSays) {
  for (const auto& [in, tolerance] : {std::pair{64, 1.6e-6}, {256, 2.2e-6}}) {
    make(in, 16, Direction::forward);
    Random random(3);
    const GuardedSource source(Source::Kind::map, in, 20, 24, random,
                               [&] { return random_signed(random); });
    GuardedSink expected(Sink::Kind::set, 16, 20, 24);
    reference::convolve(kernel_, direction_, nullptr, source.source(), expected.sink());
    on_every_target([&] {
      GuardedSink found(Sink::Kind::set, 16, 20, 24);
      kernels::convolve(packed_, direction_, nullptr, source.source(), found.sink(), one_thread_);
      double squares = 0, error = 0;
      for_each_value(16, 20, 24, [&](int c, int y, int x) {
        const double value = expected.map.at(c, y, x);
        squares += value * value;
        error += std::pow(found.map.at(c, y, x) - value, 2);
      });
      EXPECT_LE(std::sqrt(error / squares), tolerance) << in << " channels";
    });
  }
}

// --------------------------------------------------------------------------------- by its words --

// With nothing to read the output is the bias, at all places alike.
TEST_F(Winograd, TakesTheFirstOfEqualMaximaAndDoesNotCount0AsAbove0) {
  make(16, 16, Direction::forward);
  for (int c = 0; c < 16; ++c) bias_[c] = static_cast<float>(c % 3 - 1);
  Random random(1);
  const GuardedSource source(Source::Kind::map, 16, 9, 10, random, [] { return 0.0f; });
  on_every_target([&] {
    GuardedSink pooled(Sink::Kind::relu_max_pool, 16, 9, 10);
    GuardedSink rectified(Sink::Kind::relu, 16, 9, 10);
    kernels::convolve(packed_, direction_, bias_.data(), source.source(), pooled.sink(),
                      three_threads_);
    kernels::convolve(packed_, direction_, bias_.data(), source.source(), rectified.sink(),
                      three_threads_);
    for_each_value(16, 4, 5, [&](int c, int row, int column) {
      ASSERT_EQ(pooled.map.at(c, row, column), std::max(bias_[c], 0.0f));
      ASSERT_EQ(pooled.signs.at(c, row, column), bias_[c] > 0);
      ASSERT_FALSE(pooled.right.at(c, row, column)) << "not the first";
      ASSERT_FALSE(pooled.below.at(c, row, column)) << "not the first";
    });
    for_each_value(16, 9, 10, [&](int c, int row, int column) {
      ASSERT_EQ(rectified.map.at(c, row, column), std::max(bias_[c], 0.0f));
      ASSERT_EQ(rectified.signs.at(c, row, column), bias_[c] > 0);
    });
  });
}

// The layout that kernels.h promises: [out / 16][in / 16][3][3][16 in][16 out].
TEST(PackedKernel, LiesAsDocumented) {
  constexpr int kIn = 32;
  constexpr int kOut = 48;
  std::vector<float> kernel(kIn * kOut * 9);
  for (size_t i = 0; i < kernel.size(); ++i) kernel[i] = static_cast<float>(i);
  const auto packed = kernels::pack_kernel(kernel, kIn, kOut);
  ASSERT_EQ(packed.in, kIn);
  ASSERT_EQ(packed.out, kOut);
  ASSERT_EQ(packed.values.size(), kernel.size());
  for (int o = 0; o < kOut; ++o) {
    for (int i = 0; i < kIn; ++i) {
      for (int tap = 0; tap < 9; ++tap) {
        const int cell = (((o / 16) * (kIn / 16) + i / 16) * 9 + tap) * 16 + i % 16;
        ASSERT_EQ(packed.values[cell * 16 + o % 16], kernel[(o * kIn + i) * 9 + tap])
            << "output " << o << ", input " << i << ", tap " << tap;
      }
    }
  }
}

}  // namespace
}  // namespace limn
