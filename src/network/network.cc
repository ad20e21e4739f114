#include "network/network.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "base/error.h"

namespace limn {
namespace {

// Sets a ring to what the first convolution is to read there.
template <typename Map>
void surround(Map map, Edges edges) {
  if (edges == Edges::zero) {
    clear_around(map);
  } else {
    kernels::wrap_ring(map);
  }
}

// Adds its lifetime to a total.
class RowTimer {
 public:
  explicit RowTimer(double& seconds) : seconds_(seconds) {}
  RowTimer(const RowTimer&) = delete;
  RowTimer& operator=(const RowTimer&) = delete;
  ~RowTimer() {
    seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
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

int smallest_side(std::span<const Row> rows, Pooling pooling, int row) {
  return pooling == Pooling::average ? 1 : stride_of(rows, row);
}

int stride_of(std::span<const Row> rows, int row) {
  int stride = 1;
  for (int i = 0; i <= row; ++i) {
    if (rows[i].kind == RowKind::pooling) stride *= 2;
  }
  return stride;
}

// ---------------------------------------------------------------------------------------- Pass --

Pass::Pass(const Network& network, int height, int width, std::span<const TapRequest> taps,
           Purpose purpose, int threads, Edges edges)
    : Pass(network,
           plan_pass(network.rows(), network.pooling(), height, width, taps, purpose, threads),
           edges) {}

Pass::Pass(const Network& network, PassPlan plan, Edges edges, std::span<std::byte> memory)
    : network_(network),
      plan_(std::move(plan)),
      edges_(edges),
      seconds_(plan_.rows.size()),
      own_(memory.empty() ? plan_.arena_bytes : 0),
      arena_(memory.empty() ? std::span<std::byte>(own_) : memory) {
  assert(arena_.size() >= plan_.arena_bytes);
  [[maybe_unused]] const int stride = smallest_side(network.rows(), Pooling::max, rows() - 1);
  assert(edges == Edges::zero || (plan_.height % stride == 0 && plan_.width % stride == 0));
}

bool Pass::is_convolution(int row) const {
  return network_.rows()[row].kind == RowKind::convolution;
}

// -- views into the arena --

FeatureMap Pass::tap_map(int tap) {
  FeatureMap map = plan_.taps[tap].shape;
  map.data = at<float>(plan_.taps[tap].map);
  return map;
}

FeatureMap Pass::cropped_map(int tap) {
  FeatureMap map = plan_.taps[tap].cells;
  map.data = at<float>(plan_.taps[tap].cropped);
  return map;
}

ConstFeatureMap Pass::features(int tap) {
  if (!plan_.taps[tap].request.features) return {};
  const FeatureMap cropped = cropped_map(tap);
  return cropped.data ? cropped : tap_map(tap);
}

ConstFeatureMap Pass::around(int tap) {
  const bool kept = plan_.taps[tap].request.features && keeps_map(tap);
  return kept ? tap_map(tap) : FeatureMap{};
}

std::span<const float> Pass::gram(int tap) {
  const Region& region = plan_.taps[tap].gram;
  return {at<float>(region), region.bytes / sizeof(float)};
}

// Whether its whole map lives until backward, where the gradient is put once and for all.
bool Pass::keeps_map(int tap) const {
  const TapPlan& plan = plan_.taps[tap];
  return plan.half.bytes == 0 && (plan.cropped.bytes == 0 || plan.request.around);
}

// No data if the plan keeps the features as floats, or not at all.
HalfMap Pass::half_map(int tap) {
  const TapPlan& plan = plan_.taps[tap];
  return {at<std::uint16_t>(plan.half), plan.shape.channels, plan.shape.height, plan.shape.width};
}

// The output of a row, and in backward its gradient: the tap's map, or one that lives for a single
// step. No data if nobody reads it.
FeatureMap Pass::output_map(int row) {
  const RowPlan& plan = plan_.rows[row];
  if (plan.tap_output != kNoTap) return tap_map(plan.tap_output);
  return {at<float>(plan.output), plan.channels, plan.height, plan.width};
}

CellBits Pass::signs(int row) {
  const RowPlan& plan = plan_.rows[row];
  return {at<std::uint16_t>(plan.signs), plan.bits_height, plan.bits_width};
}

kernels::MaxPlaces Pass::places(int row) {
  const RowPlan& plan = plan_.rows[row];
  return {{at<std::uint16_t>(plan.right), plan.bits_height, plan.bits_width},
          {at<std::uint16_t>(plan.below), plan.bits_height, plan.bits_width}};
}

// -- forward --

kernels::FirstLevel Pass::first_level(bool with_gram) const {
  using Features = kernels::FirstLevel::Features;
  kernels::FirstLevel level;
  level.kernel_1 = network_.input_kernel();
  level.bias_1 = network_.convolution(0).bias.data();
  level.kernel_2 = &network_.convolution(1).kernel;
  level.bias_2 = network_.convolution(1).bias.data();
  const RowPlan& row = plan_.rows[0];
  level.features = row.tap_before_relu != kNoTap ? Features::before_relu
                   : row.tap_output != kNoTap    ? Features::after_relu
                                                 : Features::none;
  if (!with_gram) level.features = Features::none;
  level.edges = edges_;
  level.counted = plan_.core;
  return level;
}

// Where a convolution writes y: the next row's output if pooled, the pre-ReLU map if a loss reads
// it.
kernels::Sink Pass::convolution_sink(int row, FeatureMap y) {
  using Kind = kernels::Sink::Kind;
  const RowPlan& plan = plan_.rows[row];
  const Kind pooled =
      network_.pooling() == Pooling::max ? Kind::relu_max_pool : Kind::relu_average_pool;
  kernels::Sink sink;
  sink.kind = plan.pooled ? pooled : plan.tap_before_relu != kNoTap ? Kind::set : Kind::relu;
  sink.map = y;
  sink.height = plan.height;
  sink.width = plan.width;
  sink.signs = signs(row);
  sink.places = places(row);
  return sink;
}

void Pass::run_first_level(FeatureMap y, ThreadPool& pool) {
  const int tap = std::max(plan_.rows[0].tap_before_relu, plan_.rows[0].tap_output);
  std::span<float> G;
  if (tap != kNoTap) G = {at<float>(plan_.taps[tap].gram), gram(tap).size()};
  const Region& scratch = plan_.first_level_scratch;
  kernels::first_level(first_level(extent_.grams), input(), convolution_sink(1, y), G,
                       {at<double>(scratch), scratch.bytes / sizeof(double)}, pool);
}

// Uses the scratch memory planned for the row.
void Pass::convolve(int row, kernels::Direction direction, const float* bias,
                    const kernels::Source& source, const kernels::Sink& sink, ThreadPool& pool) {
  const Region& scratch = plan_.rows[row].scratch;
  const ScratchLoan loan(pool, {at<float>(scratch), scratch.bytes / sizeof(float)});
  kernels::convolve(network_.convolution(row).kernel, direction, bias, source, sink, pool);
}

// A convolution with its ReLU, and with its pooling if `pooled`.
void Pass::run_convolution(int row, ConstFeatureMap x, FeatureMap y, ThreadPool& pool) {
  const RowPlan& plan = plan_.rows[row];
  const Convolution& convolution = network_.convolution(row);
  const bool before_relu = plan.tap_before_relu != kNoTap;
  const FeatureMap to = before_relu ? tap_map(plan.tap_before_relu) : y;
  if (before_relu) clear_around(to);
  const CellBits sign_bits = signs(row);
  if (row == 0) {
    kernels::convolve_input(network_.input_kernel(), convolution.bias.data(), input(), to,
                            before_relu ? nullptr : &sign_bits, pool);
  } else {
    kernels::Source source;
    source.map = x;
    source.edges = edges_;
    convolve(row, kernels::Direction::forward, convolution.bias.data(), source,
             convolution_sink(row, to), pool);
  }
  if (before_relu && y.data) kernels::relu(to, y, sign_bits, pool);
}

void Pass::run_pooling(int row, ConstFeatureMap x, FeatureMap y, ThreadPool& pool) {
  if (network_.pooling() == Pooling::max) {
    kernels::max_pool(x, y, places(row), pool);
  } else {
    kernels::average_pool(x, y, pool);
  }
}

// Runs fused rows; returns their output.
ConstFeatureMap Pass::run_rows(int first, int last, ConstFeatureMap x, ThreadPool& pool) {
  const RowTimer timer(seconds_[last].forward);
  const FeatureMap y = output_map(last);
  if (y.data) clear_around(y);
  if (first == 0 && plan_.fused_first_level) {
    run_first_level(y, pool);
  } else if (is_convolution(first)) {
    run_convolution(first, x, y, pool);
  } else {
    run_pooling(first, x, y, pool);
  }
  return y;
}

// For the row's taps; the fused first level has already computed its own.
void Pass::measure_grams(int row, ThreadPool& pool) {
  const RowPlan& plan = plan_.rows[row];
  for (const int tap : {plan.tap_before_relu, plan.tap_output}) {
    if (tap == kNoTap || !plan_.taps[tap].request.gram) continue;
    const RowTimer timer(seconds_[row].gram);
    const Region& scratch = plan.gram_scratch;
    const std::span<float> G = {at<float>(plan_.taps[tap].gram), gram(tap).size()};
    kernels::gram(tap_map(tap), core(tap), G, {at<double>(scratch), scratch.bytes / sizeof(double)},
                  pool);
  }
}

void Pass::crop_taps(int row, ThreadPool& pool) {
  const RowPlan& plan = plan_.rows[row];
  for (const int tap : {plan.tap_before_relu, plan.tap_output}) {
    if (tap == kNoTap || !cropped_map(tap).data) continue;
    const RowTimer timer(seconds_[row].gram);
    kernels::crop(tap_map(tap), core(tap), cropped_map(tap), pool);
  }
}

// Runs in the step after the row's, when the row's input is no longer needed.
void Pass::keep_in_half(int row, ThreadPool& pool) {
  const RowPlan& plan = plan_.rows[row];
  for (const int tap : {plan.tap_before_relu, plan.tap_output}) {
    if (tap == kNoTap || !half_map(tap).data) continue;
    const RowTimer timer(seconds_[row].gram);
    kernels::round_to_half(tap_map(tap), half_map(tap), pool);
  }
}

void Pass::forward(std::span<const float> x, const InputMap& map, ThreadPool& pool,
                   const Extent& extent) {
  x_ = x;
  input_map_ = &map;
  extent_ = extent;
  std::ranges::fill(seconds_, RowSeconds());
  if (rows() == 0) return;
  fill_input(pool);
  forward_rows(pool);
}

// Fills in the picture (again, if its memory has been reused since).
void Pass::fill_input(ThreadPool& pool) {
  input_map_->fill(x_, input(), pool);
  surround(input(), edges_);
}

void Pass::forward_rows(ThreadPool& pool) {
  ConstFeatureMap x;
  int row = 0;
  while (row < rows() && row <= extent_.row) {
    const int last = last_of_step(row);
    if (row > 0) keep_in_half(row - 1, pool);
    x = run_rows(row, last, x, pool);
    if (extent_.grams) measure_grams(last, pool);
    crop_taps(last, pool);
    row = last + 1;
  }
  if (row > 0 && row < rows()) keep_in_half(row - 1, pool);
}

// The last of the rows that are fused with this one.
int Pass::last_of_step(int row) const {
  while (row + 1 < rows() && plan_.rows[row + 1].step == plan_.rows[row].step) ++row;
  return row;
}

// -- backward --

// What a row's transposed convolution reads: d, the gradient with respect to the row's output (the
// pooling's output if pooled), which it takes back through the ReLU.
kernels::Source Pass::gradient_source(int row, ConstFeatureMap d) {
  using Kind = kernels::Source::Kind;
  const RowPlan& plan = plan_.rows[row];
  kernels::Source source;
  source.map = d;
  source.signs = signs(row);
  source.places = places(row);
  source.edges = edges_;
  if (plan.tap_before_relu != kNoTap) {
    source.kind = Kind::map;
  } else if (!plan.pooled) {
    source.kind = Kind::relu_gradient;
  } else {
    source.kind =
        network_.pooling() == Pooling::max ? Kind::max_pool_gradient : Kind::average_pool_gradient;
  }
  return source;
}

// The gradient with respect to the input of a convolution's ReLU, given d, that of its output: in
// the tap if losses read it (d may then have no data), otherwise d itself, converted as it is read.
FeatureMap Pass::gradient_before_relu(int row, FeatureMap d, ThreadPool& pool) {
  const int tap = plan_.rows[row].tap_before_relu;
  if (tap == kNoTap) return d;
  const FeatureMap before_relu = tap_map(tap);
  if (d.data) kernels::add_relu_backward(signs(row), d, before_relu, pool);
  return before_relu;
}

// d_x: the gradient of the previous row's output; already holds the share of losses that read it.
void Pass::run_convolution_backward(int row, FeatureMap d, FeatureMap d_x, ThreadPool& pool) {
  const RowPlan& before = plan_.rows[row - 1];
  kernels::Sink sink;
  sink.kind = before.tap_output != kNoTap ? kernels::Sink::Kind::add : kernels::Sink::Kind::set;
  sink.map = d_x;
  sink.height = before.height;
  sink.width = before.width;
  convolve(row, kernels::Direction::backward, nullptr,
           gradient_source(row, gradient_before_relu(row, d, pool)), sink, pool);
}

void Pass::run_pooling_backward(int row, ConstFeatureMap d, FeatureMap d_x, ThreadPool& pool) {
  if (plan_.rows[row - 1].tap_output == kNoTap) {
    std::memset(d_x.data, 0, d_x.floats() * sizeof(float));
  }
  if (network_.pooling() == Pooling::max) {
    kernels::max_pool_backward(places(row), d, d_x, pool);
  } else {
    kernels::average_pool_backward(d, d_x, pool);
  }
}

void Pass::run_first_convolution_backward(FeatureMap d, ThreadPool& pool) {
  d = gradient_before_relu(0, d, pool);
  if (plan_.rows[0].tap_before_relu == kNoTap) kernels::relu_backward(signs(0), d, pool);
  surround(d, edges_);
  kernels::convolve_input_backward(network_.input_kernel(), d, d_input(), pool);
}

void Pass::run_first_level_backward(ConstFeatureMap d, std::span<const Slope> slopes,
                                    ThreadPool& pool) {
  const int tap = std::max(plan_.rows[0].tap_before_relu, plan_.rows[0].tap_output);
  const std::span<const float> S = tap == kNoTap ? std::span<const float>() : slopes[tap].S;
  const Region& borders = plan_.borders;
  kernels::first_level_backward(first_level(true), input(), gradient_source(1, d), S, d_input(),
                                {at<float>(borders), borders.bytes / sizeof(float)}, pool);
}

namespace {

// d "=" what the addends add.
void add_up(std::span<const Slope::Addend> addends, ConstFeatureMap F, FeatureMap d) {
  std::memset(d.data, 0, d.floats() * sizeof(float));
  for (const auto& add : addends) add(F, d);
}

}  // namespace

void turn_into_gradient(FeatureMap F, const Slope& slope, ThreadPool& pool) {
  const FeatureMap d = {slope.sum, F.channels, F.height, F.width};
  if (!slope.addends.empty()) add_up(slope.addends, F, d);
  if (slope.prepare) slope.prepare();
  if (!slope.S.empty() || slope.target.data) {
    kernels::turn_into_gradient(F, slope.S, slope.factor, slope.target, pool);
  } else {
    std::memset(F.data, 0, F.floats() * sizeof(float));
  }
  if (!slope.T.empty()) kernels::add_gram_gradient(slope.T, slope.difference, F, pool);
  if (!slope.addends.empty()) kernels::add_scaled(1, flat(ConstFeatureMap(d)), flat(F), pool);
}

// Those of the taps down to this row.
void Pass::turn_taps_into_gradients(int row, std::span<const Slope> slopes, ThreadPool& pool) {
  for (int tap = 0; tap < static_cast<int>(plan_.taps.size()); ++tap) {
    const int row_of_tap = plan_.taps[tap].request.position.row;
    if (row_of_tap > row || !tap_map(tap).data || half_map(tap).data) continue;
    const RowTimer timer(seconds_[row_of_tap].gradient);
    turn_tap_into_gradient(tap, slopes[tap], pool);
  }
}

void Pass::turn_tap_into_gradient(int tap, const Slope& slope, ThreadPool& pool) {
  const FeatureMap map = tap_map(tap), cropped = cropped_map(tap);
  if (cropped.data) {
    turn_into_gradient(cropped, slope, pool);
    if (!keeps_map(tap)) return;
    const FeatureMap d = {slope.sum, map.channels, map.height, map.width};
    if (!slope.addends_around.empty()) add_up(slope.addends_around, map, d);
    kernels::paste(cropped, core(tap), map, pool);
    if (!slope.addends_around.empty()) {
      kernels::add_scaled(1, flat(ConstFeatureMap(d)), flat(map), pool);
    }
  } else if (core(tap) == window_of(map)) {
    turn_into_gradient(map, slope, pool);
  } else if (slope.S.empty()) {
    std::memset(map.data, 0, map.floats() * sizeof(float));
  } else {
    kernels::turn_into_gradient(map, core(tap), slope.S, pool);
  }
}

// Puts the gradients of features that were kept apart into their maps, just before the gradient
// with respect to the row's output is needed. The maps' memory was reused meanwhile.
void Pass::bring_gradients(int row, std::span<const Slope> slopes, ThreadPool& pool) {
  const RowPlan& plan = plan_.rows[row];
  for (const int tap : {plan.tap_before_relu, plan.tap_output}) {
    if (tap == kNoTap || keeps_map(tap)) continue;
    const RowTimer timer(seconds_[row].gradient);
    const FeatureMap map = tap_map(tap);
    if (cropped_map(tap).data) {
      clear_around(map);
      kernels::paste(cropped_map(tap), core(tap), map, pool);
    } else if (slopes[tap].S.empty()) {
      std::memset(map.data, 0, map.floats() * sizeof(float));
    } else {
      clear_around(map);
      kernels::gradient_from_half(half_map(tap), core(tap), slopes[tap].S, map, pool);
    }
  }
}

// The last row of the deepest step in which a tap has a slope, or -1.
int Pass::deepest_slope(std::span<const Slope> slopes) const {
  int deepest = -1;
  for (size_t tap = 0; tap < plan_.taps.size(); ++tap) {
    if (!slopes[tap].empty()) {
      deepest = std::max(deepest, plan_.taps[tap].request.position.row);
    }
  }
  return deepest < 0 ? deepest : last_of_step(deepest);
}

// Where backward starts: the gradient with respect to the output of `row`, with nothing deeper. No
// data if only the input of its ReLU has a slope.
FeatureMap Pass::first_gradient(int row, std::span<const Slope> slopes, ThreadPool& pool) {
  bring_gradients(row, slopes, pool);
  FeatureMap d = output_map(row);
  const RowPlan& plan = plan_.rows[row];
  if (plan.tap_output != kNoTap) return d;
  if (plan.tap_before_relu != kNoTap) {
    d.data = nullptr;
  } else if (d.data) {  // the end of the fused first level, whose slope is inside
    std::memset(d.data, 0, d.floats() * sizeof(float));
  }
  return d;
}

// Runs from `row` back to the first step; returns the gradient with respect to that step's output.
FeatureMap Pass::backward_to_first_step(int row, std::span<const Slope> slopes, ThreadPool& pool) {
  FeatureMap d = first_gradient(row, slopes, pool);  // with respect to the output of `row`
  while (plan_.rows[row].step > 0) {
    int begin = row;  // first of the fused rows
    while (plan_.rows[begin - 1].step == plan_.rows[row].step) --begin;
    bring_gradients(begin - 1, slopes, pool);
    const RowTimer timer(seconds_[row].backward);
    const FeatureMap d_x = output_map(begin - 1);
    if (is_convolution(begin)) {
      run_convolution_backward(begin, d, d_x, pool);
    } else {
      run_pooling_backward(begin, d, d_x, pool);
    }
    d = d_x;
    row = begin - 1;
  }
  return d;
}

void Pass::backward(std::span<const Slope> slopes, std::span<float> d_x, ThreadPool& pool) {
  assert(slopes.size() == plan_.taps.size());
  const int row = deepest_slope(slopes);
  if (row < 0) {
    std::ranges::fill(d_x, 0.0f);
    return;
  }
  turn_taps_into_gradients(row, slopes, pool);
  const FeatureMap d = backward_to_first_step(row, slopes, pool);
  const RowTimer timer(seconds_[plan_.fused_first_level ? 2 : 0].backward);
  if (plan_.fused_first_level) {
    fill_input(pool);
    run_first_level_backward(d, slopes, pool);
  } else {
    run_first_convolution_backward(d, pool);
  }
  input_map_->pull(d_input(), d_x, pool);
}

}  // namespace limn
