// The convolution's input, read as it is or computed while it is read: the derivative of the layer
// that follows. Every reader has
//   height(), width()         of the convolution's input
//   ring()                    how many cells around it can be read like its own
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

// A map as it is, and its ring unless edges are periodic.
struct MapReader {
  const Source& source;
  int ring() const { return source.edges == Edges::zero ? 1 : 0; }
  int height() const { return source.map.height; }
  int width() const { return source.map.width; }
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
  int ring() const { return 0; }
  int height() const { return source.map.height; }
  int width() const { return source.map.width; }
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
  int ring() const { return 0; }
  int height() const { return 2 * source.map.height; }  // of the cells that were pooled
  int width() const { return 2 * source.map.width; }
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
  int ring() const { return 0; }
  int height() const { return source.signs.height; }
  int width() const { return source.signs.width; }
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

// Whether the `side` x `side` cells that begin there can be read as they are.
template <class Reader>
HWY_INLINE bool can_read(const Reader& reader, int row, int column, int side) {
  const int first = -reader.ring();
  return row >= first && column >= first && row + side <= reader.height() - first &&
         column + side <= reader.width() - first;
}

// A patch that reaches over an edge. What lies beyond is zero or, if edges are periodic, the
// opposite edge's (no output reads further beyond it than one cell, so there it may be either).
template <class Reader, class Write>
HWY_NOINLINE void transform_edge_patch(const Reader& reader, int block, int row, int column,
                                       const Write& write) {
  const CellTag d;
  HWY_ALIGN float cells[kSide * kSide * kBlock] = {};
  const bool periodic = reader.source.edges == Edges::periodic;
  const auto all = reader.patch(block, -1, -1);  // every cell, as if it were of the first patch
  for (int y = 0; y < kSide; ++y) {
    const int i = periodic ? wrapped(row + y, reader.height()) : row + y;
    for (int x = 0; x < kSide; ++x) {
      const int j = periodic ? wrapped(column + x, reader.width()) : column + x;
      if (!can_read(reader, i, j, 1)) continue;
      for (int v = 0; v < kVectors; ++v) {
        hn::Store(all(i + 1, j + 1, v), d, cells + (y * kSide + x) * kBlock + v * kLanes);
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
  if (can_read(reader, row, column, kSide)) {
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
