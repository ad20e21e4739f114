// The 3 x 3 convolution and its packing against the slow twin.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/kernels.h"
#include "kernels/reference.h"
#include "support/guarded_memory.h"
#include "support/random_values.h"
#include "support/simd_targets.h"
#include "support/tolerance.h"

namespace limn {
namespace {

struct Shape {
  int in, out, height, width;
};
std::ostream& operator<<(std::ostream& out, const Shape& s) {
  return out << s.in << " to " << s.out << " channels, " << s.height << " x " << s.width;
}

struct Form {
  bool bias, relu;
};
constexpr Form kForms[] = {{true, true}, {true, false}, {false, true}, {false, false}};

enum class Values { random, whole };

std::vector<float> absolute(std::vector<float> values) {
  for (float& value : values) value = std::abs(value);
  return values;
}

// What a convolution reads. Random values leave roundings; whole ones none.
class Convolution3x3 : public testing::Test {
 protected:
  void make(const Shape& shape, Values values) {
    shape_ = shape;
    const std::uint64_t seed = std::uint64_t{1000} * shape.height + shape.width;
    const size_t size = static_cast<size_t>(shape.in) * shape.out * 9;
    const bool whole = values == Values::whole;
    kernel_ = whole ? random_wholes(size, seed, 2) : random_values(size, seed);
    bias_ = whole ? random_wholes(shape.out, seed + 1, 5) : random_values(shape.out, seed + 1);
    random_ = Random(seed + 2);
    whole_ = whole;
  }
  float next() { return whole_ ? random_whole(random_, 3) : random_signed(random_); }

  // Fast and slow, on every target, with 1 and 3 threads.
  void expect_forward_like_twin(const Form& form) {
    const int in = shape_.in, out = shape_.out, height = shape_.height, width = shape_.width;
    GuardedMap x(in, height, width, [&](int, int, int) { return next(); });
    GuardedMap expected(out, height, width);
    GuardedBits expected_signs(out, height, width);
    const CellBits* signs = form.relu ? &expected_signs.bits() : nullptr;
    reference::convolve(kernel_, form.bias ? bias_.data() : nullptr, x, expected, signs);

    GuardedMap absolute_x(in, height, width,
                          [&](int c, int y, int i) { return std::abs(x.at(c, y, i)); });
    GuardedMap magnitude(out, height, width);
    if (!whole_) {
      const std::vector<float> bias = absolute(bias_);
      reference::convolve(absolute(kernel_), form.bias ? bias.data() : nullptr, absolute_x,
                          magnitude, nullptr);
    }

    const auto packed = kernels::pack_kernel(kernel_, in, out, kernels::Direction::forward);
    on_every_target([&] {
      for (ThreadPool* pool : {&one_thread_, &three_threads_}) {
        GuardedMap y(out, height, width);
        GuardedBits found_signs(out, height, width);
        kernels::convolve(packed, form.bias ? bias_.data() : nullptr, x, y,
                          form.relu ? &found_signs.bits() : nullptr, *pool);
        SCOPED_TRACE(testing::Message() << shape_ << ", bias " << form.bias << ", ReLU "
                                        << form.relu << ", threads " << pool->threads());
        ASSERT_TRUE(y.written_inside_only());
        ASSERT_TRUE(found_signs.guards_untouched());
        if (whole_) {
          ASSERT_TRUE(same_values(y, expected, out, height, width));
          if (form.relu) {
            ASSERT_TRUE(same_values(found_signs, expected_signs, out, height, width));
          }
        } else {
          ASSERT_TRUE(near_values(y, expected, magnitude, kSumTolerance, out, height, width));
          // Near the twin's value, and the bit as that value says: so the bit is the twin's
          // wherever the twin's sum is not within the tolerance of 0.
          if (form.relu) {
            ASSERT_TRUE(bits_tell_what_is_above_0(found_signs, y));
          }
        }
      }
    });
  }

  // The kernel packed for backward is the twin's transposed convolution.
  void expect_backward_like_twin() {
    const int in = shape_.in, out = shape_.out, height = shape_.height, width = shape_.width;
    GuardedMap d_y(out, height, width, [&](int, int, int) { return next(); });
    GuardedMap expected(in, height, width);
    reference::convolve_backward(kernel_, d_y, expected);

    GuardedMap absolute_d_y(out, height, width,
                            [&](int c, int y, int i) { return std::abs(d_y.at(c, y, i)); });
    GuardedMap magnitude(in, height, width);
    reference::convolve_backward(absolute(kernel_), absolute_d_y, magnitude);

    const auto packed = kernels::pack_kernel(kernel_, in, out, kernels::Direction::backward);
    EXPECT_EQ(packed.in, out);
    EXPECT_EQ(packed.out, in);
    on_every_target([&] {
      for (ThreadPool* pool : {&one_thread_, &three_threads_}) {
        GuardedMap d_x(in, height, width);
        kernels::convolve(packed, nullptr, d_y, d_x, nullptr, *pool);
        SCOPED_TRACE(testing::Message() << shape_ << ", threads " << pool->threads());
        ASSERT_TRUE(d_x.written_inside_only());
        ASSERT_TRUE(
            near_values(d_x, expected, magnitude, whole_ ? 0 : kSumTolerance, in, height, width));
      }
    });
  }

  static testing::AssertionResult bits_tell_what_is_above_0(const GuardedBits& signs,
                                                            const GuardedMap& y) {
    testing::AssertionResult result = testing::AssertionSuccess();
    const ConstFeatureMap map = y;
    for_each_value(map.channels, map.height, map.width, [&](int c, int row, int column) {
      if (!result || signs.at(c, row, column) == (map.at(c, row, column) > 0)) return;
      result = testing::AssertionFailure()
               << "the sign bit of channel " << c << ", row " << row << ", column " << column
               << " is not that of " << map.at(c, row, column);
    });
    return result;
  }

  Shape shape_{};
  std::vector<float> kernel_, bias_;
  Random random_{0};
  bool whole_ = false;
  ThreadPool one_thread_{1};
  ThreadPool three_threads_{3};
};

TEST_F(Convolution3x3, IsItsTwinAtEverySmallSize) {
  for (int height = 1; height <= 14; ++height) {
    for (int width = 1; width <= 14; ++width) {
      make({16, 32, height, width}, Values::random);
      for (const Form& form : kForms) expect_forward_like_twin(form);
      if (HasFailure()) return;
    }
  }
}

// Every remainder of one, two and three of the widest tiles, and one or two output blocks at once.
TEST_F(Convolution3x3, IsItsTwinAtEveryWidth) {
  for (int width = 1; width <= 50; ++width) {
    make({16, 48, 2, width}, Values::random);
    for (const Form& form : {kForms[0], kForms[3]}) expect_forward_like_twin(form);
    if (HasFailure()) return;
  }
}

TEST_F(Convolution3x3, IsItsTwinForEveryNumberOfChannels) {
  for (const int in : {16, 32, 48, 64}) {
    for (const int out : {16, 32, 48, 64}) {
      for (const auto& [height, width] : {std::pair{9, 17}, {2, 31}, {1, 50}, {17, 3}}) {
        make({in, out, height, width}, Values::random);
        expect_forward_like_twin(kForms[(height + in / 16 + out / 16) % 4]);
        if (HasFailure()) return;
      }
    }
  }
}

TEST_F(Convolution3x3, OfWholeNumbersIsItsTwinToTheBit) {
  for (const auto& [height, width] : {std::pair{1, 1}, {3, 5}, {8, 12}, {9, 13}, {17, 33}}) {
    make({48, 48, height, width}, Values::whole);
    for (const Form& form : kForms) expect_forward_like_twin(form);
    if (HasFailure()) return;
  }
}

TEST_F(Convolution3x3, PackedForBackwardIsTheTransposedConvolution) {
  for (const int in : {16, 48, 64}) {
    for (const int out : {16, 32, 48}) {
      for (const auto& [height, width] : {std::pair{1, 1}, {2, 7}, {9, 13}, {3, 26}}) {
        make({in, out, height, width}, Values::random);
        expect_backward_like_twin();
        make({in, out, height, width}, Values::whole);
        expect_backward_like_twin();
        if (HasFailure()) return;
      }
    }
  }
}

TEST_F(Convolution3x3, PackedForBackwardIsTheTransposedConvolutionAtEverySmallSize) {
  for (int height = 1; height <= 9; ++height) {
    for (int width = 1; width <= 14; ++width) {
      make({32, 16, height, width}, Values::whole);
      expect_backward_like_twin();
      if (HasFailure()) return;
    }
  }
}

// The layout that kernels.h promises: [out / 16][in / 16][3][3][16 in][16 out].
TEST(PackedKernel, LiesAsDocumented) {
  constexpr int kIn = 32;
  constexpr int kOut = 48;
  std::vector<float> kernel(kIn * kOut * 9);
  for (size_t i = 0; i < kernel.size(); ++i) kernel[i] = static_cast<float>(i);
  const auto packed = kernels::pack_kernel(kernel, kIn, kOut, kernels::Direction::forward);
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
