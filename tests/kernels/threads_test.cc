// Any number of threads gives the same bits; and the targets themselves.
#include <gtest/gtest.h>

#include <string_view>

#include "kernels/kernels.h"
#include "support/convolution_ends.h"
#include "support/guarded_memory.h"
#include "support/random_values.h"
#include "support/same_bits.h"
#include "support/simd_targets.h"

namespace limn {
namespace {

constexpr int kChannels = 48;
constexpr int kHeight = 37;  // several rows of tiles and of pieces, the last ones short
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

// All that was written through a sink; bits that its kind does not write are the same each time.
std::vector<float> written(const GuardedSink& sink) {
  std::vector<float> values = values_of(sink.map);
  for (const GuardedBits* bits : {&sink.signs, &sink.right, &sink.below}) append(values, *bits);
  return values;
}

// How a convolution's tiles are cut into tasks depends on the number of threads.
void expect_convolution_alike(kernels::Source::Kind source_kind, kernels::Sink::Kind sink_kind,
                              kernels::Direction direction, int in, int out,
                              Edges edges = Edges::zero) {
  SCOPED_TRACE(testing::Message() << name_of(source_kind) << " to " << name_of(sink_kind));
  const auto packed =
      kernels::pack_kernel(random_values(static_cast<size_t>(in) * out * 9, 2), in, out);
  const bool forward = direction == kernels::Direction::forward;
  const int reads = forward ? in : out;
  const int writes = forward ? out : in;
  const std::vector<float> bias = random_values(writes, 3);
  Random random(1);
  const GuardedSource source(
      source_kind, reads, kHeight, kWidth, random, [&] { return random_signed(random); }, edges);
  expect_same_bits([&](ThreadPool& pool) {
    GuardedSink sink(sink_kind, writes, kHeight, kWidth);
    if (sink_kind == kernels::Sink::Kind::add) {
      sink.map.fill([](int c, int y, int x) { return static_cast<float>(c + y - x); });
    }
    kernels::convolve(packed, direction, bias.data(), source.source(), sink.sink(), pool);
    return written(sink);
  });
}

TEST(AnyNumberOfThreads, ConvolvesFromAnySourceAlike) {
  for (const kernels::Source::Kind source : kSourceKinds) {
    for (const auto direction : {kernels::Direction::forward, kernels::Direction::backward}) {
      expect_convolution_alike(source, kernels::Sink::Kind::set, direction, kChannels, 32);
    }
  }
}

TEST(AnyNumberOfThreads, ConvolvesIntoAnySinkAlike) {
  for (const kernels::Sink::Kind sink : kSinkKinds) {
    expect_convolution_alike(kernels::Source::Kind::map, sink, kernels::Direction::forward,
                             kChannels, 32);
  }
}

// Sides that were pooled would be even.
TEST(AnyNumberOfThreads, ConvolvesWithPeriodicEdgesAlike) {
  for (const auto source : {kernels::Source::Kind::map, kernels::Source::Kind::relu_gradient}) {
    expect_convolution_alike(source, kernels::Sink::Kind::set, kernels::Direction::forward,
                             kChannels, 32, Edges::periodic);
  }
}

TEST(AnyNumberOfThreads, ConvolvesManyChannelsAlike) {
  expect_convolution_alike(kernels::Source::Kind::relu_gradient, kernels::Sink::Kind::add,
                           kernels::Direction::backward, 32, 272);
}

void expect_first_level_alike(Edges edges, int height) {
  constexpr int kC = 32, kOut = 16;
  constexpr int kPictureWidth = 130;  // two pieces
  const Buffer<float> packed_1 = kernels::pack_input_kernel(random_values(kC * 27, 1), kC);
  const auto packed_2 = kernels::pack_kernel(random_values(kC * kOut * 9, 2), kC, kOut);
  const std::vector<float> bias_1 = random_values(kC, 3);
  const std::vector<float> bias_2 = random_values(kOut, 4);
  std::vector<float> S(kC * kC);
  for (int i = 0; i < kC * kC; ++i) S[i] = static_cast<float>((i / kC + 1) * (i % kC + 1) % 7 - 3);
  Random random(5);
  GuardedPlanes x(height, kPictureWidth, [&](int, int, int) { return random_signed(random); });
  if (edges == Edges::periodic) kernels::wrap_ring(x);
  for (const auto kind :
       {kernels::Sink::Kind::relu_max_pool, kernels::Sink::Kind::relu_average_pool}) {
    for (const auto features :
         {kernels::FirstLevel::Features::before_relu, kernels::FirstLevel::Features::after_relu}) {
      const kernels::FirstLevel level = {packed_1,      bias_1.data(), &packed_2,
                                         bias_2.data(), features,      edges};
      const GuardedSource source(
          gradient_of(kind), kOut, height, kPictureWidth, random,
          [&] { return random_signed(random); }, edges);
      expect_same_bits([&](ThreadPool& pool) {
        GuardedSink sink(kind, kOut, height, kPictureWidth);
        std::vector<float> G(kC * kC);
        Buffer<double> scratch(kernels::first_level_scratch(kC, height));
        kernels::first_level(level, x, sink.sink(), G, scratch, pool);
        GuardedPlanes d_x(height, kPictureWidth);
        Buffer<float> borders(kernels::first_level_borders(height, kPictureWidth));
        kernels::first_level_backward(level, x, source.source(), S, d_x, borders, pool);
        std::vector<float> values = written(sink);
        values.insert(values.end(), G.begin(), G.end());
        for_each_value(3, height, kPictureWidth,
                       [&](int c, int y, int i) { values.push_back(d_x.at(c, y, i)); });
        return values;
      });
    }
  }
}

TEST(AnyNumberOfThreads, RunsTheFirstLevelAlikeForwardAndBackward) {
  expect_first_level_alike(Edges::zero, kHeight);
  expect_first_level_alike(Edges::periodic, kHeight + 1);  // even
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
    GuardedMap d_x = random_map();
    kernels::max_pool_backward({right.bits(), below.bits()}, most, d_x, pool);
    kernels::relu_backward(signs.bits(), d_x, pool);
    kernels::add_relu_backward(signs.bits(), x, d_x, pool);
    append(values, right);
    append(values, below);

    GuardedMap mean(kChannels, (kHeight + 1) / 2, (kWidth + 1) / 2);
    kernels::average_pool(x, mean, pool);
    GuardedMap d_mean = random_map();
    kernels::average_pool_backward(mean, d_mean, pool);
    for (const GuardedMap* map : {&most, &d_x, &mean, &d_mean}) {
      for (const float value : values_of(*map)) values.push_back(value);
    }
    return values;
  });
}

TEST(AnyNumberOfThreads, TakesShiftedGramMatricesAndMomentsAlike) {
  constexpr int kC = 32, kTall = 260, kWide = 131;  // cut into slices
  const GuardedMap F = random_map(kTall, kWide, kC);
  const std::vector<float> m = random_values(size_t{kTall} * kWide, 6);
  expect_same_bits([&](ThreadPool& pool) {
    std::vector<float> G(kC * kC);
    Buffer<double> scratch(kernels::gram_scratch_size(F));
    kernels::shifted_gram(F, {3, 0}, G, scratch, pool);
    std::vector<double> sums(kC), squares(kC);
    Buffer<double> partial(kernels::moments_scratch_size(F));
    kernels::moments(F, m, sums, squares, partial, pool);
    const std::vector<float> a(sums.begin(), sums.end()), b(squares.begin(), squares.end());
    GuardedMap d = random_map(kTall, kWide, kC);
    kernels::add_shifted_gradient(G, F, {3, 0}, d, pool);
    GuardedMap P = random_map(kTall, kWide, kC);
    kernels::project(G, F, P, pool);
    kernels::add_projection_backward(G, P, d, pool);
    kernels::add_moments_gradient(a, b, F, m, d, pool);
    kernels::add_weighed(F, m, d, pool);
    kernels::weigh(d, m, a, d, pool);
    std::vector<float> values = values_of(d);
    for (const auto& more : {G, a, b}) values.insert(values.end(), more.begin(), more.end());
    return values;
  });
}

TEST(AnyNumberOfThreads, MultipliesGramMatricesAndTurnsIntoGradientsAlike) {
  const GuardedMap F = random_map(260, 131, 32);  // cut into four slices
  const GuardedMap P(32, 260, 131, [](int c, int y, int x) { return float(c + y - x) / 400; });
  expect_same_bits([&](ThreadPool& pool) {
    std::vector<float> G(32 * 32);
    Buffer<double> scratch(kernels::gram_scratch_size(F));
    kernels::gram(F, G, scratch, pool);
    GuardedMap gradient = random_map(260, 131, 32);
    kernels::turn_into_gradient(gradient, G, 0.3f, P, pool);
    std::vector<float> values = values_of(gradient);
    values.insert(values.end(), G.begin(), G.end());
    GuardedHalves half(32, 260, 131);
    kernels::round_to_half(F, half.map(), pool);
    values.insert(values.end(), half.words().begin(), half.words().end());
    kernels::gradient_from_half(half.map(), window_of(gradient), G, gradient, pool);
    for (const float value : values_of(gradient)) values.push_back(value);
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
