// Running a VGG network forward, and the gradient of a loss back to its input.
//
// The network is frozen, so backward keeps little: one sign bit for each value that went through a
// ReLU, two bits for each maximum, and the features that losses read ("taps"). All other features
// live in two work maps that take turns, forward and backward.
#pragma once

#include <limn/limn.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/parallel.h"
#include "kernels/kernels.h"
#include "network/vgg.h"
#include "network/weights.h"

namespace limn {

// A network made ready to run: its kernels packed, from the first row to the deepest one in use.
class Network {
 public:
  // Packs rows 0..last_row. Throws Error (usage) when the weights end before that row.
  Network(const Weights& weights, Pooling pooling, int last_row);

  struct PackedConvolution {
    kernels::PackedKernel forward;   // empty for the first row, which reads the picture
    kernels::PackedKernel backward;  // likewise
    Buffer<float> bias;              // [out]
  };

  std::span<const Row> rows() const { return rows_; }
  Pooling pooling() const { return pooling_; }
  std::span<const float> input_kernel() const { return input_kernel_; }
  const PackedConvolution& convolution(int row) const { return convolutions_[row]; }

 private:
  std::span<const Row> rows_;
  Pooling pooling_;
  Buffer<float> input_kernel_;
  std::vector<PackedConvolution> convolutions_;  // by row; empty where the row is a pooling
};

// The side of a map after one pooling: max pooling drops an odd last row, average pooling keeps it.
int pooled_side(Pooling pooling, int side);

// The smallest height or width of a picture for which the map of `row` has at least one cell.
int smallest_side(std::span<const Row> rows, Pooling pooling, int row);

// The buffers for one picture size and one set of taps, allocated once and used for any number of
// forward and backward runs.
class Pass {
 public:
  enum class Purpose { features, gradients };  // features: backward is never called, keeps less

  // The network must reach the deepest tap and outlive the pass. height and width are those of the
  // picture, at least smallest_side. Taps must differ from each other.
  Pass(const Network& network, int height, int width, std::span<const LayerPosition> taps,
       Purpose purpose);

  // The network's input, in its convention (see InputConvention), to be filled before forward.
  InputPlanes input() { return {input_.data(), height_, width_}; }

  // Computes the features of every tap.
  void forward(ThreadPool& pool);

  // The features of tap number `tap`, after forward.
  ConstFeatureMap features(int tap) const { return taps_[tap].map; }

  // The gradient of a loss by the input, after forward. add_gradient(tap, d_F) is called once for
  // each tap, deepest first, and adds (+=) the loss's gradient by that tap's features.
  using AddGradient = std::function<void(int tap, FeatureMap d_F)>;
  void backward(const AddGradient& add_gradient, ThreadPool& pool);

  // The result of backward, in the network's convention.
  ConstInputPlanes d_input() const { return {d_input_.data(), height_, width_}; }

  // Bytes that the buffers take.
  size_t bytes() const;

 private:
  static constexpr int kNoTap = -1;
  struct TapBuffer {
    FeatureMap map;
    Buffer<float> memory;
  };
  struct RowState {
    int channels, height, width;   // of the row's output
    int tap_before_relu = kNoTap;  // indices into taps_
    int tap_output = kNoTap;
    CellBits signs;             // convolutions
    kernels::MaxPlaces places;  // max pooling
    Buffer<std::uint16_t> sign_memory, right_memory, below_memory;
  };

  void plan_rows(std::span<const LayerPosition> taps, Purpose purpose);
  FeatureMap output_map(const RowState& row, int& work_in_use);
  FeatureMap work_map(const RowState& row, int index);
  void forward_convolution(int row, ConstFeatureMap x, FeatureMap y, ThreadPool& pool);
  bool ends_before_relu(int row) const;

  const Network& network_;
  int height_, width_;
  std::vector<RowState> rows_;
  std::vector<TapBuffer> taps_;
  Buffer<float> input_, d_input_;
  Buffer<float> work_[2];
};

}  // namespace limn
