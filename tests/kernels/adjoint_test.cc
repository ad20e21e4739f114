// Every backward is the transpose of its forward's slope: for a forward f, a step v of its input
// and a gradient u of its output,
//   sum u (f(x + v) - f(x)) = sum backward(u) v,
// a finite difference that is exact because each f is linear where it does not switch. With whole
// numbers nothing is rounded either, so both sides must be equal, not near. The slow twins are what
// is tested here, for winograd_test.cc and its neighbours hold the fast kernels against them; only
// the fast convolution, which rounds even whole numbers, is tested here as well.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "kernels/reference.h"
#include "support/convolution_ends.h"
#include "support/guarded_memory.h"
#include "support/random_values.h"
#include "support/simd_targets.h"

namespace limn {
namespace {

constexpr std::pair<int, int> kSizes[] = {{1, 1}, {1, 4}, {2, 2}, {3, 5}, {4, 7}, {6, 6}};

GuardedMap whole_map(int channels, int height, int width, std::uint64_t seed, int most = 3) {
  Random random(seed);
  return GuardedMap(channels, height, width,
                    [&](int, int, int) { return random_whole(random, most); });
}

GuardedMap zeros(int channels, int height, int width) {
  return GuardedMap(channels, height, width, [](int, int, int) { return 0.0f; });
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

// ----------------------------------------------------------------- the convolution and its ends --

using kernels::Direction;
using kernels::Sink;
using kernels::Source;

// Sets u to 0 where a sign or a place differs between two outputs: f need not be linear there.
void forget_where_switched(Sink::Kind kind, const GuardedSink& a, const GuardedSink& b,
                           GuardedMap& u) {
  const ConstFeatureMap map = u;
  u.fill([&](int c, int y, int x) {
    bool same = true;
    if (kind == Sink::Kind::relu) same = a.signs.at(c, y, x) == b.signs.at(c, y, x);
    if (kind == Sink::Kind::relu_max_pool) {
      for (const auto bits : {&GuardedSink::signs, &GuardedSink::right, &GuardedSink::below}) {
        same &= (a.*bits).at(c, y, x) == (b.*bits).at(c, y, x);
      }
    }
    if (kind == Sink::Kind::relu_average_pool) {
      for (int i = 2 * y; i < std::min(2 * y + 2, a.height()); ++i) {
        for (int j = 2 * x; j < std::min(2 * x + 2, a.width()); ++j) {
          same &= a.signs.at(c, i, j) == b.signs.at(c, i, j);
        }
      }
    }
    return same ? map.at(c, y, x) : 0.0f;
  });
}

// convolve(direction, bias, source, sink), of a kernel of 16 x 32 channels, against its slope.
// tolerance: of the absolute terms.
template <typename Convolve>
void expect_backward_is_slope(Sink::Kind kind, Edges edges, int height, int width, double tolerance,
                              Convolve&& convolve) {
  SCOPED_TRACE(testing::Message() << name_of(kind) << ", " << height << " x " << width
                                  << (edges == Edges::periodic ? ", periodic" : ""));
  constexpr int kIn = 16, kOut = 32;
  const std::vector<float> bias = random_wholes(kOut, 2, 4);
  // Large values and small, sparse steps, so that few signs and places change.
  Random random(3);
  const GuardedMap x(kIn, height, width,
                     [&](int, int, int) { return 8 * random_whole(random, 3); });
  const GuardedMap v(kIn, height, width, [&](int, int, int) {
    return random.bits() % 4 == 0 ? random_whole(random, 1) : 0.0f;
  });
  const auto output = [&](const GuardedMap& at) {
    GuardedSink sink(kind, kOut, height, width);
    if (kind == Sink::Kind::add)
      sink.map.fill([](int c, int y, int i) { return float(c + y - i); });
    Source source;
    source.map = at;
    source.edges = edges;
    convolve(Direction::forward, bias.data(), source, sink.sink());
    return sink;
  };
  const GuardedSink earlier = output(x);
  const GuardedSink later = output(sum(x, v));

  GuardedSource u(gradient_of(kind), kOut, height, width, edges);
  u.map.fill([&](int, int, int) { return random_whole(random, 3); });
  if (edges == Edges::zero) u.map.fill_ring([] { return 0.0f; });
  forget_where_switched(kind, earlier, later, u.map);
  for (const auto bits : {&GuardedEnd::signs, &GuardedEnd::right, &GuardedEnd::below}) {
    std::ranges::copy((earlier.*bits).words(), (u.*bits).words().begin());
  }
  GuardedSink d_x(Sink::Kind::set, kIn, height, width);
  convolve(Direction::backward, nullptr, u.source(), d_x.sink());

  double magnitude = 0, kept = 0, all = 0;
  const ConstFeatureMap shape = u.map;
  for_each_value(shape.channels, shape.height, shape.width, [&](int c, int row, int column) {
    magnitude +=
        std::abs(double{shape.at(c, row, column)}) *
        (std::abs(later.map.at(c, row, column)) + std::abs(earlier.map.at(c, row, column)));
    kept += shape.at(c, row, column) != 0;
    ++all;
  });
  EXPECT_NEAR(change(u.map, later.map, earlier.map), dot(d_x.map, v), tolerance * magnitude);
  EXPECT_GT(kept, all / 2) << "this tests little";
}

// Calls check(kind, edges, height, width) for every sink, at all sizes that can be pooled.
template <typename Check>
void for_every_sink(Check&& check) {
  for (const auto& [height, width] : kSizes) {
    for (const Sink::Kind kind : kSinkKinds) {
      for (const Edges edges : {Edges::zero, Edges::periodic}) {
        if (!can_be_pooled(kind, height, width)) continue;
        if (edges == Edges::periodic && !can_repeat(gradient_of(kind), height, width)) continue;
        check(kind, edges, height, width);
      }
    }
  }
}

TEST(Backward, OfAConvolutionIntoAnySinkIsItsSlope) {
  const std::vector<float> kernel = random_wholes(32 * 16 * 9, 1, 2);
  for_every_sink([&](Sink::Kind kind, Edges edges, int height, int width) {
    expect_backward_is_slope(
        kind, edges, height, width, 0,
        [&](Direction direction, const float* bias, const Source& source, const Sink& sink) {
          reference::convolve(kernel, direction, bias, source, sink);
        });
  });
}

// Each output is off by some 1e-6 (winograd_bound.h), up or down.
TEST(Backward, OfTheFastConvolutionIntoAnySinkIsItsSlope) {
  const std::vector<float> kernel = random_wholes(32 * 16 * 9, 1, 2);
  const auto packed = kernels::pack_kernel(kernel, 16, 32);
  ThreadPool pool(2);
  on_every_target([&] {
    for_every_sink([&](Sink::Kind kind, Edges edges, int height, int width) {
      expect_backward_is_slope(
          kind, edges, height, width, 1e-6,
          [&](Direction direction, const float* bias, const Source& source, const Sink& sink) {
            kernels::convolve(packed, direction, bias, source, sink, pool);
          });
    });
  });
}

// ------------------------------------------------------------------------------- single kernels --

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
    reference::convolve(kernel, bias.data(), x, earlier);
    reference::convolve(kernel, bias.data(), sum(x, v), later);
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
    GuardedMap d_x = zeros(16, height, width);
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
    GuardedMap d_x = zeros(16, height, width);
    reference::average_pool(x, earlier);
    reference::average_pool(sum(x, v), later);
    reference::average_pool_backward(u, d_x);
    EXPECT_EQ(change(u, later, earlier), dot(d_x, v)) << height << " x " << width;
  }
}

// A symmetric matrix of whole numbers.
std::vector<float> symmetric(size_t channels, Random& random, int most) {
  std::vector<float> T(channels * channels);
  for (size_t i = 0; i < channels; ++i) {
    for (size_t j = 0; j <= i; ++j) {
      T[i * channels + j] = T[j * channels + i] = random_whole(random, most);
    }
  }
  return T;
}

// sum T G
double dot(const std::vector<float>& T, const std::vector<float>& G) {
  double total = 0;
  for (size_t i = 0; i < T.size(); ++i) total += double{T[i]} * G[i];
  return total;
}

std::vector<float> twice(std::vector<float> values) {
  for (float& value : values) value *= 2;
  return values;
}

// L = sum T G(F) + 2 sum (F - P)^2 for a symmetric T is quadratic in F, so a central difference
// with the whole step v is exact: L(F + v) - L(F - v) = 2 sum (dL / dF) v, and dL / dF = 2 T F + 4
// (F - P).
TEST(Gradient, OfLossesThatReadFeaturesIsTheirSlope) {
  for (const auto& [height, width] : kSizes) {
    constexpr int kChannels = 32;
    Random random(9);
    const std::vector<float> T = symmetric(kChannels, random, 3);
    const GuardedMap P = whole_map(kChannels, height, width, 5);
    const GuardedMap minus_P(kChannels, height, width,
                             [&](int c, int y, int x) { return -P.at(c, y, x); });
    const auto loss = [&](const GuardedMap& F) {
      std::vector<float> G(T.size());
      reference::gram(F, G);
      const GuardedMap difference = sum(F, minus_P);
      return dot(T, G) + 2 * dot(difference, difference);
    };
    const GuardedMap F = whole_map(kChannels, height, width, 3);
    const GuardedMap v = whole_map(kChannels, height, width, 4);
    const GuardedMap minus_v(kChannels, height, width,
                             [&](int c, int y, int x) { return -v.at(c, y, x); });
    GuardedMap d_F(kChannels, height, width);
    d_F.fill([&](int c, int y, int x) { return F.at(c, y, x); });
    reference::turn_into_gradient(d_F, twice(T), 4, P);
    EXPECT_EQ(loss(sum(F, v)) - loss(sum(F, minus_v)), 2 * dot(d_F, v)) << height << " x " << width;
  }
}

// ------------------------------------------------------------------------------ the first level --

// L = sum u P(x) + sum T G(x), of the level's pooled output P and of its Gram matrix G. Features
// are at least 4 from 0 and step by at most 2, so that none changes its sign: P is linear where no
// later sign or place switches, and G is quadratic, which makes a central difference exact.
void expect_first_level_backward_is_slope(Sink::Kind kind, kernels::FirstLevel::Features features,
                                          Edges edges, int height, int width) {
  SCOPED_TRACE(testing::Message() << name_of(kind) << ", features " << static_cast<int>(features)
                                  << ", " << height << " x " << width
                                  << (edges == Edges::periodic ? ", periodic" : ""));
  constexpr int kC = 16, kOut = 16;
  const std::vector<float> kernel_1 = random_wholes(kC * 27, 1, 1);
  const std::vector<float> kernel_2 = random_wholes(kOut * kC * 9, 2, 1);
  const std::vector<float> bias_2 = random_wholes(kOut, 3, 4);
  std::vector<float> bias_1 = random_wholes(kC, 4, 2);
  for (float& value : bias_1) value = 8 * value + 4;
  const reference::FirstLevel level = {kernel_1,      bias_1.data(), kernel_2,
                                       bias_2.data(), features,      edges};

  Random random(5);
  GuardedPlanes x(height, width, [&](int, int, int) { return 8 * random_whole(random, 2); });
  if (edges == Edges::periodic) reference::wrap_ring(x);
  // Each feature sees one pixel that steps.
  const GuardedPlanes v(height, width, [&](int c, int y, int i) {
    return c == 1 && y % 3 == 0 && i % 3 == 0 ? random_whole(random, 2) : 0.0f;
  });
  const bool with_gram = features != kernels::FirstLevel::Features::none;
  const std::vector<float> T = with_gram ? symmetric(kC, random, 1) : std::vector<float>();
  std::vector<float> G(T.size());
  double slope_of_G = 0;
  const auto output = [&](int sign) {
    GuardedPlanes there(height, width, [&](int c, int y, int i) {
      return x.at(c, y, i) + static_cast<float>(sign) * v.at(c, y, i);
    });
    if (edges == Edges::periodic) reference::wrap_ring(there);
    GuardedSink sink(kind, kOut, height, width);
    reference::first_level(level, there, sink.sink(), G);
    slope_of_G += sign * dot(T, G);
    return sink;
  };
  const GuardedSink later = output(1);
  const GuardedSink earlier = output(-1);
  GuardedSource u(gradient_of(kind), kOut, height, width, edges);
  u.map.fill([&](int, int, int) { return random_whole(random, 3); });
  forget_where_switched(kind, earlier, later, u.map);
  for (const auto bits : {&GuardedEnd::signs, &GuardedEnd::right, &GuardedEnd::below}) {
    std::ranges::copy((earlier.*bits).words(), (u.*bits).words().begin());
  }
  GuardedPlanes d_x(height, width);
  reference::first_level_backward(level, x, u.source(), twice(T), d_x);
  double slope = 0;
  for_each_value(3, height, width, [&](int c, int y, int i) {
    slope += 2 * double{d_x.at(c, y, i)} * v.at(c, y, i);
  });
  EXPECT_EQ(change(u.map, later.map, earlier.map) + slope_of_G, slope);
  EXPECT_NE(slope, 0);
}

void expect_first_level_backward_is_slope(Edges edges, int height, int width) {
  using Features = kernels::FirstLevel::Features;
  for (const Sink::Kind kind : {Sink::Kind::relu_max_pool, Sink::Kind::relu_average_pool}) {
    if (!can_be_pooled(kind, height, width)) continue;
    for (const Features features : {Features::none, Features::before_relu, Features::after_relu}) {
      expect_first_level_backward_is_slope(kind, features, edges, height, width);
    }
  }
}

TEST(Backward, OfTheFirstLevelIsItsSlope) {
  for (const auto& [height, width] : kSizes) {
    expect_first_level_backward_is_slope(Edges::zero, height, width);
  }
  // Multiples of 3: then each feature sees one pixel that steps across the edges too.
  for (const auto& [height, width] : {std::pair{6, 6}, {6, 12}, {12, 6}}) {
    expect_first_level_backward_is_slope(Edges::periodic, height, width);
  }
}

}  // namespace
}  // namespace limn
