// What becomes of the convolution's outputs: stored, added, or through ReLU and pooling.
#if defined(LIMN_KERNELS_WINOGRAD_SINKS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LIMN_KERNELS_WINOGRAD_SINKS_INL_H_
#undef LIMN_KERNELS_WINOGRAD_SINKS_INL_H_
#else
#define LIMN_KERNELS_WINOGRAD_SINKS_INL_H_
#endif

#include <algorithm>

#include "kernels/kernels.h"
#include "kernels/pieces.h"
#include "kernels/winograd_transforms-inl.h"

HWY_BEFORE_NAMESPACE();
namespace limn::kernels::HWY_NAMESPACE {

// Where a tile's outputs go. Rows and columns are those of the convolution's output.
struct Place {
  int block, row, column;
};

// Stores vector v of a cell.
HWY_INLINE void store(CellVector value, float* cell, int v) {
  hn::Store(value, CellTag(), cell + v * kLanes);
}

// Calls visit(y, x) for the tile's cells that exist.
template <class Visit>
HWY_INLINE void for_each_output(const Sink& sink, const Place& place, Visit&& visit) {
  const int rows = std::min(kTileSide, sink.height - place.row);
  const int columns = std::min(kTileSide, sink.width - place.column);
  for (int y = 0; y < rows; ++y) {
    for (int x = 0; x < columns; ++x) visit(y, x);
  }
}

using TileCells = float[kTileSide][kTileSide][kBlock];

HWY_INLINE void put_set(const Sink& sink, const Place& place, const TileCells& tile) {
  const CellTag d;
  for_each_output(sink, place, [&](int y, int x) HWY_ATTR {
    float* cell =
        sink.map.cell(place.block, place.row + y - sink.row, place.column + x - sink.column);
    for (int v = 0; v < kVectors; ++v) store(hn::Load(d, tile[y][x] + v * kLanes), cell, v);
  });
}

HWY_INLINE void put_add(const Sink& sink, const Place& place, const TileCells& tile) {
  const CellTag d;
  for_each_output(sink, place, [&](int y, int x) HWY_ATTR {
    float* cell =
        sink.map.cell(place.block, place.row + y - sink.row, place.column + x - sink.column);
    for (int v = 0; v < kVectors; ++v) {
      const auto sum =
          hn::Add(hn::Load(d, tile[y][x] + v * kLanes), hn::Load(d, cell + v * kLanes));
      store(sum, cell, v);
    }
  });
}

// Stores the ReLU of a cell and returns the sign bits of what went in.
HWY_INLINE uint16_t put_relu_cell(const float* from, float* cell) {
  const CellTag d;
  unsigned bits = 0;
  for (int v = 0; v < kVectors; ++v) {
    const auto value = hn::Load(d, from + v * kLanes);
    bits |= mask_bits(hn::Gt(value, hn::Zero(d)), v);
    store(hn::Max(value, hn::Zero(d)), cell, v);
  }
  return static_cast<uint16_t>(bits);
}

HWY_INLINE void put_relu(const Sink& sink, const Place& place, const TileCells& tile) {
  for_each_output(sink, place, [&](int y, int x) HWY_ATTR {
    const int row = place.row + y;
    const int column = place.column + x;
    sink.signs.row(place.block, row)[column] =
        put_relu_cell(tile[y][x], sink.map.cell(place.block, row - sink.row, column - sink.column));
  });
}

HWY_INLINE void put_relu_max_pool(const Sink& sink, const Place& place, const TileCells& tile) {
  const CellTag d;
  for (int y = 0; y < kTileSide / 2; ++y) {
    for (int x = 0; x < kTileSide / 2; ++x) {
      const int row = place.row / 2 + y;
      const int column = place.column / 2 + x;
      if (row >= sink.map.height || column >= sink.map.width) continue;
      unsigned right_bits = 0, below_bits = 0, signs = 0;
      float* cell = sink.map.cell(place.block, row, column);
      for (int v = 0; v < kVectors; ++v) {
        const auto a = hn::Load(d, tile[2 * y][2 * x] + v * kLanes);
        const auto b = hn::Load(d, tile[2 * y][2 * x + 1] + v * kLanes);
        const auto e = hn::Load(d, tile[2 * y + 1][2 * x] + v * kLanes);
        const auto f = hn::Load(d, tile[2 * y + 1][2 * x + 1] + v * kLanes);
        const Maximum maximum = maximum_of(a, b, e, f);
        right_bits |= mask_bits(maximum.right, v);
        below_bits |= mask_bits(maximum.below, v);
        signs |= mask_bits(hn::Gt(maximum.value, hn::Zero(d)), v);
        store(hn::Max(maximum.value, hn::Zero(d)), cell, v);
      }
      sink.places.right.row(place.block, row)[column] = static_cast<uint16_t>(right_bits);
      sink.places.below.row(place.block, row)[column] = static_cast<uint16_t>(below_bits);
      sink.signs.row(place.block, row)[column] = static_cast<uint16_t>(signs);
    }
  }
}

HWY_INLINE void put_relu_average_pool(const Sink& sink, const Place& place, const TileCells& tile) {
  const CellTag d;
  HWY_ALIGN TileCells values = {};  // after the ReLU; cells beyond the edge stay 0
  for_each_output(sink, place, [&](int y, int x) HWY_ATTR {
    sink.signs.row(place.block, place.row + y)[place.column + x] =
        put_relu_cell(tile[y][x], values[y][x]);
  });
  for (int y = 0; y < kTileSide / 2; ++y) {
    for (int x = 0; x < kTileSide / 2; ++x) {
      const int row = place.row / 2 + y;
      const int column = place.column / 2 + x;
      if (row >= sink.map.height || column >= sink.map.width) continue;
      const bool two_rows = 2 * row + 1 < sink.height;
      const bool two_columns = 2 * column + 1 < sink.width;
      const auto share = hn::Set(d, pooling_share(two_rows, two_columns));
      float* cell = sink.map.cell(place.block, row, column);
      for (int v = 0; v < kVectors; ++v) {
        const auto upper = hn::Add(hn::Load(d, values[2 * y][2 * x] + v * kLanes),
                                   hn::Load(d, values[2 * y][2 * x + 1] + v * kLanes));
        const auto lower = hn::Add(hn::Load(d, values[2 * y + 1][2 * x] + v * kLanes),
                                   hn::Load(d, values[2 * y + 1][2 * x + 1] + v * kLanes));
        store(hn::Mul(hn::Add(upper, lower), share), cell, v);
      }
    }
  }
}

template <class Put>
HWY_INLINE void finish_tiles(const float* M, size_t m_point, const float* bias, int block,
                             const Tiles& tiles, const Put& put) {
  const CellTag d;
  for (int t = 0; t < tiles.count; ++t) {
    const float* m = M + t * kBlock;
    HWY_ALIGN TileCells tile;
    for (int v = 0; v < kVectors; ++v) {
      CellVector rows[kTileSide][kSide];  // A^T m
      unrolled<kSide>([&](auto x) HWY_ATTR {
        CellVector column[kSide];
        unrolled<kSide>([&](auto i) HWY_ATTR {
          column[i] = hn::Load(d, m + (i * kSide + x) * m_point + v * kLanes);
        });
        transform_output(column);
        unrolled<kTileSide>([&](auto i) HWY_ATTR { rows[i][x] = column[i]; });
      });
      const auto start = bias ? hn::LoadU(d, bias + v * kLanes) : hn::Zero(d);
      unrolled<kTileSide>([&](auto i) HWY_ATTR {
        transform_output(rows[i]);
        unrolled<kTileSide>([&](auto x) HWY_ATTR {
          hn::Store(hn::Add(rows[i][x], start), d, tile[i][x] + v * kLanes);
        });
      });
    }
    put(Place{block, tiles.row_of(t), tiles.column_of(t)}, tile);
  }
}

// The outputs of one block, and what goes with them.
inline void finish_block(const float* M, size_t m_point, const float* bias, const Sink& sink,
                         int block, const Tiles& tiles) {
  const auto finish = [&](auto put) HWY_ATTR {
    finish_tiles(M, m_point, bias, block, tiles,
                 [&](const Place& place, const TileCells& tile)
                     HWY_ATTR { put(sink, place, tile); });
  };
  switch (sink.kind) {
    case Sink::Kind::set:
      return finish([](const auto&... all) HWY_ATTR { put_set(all...); });
    case Sink::Kind::add:
      return finish([](const auto&... all) HWY_ATTR { put_add(all...); });
    case Sink::Kind::relu:
      return finish([](const auto&... all) HWY_ATTR { put_relu(all...); });
    case Sink::Kind::relu_max_pool:
      return finish([](const auto&... all) HWY_ATTR { put_relu_max_pool(all...); });
    case Sink::Kind::relu_average_pool:
      return finish([](const auto&... all) HWY_ATTR { put_relu_average_pool(all...); });
  }
}

}  // namespace limn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // LIMN_KERNELS_WINOGRAD_SINKS_INL_H_
