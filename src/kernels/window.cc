// Parts of maps, cut out and put back: what tiles of a picture need, whose maps hold more than the
// tile's own cells.
#include <algorithm>
#include <cassert>
#include <cstring>

#include "kernels/kernels.h"

namespace limn::kernels {
namespace {

// Calls row(block, y) for all rows of all blocks.
template <typename Row>
void each_row(int blocks, int rows, ThreadPool& pool, const Row& row) {
  pool.run(static_cast<size_t>(blocks) * rows,
           [&](size_t task) { row(static_cast<int>(task / rows), static_cast<int>(task % rows)); });
}

void clear(float* begin, const float* end) { std::memset(begin, 0, (end - begin) * sizeof(float)); }

bool fits(ConstFeatureMap part, const Window& window, ConstFeatureMap F) {
  return part.channels == F.channels && part.height == window.height() &&
         part.width == window.width() && window.row >= 0 && window.column >= 0 &&
         window.end_row <= F.height && window.end_column <= F.width;
}

}  // namespace

void crop(ConstFeatureMap F, const Window& window, FeatureMap to, ThreadPool& pool) {
  assert(fits(to, window, F));
  const size_t row_floats = static_cast<size_t>(to.width) * kBlock;
  each_row(to.blocks(), to.height + 2, pool, [&](int block, int ring_row) {
    const int y = ring_row - 1;
    if (y >= 0 && y < to.height) {
      std::memset(to.cell(block, y, -1), 0, kBlock * sizeof(float));
      std::memcpy(to.cell(block, y, 0), F.cell(block, window.row + y, window.column),
                  row_floats * sizeof(float));
      std::memset(to.cell(block, y, to.width), 0, kBlock * sizeof(float));
      return;
    }
    const bool last = y == to.height && block + 1 == to.blocks();
    const float* end = y < 0  ? to.cell(block, 0, -1)
                       : last ? to.data + to.floats()
                              : to.cell(block + 1, -1, -1);
    clear(to.cell(block, y, -1), end);
  });
}

void paste(ConstFeatureMap cropped, const Window& window, FeatureMap F, ThreadPool& pool) {
  assert(fits(cropped, window, F));
  const size_t row_floats = static_cast<size_t>(cropped.width) * kBlock;
  each_row(F.blocks(), F.height + 2, pool, [&](int block, int ring_row) {
    const int y = ring_row - 1;
    float* begin = F.cell(block, y, -1);
    float* end = F.cell(block, y, F.width) + kBlock;
    if (y < window.row || y >= window.end_row) return clear(begin, end);
    float* to = F.cell(block, y, window.column);
    clear(begin, to);
    std::memcpy(to, cropped.cell(block, y - window.row, 0), row_floats * sizeof(float));
    clear(to + row_floats, end);
  });
}

void add_pasted(ConstFeatureMap cropped, const Window& window, FeatureMap F, ThreadPool& pool) {
  assert(fits(cropped, window, F));
  each_row(cropped.blocks(), cropped.height, pool, [&](int block, int y) {
    const float* from = cropped.cell(block, y, 0);
    float* to = F.cell(block, window.row + y, window.column);
    for (int i = 0; i < cropped.width * kBlock; ++i) to[i] += from[i];
  });
}

void clear_outside(FeatureMap F, const Window& window, ThreadPool& pool) {
  if (window == window_of(F)) return;
  each_row(F.blocks(), F.height, pool, [&](int block, int y) {
    float* begin = F.cell(block, y, 0);
    float* end = begin + static_cast<size_t>(F.width) * kBlock;
    if (y < window.row || y >= window.end_row) return clear(begin, end);
    clear(begin, F.cell(block, y, window.column));
    clear(F.cell(block, y, window.column) + static_cast<size_t>(window.width()) * kBlock, end);
  });
}

}  // namespace limn::kernels
