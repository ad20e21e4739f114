// A network as a plain composition of the slow kernels: all maps are kept; nothing is shared, fused
// or skipped. network/network.h must compute the same with its few buffers.
#pragma once

#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "network/network.h"
#include "support/guarded_memory.h"

namespace limn {

class ComposedNetwork {
 public:
  ComposedNetwork(const Weights& weights, Pooling pooling, Edges edges = Edges::zero)
      : weights_(weights), pooling_(pooling), edges_(edges) {}

  // Computes rows 0..last_row. Reads the ring of x.
  void forward(const GuardedPlanes& x, int height, int width, int last_row);
  const GuardedMap& features(const LayerPosition& position) const;

  // Whether errors of `tolerance` times the largest value of each map would leave all signs before
  // ReLUs and all places of maxima unchanged. If not, gradients may differ.
  bool is_decided(double tolerance) const;

  // The gradient with respect to x of the sum over all given positions of sum u F.
  struct Gradient {
    LayerPosition position;
    const GuardedMap* u;
  };
  GuardedPlanes backward(std::span<const Gradient> gradients) const;

 private:
  struct RowMaps {
    std::optional<GuardedMap> before_relu;
    std::optional<GuardedMap> output;
    std::optional<GuardedBits> signs, right, below;
  };
  const Convolution& convolution_of(int row) const;

  const Weights& weights_;
  Pooling pooling_;
  Edges edges_;
  std::vector<RowMaps> rows_;
};

// Five convolutions before, between and after three poolings, with varying numbers of channels, and
// weights that keep the scale of features from row to row.
struct SmallNetwork {
  SmallNetwork();
  SmallNetwork(const SmallNetwork&) = delete;
  SmallNetwork& operator=(const SmallNetwork&) = delete;

  LayerPosition position(std::string_view layer) const { return *find_layer(table, layer); }
  int last_row() const { return static_cast<int>(rows.size()) - 1; }

  std::vector<Row> rows;
  NetworkTable table;
  Weights weights;
};

}  // namespace limn
