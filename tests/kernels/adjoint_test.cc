// Every backward is the transpose of its forward's slope: for a forward f, a step v of its input
// and a gradient u of its output,
//   sum u (f(x + v) - f(x)) = sum backward(u) v,
// a finite difference that is exact because each f is linear where it does not switch. With whole
// numbers nothing is rounded either, so both sides must be equal, not near. The slow twins are what
// is tested here; conv_test.cc and its neighbours hold the fast kernels against them.
#include <gtest/gtest.h>

#include <vector>

#include "kernels/reference.h"
#include "support/guarded_memory.h"
#include "support/random_values.h"

namespace limn {
namespace {

constexpr std::pair<int, int> kSizes[] = {{1, 1}, {1, 4}, {2, 2}, {3, 5}, {4, 7}, {6, 6}};

GuardedMap whole_map(int channels, int height, int width, std::uint64_t seed, int most = 3) {
  Random random(seed);
  return GuardedMap(channels, height, width,
                    [&](int, int, int) { return random_whole(random, most); });
}

GuardedMap sum(const GuardedMap& a, const GuardedMap& b) {
  const ConstFeatureMap map = a;
  return GuardedMap(map.channels, map.height, map.width,
                    [&](int c, int y, int x) { return a.at(c, y, x) + b.at(c, y, x); });
}

// sum u (later - earlier)
double change(const GuardedMap& u, const GuardedMap& later, const GuardedMap& earlier) {
  const ConstFeatureMap map = u;
  double total = 0;
  for_each_value(map.channels, map.height, map.width, [&](int c, int y, int x) {
    total += double{u.at(c, y, x)} * (double{later.at(c, y, x)} - earlier.at(c, y, x));
  });
  return total;
}

double dot(const GuardedMap& a, const GuardedMap& b) {
  const ConstFeatureMap map = a;
  double total = 0;
  for_each_value(map.channels, map.height, map.width,
                 [&](int c, int y, int x) { total += double{a.at(c, y, x)} * b.at(c, y, x); });
  return total;
}

TEST(Backward, OfAConvolutionIsItsTranspose) {
  for (const auto& [height, width] : kSizes) {
    const std::vector<float> kernel = random_wholes(32 * 16 * 9, 1, 2);
    const std::vector<float> bias = random_wholes(32, 2, 4);
    const GuardedMap x = whole_map(16, height, width, 3);
    const GuardedMap v = whole_map(16, height, width, 4);
    const GuardedMap u = whole_map(32, height, width, 5);
    GuardedMap earlier(32, height, width);
    GuardedMap later(32, height, width);
    GuardedMap d_x(16, height, width);
    reference::convolve(kernel, bias.data(), x, earlier, nullptr);
    reference::convolve(kernel, bias.data(), sum(x, v), later, nullptr);
    reference::convolve_backward(kernel, u, d_x);
    EXPECT_EQ(change(u, later, earlier), dot(d_x, v)) << height << " x " << width;
    EXPECT_NE(dot(d_x, v), 0);
  }
}

TEST(Backward, OfTheFirstConvolutionIsItsTranspose) {
  for (const auto& [height, width] : kSizes) {
    const std::vector<float> kernel = random_wholes(16 * 27, 1, 2);
    const std::vector<float> bias = random_wholes(16, 2, 4);
    Random random(3);
    const auto next = [&](int, int, int) { return random_whole(random, 3); };
    const GuardedPlanes x(height, width, next);
    const GuardedPlanes v(height, width, next);
    const GuardedPlanes moved(height, width,
                              [&](int c, int y, int i) { return x.at(c, y, i) + v.at(c, y, i); });
    const GuardedMap u = whole_map(16, height, width, 5);
    GuardedMap earlier(16, height, width);
    GuardedMap later(16, height, width);
    GuardedPlanes d_x(height, width);
    reference::convolve_input(kernel, bias.data(), x, earlier, nullptr);
    reference::convolve_input(kernel, bias.data(), moved, later, nullptr);
    reference::convolve_input_backward(kernel, u, d_x);
    double slope = 0;
    for_each_value(3, height, width,
                   [&](int c, int y, int i) { slope += double{d_x.at(c, y, i)} * v.at(c, y, i); });
    EXPECT_EQ(change(u, later, earlier), slope) << height << " x " << width;
    EXPECT_NE(slope, 0);
  }
}

// x lies on the odd numbers and steps by at most 2/4, so that no sign changes.
TEST(Backward, OfReluIsItsSlope) {
  for (const auto& [height, width] : kSizes) {
    Random random(6);
    const GuardedMap x(16, height, width,
                       [&](int, int, int) { return 2 * random_whole(random, 3) + 1; });
    const GuardedMap v(16, height, width,
                       [&](int, int, int) { return random_whole(random, 2) / 4; });
    GuardedMap d = whole_map(16, height, width, 8);
    const GuardedMap u = whole_map(16, height, width, 8);
    GuardedBits signs(16, height, width);
    GuardedMap earlier(16, height, width);
    GuardedMap later(16, height, width);
    reference::relu(sum(x, v), later, signs.bits());
    reference::relu(x, earlier, signs.bits());
    reference::relu_backward(signs.bits(), d);
    EXPECT_EQ(change(u, later, earlier), dot(d, v)) << height << " x " << width;
  }
}

// The four cells of a maximum differ by at least 2 and step by at most 2/4: the place stays.
TEST(Backward, OfMaxPoolingIsItsSlope) {
  for (const auto& [height, width] : kSizes) {
    if (height < 2 || width < 2) continue;
    const GuardedMap x(16, height, width, [](int c, int y, int i) {
      const int turn = c + y / 2 + i / 2;  // another place wins in every cell
      return static_cast<float>(2 * ((2 * (y % 2) + i % 2 + turn) % 4));
    });
    Random random(6);
    const GuardedMap v(16, height, width,
                       [&](int, int, int) { return random_whole(random, 2) / 4; });
    const GuardedMap u = whole_map(16, height / 2, width / 2, 8);
    GuardedBits right(16, height / 2, width / 2);
    GuardedBits below(16, height / 2, width / 2);
    GuardedMap earlier(16, height / 2, width / 2);
    GuardedMap later(16, height / 2, width / 2);
    GuardedMap d_x(16, height, width);
    reference::max_pool(sum(x, v), later, {right.bits(), below.bits()});
    reference::max_pool(x, earlier, {right.bits(), below.bits()});
    reference::max_pool_backward({right.bits(), below.bits()}, u, d_x);
    EXPECT_EQ(change(u, later, earlier), dot(d_x, v)) << height << " x " << width;
  }
}

TEST(Backward, OfAveragePoolingIsItsTranspose) {
  for (const auto& [height, width] : kSizes) {
    const GuardedMap x = whole_map(16, height, width, 3);
    const GuardedMap v = whole_map(16, height, width, 4);
    const GuardedMap u = whole_map(16, (height + 1) / 2, (width + 1) / 2, 5);
    GuardedMap earlier(16, (height + 1) / 2, (width + 1) / 2);
    GuardedMap later(16, (height + 1) / 2, (width + 1) / 2);
    GuardedMap d_x(16, height, width);
    reference::average_pool(x, earlier);
    reference::average_pool(sum(x, v), later);
    reference::average_pool_backward(u, d_x);
    EXPECT_EQ(change(u, later, earlier), dot(d_x, v)) << height << " x " << width;
  }
}

// L = sum T G(F) for a symmetric T is quadratic in F, so a central difference with the whole step v
// is exact: L(F + v) - L(F - v) = 2 sum (dL / dF) v, and dL / dF = 2 T F.
TEST(Backward, OfAGramMatrixIsTheSlopeOfAFunctionOfIt) {
  for (const auto& [height, width] : kSizes) {
    constexpr size_t kChannels = 32;
    std::vector<float> T(kChannels * kChannels);
    Random random(9);
    for (size_t i = 0; i < kChannels; ++i) {
      for (size_t j = 0; j <= i; ++j) {
        T[i * kChannels + j] = T[j * kChannels + i] = random_whole(random, 3);
      }
    }
    const auto function = [&](const GuardedMap& F) {
      std::vector<float> G(T.size());
      reference::gram(F, G);
      double total = 0;
      for (size_t i = 0; i < T.size(); ++i) total += double{T[i]} * G[i];
      return total;
    };
    const GuardedMap F = whole_map(kChannels, height, width, 3);
    const GuardedMap v = whole_map(kChannels, height, width, 4);
    const GuardedMap minus_v(kChannels, height, width,
                             [&](int c, int y, int x) { return -v.at(c, y, x); });
    std::vector<float> S(T);
    for (float& s : S) s *= 2;
    GuardedMap d_F(kChannels, height, width, [](int, int, int) { return 0.0f; });
    reference::gram_backward(S, F, d_F);
    EXPECT_EQ(function(sum(F, v)) - function(sum(F, minus_v)), 2 * dot(d_F, v))
        << height << " x " << width;
  }
}

}  // namespace
}  // namespace limn
