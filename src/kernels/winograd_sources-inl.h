// The convolution's input, read as it is or computed while it is read: the derivative of the layer
// that follows. Every reader has
//   direct(row, column)      may the patch that begins there be read without looking at the edges?
//   inside(row, column)      is there such a cell? (otherwise it is zero)
//   patch(block, row, column) -> what transform_patch reads
// Rows and columns are those of the convolution's input.
#if defined(LIMN_KERNELS_WINOGRAD_SOURCES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef LIMN_KERNELS_WINOGRAD_SOURCES_INL_H_
#undef LIMN_KERNELS_WINOGRAD_SOURCES_INL_H_
#else
#define LIMN_KERNELS_WINOGRAD_SOURCES_INL_H_
#endif

#include "kernels/kernels.h"
#include "kernels/pieces.h"
#include "kernels/winograd_transforms-inl.h"

HWY_BEFORE_NAMESPACE();
namespace limn::kernels::HWY_NAMESPACE {

// A map as it is, its ring included.
struct MapReader {
  const Source& source;
  bool direct(int row, int column) const {
    return row + kSide <= source.map.height + 1 && column + kSide <= source.map.width + 1;
  }
  bool inside(int row, int column) const {
    return row <= source.map.height && column <= source.map.width;
  }
  struct Patch {
    const float* cells;
    size_t row_stride;
    HWY_INLINE CellVector operator()(int y, int x, int v) const {
      return hn::Load(CellTag(), cells + y * row_stride + x * kBlock + v * kLanes);
    }
  };
  Patch patch(int block, int row, int column) const {
    return {source.map.cell(block, row, column), source.map.row_stride()};
  }
};

// A gradient by the output of a ReLU, which lets through where its sign bit is set.
struct ReluGradientReader {
  const Source& source;
  bool direct(int row, int column) const {
    return row >= 0 && column >= 0 && row + kSide <= source.map.height &&
           column + kSide <= source.map.width;
  }
  bool inside(int row, int column) const {
    return row >= 0 && column >= 0 && row < source.map.height && column < source.map.width;
  }
  struct Patch {
    const float* cells;
    size_t row_stride;
    const uint16_t* signs;
    size_t sign_stride;
    HWY_INLINE CellVector operator()(int y, int x, int v) const {
      return hn::IfThenElseZero(
          mask_of(signs[y * sign_stride + x], v),
          hn::Load(CellTag(), cells + y * row_stride + x * kBlock + v * kLanes));
    }
  };
  Patch patch(int block, int row, int column) const {
    return {source.map.cell(block, row, column), source.map.row_stride(),
            source.signs.row(block, row) + column, static_cast<size_t>(source.signs.width)};
  }
};

// A gradient by the output of ReLU and max pooling: it goes to the maximum's place, where that was
// above 0.
struct MaxPoolGradientReader {
  const Source& source;
  bool direct(int row, int column) const {
    return row >= 0 && column >= 0 && row + kSide <= 2 * source.map.height &&
           column + kSide <= 2 * source.map.width;
  }
  bool inside(int row, int column) const {
    return row >= 0 && column >= 0 && row < 2 * source.map.height && column < 2 * source.map.width;
  }
  // Patches begin at odd rows and columns, one before a tile: their first row is the lower one of
  // its pair.
  struct Patch {
    const float* cells;  // of the pooled cell that the patch's first cell went into
    size_t row_stride;
    const uint16_t *right, *below, *signs;
    size_t word_stride;
    HWY_INLINE CellVector operator()(int y, int x, int v) const {
      const int i = (y + 1) / 2;
      const int j = (x + 1) / 2;
      const size_t word = i * word_stride + j;
      const unsigned vertical = y % 2 == 0 ? below[word] : ~unsigned{below[word]};
      const unsigned horizontal = x % 2 == 0 ? right[word] : ~unsigned{right[word]};
      return hn::IfThenElseZero(
          mask_of(signs[word] & vertical & horizontal, v),
          hn::Load(CellTag(), cells + i * row_stride + j * kBlock + v * kLanes));
    }
  };
  Patch patch(int block, int row, int column) const {
    const int i = (row + 1) / 2 - 1;
    const int j = (column + 1) / 2 - 1;
    return {source.map.cell(block, i, j),          source.map.row_stride(),
            source.places.right.row(block, i) + j, source.places.below.row(block, i) + j,
            source.signs.row(block, i) + j,        static_cast<size_t>(source.map.width)};
  }
};

// A gradient by the output of ReLU and average pooling: every cell has its share, where it was
// above 0.
struct AveragePoolGradientReader {
  const Source& source;
  bool direct(int row, int column) const {
    return row >= 0 && column >= 0 && row + kSide <= source.signs.height &&
           column + kSide <= source.signs.width;
  }
  bool inside(int row, int column) const {
    return row >= 0 && column >= 0 && row < source.signs.height && column < source.signs.width;
  }
  struct Patch {
    const Source& source;
    int block, row, column;
    HWY_INLINE CellVector operator()(int y, int x, int v) const {
      const CellTag d;
      const int i = row + y;
      const int j = column + x;
      const bool two_rows = (i | 1) < source.signs.height;
      const bool two_columns = (j | 1) < source.signs.width;
      const float share = pooling_share(two_rows, two_columns);
      const auto gradient = hn::Load(d, source.map.cell(block, i / 2, j / 2) + v * kLanes);
      return hn::IfThenElseZero(mask_of(source.signs.row(block, i)[j], v),
                                hn::Mul(gradient, hn::Set(d, share)));
    }
  };
  Patch patch(int block, int row, int column) const { return {source, block, row, column}; }
};

// A patch that reaches over an edge: what lies beyond is zero.
template <class Reader, class Write>
HWY_NOINLINE void transform_edge_patch(const Reader& reader, int block, int row, int column,
                                       const Write& write) {
  const CellTag d;
  HWY_ALIGN float cells[kSide * kSide * kBlock] = {};
  const auto patch = reader.patch(block, row, column);
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      if (!reader.inside(row + y, column + x)) continue;
      for (int v = 0; v < kVectors; ++v) {
        hn::Store(patch(y, x, v), d, cells + (y * kSide + x) * kBlock + v * kLanes);
      }
    }
  }
  transform_patch(MapReader::Patch{cells, kSide * kBlock}, write);
}

template <class Reader, class Write>
HWY_INLINE void transform_tile(const Reader& reader, int block, const Tiles& tiles, int tile,
                               const Write& write) {
  const int row = tiles.row_of(tile) - 1 - reader.source.row;
  const int column = tiles.column_of(tile) - 1 - reader.source.column;
  if (reader.direct(row, column)) {
    transform_patch(reader.patch(block, row, column), write);
  } else {
    transform_edge_patch(reader, block, row, column, write);
  }
}

// Calls use(reader) with the source's reader.
template <class Use>
HWY_INLINE void with_reader(const Source& source, const Use& use) {
  switch (source.kind) {
    case Source::Kind::map:
      return use(MapReader{source});
    case Source::Kind::relu_gradient:
      return use(ReluGradientReader{source});
    case Source::Kind::max_pool_gradient:
      return use(MaxPoolGradientReader{source});
    case Source::Kind::average_pool_gradient:
      return use(AveragePoolGradientReader{source});
  }
}

}  // namespace limn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // LIMN_KERNELS_WINOGRAD_SOURCES_INL_H_
