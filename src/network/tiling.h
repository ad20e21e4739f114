// How a picture is cut into tiles, so that passes over one tile after another compute exactly what
// one pass over all of it does.
//
//   +-----------------------------+      core: every pixel belongs to one tile's core. Losses of a
//   |  patch                      |      tile read only the cells of its core.
//   |     +-----------------+     |
//   |     |  core           |     |      patch: the core and a margin, the halo, as wide as what
//   |     |                 |     |      the core's cells depend on. The pass runs over it. Cells
//   |     +-----------------+     |      nearer to its edge than that see zeros which are none of
//   |                             |      the picture's, and come out wrong, but nothing reads them.
//   +-----------------------------+
//
// The gradient of a core's share of the loss reaches into the halo, where those of neighbouring
// tiles add up.
//
// Cores begin at multiples of the deepest layer's stride, so that poolings fall like those of the
// whole picture. Tiles follow from the picture's size, the shape and the reach alone, never from
// the number of threads or machines.
#pragma once

#include <limn/limn.h>

#include <span>
#include <vector>

#include "kernels/feature_map.h"
#include "network/plan.h"

namespace limn {

struct Tile {
  Window core;
  Window patch;  // of a picture that repeats itself, it may lie partly beyond the edges
};

// How many pixels beyond a core its share of the losses depends on.
struct Reach {
  int before = 0;  // above, and on the left
  int after = 0;   // below, and on the right
};

// The reach of a cell of `row`: every convolution adds its stride. Poolings, which fall alike for
// all tiles, add nothing.
int receptive_radius(std::span<const Row> rows, int row);

struct Tiling {
  Size picture;
  std::vector<Tile> tiles;  // row by row

  bool whole() const { return tiles.size() == 1; }
};

// A single tile.
Tiling uncut(const Size& picture);

// As many tiles as there would be of cores no longer than `core`, and no narrower than `step`.
// Cores at an edge are longer than the others by the halo that they do not need, so that patches,
// and with them memory and work, are about equal: ranks wait for each other. A side of 0, or one as
// long as the picture's, does not cut. step: cores and patches begin at its multiples; of a picture
// that repeats itself, its sides are too.
Tiling cut(const Size& picture, const Size& core, const Reach& reach, int step, Edges edges);

// Where a tile's pass holds its core.
Window core_in_patch(const Tile& tile);

// The plan of a tile's pass.
PassPlan plan_tile(std::span<const Row> rows, Pooling pooling, const Tile& tile,
                   std::span<const TapRequest> taps, Purpose purpose, int threads);

}  // namespace limn
