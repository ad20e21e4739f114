// The targets of the losses: the photo's features and the paintings' statistics. Measuring them
// takes a forward pass over each picture; paintings with different recipes may share them.
#pragma once

#include <limn/limn.h>

#include <memory>
#include <vector>

#include "base/parallel.h"
#include "base/ranks.h"
#include "canvas/sizes.h"
#include "losses/columns.h"
#include "losses/content.h"
#include "losses/layers.h"
#include "losses/neighbours.h"
#include "losses/regional.h"
#include "losses/sliced.h"
#include "losses/structure.h"
#include "losses/transport.h"
#include "network/network.h"
#include "paint/scene.h"

namespace limn {

struct Targets {
  // All that the targets depend on besides the pictures. Half precision is not part of it: features
  // read by content losses are never stored that way.
  struct Basis {
    const Weights* weights = nullptr;
    Pooling pooling = {};
    InputConvention convention;
    GramForm gram = {};
    StyleStatistic statistic = {};
    std::vector<int> shifts, shifts_across, shifts_down;
    ShiftUnit shift_unit = {};
    double shift_weight = 0;
    Symmetry symmetry = {};  // of the style
    bool tileable = false;
    std::vector<double> blend;
    Colors colors = {};
    int border = 0;
    WorkingSizes sizes;            // without the border
    std::vector<TapRequest> taps;  // of the picture; none is half
    // By tap, which losses read it besides the style losses.
    struct Read {
      bool photo = false, neighbours = false;
      bool operator==(const Read&) const = default;
    };
    std::vector<Read> reads;
    std::vector<ColumnsInUse> columns;
    bool turned = false;     // Recipe::neighbours
    Space space = {};        // of the pictures that columns read; the default if none do
    std::uint64_t seed = 0;  // of places that are drawn; 0 if none are
    bool operator==(const Basis&) const = default;
  };
  struct Layer {
    ContentTarget content;
    // For the style loss of the layer, if it has one: A, [C][C], scaled by the Gram form, or what
    // losses of regions compare with, or sliced ones.
    Buffer<float> gram;
    std::vector<RegionTarget> regions;
    SlicedTarget sliced;
    NeighbourTarget neighbours;  // no sources if no neighbours loss reads the layer
  };
  struct OfColumns {
    NeighbourTarget neighbours;
    std::vector<TransportTarget> transport;  // one per painting
  };
  Basis basis;
  bool regional = false;           // styles are compared region by region
  std::vector<Layer> layers;       // one per tap of basis.taps
  std::vector<OfColumns> columns;  // one per basis.columns
  StructureTarget structure;       // of maps in `layers`
  Mask seen;                       // where the photo is visible; empty: everywhere

  // Of the picture, including its border.
  Size picture_size() const {
    const auto [height, width] = basis.sizes.picture;
    return {height + 2 * basis.border, width + 2 * basis.border};
  }
};

// The basis of the targets for the recipe's losses. Throws Error (usage) for layers the network
// does not have.
Targets::Basis targets_basis(const Weights& weights, const Recipe& recipe,
                             const WorkingSizes& sizes, bool regional);

// Measures the scene, which has these sizes plus its border, in tiles with cores of this size
// (network/tiling.h), each rank its share of them. Frees its paintings one by one, once their
// statistics are known.
std::shared_ptr<const Targets> measure_targets(const Weights& weights, const Recipe& recipe,
                                               const WorkingSizes& sizes, Scene& scene,
                                               ThreadPool& pool, const Size& core = {},
                                               Ranks& ranks = alone());

}  // namespace limn
