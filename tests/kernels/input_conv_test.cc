// The first convolution, which reads the picture's planes, against its slow twin.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/kernels.h"
#include "kernels/reference.h"
#include "support/guarded_memory.h"
#include "support/random_values.h"
#include "support/same_bits.h"
#include "support/simd_targets.h"
#include "support/tolerance.h"

namespace limn {
namespace {

class InputConvolution : public testing::Test {
 protected:
  // Values: whole numbers leave no rounding, so that the twin must be met to the bit.
  void make(int out, int height, int width, bool whole) {
    out_ = out;
    height_ = height;
    width_ = width;
    whole_ = whole;
    random_ = Random(static_cast<std::uint64_t>(out + 100 * height + 10000 * width));
    kernel_.resize(static_cast<size_t>(out) * 27);
    bias_.resize(out);
    for (float& value : kernel_) value = next();
    for (float& value : bias_) value = next();
  }
  float next() { return whole_ ? random_whole(random_, 3) : random_signed(random_); }

  void expect_forward_like_twin(bool with_bias, bool with_relu) {
    GuardedPlanes x(height_, width_, [&](int, int, int) { return next(); });
    surround(x);
    const float* bias = with_bias ? bias_.data() : nullptr;
    GuardedMap expected(out_, height_, width_);
    GuardedBits expected_signs(out_, height_, width_);
    reference::convolve_input(kernel_, bias, x, expected,
                              with_relu ? &expected_signs.bits() : nullptr);
    const GuardedMap magnitude = absolute_forward(x, with_bias);
    const Buffer<float> packed = kernels::pack_input_kernel(kernel_, out_);
    on_every_target([&] {
      for (ThreadPool* pool : {&one_thread_, &three_threads_}) {
        GuardedMap y(out_, height_, width_);
        GuardedBits signs(out_, height_, width_);
        kernels::convolve_input(packed, bias, x, y, with_relu ? &signs.bits() : nullptr, *pool);
        SCOPED_TRACE(testing::Message() << out_ << " channels, " << height_ << " x " << width_);
        ASSERT_TRUE(y.written_inside_only());
        ASSERT_TRUE(signs.guards_untouched());
        ASSERT_TRUE(
            near_values(y, expected, magnitude, whole_ ? 0 : kSumTolerance, out_, height_, width_));
        if (!with_relu) continue;
        if (whole_) {
          ASSERT_TRUE(same_values(signs, expected_signs, out_, height_, width_));
        }
        for_each_value(out_, height_, width_, [&](int c, int row, int column) {
          ASSERT_EQ(signs.at(c, row, column), y.at(c, row, column) > 0);
        });
      }
    });
  }

  void expect_backward_like_twin() {
    GuardedMap d_y(out_, height_, width_, [&](int, int, int) { return next(); });
    surround(d_y);
    GuardedPlanes expected(height_, width_);
    reference::convolve_input_backward(kernel_, d_y, expected);

    std::vector<float> absolute_kernel(kernel_);
    for (float& value : absolute_kernel) value = std::abs(value);
    GuardedMap absolute_d_y(out_, height_, width_,
                            [&](int c, int y, int x) { return std::abs(d_y.at(c, y, x)); });
    surround(absolute_d_y);
    GuardedPlanes magnitude(height_, width_);
    reference::convolve_input_backward(absolute_kernel, absolute_d_y, magnitude);

    const Buffer<float> packed = kernels::pack_input_kernel(kernel_, out_);
    on_every_target([&] {
      for (ThreadPool* pool : {&one_thread_, &three_threads_}) {
        GuardedPlanes d_x(height_, width_);
        kernels::convolve_input_backward(packed, d_y, d_x, *pool);
        SCOPED_TRACE(testing::Message() << out_ << " channels, " << height_ << " x " << width_);
        ASSERT_TRUE(d_x.written_inside_only());
        ASSERT_TRUE(
            near_values(d_x, expected, magnitude, whole_ ? 0 : kSumTolerance, 3, height_, width_));
      }
    });
  }

  GuardedMap absolute_forward(const GuardedPlanes& x, bool with_bias) const {
    std::vector<float> kernel(kernel_);
    std::vector<float> bias(bias_);
    for (float& value : kernel) value = std::abs(value);
    for (float& value : bias) value = std::abs(value);
    GuardedPlanes absolute_x(height_, width_,
                             [&](int c, int y, int i) { return std::abs(x.at(c, y, i)); });
    surround(absolute_x);
    GuardedMap magnitude(out_, height_, width_);
    reference::convolve_input(kernel, with_bias ? bias.data() : nullptr, absolute_x, magnitude,
                              nullptr);
    return magnitude;
  }

  template <typename Map>
  void surround(Map& map) const {
    if (edges_ == Edges::periodic) reference::wrap_ring(map);
  }

  int out_ = 0, height_ = 0, width_ = 0;
  bool whole_ = false;
  Edges edges_ = Edges::zero;
  std::vector<float> kernel_, bias_;
  Random random_{0};
  ThreadPool one_thread_{1};
  ThreadPool three_threads_{3};
};

TEST_F(InputConvolution, IsItsTwinAtEverySmallSize) {
  for (int height = 1; height <= 14; ++height) {
    for (int width = 1; width <= 14; ++width) {
      make(32, height, width, false);
      for (const bool bias : {false, true}) {
        for (const bool relu : {false, true}) expect_forward_like_twin(bias, relu);
      }
      if (HasFailure()) return;
    }
  }
}

TEST_F(InputConvolution, IsItsTwinForEveryNumberOfChannels) {
  for (const int out : {16, 32, 48, 64}) {
    for (const int width : {17, 31, 33, 50}) {
      for (const bool whole : {false, true}) {
        make(out, 5, width, whole);
        expect_forward_like_twin(true, true);
        expect_forward_like_twin(false, false);
        if (HasFailure()) return;
      }
    }
  }
}

TEST_F(InputConvolution, BackwardIsItsTwinAtEverySmallSize) {
  for (int height = 1; height <= 14; ++height) {
    for (int width = 1; width <= 14; ++width) {
      make(16, height, width, (height + width) % 2 == 0);
      expect_backward_like_twin();
      if (HasFailure()) return;
    }
  }
}

TEST_F(InputConvolution, WithPeriodicEdgesIsItsTwinForwardAndBackward) {
  edges_ = Edges::periodic;
  for (int height = 1; height <= 10; height += 3) {
    for (int width = 1; width <= 14; ++width) {
      make(width % 2 == 0 ? 16 : 48, height, width, width % 3 == 0);
      expect_forward_like_twin(true, true);
      expect_backward_like_twin();
      if (HasFailure()) return;
    }
  }
}

TEST_F(InputConvolution, BackwardIsItsTwinForEveryNumberOfChannels) {
  for (const int out : {16, 32, 48, 64}) {
    for (const int width : {17, 31, 33, 50}) {
      for (const bool whole : {false, true}) {
        make(out, 5, width, whole);
        expect_backward_like_twin();
        if (HasFailure()) return;
      }
    }
  }
}

// Whether two maps, or two pictures, are the same throughout: values, ring and what lies around.
template <typename Map>
bool same_throughout(const Map& a, const Map& b) {
  return same_bits(std::span(a.data, a.floats()), std::span(b.data, b.floats()));
}

TEST(WrapRing, IsItsTwinAndWritesNothingElse) {
  const auto value = [](int c, int y, int x) { return static_cast<float>(100 * c + 10 * y + x); };
  for (const auto& [height, width] : {std::pair{1, 1}, {1, 5}, {4, 1}, {2, 2}, {6, 9}}) {
    SCOPED_TRACE(testing::Message() << height << " x " << width);
    GuardedMap map(32, height, width), expected_map(32, height, width);
    map.fill(value);
    expected_map.fill(value);
    GuardedPlanes planes(height, width, value), expected_planes(height, width, value);
    reference::wrap_ring(expected_map);
    reference::wrap_ring(expected_planes);
    EXPECT_FALSE(same_throughout<FeatureMap>(map, expected_map));
    kernels::wrap_ring(map);
    kernels::wrap_ring(planes);
    EXPECT_TRUE(same_throughout<FeatureMap>(map, expected_map));
    EXPECT_TRUE(same_throughout<InputPlanes>(planes, expected_planes));
  }
}

}  // namespace
}  // namespace limn
