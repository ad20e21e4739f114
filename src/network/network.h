// Runs a VGG network forward, and the gradient of a loss back to its input.
//
// The network is frozen and losses read few layers, so little is kept for backward:
// - The first level (conv1_1 to pool1) runs in pieces that stay in a near cache, and again in
//   backward; its maps, the largest of all, are never stored (kernels/first_level.cc).
// - Every other convolution keeps one sign bit per value or, before max pooling, one sign bit and
//   two place bits per maximum.
// - Features that losses read ("taps") are kept; those needed only for a Gram matrix in half
//   precision, if requested. In backward the gradient overwrites them.
// - If losses read only the cells of a core (tiling.h), features are kept of it alone, and the
//   gradient with respect to all other cells begins as 0.
// Everything else lives from one step to the next and shares its memory (network/plan.h).
#pragma once

#include <limn/limn.h>

#include <functional>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/buffer.h"
#include "base/parallel.h"
#include "kernels/kernels.h"
#include "network/input.h"
#include "network/plan.h"
#include "network/vgg.h"
#include "network/weights.h"

namespace limn {

// The rows of a network from the first to the deepest in use, each with its weights.
class Network {
 public:
  // Rows 0..last_row. The weights must outlive the network: kernels are not copied. Throws Error
  // (usage) when the weights end before last_row.
  Network(const Weights& weights, Pooling pooling, int last_row);

  std::span<const Row> rows() const { return rows_; }
  Pooling pooling() const { return pooling_; }
  // The kernel of the first row, which reads the picture, in pack_input_kernel's order.
  std::span<const float> input_kernel() const { return convolution(0).kernel.values; }
  const Convolution& convolution(int row) const { return *convolutions_[row]; }

 private:
  std::span<const Row> rows_;
  Pooling pooling_;
  std::vector<const Convolution*> convolutions_;  // by row; null for poolings
};

// The smallest height or width of a picture that leaves at least one cell in the map of `row`.
int smallest_side(std::span<const Row> rows, Pooling pooling, int row);

// The distance of neighbouring cells in the map of `row`, in pixels of the picture.
int stride_of(std::span<const Row> rows, int row);

// The gradient of a loss with respect to a tap's features, as an affine map of them:
//   S F + factor (F - target) + T difference + what the addends add
// Every term is optional; without any, the gradient is 0. All but the first require a tap that
// requests features.
struct Slope {
  std::span<const float> S;  // [C][C], symmetric
  float factor = 0;
  ConstFeatureMap target;      // null data for none
  std::span<const float> T;    // [C][C], symmetric
  ConstFeatureMap difference;  // null data for none
  // Called while F is still there, after the addends: fills target or difference, whose memory
  // other slopes may use as well.
  std::function<void()> prepare;
  // Each adds to d, a map of the same shape, "+=", leaving its ring 0.
  using Addend = std::function<void(ConstFeatureMap F, FeatureMap d)>;
  std::vector<Addend> addends;
  // The same for the features of a tile and around it (TapRequest::around), after all other terms.
  std::vector<Addend> addends_around = {};
  float* sum = nullptr;  // memory for d, from the first addend on; in use only while they add

  bool empty() const {
    return S.empty() && !target.data && T.empty() && addends.empty() && addends_around.empty();
  }
  // Becomes empty, but keeps the memory of its lists.
  void clear() {
    Slope none;
    std::swap(none.addends, addends);
    std::swap(none.addends_around, addends_around);
    none.addends.clear();
    none.addends_around.clear();
    *this = std::move(none);
  }
};

// Replaces the features F by their gradient.
void turn_into_gradient(FeatureMap F, const Slope& slope, ThreadPool& pool);

// What a forward pass computes, if not everything.
struct Extent {
  bool grams = true;                          // without, only features
  int row = std::numeric_limits<int>::max();  // taps deeper than this one's are left out
};

// The buffers for one picture size and one set of taps, allocated once and reused for any number of
// forward and backward runs.
class Pass {
 public:
  // The network must reach the deepest tap and outlive the pass. height and width are the
  // picture's, at least smallest_side. Taps must be distinct. threads: the pool's number of
  // threads; a larger pool allocates memory of its own.
  //
  // edges: of the picture and of every map. With periodic ones, height and width are multiples of
  // the deepest tap's stride, 2 to the number of poolings (smallest_side for max pooling). Then a
  // picture rolled by a multiple of it has the same features, rolled; to the bit where the maps'
  // sides, and the roll within them, are multiples of Winograd's tile of 4.
  Pass(const Network& network, int height, int width, std::span<const TapRequest> taps,
       Purpose purpose, int threads = 1, Edges edges = Edges::zero);
  // By a plan for this network. memory: plan.arena_bytes, aligned like a buffer, which passes that
  // run one after another may share; if empty, the pass allocates its own.
  Pass(const Network& network, PassPlan plan, Edges edges, std::span<std::byte> memory = {});

  // Computes every tap's features or Gram matrix for the picture x, [3][height][width], which `map`
  // maps to the network's input. Both must stay alive until backward is done. What lies beyond the
  // extent has no meaning and may have no slope.
  void forward(std::span<const float> x, const InputMap& map, ThreadPool& pool,
               const Extent& extent = {});

  // What tap number `tap` requested, of the core: valid after forward, until backward. Features
  // have the layout of cells(tap), and null data if not requested.
  ConstFeatureMap features(int tap);
  std::span<const float> gram(int tap);  // [C][C]
  // The whole map, if the core is everything or what is around it was requested, of which core(tap)
  // is the core.
  ConstFeatureMap around(int tap);
  const Window& core(int tap) const { return plan_.taps[tap].core; }
  // A tap's channels, height and width, of the whole map and of the core; no data.
  ConstFeatureMap shape(int tap) const { return plan_.taps[tap].shape; }
  ConstFeatureMap cells(int tap) const { return plan_.taps[tap].cells; }

  // d_x "=" the gradient with respect to x of a loss whose gradient with respect to tap i is
  // slopes[i]. Call once after each forward; it overwrites the features. Rows deeper than the
  // deepest tap with a slope cost nothing.
  void backward(std::span<const Slope> slopes, std::span<float> d_x, ThreadPool& pool);

  // Seconds spent in the last forward and backward, by row. Fused rows (a convolution and its
  // pooling, the first level) count as their last row.
  struct RowSeconds {
    double forward = 0, backward = 0;
    double gram = 0, gradient = 0;  // for the row's taps; gram includes keeping their features
  };
  std::span<const RowSeconds> seconds() const { return seconds_; }

 private:
  // A region's data in the arena; null if the plan has no such region.
  template <typename T>
  T* at(const Region& region) {
    if (region.bytes == 0) return nullptr;
    return reinterpret_cast<T*>(arena_.data() + region.offset);
  }
  bool keeps_map(int tap) const;
  InputPlanes input() { return {at<float>(plan_.input), plan_.height, plan_.width}; }
  InputPlanes d_input() { return {at<float>(plan_.d_input), plan_.height, plan_.width}; }
  FeatureMap tap_map(int tap);
  HalfMap half_map(int tap);
  FeatureMap cropped_map(int tap);
  FeatureMap output_map(int row);
  CellBits signs(int row);
  kernels::MaxPlaces places(int row);

  void fill_input(ThreadPool& pool);
  void forward_rows(ThreadPool& pool);
  int rows() const { return static_cast<int>(plan_.rows.size()); }
  bool is_convolution(int row) const;
  kernels::FirstLevel first_level(bool with_gram) const;
  kernels::Sink convolution_sink(int row, FeatureMap y);
  void run_first_level(FeatureMap y, ThreadPool& pool);
  void run_convolution(int row, ConstFeatureMap x, FeatureMap y, ThreadPool& pool);
  void run_pooling(int row, ConstFeatureMap x, FeatureMap y, ThreadPool& pool);
  ConstFeatureMap run_rows(int first, int last, ConstFeatureMap x, ThreadPool& pool);
  void measure_grams(int row, ThreadPool& pool);
  void crop_taps(int row, ThreadPool& pool);
  void keep_in_half(int row, ThreadPool& pool);

  void convolve(int row, kernels::Direction direction, const float* bias,
                const kernels::Source& source, const kernels::Sink& sink, ThreadPool& pool);
  kernels::Source gradient_source(int row, ConstFeatureMap d);
  FeatureMap gradient_before_relu(int row, FeatureMap d, ThreadPool& pool);
  void turn_taps_into_gradients(int row, std::span<const Slope> slopes, ThreadPool& pool);
  void turn_tap_into_gradient(int tap, const Slope& slope, ThreadPool& pool);
  void bring_gradients(int row, std::span<const Slope> slopes, ThreadPool& pool);
  void run_convolution_backward(int row, FeatureMap d, FeatureMap d_x, ThreadPool& pool);
  void run_pooling_backward(int row, ConstFeatureMap d, FeatureMap d_x, ThreadPool& pool);
  void run_first_convolution_backward(FeatureMap d, ThreadPool& pool);
  int last_of_step(int row) const;
  int deepest_slope(std::span<const Slope> slopes) const;
  FeatureMap first_gradient(int row, std::span<const Slope> slopes, ThreadPool& pool);
  FeatureMap backward_to_first_step(int row, std::span<const Slope> slopes, ThreadPool& pool);
  void run_first_level_backward(ConstFeatureMap d, std::span<const Slope> slopes, ThreadPool& pool);

  const Network& network_;
  const PassPlan plan_;
  const Edges edges_;
  // The picture given to forward, from which backward recomputes the first level.
  std::span<const float> x_;
  const InputMap* input_map_ = nullptr;
  std::vector<RowSeconds> seconds_;
  Extent extent_;  // of the last forward
  Buffer<std::byte> own_;
  const std::span<std::byte> arena_;  // the regions of plan_
};

}  // namespace limn
