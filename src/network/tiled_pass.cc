#include "network/tiled_pass.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <utility>

namespace limn {
namespace {

size_t pixels(const Window& window) {
  return static_cast<size_t>(window.height()) * window.width();
}

// Calls act(place in the picture, place in the patch, count) for stretches of a patch's planes that
// lie in one row of the picture. Beyond its edges the picture repeats itself.
template <typename Act>
void each_stretch(const Window& patch, const Size& picture, int row, const Act& act) {
  const auto inside = [](int place, int side) { return ((place % side) + side) % side; };
  const auto y = static_cast<size_t>(inside(patch.row + row, picture.height));
  for (int column = 0; column < patch.width();) {
    const int x = inside(patch.column + column, picture.width);
    const int count = std::min(patch.width() - column, picture.width - x);
    act(y * picture.width + x, static_cast<size_t>(row) * patch.width() + column, count);
    column += count;
  }
}

// patch "=" its part of the picture x.
void take(std::span<const float> x, const Size& picture, const Window& patch, std::span<float> to,
          ThreadPool& pool) {
  const size_t plane = x.size() / 3, patch_plane = pixels(patch);
  pool.run(3 * static_cast<size_t>(patch.height()), [&](size_t task) {
    const size_t c = task / patch.height();
    each_stretch(patch, picture, static_cast<int>(task % patch.height()),
                 [&](size_t from, size_t place, int count) {
                   std::memcpy(&to[c * patch_plane + place], &x[c * plane + from],
                               count * sizeof(float));
                 });
  });
}

// x += the patch. The pool's tasks are planes, since rows of a patch taller than the picture meet.
void add(std::span<const float> patch_values, const Window& patch, std::span<float> x,
         const Size& picture, ThreadPool& pool) {
  const size_t plane = x.size() / 3, patch_plane = pixels(patch);
  pool.run(3, [&](size_t c) {
    for (int row = 0; row < patch.height(); ++row) {
      each_stretch(patch, picture, row, [&](size_t to, size_t place, int count) {
        const float* from = &patch_values[c * patch_plane + place];
        float* sum = &x[c * plane + to];
        for (int i = 0; i < count; ++i) sum[i] += from[i];
      });
    }
  });
}

// The shapes of patches and the cores in them, each once, with its number.
using Shapes = std::map<std::array<int, 6>, size_t>;

std::array<int, 6> shape_of(const Tile& tile) {
  const Window core = core_in_patch(tile);
  return {tile.patch.height(), tile.patch.width(), core.row,
          core.end_row,        core.column,        core.end_column};
}

Window cells_in(const Tile& tile, const Tiling& tiling, std::span<const Row> rows,
                const TapRequest& tap, ConstFeatureMap whole) {
  return cells_of(tile.core, tiling.picture, stride_of(rows, tap.position.row), whole.height,
                  whole.width);
}

}  // namespace

std::vector<LayerShape> tiled_shapes(std::span<const Row> rows, Pooling pooling,
                                     const Tiling& tiling, std::span<const TapRequest> taps) {
  const auto [height, width] = tiling.picture;
  const PassPlan all = plan_pass(rows, pooling, height, width, taps, Purpose::features, 1);
  std::vector<LayerShape> shapes;
  shapes.reserve(taps.size());
  for (size_t tap = 0; tap < taps.size(); ++tap) {
    const ConstFeatureMap whole = all.taps[tap].shape;
    LayerShape& shape = shapes.emplace_back(whole);
    if (tiling.whole()) continue;
    const int stride = stride_of(rows, taps[tap].position.row);
    shape.tile.height = shape.tile.width = shape.around.height = shape.around.width = 0;
    for (const Tile& tile : tiling.tiles) {
      const Window cells = cells_in(tile, tiling, rows, taps[tap], whole);
      shape.tile.height = std::max(shape.tile.height, cells.height());
      shape.tile.width = std::max(shape.tile.width, cells.width());
      // Rounded up, as by average pooling.
      const auto map_side = [&](int pixels) { return (pixels + stride - 1) / stride; };
      shape.around.height = std::max(shape.around.height, map_side(tile.patch.height()));
      shape.around.width = std::max(shape.around.width, map_side(tile.patch.width()));
    }
  }
  return shapes;
}

TiledPass::TiledPass(const Network& network, Tiling tiling, std::span<const TapRequest> taps,
                     Purpose purpose, int threads, Edges edges)
    : tiling_(std::move(tiling)),
      shapes_(tiled_shapes(network.rows(), network.pooling(), tiling_, taps)) {
  const std::span<const Row> rows = network.rows();
  Shapes shapes;
  std::vector<PassPlan> plans;
  size_t bytes = 0, most_pixels = 0;
  for (const Tile& tile : tiling_.tiles) {
    const auto [found, is_new] = shapes.emplace(shape_of(tile), plans.size());
    of_tile_.push_back(found->second);
    if (is_new) {
      plans.push_back(plan_tile(rows, network.pooling(), tile, taps, purpose, threads));
      bytes = std::max(bytes, plans.back().arena_bytes);
      most_pixels = std::max(most_pixels, pixels(tile.patch));
    }
    std::vector<Window>& cells = cells_.emplace_back();
    for (size_t tap = 0; tap < taps.size(); ++tap) {
      cells.push_back(cells_in(tile, tiling_, rows, taps[tap], shapes_[tap].whole));
    }
  }
  memory_ = Buffer<std::byte>(bytes);
  for (PassPlan& plan : plans) {
    const Edges of_patch = whole() ? edges : Edges::zero;
    passes_.push_back(std::make_unique<Pass>(network, std::move(plan), of_patch, memory_));
  }
  if (whole()) return;
  x_ = Buffer<float>(3 * most_pixels);
  if (purpose == Purpose::gradients) d_x_ = Buffer<float>(3 * most_pixels);
}

void TiledPass::forward(int tile, std::span<const float> x, const InputMap& map, ThreadPool& pool,
                        const Extent& extent) {
  running_ = tile;
  if (whole()) return pass().forward(x, map, pool, extent);
  const Window& patch = tiling_.tiles[tile].patch;
  const std::span<float> of_patch = std::span<float>(x_).first(3 * pixels(patch));
  take(x, tiling_.picture, patch, of_patch, pool);
  pass().forward(of_patch, map, pool, extent);
}

void TiledPass::backward(std::span<const Slope> slopes, std::span<float> d_x, ThreadPool& pool) {
  pass().backward(slopes, whole() ? d_x : patch_gradient(running_), pool);
}

size_t TiledPass::patch_floats(int tile) const { return 3 * pixels(tiling_.tiles[tile].patch); }

void TiledPass::add_patch(int tile, std::span<const float> d_patch, std::span<float> d_x,
                          ThreadPool& pool) const {
  add(d_patch, tiling_.tiles[tile].patch, d_x, tiling_.picture, pool);
}

double tiled_pass_bytes(std::span<const Row> rows, Pooling pooling, const Tiling& tiling,
                        std::span<const TapRequest> taps, Purpose purpose, int threads) {
  Shapes shapes;
  size_t bytes = 0, most_pixels = 0;
  for (const Tile& tile : tiling.tiles) {
    if (!shapes.emplace(shape_of(tile), 0).second) continue;
    bytes = std::max(bytes, plan_tile(rows, pooling, tile, taps, purpose, threads).arena_bytes);
    most_pixels = std::max(most_pixels, pixels(tile.patch));
  }
  const double vectors = tiling.whole() ? 0 : purpose == Purpose::gradients ? 2 : 1;
  return static_cast<double>(bytes) +
         vectors * 3 * sizeof(float) * static_cast<double>(most_pixels);
}

}  // namespace limn
