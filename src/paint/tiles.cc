#include "paint/tiles.h"

#include <algorithm>

#include "losses/columns.h"
#include "losses/regional.h"
#include "network/network.h"

namespace limn {
namespace {

// Cores begin at multiples of this, and of the deepest layer's stride if that is more: those of
// relu5_1, so that recipes share their tiles.
constexpr int kStep = 16;

int step_of(std::span<const Row> rows, int deepest) {
  return deepest < 0 ? kStep : std::max(kStep, stride_of(rows, deepest));
}

bool shifts_of(const Recipe& recipe, const LayerInUse& layer) {
  return layer.style_weight != 0 && has_shifts(recipe);
}

// Whether any of the layer's columns are read.
std::vector<bool> read_by_columns(const Recipe& recipe, std::span<const LayerInUse> layers) {
  std::vector<bool> read(layers.size());
  for (const ColumnsInUse& columns : columns_in_use(recipe, layers)) {
    for (const auto& part : columns.parts) {
      if (part.layer != ColumnsInUse::kPicture) read[part.layer] = true;
    }
  }
  return read;
}

}  // namespace

Tiling picture_tiles(const NetworkTable& network, const Recipe& recipe, const Size& picture,
                     const Size& core) {
  const std::vector<LayerInUse> layers = layers_in_use(network, recipe);
  const std::vector<bool> by_columns = read_by_columns(recipe, layers);
  Reach reach;
  for (size_t i = 0; i < layers.size(); ++i) {
    const int row = layers[i].position.row, stride = stride_of(network.rows, row);
    const int radius = receptive_radius(network.rows, row);
    int cells = by_columns[i] ? 1 : 0;
    if (shifts_of(recipe, layers[i])) {
      const FeatureMap shape = {nullptr, network.rows[row].out, picture.height / stride,
                                picture.width / stride};
      cells = std::max(cells, shifts_reach(recipe, shape, stride));
    }
    reach.before = std::max(reach.before, radius);
    reach.after = std::max(reach.after, radius + cells * stride);
  }
  return cut(picture, core, reach, step_of(network.rows, deepest_row(layers)),
             recipe.picture.tileable ? Edges::periodic : Edges::zero);
}

Tiling measured_tiles(const NetworkTable& network, const Recipe& recipe, const Size& picture,
                      const Size& core) {
  const int deepest = deepest_row(layers_in_use(network, recipe));
  if (deepest < 0) return uncut(picture);
  const int radius = receptive_radius(network.rows, deepest);
  return cut(picture, core, {radius, radius}, step_of(network.rows, deepest), Edges::zero);
}

bool can_be_cut(const Recipe& recipe) { return recipe.style.symmetry == Symmetry::none; }

double cost_of(const Tiling& tiling) {
  if (tiling.whole()) return 1;
  constexpr double kForwardTwice = 1.5;  // forward takes about as long as backward
  double pixels = 0;
  for (const Tile& tile : tiling.tiles) pixels += 1.0 * tile.patch.height() * tile.patch.width();
  return kForwardTwice * pixels / (1.0 * tiling.picture.height * tiling.picture.width);
}

std::vector<TapRequest> tiled_picture_taps(const Recipe& recipe, std::span<const LayerInUse> layers,
                                           bool regional) {
  std::vector<TapRequest> taps = picture_taps(layers, recipe.picture.half_features, regional);
  const std::vector<bool> by_columns = read_by_columns(recipe, layers);
  for (size_t i = 0; i < taps.size(); ++i) {
    taps[i].around = by_columns[i] || shifts_of(recipe, layers[i]);
  }
  return taps;
}

std::vector<bool> only_searched(const Recipe& recipe, std::span<const LayerInUse> layers,
                                bool regional) {
  const std::vector<bool> by_columns = read_by_columns(recipe, layers);
  const bool by_statistics = regional || recipe.style.statistic == StyleStatistic::sliced;
  std::vector<bool> searched(layers.size());
  for (size_t i = 0; i < layers.size(); ++i) {
    const bool by_style = layers[i].style_weight != 0 && by_statistics;
    searched[i] = layers[i].neighbours_weight != 0 && !by_style && !by_columns[i];
  }
  return searched;
}

}  // namespace limn
