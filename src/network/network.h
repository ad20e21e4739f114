// Running a VGG network forward, and the gradient of a loss back to its input.
//
// The network is frozen and losses read few layers, so little is kept from forward to backward:
// - The first level (conv1_1 to pool1) is run in pieces that never leave a near cache, and run
//   again backward; its maps, the largest ones, do not exist (kernels/first_level.cc).
// - Of every other convolution one sign bit for each value, or, where max pooling follows, one sign
//   bit and two place bits for each maximum.
// - The features that losses read ("taps"). Backward the gradient takes their place in memory.
// All else lives in two work maps that take turns.
#pragma once

#include <limn/limn.h>

#include <span>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/parallel.h"
#include "kernels/kernels.h"
#include "network/vgg.h"
#include "network/weights.h"

namespace limn {

// The rows of a network from the first to the deepest one in use, each with its weights.
class Network {
 public:
  // Rows 0..last_row. The weights must outlive the network: their kernels are not copied. Throws
  // Error (usage) when they end before that row.
  Network(const Weights& weights, Pooling pooling, int last_row);

  std::span<const Row> rows() const { return rows_; }
  Pooling pooling() const { return pooling_; }
  // Of the first row, which reads the picture: in pack_input_kernel's order.
  std::span<const float> input_kernel() const { return convolution(0).kernel.values; }
  const Convolution& convolution(int row) const { return *convolutions_[row]; }

 private:
  std::span<const Row> rows_;
  Pooling pooling_;
  std::vector<const Convolution*> convolutions_;  // by row; null where the row is a pooling
};

// The side of a map after one pooling: max pooling drops an odd last row, average pooling keeps it.
int pooled_side(Pooling pooling, int side);

// The smallest height or width of a picture for which the map of `row` has at least one cell.
int smallest_side(std::span<const Row> rows, Pooling pooling, int row);

// A layer that losses read, and what they need of it.
struct TapRequest {
  LayerPosition position;
  bool features = false;  // F itself
  bool gram = false;      // G = F F^T
};

// The gradient of the losses that read a tap, in the form that all of them have:
//   S F + factor (F - target)
// At least one of S and target must be given; target only for a tap whose features were asked for.
struct TapGradient {
  std::span<const float> S;  // [C][C], symmetric: twice the gradient by G; empty for none
  float factor = 0;
  ConstFeatureMap target;  // null data for none
};

// The buffers for one picture size and one set of taps, allocated once and used for any number of
// forward and backward runs.
class Pass {
 public:
  enum class Purpose { features, gradients };  // features: backward is never called, keeps less

  // The network must reach the deepest tap and outlive the pass. height and width are those of the
  // picture, at least smallest_side. Taps must differ from each other.
  Pass(const Network& network, int height, int width, std::span<const TapRequest> taps,
       Purpose purpose);

  // The network's input, in its convention (see InputConvention), to be filled before forward.
  InputPlanes input() { return {input_.data(), height_, width_}; }

  // Computes the features or Gram matrices of every tap.
  void forward(ThreadPool& pool);

  // What was asked for of tap number `tap`: after forward, until backward. Features are laid out
  // as shape(tap) says.
  ConstFeatureMap features(int tap) const { return taps_[tap].map; }
  std::span<float> gram(int tap) { return taps_[tap].gram; }  // [C][C]
  // Channels, height and width of a tap; no data.
  ConstFeatureMap shape(int tap) const;

  // The gradient by the input of a loss whose gradient by tap i is gradients[i]. After forward,
  // once: the features are gone afterwards.
  void backward(std::span<const TapGradient> gradients, ThreadPool& pool);

  // The result of backward, in the network's convention.
  ConstInputPlanes d_input() const { return {d_input_.data(), height_, width_}; }

  // Bytes that the buffers take.
  size_t bytes() const;

  // Seconds that the last forward and backward took, by row. Rows that are done in one (a
  // convolution and its pooling, the fused first level) count as the last of them.
  struct RowSeconds {
    double forward = 0, backward = 0;
    double gram = 0, gradient = 0;  // of the row's taps
  };
  std::span<const RowSeconds> seconds() const { return seconds_; }

 private:
  static constexpr int kNoTap = -1;
  struct TapState {
    TapRequest request;
    FeatureMap map;  // null data in the fused first level
    Buffer<float> memory;
    Buffer<float> gram;
  };
  struct RowState {
    int channels, height, width;   // of the row's output
    int tap_before_relu = kNoTap;  // indices into taps_
    int tap_output = kNoTap;
    bool pooled = false;        // a convolution whose output goes straight into the next row's
    CellBits signs;             // convolutions; where `pooled` by maxima, of the maxima
    kernels::MaxPlaces places;  // of the maxima: a pooling's, or those of a convolution `pooled`
    Buffer<std::uint16_t> sign_memory, right_memory, below_memory;
  };

  void plan_shapes(std::span<const TapRequest> taps);
  void plan_memory(Purpose purpose);
  void plan_bits(RowState& row, const RowState* pooling);
  bool is_convolution(int row) const;
  bool ends_before_relu(int row) const;
  int rows() const { return static_cast<int>(rows_.size()); }
  size_t work_floats() const;

  FeatureMap work_map(const RowState& row, int index);
  FeatureMap output_map(const RowState& row, int& work_in_use);
  kernels::FirstLevel first_level() const;
  void run_first_level(FeatureMap y, ThreadPool& pool);
  void run_convolution(int row, ConstFeatureMap x, FeatureMap y, ThreadPool& pool);
  void run_pooling(const RowState& row, ConstFeatureMap x, FeatureMap y, ThreadPool& pool);
  kernels::Source gradient_source(int row, ConstFeatureMap d) const;
  FeatureMap gradient_map(int row, int& work_in_use, bool zeroed);

  const Network& network_;
  int height_, width_;
  bool fused_first_level_ = false;  // rows 0, 1 and 2
  std::vector<RowState> rows_;
  std::vector<RowSeconds> seconds_;
  std::vector<TapState> taps_;
  Buffer<float> input_, d_input_, edges_;
  Buffer<float> work_[2];
  Buffer<double> gram_scratch_;
};

}  // namespace limn
