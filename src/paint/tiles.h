// How the pictures of a painting are cut into tiles for their losses (network/tiling.h).
#pragma once

#include <limn/limn.h>

#include <span>
#include <vector>

#include "losses/layers.h"
#include "network/tiling.h"

namespace limn {

// Tiles with cores up to this size, or a single one (see cut()), of the picture being painted, with
// its border. The halo follows from the deepest layer's receptive field, and from how far beyond a
// tile's cells the losses of a layer reach: shifts by their length, columns by one cell.
Tiling picture_tiles(const NetworkTable& network, const Recipe& recipe, const Size& picture,
                     const Size& core);
// The same of a painting, or of the photo, whose features are only measured.
Tiling measured_tiles(const NetworkTable& network, const Recipe& recipe, const Size& picture,
                      const Size& core);

// Whether it can be cut at all. Statistics of mirror images (style.symmetry) compare positions from
// opposite ends of the picture, whose maps they need whole.
bool can_be_cut(const Recipe& recipe);

// The time of an evaluation in tiles, relative to that of the same picture in one piece: what halos
// add, and that the network runs forward twice.
double cost_of(const Tiling& tiling);

// picture_taps, and around them where losses reach there.
std::vector<TapRequest> tiled_picture_taps(const Recipe& recipe, std::span<const LayerInUse> layers,
                                           bool regional);

// By layer: whether a painting's features are needed only where a neighbours loss searches them, so
// that the others need not be put together from tiles.
std::vector<bool> only_searched(const Recipe& recipe, std::span<const LayerInUse> layers,
                                bool regional);

}  // namespace limn
