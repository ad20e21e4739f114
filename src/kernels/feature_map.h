// How feature maps lie in memory.
//
// A feature map F has C channels of H x W floats. Channels stand in blocks of 16, because 16 floats
// are one cache line and one, two or four vectors; each block is a plane of H x W cells with a ring
// of zero cells around it, so that a 3 x 3 convolution reads its zero padding like any other pixel:
//
//     block 0 (channels 0..15)            block 1 (channels 16..31)
//     0 0 0 0 0 0                         0 0 0 0 0 0
//     0 a b c d 0   <- row 0, W = 4       0 . . . . 0          a, b, ... are cells of
//     0 e f g h 0                         0 . . . . 0          16 floats: one pixel of
//     0 0 0 0 0 0                         0 0 0 0 0 0          the block's 16 channels
//     |<------ plane_stride floats ------>|
//
// plane_stride leaves a few cells between the planes: strides that are multiples of 2 KB would put
// the same pixel of all blocks into the same cache set. Behind the last plane lies slack that a
// kernel may read (never use) when it works on a few pixels more than there are.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace limn {

inline constexpr int kBlock = 16;               // channels in a block, floats in a cell
inline constexpr int kSlackCells = 2 * kBlock;  // readable behind the last plane

// A view of a feature map; the memory belongs to a Buffer elsewhere. T is float or const float.
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
    // Three cells past a multiple of 2 KB, so that 10 planes' equal pixels use 10 different sets.
    const std::size_t rounded = (cells + kCellsIn2Kb - 1) / kCellsIn2Kb * kCellsIn2Kb;
    return (rounded + 3) * kBlock;
  }
  // Floats that the map needs from `data` on, the slack included.
  std::size_t floats() const { return plane_stride() * blocks() + kSlackCells * kBlock; }

  // The cell (16 floats) of a pixel; y and x from -1 to height and width (the ring).
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

// A whole map with its ring and what lies between its planes, as one vector.
template <typename T>
std::span<T> flat(BasicFeatureMap<T> map) {
  return {map.data, map.plane_stride() * map.blocks()};
}

// A 3-channel picture as the network reads it: three planes of (height + 2) x (width + 2) floats,
// the outer ring zero, with slack like a feature map's.
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

// One bit for each value of a feature map of C x H x W, without ring: the 16 bits of a cell in one
// word, bit i for channel 16 * block + i. Used for signs (bit set where the value was above 0) and
// for the places of maxima.
struct CellBits {
  std::uint16_t* data = nullptr;
  int height = 0;
  int width = 0;

  std::uint16_t* row(int block, int y) const {
    return data + (static_cast<std::size_t>(block) * height + y) * width;
  }
};

// Words that the bits of such a map need.
inline std::size_t bit_words(int channels, int height, int width) {
  return static_cast<std::size_t>(channels / kBlock) * height * width;
}

// A feature map in half precision (IEEE binary16), without ring: [C / 16][H][W][16]. For features
// that are only kept; kernels compute in float.
struct HalfMap {
  std::uint16_t* data = nullptr;
  int channels = 0;  // a multiple of kBlock
  int height = 0;
  int width = 0;

  int blocks() const { return channels / kBlock; }
  // Words that the map needs.
  std::size_t words() const { return static_cast<std::size_t>(channels) * height * width; }
  // The cell (16 words) of a row's first pixel; those of the others follow.
  std::uint16_t* row(int block, int y) const {
    assert(block >= 0 && block < blocks() && y >= 0 && y < height);
    return data + (static_cast<std::size_t>(block) * height + y) * width * kBlock;
  }
};

}  // namespace limn
