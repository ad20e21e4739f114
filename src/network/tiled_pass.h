// A pass over a picture, tile by tile (tiling.h). With a single tile it is a Pass, to the bit, and
// as fast.
#pragma once

#include <limn/limn.h>

#include <memory>
#include <span>
#include <vector>

#include "base/buffer.h"
#include "network/network.h"
#include "network/tiling.h"

namespace limn {

// A layer's map of the whole picture, and maps as high and wide as any of its tiles, alone and with
// what a pass holds around; without data.
struct LayerShape {
  LayerShape(ConstFeatureMap of_all) : whole(of_all), tile(of_all), around(of_all) {}  // one tile
  LayerShape(FeatureMap of_all) : LayerShape(ConstFeatureMap(of_all)) {}
  ConstFeatureMap whole, tile, around;
  bool is_cut() const { return whole.positions() != tile.positions(); }
};

class TiledPass {
 public:
  // edges: of the picture.
  TiledPass(const Network& network, Tiling tiling, std::span<const TapRequest> taps,
            Purpose purpose, int threads, Edges edges = Edges::zero);

  int tiles() const { return static_cast<int>(tiling_.tiles.size()); }
  bool whole() const { return tiling_.whole(); }
  const LayerShape& shape(int tap) const { return shapes_[tap]; }

  // Runs tile number `tile` of the picture x, [3][height][width]. As Pass::forward.
  void forward(int tile, std::span<const float> x, const InputMap& map, ThreadPool& pool,
               const Extent& extent = {});

  // Of the tile run last: what its tap requested, of the cells of its core; and where these lie in
  // the whole picture's map.
  ConstFeatureMap features(int tap) { return pass().features(tap); }
  std::span<const float> gram(int tap) { return pass().gram(tap); }
  Window cells(int tap) const { return cells_[running_][tap]; }
  // The map with what is around, or no data, and where in it the core is.
  ConstFeatureMap around(int tap) { return pass().around(tap); }
  Window core(int tap) { return pass().core(tap); }

  // The gradient of a loss with these slopes with respect to the taps of the tile run last. If it
  // is the only one, d_x "=" that gradient; otherwise it becomes patch_gradient(), to be added.
  void backward(std::span<const Slope> slopes, std::span<float> d_x, ThreadPool& pool);
  // Of several tiles: that of tile number `tile`, [3][height][width] of its patch.
  std::span<float> patch_gradient(int tile) {
    return std::span<float>(d_x_).first(patch_floats(tile));
  }
  // The floats of any tile's patch, and at most.
  size_t patch_floats(int tile) const;
  size_t most_patch_floats() const { return x_.size(); }
  // d_x "+=" the gradient of that tile's patch.
  void add_patch(int tile, std::span<const float> d_patch, std::span<float> d_x,
                 ThreadPool& pool) const;

  std::span<const Pass::RowSeconds> seconds() const {
    return passes_[of_tile_[running_]]->seconds();
  }

 private:
  Pass& pass() { return *passes_[of_tile_[running_]]; }

  const Tiling tiling_;
  std::vector<LayerShape> shapes_;
  int running_ = 0;
  Buffer<std::byte> memory_;                   // of all passes, which run one after another
  std::vector<std::unique_ptr<Pass>> passes_;  // one for each shape of a tile
  std::vector<size_t> of_tile_;                // by tile, which of them
  std::vector<std::vector<Window>> cells_;     // by tile and tap
  Buffer<float> x_, d_x_;                      // of a patch; unless there is a single tile
};

// The shapes of the taps of a TiledPass.
std::vector<LayerShape> tiled_shapes(std::span<const Row> rows, Pooling pooling,
                                     const Tiling& tiling, std::span<const TapRequest> taps);
// The bytes of a TiledPass.
double tiled_pass_bytes(std::span<const Row> rows, Pooling pooling, const Tiling& tiling,
                        std::span<const TapRequest> taps, Purpose purpose, int threads);

}  // namespace limn
