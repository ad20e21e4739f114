// The memory layout of feature maps.
//
// A feature map F has C channels of H x W floats. Channels are grouped in blocks of 16, because 16
// floats are one cache line and one, two or four vectors. Each block is a plane of H x W cells with
// a ring of zero cells around it, so a 3 x 3 convolution reads its zero padding like any other
// pixel:
//
//     block 0 (channels 0..15)            block 1 (channels 16..31)
//     0 0 0 0 0 0                         0 0 0 0 0 0
//     0 a b c d 0   <- row 0, W = 4       0 . . . . 0          a, b, ... are cells of
//     0 e f g h 0                         0 . . . . 0          16 floats: one pixel of
//     0 0 0 0 0 0                         0 0 0 0 0 0          the block's 16 channels
//     |<------ plane_stride floats ------>|
//
// plane_stride leaves a few cells between planes: with strides that are multiples of 2 KB, the same
// pixel of all blocks would fall into the same cache set. After the last plane there is slack that
// a kernel may read (but not use) when it processes a few pixels more than exist.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <type_traits>

namespace limn {

inline constexpr int kBlock = 16;               // channels in a block, floats in a cell
inline constexpr int kSlackCells = 2 * kBlock;  // readable after the last plane

// What a convolution reads beyond the edges of a picture or a map.
enum class Edges {
  zero,     // zeros, as in the training of the networks
  periodic  // the opposite edge: the picture repeats itself in all directions, as a texture does
};

// The place on a periodic axis of `size` cells where `place`, less than a period beyond it, lies.
constexpr int wrapped(int place, int size) {
  return place < 0 ? place + size : place < size ? place : place - size;
}

// A non-owning view of a feature map; a Buffer elsewhere owns it. T is float or const float.
template <typename T>
struct BasicFeatureMap {
  T* data = nullptr;
  int channels = 0;  // a multiple of kBlock
  int height = 0;
  int width = 0;

  int blocks() const { return channels / kBlock; }
  std::size_t positions() const { return static_cast<std::size_t>(height) * width; }  // M
  std::size_t row_stride() const { return (static_cast<std::size_t>(width) + 2) * kBlock; }
  std::size_t plane_stride() const {
    const std::size_t cells = (static_cast<std::size_t>(width) + 2) * (height + 2);
    constexpr std::size_t kCellsIn2Kb = 2048 / (kBlock * sizeof(float));
    // Three cells past a multiple of 2 KB: the same pixel of 10 planes uses 10 different sets.
    const std::size_t rounded = (cells + kCellsIn2Kb - 1) / kCellsIn2Kb * kCellsIn2Kb;
    return (rounded + 3) * kBlock;
  }
  // The floats the map occupies from `data` on, slack included.
  std::size_t floats() const { return plane_stride() * blocks() + kSlackCells * kBlock; }

  // The cell (16 floats) of a pixel; y and x range from -1 to height and width (the ring).
  T* cell(int block, int y, int x) const {
    assert(block >= 0 && block < blocks() && y >= -1 && y <= height && x >= -1 && x <= width);
    return data + block * plane_stride() + (y + 1) * row_stride() +
           (static_cast<std::ptrdiff_t>(x) + 1) * kBlock;
  }
  // One value: F[c](y, x).
  T& at(int c, int y, int x) const { return cell(c / kBlock, y, x)[c % kBlock]; }

  operator BasicFeatureMap<const float>() const requires(!std::is_const_v<T>) {
    return {data, channels, height, width};
  }
};

using FeatureMap = BasicFeatureMap<float>;
using ConstFeatureMap = BasicFeatureMap<const float>;

// A whole map as one vector, including its ring and the gaps between its planes.
template <typename T>
std::span<T> flat(BasicFeatureMap<T> map) {
  return {map.data, map.plane_stride() * map.blocks()};
}

// A window of a map or a picture: rows row..end_row - 1, columns column..end_column - 1.
struct Window {
  int row = 0;
  int end_row = 0;
  int column = 0;
  int end_column = 0;

  int height() const { return end_row - row; }
  int width() const { return end_column - column; }
  bool empty() const { return row >= end_row || column >= end_column; }
  bool operator==(const Window&) const = default;
};

inline constexpr Window kEverywhere = {0, std::numeric_limits<int>::max(), 0,
                                       std::numeric_limits<int>::max()};

inline Window window_of(ConstFeatureMap map) { return {0, map.height, 0, map.width}; }

// The map as seen from one of its cells, which becomes (0, 0). Only what was inside may be read.
inline ConstFeatureMap seen_from(ConstFeatureMap map, int row, int column) {
  if (map.data) map.data += row * map.row_stride() + static_cast<std::size_t>(column) * kBlock;
  return map;
}

// A 3-channel picture as the network reads it: three planes of (height + 2) x (width + 2) floats
// with a ring, zero or (wrap_ring) the opposite edges, and slack like a feature map's.
template <typename T>
struct BasicInputPlanes {
  T* data = nullptr;
  int height = 0;
  int width = 0;

  std::size_t row_stride() const { return static_cast<std::size_t>(width) + 2; }
  std::size_t plane_stride() const { return row_stride() * (height + 2); }
  std::size_t floats() const { return 3 * plane_stride() + kSlackCells; }
  T* row(int c, int y) const { return data + c * plane_stride() + (y + 1) * row_stride() + 1; }

  operator BasicInputPlanes<const float>() const requires(!std::is_const_v<T>) {
    return {data, height, width};
  }
};

using InputPlanes = BasicInputPlanes<float>;
using ConstInputPlanes = BasicInputPlanes<const float>;

// Clears all of a map except its features: the ring, which is a convolution's zero padding, and the
// gap after each plane, so that maps can be compared as a whole.
inline void clear_around(FeatureMap map) {
  const auto clear = [](float* begin, const float* end) {
    std::memset(begin, 0, (end - begin) * sizeof(float));
  };
  for (int block = 0; block < map.blocks(); ++block) {
    clear(map.cell(block, -1, -1), map.cell(block, 0, 0));
    for (int y = 1; y < map.height; ++y) {
      clear(map.cell(block, y - 1, map.width), map.cell(block, y, 0));
    }
    const bool last = block + 1 == map.blocks();
    clear(map.cell(block, map.height - 1, map.width),
          last ? map.data + map.floats() : map.cell(block + 1, -1, -1));
  }
}

// Clears the planes' rings.
inline void clear_around(InputPlanes planes) {
  const int columns = planes.width + 2;
  for (int plane = 0; plane < 3; ++plane) {
    std::fill_n(planes.row(plane, -1) - 1, columns, 0.0f);
    std::fill_n(planes.row(plane, planes.height) - 1, columns, 0.0f);
    for (int y = 0; y < planes.height; ++y) {
      float* row = planes.row(plane, y);
      row[-1] = row[planes.width] = 0;
    }
  }
}

// One bit per value of a feature map of C x H x W, without ring: a cell's 16 bits in one word, bit
// i for channel 16 * block + i. Used for signs (set where the value was positive) and for the
// places of maxima.
struct CellBits {
  std::uint16_t* data = nullptr;
  int height = 0;
  int width = 0;

  std::uint16_t* row(int block, int y) const {
    return data + (static_cast<std::size_t>(block) * height + y) * width;
  }
};

// The number of words for such a map's bits.
inline std::size_t bit_words(int channels, int height, int width) {
  return static_cast<std::size_t>(channels / kBlock) * height * width;
}

// A feature map in half precision (IEEE binary16), without ring: [C / 16][H][W][16]. Only for
// storage; kernels compute in float.
struct HalfMap {
  std::uint16_t* data = nullptr;
  int channels = 0;  // a multiple of kBlock
  int height = 0;
  int width = 0;

  int blocks() const { return channels / kBlock; }
  // The number of words in the map.
  std::size_t words() const { return static_cast<std::size_t>(channels) * height * width; }
  // The cell (16 words) of a row's first pixel; the other pixels' cells follow.
  std::uint16_t* row(int block, int y) const {
    assert(block >= 0 && block < blocks() && y >= 0 && y < height);
    return data + (static_cast<std::size_t>(block) * height + y) * width * kBlock;
  }
};

}  // namespace limn
