// A network as a plain composition of the slow kernels: every row's maps are kept, nothing is
// shared or skipped. What network/network.h computes with few buffers must be the same.
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
  ComposedNetwork(const Weights& weights, Pooling pooling) : weights_(weights), pooling_(pooling) {}

  // Computes rows 0..last_row.
  void forward(const GuardedPlanes& x, int height, int width, int last_row);
  const GuardedMap& features(const LayerPosition& position) const;

  // The gradient by x of the sum over all given positions of sum u F.
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
  std::vector<RowMaps> rows_;
};

// A table of four convolutions before, between and after three poolings, of channels that are not
// all alike. Its kernels are sparse whole numbers: each output sums four inputs with signs, so that
// features of whole numbers stay whole, small, and exact in float whatever the order of additions.
struct WholeNetwork {
  WholeNetwork();
  WholeNetwork(const WholeNetwork&) = delete;
  WholeNetwork& operator=(const WholeNetwork&) = delete;

  LayerPosition position(std::string_view layer) const { return *find_layer(table, layer); }

  std::vector<Row> rows;
  NetworkTable table;
  Weights weights;
};

}  // namespace limn
