#include "network/network.h"

#include <algorithm>
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
    const Convolution& convolution = weights.convolutions[next++];
    PackedConvolution& packed = convolutions_[row];
    packed.bias = Buffer<float>(convolution.bias.size());
    std::copy(convolution.bias.begin(), convolution.bias.end(), packed.bias.data());
    if (row == 0) {
      input_kernel_ = kernels::pack_input_kernel(convolution.kernel, convolution.out);
    } else {
      using kernels::Direction;
      packed.forward = kernels::pack_kernel(convolution.kernel, convolution.in, convolution.out,
                                            Direction::forward);
      packed.backward = kernels::pack_kernel(convolution.kernel, convolution.in, convolution.out,
                                             Direction::backward);
    }
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

Pass::Pass(const Network& network, int height, int width, std::span<const LayerPosition> taps,
           Purpose purpose)
    : network_(network), height_(height), width_(width), taps_(taps.size()) {
  input_ = Buffer<float>(input().floats());
  if (purpose == Purpose::gradients) d_input_ = Buffer<float>(input().floats());
  plan_rows(taps, purpose);
}

// Walks down the table with the picture's size, allocating what each row must keep, and makes the
// work maps as large as the largest map that has to live in one.
void Pass::plan_rows(std::span<const LayerPosition> taps, Purpose purpose) {
  int deepest = -1;
  for (const LayerPosition& tap : taps) deepest = std::max(deepest, tap.row);
  assert(deepest < static_cast<int>(network_.rows().size()));

  int height = height_;
  int width = width_;
  size_t work_floats = 0;
  for (int row = 0; row <= deepest; ++row) {
    const bool pooling = network_.rows()[row].kind == RowKind::pooling;
    if (pooling) {
      height = pooled_side(network_.pooling(), height);
      width = pooled_side(network_.pooling(), width);
    }
    assert(height > 0 && width > 0);
    RowState& state = rows_.emplace_back();
    state.channels = network_.rows()[row].out;
    state.height = height;
    state.width = width;

    const size_t words = bit_words(state.channels, height, width);
    if (!pooling) {
      state.sign_memory = Buffer<std::uint16_t>(words);
      state.signs = {state.sign_memory.data(), height, width};
    } else if (network_.pooling() == Pooling::max) {
      state.right_memory = Buffer<std::uint16_t>(words);
      state.below_memory = Buffer<std::uint16_t>(words);
      state.places = {{state.right_memory.data(), height, width},
                      {state.below_memory.data(), height, width}};
    }

    for (int tap = 0; tap < static_cast<int>(taps.size()); ++tap) {
      if (taps[tap].row != row) continue;
      (taps[tap].tap == Tap::before_relu ? state.tap_before_relu : state.tap_output) = tap;
      FeatureMap& map = taps_[tap].map;
      map = {nullptr, state.channels, height, width};
      taps_[tap].memory = Buffer<float>(map.floats());
      map.data = taps_[tap].memory.data();
    }
    // Backward needs a work map for every row's gradient; forward only for what is not tapped.
    if (purpose == Purpose::gradients || state.tap_output == kNoTap) {
      work_floats = std::max(work_floats, work_map(state, 0).floats());
    }
  }
  for (Buffer<float>& work : work_) work = Buffer<float>(work_floats);
}

FeatureMap Pass::work_map(const RowState& row, int index) {
  return {work_[index].data(), row.channels, row.height, row.width};
}

// Where the row's output goes: into its tap, or into the work map that is not in use.
FeatureMap Pass::output_map(const RowState& row, int& work_in_use) {
  if (row.tap_output != kNoTap) return taps_[row.tap_output].map;
  work_in_use = 1 - work_in_use;
  const FeatureMap map = work_map(row, work_in_use);
  clear_ring(map);
  return map;
}

// The deepest row may be read before its ReLU only; then the ReLU is not computed.
bool Pass::ends_before_relu(int row) const {
  return row + 1 == static_cast<int>(rows_.size()) && rows_[row].tap_before_relu != kNoTap &&
         rows_[row].tap_output == kNoTap;
}

void Pass::forward_convolution(int row, ConstFeatureMap x, FeatureMap y, ThreadPool& pool) {
  const RowState& state = rows_[row];
  const Network::PackedConvolution& convolution = network_.convolution(row);
  const auto convolve = [&](FeatureMap to, const CellBits* signs) {
    if (row == 0) {
      kernels::convolve_input(network_.input_kernel(), convolution.bias.data(), input(), to, signs,
                              pool);
    } else {
      kernels::convolve(convolution.forward, convolution.bias.data(), x, to, signs, pool);
    }
  };
  if (state.tap_before_relu == kNoTap) {
    convolve(y, &state.signs);
    return;
  }
  const FeatureMap before_relu = taps_[state.tap_before_relu].map;
  convolve(before_relu, nullptr);
  if (!ends_before_relu(row)) kernels::relu(before_relu, y, state.signs, pool);
}

void Pass::forward(ThreadPool& pool) {
  ConstFeatureMap x;
  int work_in_use = 1;
  for (int row = 0; row < static_cast<int>(rows_.size()); ++row) {
    const RowState& state = rows_[row];
    const FeatureMap y = ends_before_relu(row) ? FeatureMap{} : output_map(state, work_in_use);
    if (network_.rows()[row].kind == RowKind::convolution) {
      forward_convolution(row, x, y, pool);
    } else if (network_.pooling() == Pooling::max) {
      kernels::max_pool(x, y, state.places, pool);
    } else {
      kernels::average_pool(x, y, pool);
    }
    x = y;
  }
}

void Pass::backward(const AddGradient& add_gradient, ThreadPool& pool) {
  int work = 0;
  FeatureMap d;  // the gradient by the output of the row at hand
  for (int row = static_cast<int>(rows_.size()) - 1; row >= 0; --row) {
    const RowState& state = rows_[row];
    if (d.data == nullptr) {
      d = work_map(state, work);
      std::memset(d.data, 0, d.floats() * sizeof(float));
    }
    if (state.tap_output != kNoTap) add_gradient(state.tap_output, d);

    const bool convolution = network_.rows()[row].kind == RowKind::convolution;
    if (convolution) {
      if (!ends_before_relu(row)) kernels::relu_backward(state.signs, d, pool);
      if (state.tap_before_relu != kNoTap) add_gradient(state.tap_before_relu, d);
    }
    if (row == 0) {
      kernels::convolve_input_backward(network_.input_kernel(), d,
                                       {d_input_.data(), height_, width_}, pool);
      return;
    }
    work = 1 - work;
    const FeatureMap d_x = work_map(rows_[row - 1], work);
    clear_ring(d_x);
    if (convolution) {
      kernels::convolve(network_.convolution(row).backward, nullptr, d, d_x, nullptr, pool);
    } else if (network_.pooling() == Pooling::max) {
      kernels::max_pool_backward(state.places, d, d_x, pool);
    } else {
      kernels::average_pool_backward(d, d_x, pool);
    }
    d = d_x;
  }
}

size_t Pass::bytes() const {
  size_t floats = input_.size() + d_input_.size() + work_[0].size() + work_[1].size();
  for (const TapBuffer& tap : taps_) floats += tap.memory.size();
  size_t words = 0;
  for (const RowState& row : rows_) {
    words += row.sign_memory.size() + row.right_memory.size() + row.below_memory.size();
  }
  return floats * sizeof(float) + words * sizeof(std::uint16_t);
}

}  // namespace limn
