// Running a VGG network forward, and the gradient of a loss back to its input.
//
// The network is frozen and losses read few layers, so little is kept from forward to backward:
// - The first level (conv1_1 to pool1) is run in pieces that never leave a near cache, and run
//   again backward; its maps, the largest ones, do not exist (kernels/first_level.cc).
// - Of every other convolution one sign bit for each value, or, where max pooling follows, one sign
//   bit and two place bits for each maximum.
// - The features that losses read ("taps"), those that only a Gram matrix is made of in half
//   precision if that was asked for. Backward the gradient takes their place in memory.
// All else lives only from one step to the next, and shares its memory (network/plan.h).
#pragma once

#include <limn/limn.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/parallel.h"
#include "kernels/kernels.h"
#include "network/input.h"
#include "network/plan.h"
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

// The smallest height or width of a picture for which the map of `row` has at least one cell.
int smallest_side(std::span<const Row> rows, Pooling pooling, int row);

// The gradient of a loss with respect to a tap's features, as an affine map of them:
//   S F + factor (F - target) + T difference + addend(F)
// Each term may be absent; without any the gradient is 0. All but the first are only for a tap
// whose features were asked for.
struct Slope {
  std::span<const float> S;  // [C][C], symmetric
  float factor = 0;
  ConstFeatureMap target;      // null data for none
  std::span<const float> T;    // [C][C], symmetric
  ConstFeatureMap difference;  // null data for none
  // Its result, alike in shape and with a zero ring, is read before it is called again.
  std::function<ConstFeatureMap(ConstFeatureMap F)> addend;

  bool empty() const { return S.empty() && !target.data && T.empty() && !addend; }
};

// The buffers for one picture size and one set of taps, allocated once and used for any number of
// forward and backward runs.
class Pass {
 public:
  // The network must reach the deepest tap and outlive the pass. height and width are those of the
  // picture, at least smallest_side. Taps must differ from each other. threads: how many the pool
  // has; with more, it takes memory of its own.
  Pass(const Network& network, int height, int width, std::span<const TapRequest> taps,
       Purpose purpose, int threads = 1);

  // Computes the features or Gram matrices of every tap for the picture x, [3][height][width],
  // which `map` takes to the network's input. Both must outlive the way back.
  void forward(std::span<const float> x, const InputMap& map, ThreadPool& pool);

  // What was asked for of tap number `tap`: after forward, until backward. Features are laid out
  // as shape(tap) says, and have null data where they were not asked for.
  ConstFeatureMap features(int tap);
  std::span<float> gram(int tap) { return grams_[tap]; }  // [C][C]
  // Channels, height and width of a tap; no data.
  ConstFeatureMap shape(int tap) const { return plan_.taps[tap].shape; }

  // d_x "=" the gradient with respect to x of a loss whose gradient with respect to tap i is
  // slopes[i]. After forward, once: the features are gone afterwards. Rows below the deepest tap
  // that has a slope cost nothing.
  void backward(std::span<const Slope> slopes, std::span<float> d_x, ThreadPool& pool);

  // Seconds that the last forward and backward took, by row. Rows that are done in one (a
  // convolution and its pooling, the fused first level) count as the last of them.
  struct RowSeconds {
    double forward = 0, backward = 0;
    double gram = 0, gradient = 0;  // of the row's taps; gram with what keeps their features
  };
  std::span<const RowSeconds> seconds() const { return seconds_; }

 private:
  // What lies in the arena; null where the plan has no such region.
  template <typename T>
  T* at(const Region& region) {
    if (region.bytes == 0) return nullptr;
    return reinterpret_cast<T*>(arena_.data() + region.offset);
  }
  InputPlanes input() { return {at<float>(plan_.input), plan_.height, plan_.width}; }
  InputPlanes d_input() { return {at<float>(plan_.d_input), plan_.height, plan_.width}; }
  FeatureMap tap_map(int tap);
  HalfMap half_map(int tap);
  FeatureMap output_map(int row);
  CellBits signs(int row);
  kernels::MaxPlaces places(int row);

  void fill_input(ThreadPool& pool);
  void forward_rows(ThreadPool& pool);
  int rows() const { return static_cast<int>(plan_.rows.size()); }
  bool is_convolution(int row) const;
  kernels::FirstLevel first_level() const;
  kernels::Sink convolution_sink(int row, FeatureMap y);
  void run_first_level(FeatureMap y, ThreadPool& pool);
  void run_convolution(int row, ConstFeatureMap x, FeatureMap y, ThreadPool& pool);
  void run_pooling(int row, ConstFeatureMap x, FeatureMap y, ThreadPool& pool);
  ConstFeatureMap run_rows(int first, int last, ConstFeatureMap x, ThreadPool& pool);
  void measure_grams(int row, ThreadPool& pool);
  void keep_in_half(int row, ThreadPool& pool);

  void convolve(int row, kernels::Direction direction, const float* bias,
                const kernels::Source& source, const kernels::Sink& sink, ThreadPool& pool);
  kernels::Source gradient_source(int row, ConstFeatureMap d);
  FeatureMap gradient_before_relu(int row, FeatureMap d, ThreadPool& pool);
  void turn_taps_into_gradients(std::span<const Slope> slopes, ThreadPool& pool);
  void bring_gradients_from_half(int row, std::span<const Slope> slopes, ThreadPool& pool);
  void run_convolution_backward(int row, FeatureMap d, FeatureMap d_x, ThreadPool& pool);
  void run_pooling_backward(int row, ConstFeatureMap d, FeatureMap d_x, ThreadPool& pool);
  void run_first_convolution_backward(FeatureMap d, ThreadPool& pool);
  int deepest_slope(std::span<const Slope> slopes) const;
  FeatureMap first_gradient(int row, std::span<const Slope> slopes, ThreadPool& pool);
  FeatureMap backward_to_first_step(int row, std::span<const Slope> slopes, ThreadPool& pool);
  void run_first_level_backward(ConstFeatureMap d, std::span<const Slope> slopes, ThreadPool& pool);

  const Network& network_;
  const PassPlan plan_;
  // The picture that forward was given, which the first level is computed from again.
  std::span<const float> x_;
  const InputMap* input_map_ = nullptr;
  std::vector<RowSeconds> seconds_;
  std::vector<Buffer<float>> grams_;  // by tap, [C][C]; empty where none was asked for
  Buffer<std::byte> arena_;           // what plan_ has regions for
};

}  // namespace limn
