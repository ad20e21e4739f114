#include "network/tiling.h"

#include <algorithm>
#include <cassert>

#include "network/network.h"

namespace limn {
namespace {

int rounded_up(int length, int step) { return (length + step - 1) / step * step; }

// The beginnings of the cores along a side, and its end. halo: what a patch has at either end of
// its core, except at an edge; a core there is longer by as much, but not by so much that hardly
// anything is left for the others.
std::vector<int> cuts(int side, int core, const Reach& halo, int step) {
  if (core <= 0 || core >= side) return {0, side};
  const int longest = std::max(step, core / step * step);
  const int tiles = (side + longest - 1) / longest;
  const int equal = (side + tiles - 1) / tiles;
  const int inner =
      rounded_up(std::max(equal - equal / 4, (side - halo.before - halo.after) / tiles), step);
  const int outer = side - (tiles - 2) * inner;  // the first and the last
  const int first = std::max(step, rounded_up((outer + halo.before - halo.after) / 2, step));
  std::vector<int> begins = {0};
  // What is left at the end goes to the last, if it is too narrow to have a cell of every layer.
  for (int begin = first; side - begin >= step && std::ssize(begins) < tiles; begin += inner) {
    begins.push_back(begin);
  }
  begins.push_back(side);
  return begins;
}

struct Span {
  int begin, end;
};

// From the patch's begin to its end.
Span with_halo(const Span& core, const Reach& halo, int side, Edges edges) {
  const Span patch = {core.begin - halo.before, core.end + halo.after};
  if (edges == Edges::periodic) return patch;
  return {std::max(0, patch.begin), std::min(side, patch.end)};
}

}  // namespace

int receptive_radius(std::span<const Row> rows, int row) {
  int radius = 0;
  for (int i = 0; i <= row; ++i) {
    if (rows[i].kind == RowKind::convolution) radius += stride_of(rows, i);
  }
  return radius;
}

Tiling uncut(const Size& picture) {
  const Window all = {0, picture.height, 0, picture.width};
  return {picture, {{all, all}}};
}

Tiling cut(const Size& picture, const Size& core, const Reach& reach, int step, Edges edges) {
  const Reach halo = {rounded_up(reach.before, step), rounded_up(reach.after, step)};
  const Reach spared = edges == Edges::periodic ? Reach() : halo;  // where a picture ends
  const std::vector<int> rows = cuts(picture.height, core.height, spared, step);
  const std::vector<int> columns = cuts(picture.width, core.width, spared, step);
  Tiling tiling = {picture, {}};
  if (rows.size() == 2 && columns.size() == 2) return uncut(picture);
  for (size_t i = 0; i + 1 < rows.size(); ++i) {
    for (size_t j = 0; j + 1 < columns.size(); ++j) {
      const Span down = {rows[i], rows[i + 1]}, across = {columns[j], columns[j + 1]};
      const Span patch_down = with_halo(down, halo, picture.height, edges);
      const Span patch_across = with_halo(across, halo, picture.width, edges);
      tiling.tiles.push_back(
          {{down.begin, down.end, across.begin, across.end},
           {patch_down.begin, patch_down.end, patch_across.begin, patch_across.end}});
    }
  }
  return tiling;
}

Window core_in_patch(const Tile& tile) {
  const auto& [core, patch] = tile;
  return {core.row - patch.row, core.end_row - patch.row, core.column - patch.column,
          core.end_column - patch.column};
}

PassPlan plan_tile(std::span<const Row> rows, Pooling pooling, const Tile& tile,
                   std::span<const TapRequest> taps, Purpose purpose, int threads) {
  return plan_pass(rows, pooling, tile.patch.height(), tile.patch.width(), taps, purpose, threads,
                   core_in_patch(tile));
}

}  // namespace limn
