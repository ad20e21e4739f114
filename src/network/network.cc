#include "network/network.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "base/error.h"

namespace limn {
namespace {

// The ring is a convolution's zero padding; a work map that changes its shape needs a new one.
void clear_ring(FeatureMap map) {
  const auto clear = [](float* cells, size_t count) {
    std::memset(cells, 0, count * kBlock * sizeof(float));
  };
  for (int block = 0; block < map.blocks(); ++block) {
    clear(map.cell(block, -1, -1), static_cast<size_t>(map.width) + 2);
    clear(map.cell(block, map.height, -1), static_cast<size_t>(map.width) + 2);
    for (int y = 0; y < map.height; ++y) {
      clear(map.cell(block, y, -1), 1);
      clear(map.cell(block, y, map.width), 1);
    }
  }
}

// Measures from its making to its end.
class Stopwatch {
 public:
  explicit Stopwatch(double& seconds) : seconds_(seconds) {}
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;
  ~Stopwatch() {
    seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  double& seconds_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace

// ------------------------------------------------------------------------------------- Network --

Network::Network(const Weights& weights, Pooling pooling, int last_row)
    : rows_(weights.network->rows.first(last_row + 1)),
      pooling_(pooling),
      convolutions_(last_row + 1) {
  size_t next = 0;
  for (int row = 0; row <= last_row; ++row) {
    if (rows_[row].kind == RowKind::pooling) continue;
    if (next == weights.convolutions.size()) {
      fail(ErrorKind::usage,
           "the weights in '{}' end before conv{} of {}, which the recipe needs; choose complete "
           "weights, "
           "or shallower layers",
           weights.source, rows_[row].id, weights.network->name);
    }
    convolutions_[row] = &weights.convolutions[next++];
  }
}

int pooled_side(Pooling pooling, int side) {
  return pooling == Pooling::max ? side / 2 : (side + 1) / 2;
}

int smallest_side(std::span<const Row> rows, Pooling pooling, int row) {
  if (pooling == Pooling::average) return 1;
  int side = 1;
  for (int i = 0; i <= row; ++i) {
    if (rows[i].kind == RowKind::pooling) side *= 2;
  }
  return side;
}

// ---------------------------------------------------------------------------------------- Pass --

// -- the plan --

Pass::Pass(const Network& network, int height, int width, std::span<const TapRequest> taps,
           Purpose purpose)
    : network_(network), height_(height), width_(width) {
  plan_shapes(taps);
  plan_memory(purpose);
}

bool Pass::is_convolution(int row) const {
  return network_.rows()[row].kind == RowKind::convolution;
}

// The deepest row may be read before its ReLU only; then the ReLU is not computed.
bool Pass::ends_before_relu(int row) const {
  return row + 1 == rows() && rows_[row].tap_before_relu != kNoTap &&
         rows_[row].tap_output == kNoTap;
}

// Walks down the table with the picture's size; finds out who reads what, and what can be fused.
void Pass::plan_shapes(std::span<const TapRequest> taps) {
  int deepest = -1;
  for (const TapRequest& tap : taps) deepest = std::max(deepest, tap.position.row);
  assert(deepest < static_cast<int>(network_.rows().size()));

  int height = height_;
  int width = width_;
  for (int row = 0; row <= deepest; ++row) {
    if (!is_convolution(row)) {
      height = pooled_side(network_.pooling(), height);
      width = pooled_side(network_.pooling(), width);
    }
    assert(height > 0 && width > 0);
    RowState& state = rows_.emplace_back();
    state.channels = network_.rows()[row].out;
    state.height = height;
    state.width = width;
    for (size_t tap = 0; tap < taps.size(); ++tap) {
      if (taps[tap].position.row != row) continue;
      const bool before_relu = taps[tap].position.tap == Tap::before_relu;
      (before_relu ? state.tap_before_relu : state.tap_output) = static_cast<int>(tap);
    }
  }
  for (const TapRequest& tap : taps) taps_.emplace_back().request = tap;
  seconds_.resize(rows_.size());

  // A convolution whose output only the pooling behind it reads hands it over tile by tile.
  const auto untapped = [](const RowState& row) {
    return row.tap_before_relu == kNoTap && row.tap_output == kNoTap;
  };
  for (int row = 1; row + 1 < rows(); ++row) {
    rows_[row].pooled = is_convolution(row) && !is_convolution(row + 1) && untapped(rows_[row]);
  }
  // The first level is fused unless somebody wants its features, or both its Gram matrices.
  if (rows() < 3 || !is_convolution(1) || !rows_[1].pooled) return;
  const int before = rows_[0].tap_before_relu;
  const int after = rows_[0].tap_output;
  const auto gram_only = [&](int tap) { return tap == kNoTap || !taps_[tap].request.features; };
  fused_first_level_ =
      (before == kNoTap || after == kNoTap) && gram_only(before) && gram_only(after);
}

// `pooling`: the row behind a convolution that is pooled, which knows the maxima's shape.
void Pass::plan_bits(RowState& row, const RowState* pooling) {
  const bool max_pool = network_.pooling() == Pooling::max;
  const RowState& of_signs = pooling && max_pool ? *pooling : row;
  row.sign_memory = Buffer<std::uint16_t>(bit_words(row.channels, of_signs.height, of_signs.width));
  row.signs = {row.sign_memory.data(), of_signs.height, of_signs.width};
}

void Pass::plan_memory(Purpose purpose) {
  const bool gradients = purpose == Purpose::gradients;
  input_ = Buffer<float>(input().floats());
  if (gradients) d_input_ = Buffer<float>(input().floats());
  if (gradients && fused_first_level_) {
    edges_ = Buffer<float>(kernels::first_level_edges(height_, width_));
  }

  size_t gram_floats = 0;
  for (int i = 0; i < rows(); ++i) {
    RowState& row = rows_[i];
    const bool fused = fused_first_level_ && i == 0;
    const bool max_pool = network_.pooling() == Pooling::max;
    if (is_convolution(i) && !fused) plan_bits(row, row.pooled ? &rows_[i + 1] : nullptr);
    if (max_pool && (row.pooled || (!is_convolution(i) && !rows_[i - 1].pooled))) {
      const RowState& pooling = row.pooled ? rows_[i + 1] : row;
      const size_t words = bit_words(pooling.channels, pooling.height, pooling.width);
      row.right_memory = Buffer<std::uint16_t>(words);
      row.below_memory = Buffer<std::uint16_t>(words);
      row.places = {{row.right_memory.data(), pooling.height, pooling.width},
                    {row.below_memory.data(), pooling.height, pooling.width}};
    }
    for (const int tap : {row.tap_before_relu, row.tap_output}) {
      if (tap == kNoTap) continue;
      TapState& state = taps_[tap];
      state.map = {nullptr, row.channels, row.height, row.width};
      if (state.request.gram) {
        state.gram = Buffer<float>(static_cast<size_t>(row.channels) * row.channels);
        gram_floats =
            std::max(gram_floats, fused ? kernels::first_level_scratch(row.channels, row.height)
                                        : kernels::gram_scratch_size(state.map));
      }
      if (fused) continue;
      state.memory = Buffer<float>(state.map.floats());
      state.map.data = state.memory.data();
    }
  }
  gram_scratch_ = Buffer<double>(gram_floats);
  const size_t floats = work_floats();
  for (Buffer<float>& work : work_) work = Buffer<float>(floats);
}

// The largest map that must live in a work map: an output, or the gradient by it, that no tap takes
// and no pooling swallows.
size_t Pass::work_floats() const {
  size_t floats = 0;
  for (int i = fused_first_level_ ? 2 : 0; i < rows(); ++i) {
    const RowState& row = rows_[i];
    if (row.pooled || row.tap_output != kNoTap || ends_before_relu(i)) continue;
    floats = std::max(floats, FeatureMap{nullptr, row.channels, row.height, row.width}.floats());
  }
  return floats;
}

ConstFeatureMap Pass::shape(int tap) const {
  const FeatureMap map = taps_[tap].map;
  return {nullptr, map.channels, map.height, map.width};
}

FeatureMap Pass::work_map(const RowState& row, int index) {
  const FeatureMap map = {work_[index].data(), row.channels, row.height, row.width};
  assert(map.floats() <= work_[index].size());
  return map;
}

// -- forward --

// Where the row's output goes: into its tap, or into the work map that is not in use.
FeatureMap Pass::output_map(const RowState& row, int& work_in_use) {
  if (row.tap_output != kNoTap) return taps_[row.tap_output].map;
  work_in_use = 1 - work_in_use;
  const FeatureMap map = work_map(row, work_in_use);
  clear_ring(map);
  return map;
}

kernels::FirstLevel Pass::first_level() const {
  using Features = kernels::FirstLevel::Features;
  kernels::FirstLevel level;
  level.kernel_1 = network_.input_kernel();
  level.bias_1 = network_.convolution(0).bias.data();
  level.kernel_2 = &network_.convolution(1).kernel;
  level.bias_2 = network_.convolution(1).bias.data();
  level.features = rows_[0].tap_before_relu != kNoTap ? Features::before_relu
                   : rows_[0].tap_output != kNoTap    ? Features::after_relu
                                                      : Features::none;
  return level;
}

namespace {

// What a convolution followed by ReLU and pooling writes.
kernels::Sink pooled_sink(Pooling pooling) {
  kernels::Sink sink;
  sink.kind = pooling == Pooling::max ? kernels::Sink::Kind::relu_max_pool
                                      : kernels::Sink::Kind::relu_average_pool;
  return sink;
}

}  // namespace

void Pass::run_first_level(FeatureMap y, ThreadPool& pool) {
  const RowState& row = rows_[1];
  kernels::Sink sink = pooled_sink(network_.pooling());
  sink.map = y;
  sink.height = row.height;
  sink.width = row.width;
  sink.signs = row.signs;
  sink.places = row.places;
  const int tap = std::max(rows_[0].tap_before_relu, rows_[0].tap_output);
  const std::span<float> G = tap == kNoTap ? std::span<float>() : gram(tap);
  kernels::first_level(first_level(), input(), sink, G, gram_scratch_, pool);
}

// A convolution with its ReLU, and with its pooling where it is `pooled`.
void Pass::run_convolution(int row, ConstFeatureMap x, FeatureMap y, ThreadPool& pool) {
  using kernels::Sink;
  const RowState& state = rows_[row];
  const Convolution& convolution = network_.convolution(row);
  const bool before_relu = state.tap_before_relu != kNoTap;
  const FeatureMap to = before_relu ? taps_[state.tap_before_relu].map : y;
  if (row == 0) {
    kernels::convolve_input(network_.input_kernel(), convolution.bias.data(), input(), to,
                            before_relu ? nullptr : &state.signs, pool);
  } else {
    Sink sink = state.pooled ? pooled_sink(network_.pooling()) : Sink();
    if (!state.pooled) sink.kind = before_relu ? Sink::Kind::set : Sink::Kind::relu;
    sink.map = to;
    sink.height = state.height;
    sink.width = state.width;
    sink.signs = state.signs;
    sink.places = state.places;
    kernels::Source source;
    source.map = x;
    kernels::convolve(convolution.kernel, kernels::Direction::forward, convolution.bias.data(),
                      source, sink, pool);
  }
  if (before_relu && !ends_before_relu(row)) kernels::relu(to, y, state.signs, pool);
}

void Pass::run_pooling(const RowState& row, ConstFeatureMap x, FeatureMap y, ThreadPool& pool) {
  if (network_.pooling() == Pooling::max) {
    kernels::max_pool(x, y, row.places, pool);
  } else {
    kernels::average_pool(x, y, pool);
  }
}

void Pass::forward(ThreadPool& pool) {
  ConstFeatureMap x;
  int work_in_use = 1;
  int row = 0;
  if (fused_first_level_) {
    const Stopwatch stopwatch(seconds_[2].forward);
    const FeatureMap y = output_map(rows_[2], work_in_use);
    run_first_level(y, pool);
    x = y;
    row = 3;
  }
  while (row < rows()) {
    const int last = rows_[row].pooled ? row + 1 : row;  // of the rows that are done in one
    const Stopwatch stopwatch(seconds_[last].forward);
    const FeatureMap y =
        ends_before_relu(last) ? FeatureMap{} : output_map(rows_[last], work_in_use);
    if (is_convolution(row)) {
      run_convolution(row, x, y, pool);
    } else {
      run_pooling(rows_[row], x, y, pool);
    }
    x = y;
    row = last + 1;
  }
  for (TapState& tap : taps_) {
    if (tap.map.data && tap.request.gram) {
      const Stopwatch stopwatch(seconds_[tap.request.position.row].gram);
      kernels::gram(tap.map, tap.gram, gram_scratch_, pool);
    }
  }
}

// -- backward --

// What the transposed convolution of a row reads: d, the gradient by its output (by the pooling's
// output where it is pooled), taken back to before the ReLU.
kernels::Source Pass::gradient_source(int row, ConstFeatureMap d) const {
  using Kind = kernels::Source::Kind;
  const RowState& state = rows_[row];
  kernels::Source source;
  source.map = d;
  source.signs = state.signs;
  source.places = state.places;
  if (state.tap_before_relu != kNoTap) {
    source.kind = Kind::map;
  } else if (!state.pooled) {
    source.kind = Kind::relu_gradient;
  } else {
    source.kind =
        network_.pooling() == Pooling::max ? Kind::max_pool_gradient : Kind::average_pool_gradient;
  }
  return source;
}

// Where the gradient by a row's output is gathered: the tap, which has the losses' share already,
// or a work map.
FeatureMap Pass::gradient_map(int row, int& work_in_use, bool zeroed) {
  const RowState& state = rows_[row];
  if (state.tap_output != kNoTap) return taps_[state.tap_output].map;
  work_in_use = 1 - work_in_use;
  const FeatureMap map = work_map(state, work_in_use);
  if (zeroed) std::memset(map.data, 0, map.floats() * sizeof(float));
  return map;
}

void Pass::backward(std::span<const TapGradient> gradients, ThreadPool& pool) {
  assert(gradients.size() == taps_.size());
  for (size_t i = 0; i < taps_.size(); ++i) {
    const TapGradient& gradient = gradients[i];
    if (!taps_[i].map.data) continue;
    const Stopwatch stopwatch(seconds_[taps_[i].request.position.row].gradient);
    kernels::turn_into_gradient(taps_[i].map, gradient.S, gradient.factor, gradient.target, pool);
  }

  const InputPlanes d_input = {d_input_.data(), height_, width_};
  const int first = fused_first_level_ ? 2 : 0;  // whose output's gradient is the last one needed
  int work_in_use = 1;
  int row = rows() - 1;
  FeatureMap d;  // the gradient by the output of `row`
  if (!ends_before_relu(row)) d = gradient_map(row, work_in_use, /*zeroed=*/true);
  while (row > first || (row == 0 && !fused_first_level_)) {
    const RowState& state = rows_[row];
    const Stopwatch stopwatch(seconds_[row].backward);
    if (!is_convolution(row) && !rows_[row - 1].pooled) {
      const FeatureMap d_x = gradient_map(row - 1, work_in_use, /*zeroed=*/true);
      if (network_.pooling() == Pooling::max) {
        kernels::max_pool_backward(state.places, d, d_x, pool);
      } else {
        kernels::average_pool_backward(d, d_x, pool);
      }
      d = d_x;
      --row;
      continue;
    }
    const int convolution = is_convolution(row) ? row : row - 1;
    if (rows_[convolution].tap_before_relu != kNoTap) {
      const FeatureMap before_relu = taps_[rows_[convolution].tap_before_relu].map;
      if (d.data) kernels::add_relu_backward(rows_[convolution].signs, d, before_relu, pool);
      d = before_relu;
    }
    const kernels::Source source = gradient_source(convolution, d);
    if (convolution == 0) {
      if (source.kind == kernels::Source::Kind::relu_gradient) {
        kernels::relu_backward(source.signs, d, pool);
      }
      clear_ring(d);
      kernels::convolve_input_backward(network_.input_kernel(), d, d_input, pool);
      return;
    }
    row = convolution - 1;
    kernels::Sink sink;
    sink.kind =
        rows_[row].tap_output != kNoTap ? kernels::Sink::Kind::add : kernels::Sink::Kind::set;
    sink.map = gradient_map(row, work_in_use, /*zeroed=*/false);
    sink.height = rows_[row].height;
    sink.width = rows_[row].width;
    kernels::convolve(network_.convolution(convolution).kernel, kernels::Direction::backward,
                      nullptr, source, sink, pool);
    d = sink.map;
  }
  const Stopwatch stopwatch(seconds_[2].backward);
  const int tap = std::max(rows_[0].tap_before_relu, rows_[0].tap_output);
  const std::span<const float> S = tap == kNoTap ? std::span<const float>() : gradients[tap].S;
  kernels::first_level_backward(first_level(), input(), gradient_source(1, d), S, d_input, edges_,
                                pool);
}

size_t Pass::bytes() const {
  size_t floats = input_.size() + d_input_.size() + edges_.size() + work_[0].size() +
                  work_[1].size() + 2 * gram_scratch_.size();
  for (const TapState& tap : taps_) floats += tap.memory.size() + tap.gram.size();
  size_t words = 0;
  for (const RowState& row : rows_) {
    words += row.sign_memory.size() + row.right_memory.size() + row.below_memory.size();
  }
  return floats * sizeof(float) + words * sizeof(std::uint16_t);
}

}  // namespace limn
