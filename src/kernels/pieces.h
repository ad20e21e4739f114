// Kernels for a piece of the work, run by the calling thread: the building blocks of the parallel
// kernels in kernels.h, and what first_level.cc fuses. Each is compiled for every instruction set
// and chosen at run time.
#pragma once

#include <span>

#include "kernels/feature_map.h"
#include "kernels/kernels.h"

namespace limn::kernels {

// -------------------------------------------------------------- 3 x 3 convolution (winograd.cc) --

inline constexpr int kTileSide = 4;  // a tile is 4 x 4 outputs

// A transformed kernel of `in` x `out` channels: U[36][out / 16][in][16 out], the 36 points
// `point_stride` floats apart.
struct TransformedKernel {
  const float* U = nullptr;
  std::size_t point_stride = 0;
  int in = 0;
  int out = 0;
};

// Transforms the kernel for one direction, in parallel, into the pool's shared scratch. Valid until
// the next request for that scratch.
TransformedKernel transform_kernel(const PackedKernel& kernel, Direction direction,
                                   ThreadPool& pool);

// Tiles first..first + count - 1 of a grid, numbered row by row. The grid starts at output (row,
// column) and is `across` tiles wide. Tiles may extend past the right and lower edges.
struct Tiles {
  int row = 0;
  int column = 0;
  int across = 0;
  int count = 0;
  int first = 0;
  int row_of(int tile) const { return row + (first + tile) / across * kTileSide; }
  int column_of(int tile) const { return column + (first + tile) % across * kTileSide; }
};

// Floats of scratch that convolve_tiles needs for this many tiles.
std::size_t tile_scratch(const TransformedKernel& kernel, int tiles);
void convolve_tiles(const TransformedKernel& kernel, const float* bias, const Source& source,
                    const Sink& sink, const Tiles& tiles, std::span<float> scratch);

// ------------------------------------------------------ the first convolution (input_conv.cc) --

// The convolution's outputs at rows first_row..end_row - 1 and columns first_column..end_column - 1
// of the picture, or up to one beyond it: there they are 0 or, if edges are periodic, those at the
// opposite edge. Output (first_row, first_column) goes to cell (row, column) of y, ring included.
// "=". With `relu`, y = max(., 0).
void convolve_input_piece(std::span<const float> packed, const float* bias, ConstInputPlanes x,
                          Edges edges, int first_row, int end_row, int first_column, int end_column,
                          bool relu, FeatureMap y, int row, int column);

// convolve_input_backward on the calling thread.
void convolve_input_backward_piece(std::span<const float> packed, ConstFeatureMap d_y,
                                   InputPlanes d_x);

// ------------------------------------------------------------------------------ ReLU (pool.cc) --

// d = 0 where F <= 0.
void keep_where_positive(ConstFeatureMap F, FeatureMap d);

// ------------------------------------------------------------------- half precision (half.cc) --

// One row of all channels, F = half, "=", exactly.
void expand_half_row(const HalfMap& half, int row, FeatureMap F);

// --------------------------------------------------------------------- Gram matrices (gram.cc) --

// The shifts, at most four, whose positions together are those of a shift that may go around.
class Ways {
 public:
  Ways(Shift shift, int height, int width) {
    const int over[2][2] = {{0, shift.dy > 0 ? -height : height},
                            {0, shift.dx > 0 ? -width : width}};
    for (int i = 0; i < (shift.around && shift.dy != 0 ? 2 : 1); ++i) {
      for (int j = 0; j < (shift.around && shift.dx != 0 ? 2 : 1); ++j) {
        shifts_[count_++] = {shift.dy + over[0][i], shift.dx + over[1][j]};
      }
    }
  }
  const Shift* begin() const { return shifts_; }
  const Shift* end() const { return shifts_ + count_; }

 private:
  Shift shifts_[4];
  int count_ = 0;
};

// A part of a Gram matrix: the rows row..end_row - 1, columns column..end_column - 1.
struct GramPart {
  int row = 0;
  int end_row = 0;
  int column = 0;
  int end_column = 0;
};

// sums[i][j] += sum over the positions in a window of F[i] F[j], for those values of the given part
// of the matrix that are on or below its diagonal. sums: [C][C].
void add_gram(ConstFeatureMap F, const Window& window, const GramPart& part, double* sums);

// G = the sum of partial [C][C] matrices, given by their lower triangles and mirrored. Overwrites
// the first of them with the sum.
void sum_gram_slices(std::span<double> slices, std::size_t C, std::span<float> G, ThreadPool& pool);

// ----------------------------------------------------------- their gradients (gram_gradient.cc) --

// packed[C / 16][C][16]: S, symmetric, in the order add_gram_gradient reads it.
void pack_gram_gradient(std::span<const float> S, std::size_t C, std::span<float> packed);
// d_F += S F in a window.
void add_gram_gradient(std::span<const float> packed, ConstFeatureMap F, FeatureMap d_F,
                       const Window& window);

}  // namespace limn::kernels
