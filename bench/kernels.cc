// Micro-benchmarks of the kernels at VGG-19's shapes, for one picture of LIMN_BENCH_SIZE x
// LIMN_BENCH_SIZE (512). Rates count the operations of the direct method, as docs/speed.md does, so
// a method that needs fewer shows a higher rate. Threads: LIMN_BENCH_THREADS (all).
//
//   build/kernels_bench --benchmark_filter=Convolve
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <vector>

#include "base/random.h"
#include "kernels/kernels.h"

namespace limn {
namespace {

using kernels::Direction;
using kernels::Sink;
using kernels::Source;

int setting(const char* name, int otherwise) {
  const char* text = std::getenv(name);
  return text ? std::atoi(text) : otherwise;
}

int picture_size() { return setting("LIMN_BENCH_SIZE", 512); }

ThreadPool& pool() {
  static ThreadPool pool(setting("LIMN_BENCH_THREADS", 0));
  return pool;
}

void fill(std::span<float> values) {
  Random random(values.size());
  for (float& value : values) value = static_cast<float>(random.uniform() - 0.5);
}

// A feature map of random values with a zero ring.
struct Map {
  Map(int channels, int side) : map{nullptr, channels, side, side}, memory(map.floats()) {
    map.data = memory.data();
    Random random(channels);
    for (int c = 0; c < channels; ++c) {
      for (int y = 0; y < side; ++y) {
        for (int x = 0; x < side; ++x) map.at(c, y, x) = static_cast<float>(random.uniform() - 0.5);
      }
    }
  }
  FeatureMap map;
  Buffer<float> memory;
};

struct Bits {
  Bits(int channels, int side) : memory(bit_words(channels, side, side)) {
    Random random(channels);
    for (size_t i = 0; i < memory.size(); ++i)
      memory[i] = static_cast<std::uint16_t>(65536 * random.uniform());
    bits = {memory.data(), side, side};
  }
  CellBits bits;
  Buffer<std::uint16_t> memory;
};

void count(benchmark::State& state, double flop) {
  state.counters["GFLOP/s"] =
      benchmark::Counter(flop / 1e9, benchmark::Counter::kIsIterationInvariantRate);
}

double convolution_flop(int in, int out, int side) { return 2.0 * 9 * in * out * side * side; }

kernels::PackedKernel random_kernel(int in, int out) {
  Buffer<float> kernel(static_cast<size_t>(in) * out * 9);
  fill(kernel);
  return kernels::pack_kernel(kernel, in, out);
}

// in, out, and the map's side as a fraction of the picture's
void vgg_shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"in", "out", "part"});
  for (const auto& [in, out, part] : {std::tuple{64, 64, 1},
                                      {64, 128, 2},
                                      {128, 128, 2},
                                      {128, 256, 4},
                                      {256, 256, 4},
                                      {256, 512, 8},
                                      {512, 512, 8},
                                      {512, 512, 16}}) {
    benchmark->Args({in, out, part});
  }
  benchmark->Unit(benchmark::kMillisecond)->UseRealTime();
}

void ConvolveForward(benchmark::State& state) {
  const int in = static_cast<int>(state.range(0));
  const int out = static_cast<int>(state.range(1));
  const int side = picture_size() / static_cast<int>(state.range(2));
  const kernels::PackedKernel kernel = random_kernel(in, out);
  Map x(in, side), y(out, side);
  Bits signs(out, side);
  Source source;
  source.map = x.map;
  Sink sink;
  sink.kind = Sink::Kind::relu;
  sink.map = y.map;
  sink.height = sink.width = side;
  sink.signs = signs.bits;
  for (auto _ : state) {
    kernels::convolve(kernel, Direction::forward, nullptr, source, sink, pool());
  }
  count(state, convolution_flop(in, out, side));
}
BENCHMARK(ConvolveForward)->Apply(vgg_shapes);

void ConvolveBackward(benchmark::State& state) {
  const int in = static_cast<int>(state.range(0));
  const int out = static_cast<int>(state.range(1));
  const int side = picture_size() / static_cast<int>(state.range(2));
  const kernels::PackedKernel kernel = random_kernel(in, out);
  Map d_y(out, side), d_x(in, side);
  Bits signs(out, side);
  Source source;
  source.kind = Source::Kind::relu_gradient;
  source.map = d_y.map;
  source.signs = signs.bits;
  Sink sink;
  sink.map = d_x.map;
  sink.height = sink.width = side;
  for (auto _ : state) {
    kernels::convolve(kernel, Direction::backward, nullptr, source, sink, pool());
  }
  count(state, convolution_flop(in, out, side));
}
BENCHMARK(ConvolveBackward)->Apply(vgg_shapes);

// What first_level computes: conv1_1, conv1_2 (conv1_1 twice in backward) and the Gram matrix.
struct Level {
  Level()
      : side(picture_size()),
        kernel_1(27 * 64),
        kernel_2(random_kernel(64, 64)),
        bias(64),
        pooled(64, side / 2),
        right(64, side / 2),
        below(64, side / 2),
        signs(64, side / 2),
        G(64 * 64),
        scratch(kernels::first_level_scratch(64, side)),
        borders(kernels::first_level_borders(side, side)) {
    x = {nullptr, side, side};
    x_memory = Buffer<float>(x.floats());
    d_x_memory = Buffer<float>(x.floats());
    fill(x_memory);
    fill(kernel_1);
    x.data = x_memory.data();
    d_x = {d_x_memory.data(), side, side};
    level.kernel_1 = kernel_1;
    level.bias_1 = level.bias_2 = bias.data();
    level.kernel_2 = &kernel_2;
    level.features = kernels::FirstLevel::Features::after_relu;
  }
  int side;
  Buffer<float> kernel_1;
  kernels::PackedKernel kernel_2;
  Buffer<float> bias;
  Map pooled;
  Bits right, below, signs;
  Buffer<float> G;
  Buffer<double> scratch;
  Buffer<float> borders, x_memory, d_x_memory;
  InputPlanes x, d_x;
  kernels::FirstLevel level;
};

void FirstLevelForward(benchmark::State& state) {
  Level l;
  Sink sink;
  sink.kind = Sink::Kind::relu_max_pool;
  sink.map = l.pooled.map;
  sink.height = sink.width = l.side;
  sink.signs = l.signs.bits;
  sink.places = {l.right.bits, l.below.bits};
  for (auto _ : state) {
    kernels::first_level(l.level, l.x, sink, l.G, l.scratch, pool());
  }
  count(state, convolution_flop(3, 64, l.side) + convolution_flop(64, 64, l.side) +
                   2.0 * 64 * 64 * l.side * l.side);
}
BENCHMARK(FirstLevelForward)->Unit(benchmark::kMillisecond)->UseRealTime();

void FirstLevelBackward(benchmark::State& state) {
  Level l;
  Source source;
  source.kind = Source::Kind::max_pool_gradient;
  source.map = l.pooled.map;
  source.signs = l.signs.bits;
  source.places = {l.right.bits, l.below.bits};
  for (auto _ : state) {
    kernels::first_level_backward(l.level, l.x, source, l.G, l.d_x, l.borders, pool());
  }
  count(state, convolution_flop(3, 64, l.side) + convolution_flop(64, 64, l.side) +
                   2.0 * 64 * 64 * l.side * l.side);
}
BENCHMARK(FirstLevelBackward)->Unit(benchmark::kMillisecond)->UseRealTime();

void style_shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"channels", "part"});
  for (const auto& [channels, part] :
       {std::tuple{64, 1}, {128, 2}, {256, 4}, {512, 8}, {512, 16}}) {
    benchmark->Args({channels, part});
  }
  benchmark->Unit(benchmark::kMillisecond)->UseRealTime();
}

void Gram(benchmark::State& state) {
  const int channels = static_cast<int>(state.range(0));
  const Map F(channels, picture_size() / static_cast<int>(state.range(1)));
  Buffer<float> G(static_cast<size_t>(channels) * channels);
  Buffer<double> scratch(kernels::gram_scratch_size(F.map));
  for (auto _ : state) kernels::gram(F.map, G, scratch, pool());
  count(state, 2.0 * channels * channels * static_cast<double>(F.map.positions()));
}
BENCHMARK(Gram)->Apply(style_shapes);

void TurnIntoGradient(benchmark::State& state) {
  const int channels = static_cast<int>(state.range(0));
  const Map F(channels, picture_size() / static_cast<int>(state.range(1)));
  Buffer<float> S(static_cast<size_t>(channels) * channels);
  // S is the identity, so that the features, which are overwritten each time, stay in range.
  for (int i = 0; i < channels; ++i) S[static_cast<size_t>(i) * channels + i] = 1;
  for (auto _ : state) kernels::turn_into_gradient(F.map, S, 0, {}, pool());
  count(state, 2.0 * channels * channels * static_cast<double>(F.map.positions()));
}
BENCHMARK(TurnIntoGradient)->Apply(style_shapes);

void Project(benchmark::State& state) {
  const int channels = static_cast<int>(state.range(0));
  const Map F(channels, picture_size() / static_cast<int>(state.range(1)));
  const Map P(channels, F.map.height);
  Buffer<float> V(static_cast<size_t>(channels) * channels);
  fill(V);
  for (auto _ : state) kernels::project(V, F.map, P.map, pool());
  count(state, 2.0 * channels * channels * static_cast<double>(F.map.positions()));
}
BENCHMARK(Project)->Apply(style_shapes);

void GradientFromHalf(benchmark::State& state) {
  const int channels = static_cast<int>(state.range(0));
  const Map F(channels, picture_size() / static_cast<int>(state.range(1)));
  Buffer<std::uint16_t> words(HalfMap{nullptr, channels, F.map.height, F.map.width}.words());
  const HalfMap half = {words.data(), channels, F.map.height, F.map.width};
  const Buffer<float> S(static_cast<size_t>(channels) * channels);
  for (auto _ : state) {
    kernels::round_to_half(F.map, half, pool());
    kernels::gradient_from_half(half, window_of(F.map), S, F.map, pool());
  }
  count(state, 2.0 * channels * channels * static_cast<double>(F.map.positions()));
}
BENCHMARK(GradientFromHalf)->Apply(style_shapes);

// A search among as many positions of a painting as neighbours losses search: the built-in
// network's widths, then VGG-19's.
void Nearest(benchmark::State& state) {
  constexpr int kCandidates = 8192;
  const int channels = static_cast<int>(state.range(0));
  const Map F(channels, picture_size() / static_cast<int>(state.range(1)));
  Buffer<float> painting(static_cast<size_t>(channels) * kCandidates);
  fill({painting.data(), painting.size()});
  const kernels::PackedCandidates candidates = kernels::pack_candidates(
      {painting.data(), channels, kCandidates, size_t{kCandidates} * kBlock}, pool());
  const kernels::Vectors x = kernels::positions_of(F.map);
  const std::vector<float> bias(kCandidates);
  std::vector<int> match(x.count);
  std::vector<float> score(x.count);
  for (auto _ : state) kernels::nearest(x, candidates, bias, match, score, pool());
  count(state, 2.0 * channels * kCandidates * static_cast<double>(F.map.positions()));
}
BENCHMARK(Nearest)
    ->ArgNames({"channels", "part"})
    ->Args({16, 1})
    ->Args({32, 2})
    ->Args({64, 4})
    ->Args({64, 1})
    ->Args({128, 2})
    ->Args({256, 4})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void Congruence(benchmark::State& state) {
  const auto C = static_cast<size_t>(state.range(0));
  Buffer<double> K(C * C), D(C * C), KD(C * C), KDK(C * C);
  for (size_t i = 0; i < C * C; ++i) K[i] = D[i] = 1e-3 * static_cast<double>(i % C + i / C);
  for (auto _ : state) kernels::congruence(K, D, C, KD, KDK, pool());
  count(state, 4.0 * static_cast<double>(C * C * C));
}
BENCHMARK(Congruence)
    ->ArgName("channels")
    ->Arg(64)
    ->Arg(160)
    ->Arg(256)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void Dot(benchmark::State& state) {
  Buffer<float> a(static_cast<size_t>(3) * picture_size() * picture_size()), b(a.size());
  fill(a);
  fill(b);
  for (auto _ : state) benchmark::DoNotOptimize(kernels::dot(a, b, pool()));
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * a.size() * 8));
}
BENCHMARK(Dot)->UseRealTime();

void AddScaled(benchmark::State& state) {
  Buffer<float> a(static_cast<size_t>(3) * picture_size() * picture_size()), b(a.size());
  fill(a);
  for (auto _ : state) kernels::add_scaled(1e-6f, a, b, pool());
  state.SetBytesProcessed(static_cast<int64_t>(state.iterations() * a.size() * 12));
}
BENCHMARK(AddScaled)->UseRealTime();

}  // namespace
}  // namespace limn

BENCHMARK_MAIN();
