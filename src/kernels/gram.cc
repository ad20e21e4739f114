// Gram matrices, G = F F^T, and shifted ones, of features with those at a fixed offset.
//
// G is symmetric, so only the values up to the end of each diagonal block are computed. kGramRows
// rows by kGramVectors vectors of columns of the matrix stay in registers while positions are
// summed; at each position, kGramRows values are broadcast against kGramVectors vectors. Float sums
// of millions of terms lose digits, so at most kChunk positions are summed in float, and these
// chunks in double.
//
// A large map is cut into slices of rows, each with its own partial G, and G into squares; a task
// is one square of one slice. The partial Gs are added in order. The cuts depend on the shape only.
//
// A shifted matrix is not symmetric, so all of it is computed. The columns' features are read at an
// offset from the rows', at the positions where both are inside. No shifted copy of a map is made.
//
// Large maps come from a far cache or from memory, and with few channels there is little
// computation to hide that. So the features needed next are prefetched.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/gram.cc"
#include <hwy/foreach_target.h>
// clang-format off: after foreach_target.h
#include "kernels/cell-inl.h"
// clang-format on

#include <algorithm>

#include "kernels/kernels.h"
#include "kernels/pieces.h"

HWY_BEFORE_NAMESPACE();
namespace limn::kernels::HWY_NAMESPACE {

// 24 accumulators in AVX-512's 32 registers, 12 in the 16 of narrower targets; a position's vectors
// and a broadcast value take 4 more.
constexpr int kGramRows = kLanes == 16 ? 8 : 4;
constexpr int kGramVectors = 3;
// Three blocks' cells at this many positions are 36 KB, which stay in a near cache of 48 KB.
constexpr int kChunk = 192;

// Positions of a map: `rows` rows starting at `row`, of `width` columns starting at `column`.
struct Chunk {
  int row, rows, column, width;
  size_t next;  // floats to the positions to prefetch
  Shift shift;  // to the positions the matrix's columns read
};

// sums[row + r][column + j] += sum over the chunk's p of F[row + r](p) F[column + j](p + shift),
// for r < kGramRows and j < kColumns * kLanes.
template <int kColumns>
HWY_NOINLINE void add_products(ConstFeatureMap F, const Chunk& chunk, int row, int column,
                               double* HWY_RESTRICT sums) {
  const CellTag d;
  CellVector products[kGramRows][kColumns];
  unrolled<kGramRows * kColumns>(
      [&](auto k) HWY_ATTR { products[k / kColumns][k % kColumns] = hn::Zero(d); });
  for (int y = chunk.row; y < chunk.row + chunk.rows; ++y) {
    const auto channel = [&](int c, Shift shift) {
      return F.cell(c / kBlock, y + shift.dy, chunk.column + shift.dx) + c % kBlock;
    };
    const float* HWY_RESTRICT a = channel(row, {});
    const float* b[kColumns];
    unrolled<kColumns>([&](auto k) { b[k] = channel(column + k * kLanes, chunk.shift); });
    for (int x = 0; x < chunk.width * kBlock; x += kBlock) {
      CellVector cells[kColumns];
      unrolled<kColumns>([&](auto k) HWY_ATTR { cells[k] = hn::Load(d, b[k] + x); });
      // Only the rows' features: prefetching matters with few channels, where the columns' are the
      // same.
      fetch(a + x + chunk.next);
      unrolled<kGramRows>([&](auto r) HWY_ATTR {
        const auto value = hn::Set(d, a[x + r]);
        unrolled<kColumns>(
            [&](auto k) HWY_ATTR { products[r][k] = hn::MulAdd(value, cells[k], products[r][k]); });
      });
    }
  }
  const size_t C = F.channels;
  unrolled<kGramRows>([&](auto r) HWY_ATTR {
    HWY_ALIGN float from[kColumns * kLanes];
    unrolled<kColumns>([&](auto k) HWY_ATTR { hn::Store(products[r][k], d, from + k * kLanes); });
    double* HWY_RESTRICT to = sums + (row + r) * C + column;
    for (int j = 0; j < kColumns * kLanes; ++j) to[j] += from[j];
  });
}

// The same for a part of the matrix: all of it if shifted, otherwise only what is on and below the
// diagonal. The vectors held in registers stay in the nearest cache as the rows go by.
void add_chunk(ConstFeatureMap F, const Chunk& chunk, const GramPart& part, double* sums) {
  const bool whole = chunk.shift != Shift{};
  for (int column = part.column; column < part.end_column; column += kGramVectors * kLanes) {
    const int first_row = whole ? part.row : std::max(part.row, column / kGramRows * kGramRows);
    for (int row = first_row; row < part.end_row; row += kGramRows) {
      const int end_column = whole ? part.end_column : std::min(row + kGramRows, part.end_column);
      const int columns = end_column - column;
      if (columns > 2 * kLanes) {
        add_products<3>(F, chunk, row, column, sums);
      } else if (columns > kLanes) {
        add_products<2>(F, chunk, row, column, sums);
      } else {
        add_products<1>(F, chunk, row, column, sums);
      }
    }
  }
}

// p and p + shift must lie inside for the rows and columns of `window`.
void AddGram(ConstFeatureMap F, Shift shift, const Window& window, const GramPart& part,
             double* sums) {
  const int all = window.end_column - window.column;
  const int rows = std::max(1, kChunk / all);
  const int pieces = (all + kChunk - 1) / kChunk;
  const int width = (all + pieces - 1) / pieces;
  for (int y = window.row; y < window.end_row; y += rows) {
    const bool last = y + rows >= window.end_row;
    const size_t next = last ? 0 : rows * F.row_stride();
    for (int x = window.column; x < window.end_column; x += width) {
      const int columns = std::min(width, window.end_column - x);
      add_chunk(F, {y, std::min(rows, window.end_row - y), x, columns, next, shift}, part, sums);
    }
  }
}

}  // namespace limn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limn::kernels {

HWY_EXPORT(AddGram);

namespace {

// Enough slices to keep some cores busy; more than 16 would need much memory for partial sums at
// 512 channels.
int slices_of(const Window& window) {
  constexpr size_t kSlicePositions = 4096;
  constexpr size_t kMostSlices = 16;
  const size_t most = std::min<size_t>(kMostSlices, window.height());
  const size_t positions = static_cast<size_t>(window.height()) * window.width();
  return static_cast<int>(std::clamp<size_t>(positions / kSlicePositions, 1, most));
}

// Rows and columns of a square of G. Its features at a chunk's positions (2 x 96 KB) and its sums
// (128 KB) stay in the second-level cache.
constexpr int kSquare = 128;

GramPart square_at(int row, int column, int channels) {
  const auto end = [&](int i) { return std::min((i + 1) * kSquare, channels); };
  return {row * kSquare, end(row), column * kSquare, end(column)};
}

// Square number `index` among those on and below the diagonal. Those on it are half the work and
// come last, so that small tasks even out the load.
GramPart square_of(int index, int channels) {
  const int side = (channels + kSquare - 1) / kSquare;
  int row = 1;
  while (row < side && index >= row) index -= row++;
  if (row >= side) row = index;
  return square_at(row, index, channels);
}

// The positions p of a map for which p + shift is inside; may be empty.
Window paired(ConstFeatureMap F, Shift shift) {
  return {std::max(0, -shift.dy), std::min(F.height, F.height - shift.dy), std::max(0, -shift.dx),
          std::min(F.width, F.width - shift.dx)};
}

// One slice of the positions in a window.
struct Slice {
  int number, slices;
  Window of(Window window) const {
    const int64_t rows = window.height();
    window.end_row = window.row + static_cast<int>(rows * (number + 1) / slices);
    window.row += static_cast<int>(rows * number / slices);
    return window;
  }
};

// One square of a slice's partial G, which becomes 0; returns that G.
double* cleared_square(const GramPart& square, int slice, size_t C, std::span<double> partial) {
  double* sums = &partial[slice * C * C];
  for (int row = square.row; row < square.end_row; ++row) {
    std::fill(sums + row * C + square.column, sums + row * C + square.end_column, 0.0);
  }
  return sums;
}

}  // namespace

size_t gram_scratch_size(ConstFeatureMap F) {
  return static_cast<size_t>(slices_of(window_of(F))) * F.channels * F.channels;
}

void add_gram(ConstFeatureMap F, const Window& window, const GramPart& part, double* sums) {
  HWY_DYNAMIC_DISPATCH(AddGram)(F, {}, window, part, sums);
}

void sum_gram_slices(std::span<double> slices, size_t C, std::span<float> G, ThreadPool& pool) {
  assert(slices.size() % (C * C) == 0 && G.size() == C * C);
  pool.run(C / kBlock, [&](size_t block) {
    const size_t first = block * kBlock;
    const size_t end = first + kBlock;
    for (size_t i = first; i < end; ++i) {
      double* sums = &slices[i * C];
      for (size_t slice = C * C; slice < slices.size(); slice += C * C) {
        for (size_t j = 0; j <= i; ++j) sums[j] += sums[slice + j];
      }
      for (size_t j = 0; j <= i; ++j) G[i * C + j] = static_cast<float>(sums[j]);
    }
    for (size_t j = 0; j < end; ++j) {
      for (size_t i = std::max(first, j); i < end; ++i) G[j * C + i] = G[i * C + j];
    }
  });
}

void gram(ConstFeatureMap F, std::span<float> G, std::span<double> scratch, ThreadPool& pool) {
  gram(F, window_of(F), G, scratch, pool);
}

void gram(ConstFeatureMap F, const Window& window, std::span<float> G, std::span<double> scratch,
          ThreadPool& pool) {
  const size_t C = F.channels;
  assert(G.size() == C * C && scratch.size() >= gram_scratch_size(F) && !window.empty());
  const int slices = slices_of(window);
  const int side = (F.channels + kSquare - 1) / kSquare;
  const int squares = side * (side + 1) / 2;
  pool.run(static_cast<size_t>(slices) * squares, [&](size_t task) {
    const GramPart square = square_of(static_cast<int>(task) / slices, F.channels);
    const int slice = static_cast<int>(task) % slices;
    double* sums = cleared_square(square, slice, C, scratch);
    HWY_DYNAMIC_DISPATCH(AddGram)(F, {}, Slice{slice, slices}.of(window), square, sums);
  });
  sum_gram_slices(scratch.first(slices * C * C), C, G, pool);
}

void shifted_gram(ConstFeatureMap F, Shift shift, std::span<float> G, std::span<double> scratch,
                  ThreadPool& pool) {
  const size_t C = F.channels;
  assert(G.size() == C * C && scratch.size() >= gram_scratch_size(F));
  assert(shift != Shift{});
  const int slices = slices_of(window_of(F));
  const int side = (F.channels + kSquare - 1) / kSquare;
  pool.run(static_cast<size_t>(slices) * side * side, [&](size_t task) {
    const int index = static_cast<int>(task) / slices;
    const GramPart square = square_at(index / side, index % side, F.channels);
    const int slice = static_cast<int>(task) % slices;
    double* sums = cleared_square(square, slice, C, scratch);
    for (const Shift part : Ways(shift, F.height, F.width)) {
      const Window window = paired(F, part);
      if (window.empty()) continue;
      HWY_DYNAMIC_DISPATCH(AddGram)(F, part, Slice{slice, slices}.of(window), square, sums);
    }
  });
  pool.run(C, [&](size_t i) {
    for (size_t place = i * C; place < (i + 1) * C; ++place) {
      double sum = 0;
      for (int slice = 0; slice < slices; ++slice) sum += scratch[slice * C * C + place];
      G[place] = static_cast<float>(sum);
    }
  });
}

}  // namespace limn::kernels
#endif  // HWY_ONCE
