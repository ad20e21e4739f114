// The first level in one go: conv1_1, ReLU, conv1_2, ReLU and pooling, forward and backward.
//
// Its maps have the picture's full size and 64 channels, most of all that a network would have to
// keep, and little is computed with them: done layer by layer, this level waits for memory. So it
// is done in pieces of 8 x 128 outputs of conv1_2, small enough for conv1_1's features to stay in a
// near cache:
//
//     picture -> conv1_1 on 10 x 130 cells -> conv1_2 -> pooling -> 4 x 64 cells      forward
//                       `-> G += F F^T
//
//     d_x += K^T d_F on 10 x 130 pixels <- d_F = mask (K^T d + S F) <- gradient by pooling    back
//                       F again, for the mask and S F
//
// A piece's gradient reaches one pixel beyond its edges. A task is some rows of pieces, from left
// to right, and adds into its own rows of d_x; what reaches into other tasks' rows is kept aside
// and added afterwards, in order, so that the bits do not depend on who was first.
//
// Beyond the picture, conv1_2 reads zeros. If edges are periodic, it reads the opposite edge's
// features, which are computed once more; and a gradient that reaches beyond the picture goes
// there.
#include <algorithm>
#include <cstring>

#include "kernels/kernels.h"
#include "kernels/pieces.h"

namespace limn::kernels {
namespace {

constexpr int kPieceHeight = 2 * kTileSide;
constexpr int kPieceWidth = 32 * kTileSide;

// How the rows of the picture are cut into tasks: by its height only.
struct Tasks {
  explicit Tasks(int height) : height(height) {
    constexpr int kMost = 64;  // each has a partial G
    const int bands = (height + kPieceHeight - 1) / kPieceHeight;
    rows = (bands + kMost - 1) / kMost * kPieceHeight;
    count = (height + rows - 1) / rows;
  }
  int first_row(size_t task) const { return static_cast<int>(task) * rows; }
  int end_row(size_t task) const { return std::min(first_row(task) + rows, height); }
  int height, rows, count;
};

// A piece of the picture: conv1_2's outputs row..row + height - 1, column..column + width - 1.
struct Piece {
  int row, column, height, width;
  Tiles tiles() const {
    const int across = (width + kTileSide - 1) / kTileSide;
    return {row, column, across, across * ((height + kTileSide - 1) / kTileSide)};
  }
  // What of a window of the picture is in the piece, whose first cell is (0, 0); may be empty.
  Window within(const Window& window) const {
    return {std::max(0, window.row - row), std::min(height, window.end_row - row),
            std::max(0, window.column - column), std::min(width, window.end_column - column)};
  }
};

template <typename Use>
void for_each_piece(const Tasks& tasks, size_t task, int width, Use&& use) {
  const int end = tasks.end_row(task);
  for (int row = tasks.first_row(task); row < end; row += kPieceHeight) {
    for (int column = 0; column < width; column += kPieceWidth) {
      use(Piece{row, column, std::min(kPieceHeight, end - row),
                std::min(kPieceWidth, width - column)});
    }
  }
}

size_t largest_map(int channels) {
  return FeatureMap{nullptr, channels, kPieceHeight + 2, kPieceWidth + 2}.floats();
}

size_t largest_tile_scratch(const TransformedKernel& kernel) {
  return tile_scratch(kernel, kPieceHeight / kTileSide * (kPieceWidth / kTileSide));
}

// max(., 0) of a map and its ring.
void relu_with_ring(FeatureMap map) {
  for (int block = 0; block < map.blocks(); ++block) {
    float* cells = map.cell(block, -1, -1);
    const size_t size = map.row_stride() * (map.height + 2);
    for (size_t i = 0; i < size; ++i) cells[i] = std::max(cells[i], 0.0f);
  }
}

// The gradient's rows right above and right below each task's own, which other tasks own:
// [tasks][above, below][3 planes][width].
struct Borders {
  float* above(size_t task, int plane) const { return values + (task * 6 + plane) * width; }
  float* below(size_t task, int plane) const { return values + (task * 6 + 3 + plane) * width; }

  float* values;
  int width;
};

void clear(const Tasks& tasks, size_t task, const Borders& borders, InputPlanes d_x) {
  std::fill_n(borders.above(task, 0), static_cast<size_t>(6) * borders.width, 0.0f);
  for (int plane = 0; plane < 3; ++plane) {
    for (int row = tasks.first_row(task); row < tasks.end_row(task); ++row) {
      std::fill_n(d_x.row(plane, row), d_x.width, 0.0f);
    }
  }
}

// d_x, or the task's borders, += d_piece, the gradient of a piece's pixels and of one more all
// around.
void add_piece(ConstInputPlanes d_piece, const Piece& piece, Edges edges, const Tasks& tasks,
               size_t task, const Borders& borders, InputPlanes d_x) {
  const int left = std::max(piece.column - 1, 0);
  const int right = std::min(piece.column + piece.width + 1, d_x.width);
  const bool periodic = edges == Edges::periodic;
  for (int plane = 0; plane < 3; ++plane) {
    for (int i = 0; i < d_piece.height; ++i) {
      const int row = piece.row - 1 + i;
      if (!periodic && (row < 0 || row >= d_x.height)) continue;
      float* to = row < tasks.first_row(task)  ? borders.above(task, plane)
                  : row >= tasks.end_row(task) ? borders.below(task, plane)
                                               : d_x.row(plane, row);
      const float* from = d_piece.row(plane, i) - (piece.column - 1);
      for (int column = left; column < right; ++column) to[column] += from[column];
      if (periodic && piece.column == 0) to[d_x.width - 1] += from[-1];
      if (periodic && piece.column + piece.width == d_x.width) to[0] += from[d_x.width];
    }
  }
}

// d_x += every task's borders, in the order of tasks.
void add_borders(const Tasks& tasks, Edges edges, const Borders& borders, InputPlanes d_x) {
  const auto add = [&](int plane, int row, const float* from) {
    if (edges == Edges::zero && (row < 0 || row >= d_x.height)) return;
    float* to = d_x.row(plane, wrapped(row, d_x.height));
    for (int column = 0; column < d_x.width; ++column) to[column] += from[column];
  };
  for (int task = 0; task < tasks.count; ++task) {
    for (int plane = 0; plane < 3; ++plane) {
      add(plane, tasks.first_row(task) - 1, borders.above(task, plane));
      add(plane, tasks.end_row(task), borders.below(task, plane));
    }
  }
}

}  // namespace

size_t first_level_scratch(int channels, int height) {
  return static_cast<size_t>(Tasks(height).count) * channels * channels;
}

void first_level(const FirstLevel& level, ConstInputPlanes x, const Sink& sink, std::span<float> G,
                 std::span<double> scratch, ThreadPool& pool) {
  const int C = level.kernel_2->in;
  const bool with_gram = level.features != FirstLevel::Features::none;
  const bool late_relu = level.features == FirstLevel::Features::before_relu;
  const Tasks tasks(x.height);
  const size_t G_size = static_cast<size_t>(C) * C;
  assert(!with_gram || (G.size() == G_size && scratch.size() >= tasks.count * G_size));

  const TransformedKernel kernel = transform_kernel(*level.kernel_2, Direction::forward, pool);
  const size_t map_floats = largest_map(C);
  const size_t tile_floats = largest_tile_scratch(kernel);
  pool.run(tasks.count, [&](size_t task, int thread) {
    const std::span<float> memory = pool.thread_scratch(thread, map_floats + tile_floats);
    double* sums = scratch.data() + task * G_size;
    if (with_gram) std::fill(sums, sums + G_size, 0.0);
    for_each_piece(tasks, task, x.width, [&](const Piece& piece) {
      const FeatureMap F = {memory.data(), C, piece.height, piece.width};
      // Its ring is what lies around the piece.
      convolve_input_piece(level.kernel_1, level.bias_1, x, level.edges, piece.row - 1,
                           piece.row + piece.height + 1, piece.column - 1,
                           piece.column + piece.width + 1, !late_relu, F, -1, -1);
      const Window counted = piece.within(level.counted);
      if (with_gram && !counted.empty()) add_gram(F, counted, {0, C, 0, C}, sums);
      if (late_relu) relu_with_ring(F);
      Source source;
      source.map = F;
      source.row = piece.row;
      source.column = piece.column;
      convolve_tiles(kernel, level.bias_2, source, sink, piece.tiles(), memory.subspan(map_floats));
    });
  });
  if (with_gram) sum_gram_slices(scratch.first(tasks.count * G_size), C, G, pool);
}

size_t first_level_borders(int height, int width) {
  return static_cast<size_t>(Tasks(height).count) * 2 * 3 * width;
}

void first_level_backward(const FirstLevel& level, ConstInputPlanes x, const Source& source,
                          std::span<const float> S, InputPlanes d_x, std::span<float> borders,
                          ThreadPool& pool) {
  const int C = level.kernel_2->in;
  const bool late_relu = level.features == FirstLevel::Features::before_relu;
  const Tasks tasks(x.height);
  assert(borders.size() >= first_level_borders(x.height, x.width));
  assert(source.edges == level.edges);
  const Borders reaching_out = {borders.data(), x.width};

  const TransformedKernel kernel = transform_kernel(*level.kernel_2, Direction::backward, pool);
  const size_t map_floats = largest_map(C);
  const size_t tile_floats = largest_tile_scratch(kernel);
  const size_t planes_floats = InputPlanes{nullptr, kPieceHeight + 2, kPieceWidth + 2}.floats();
  pool.run(tasks.count, [&](size_t task, int thread) {
    const std::span<float> memory =
        pool.thread_scratch(thread, 2 * map_floats + tile_floats + S.size() + planes_floats);
    const std::span<float> for_tiles = memory.subspan(2 * map_floats, tile_floats);
    const std::span<float> packed_S = memory.subspan(2 * map_floats + tile_floats, S.size());
    float* for_planes = packed_S.data() + S.size();
    if (!S.empty()) pack_gram_gradient(S, C, packed_S);
    clear(tasks, task, reaching_out, d_x);

    int cleared_height = 0;
    int cleared_width = 0;
    for_each_piece(tasks, task, x.width, [&](const Piece& piece) {
      // Maps of the piece with one more cell all around, which stays zero.
      const int height = piece.height + 2;
      const int width = piece.width + 2;
      const FeatureMap d = {memory.data(), C, height, width};
      const FeatureMap F = {memory.data() + map_floats, C, height, width};
      if (height != cleared_height || width != cleared_width) {
        std::memset(memory.data(), 0, 2 * map_floats * sizeof(float));
        cleared_height = height;
        cleared_width = width;
      }

      Sink sink;
      sink.map = d;
      sink.height = x.height;
      sink.width = x.width;
      sink.row = piece.row - 1;
      sink.column = piece.column - 1;
      convolve_tiles(kernel, nullptr, source, sink, piece.tiles(), for_tiles);
      convolve_input_piece(level.kernel_1, level.bias_1, x, level.edges, piece.row,
                           piece.row + piece.height, piece.column, piece.column + piece.width,
                           !late_relu, F, 1, 1);
      if (late_relu) keep_where_positive(F, d);
      const Window counted = piece.within(level.counted);
      if (!S.empty() && !counted.empty()) {
        add_gram_gradient(
            packed_S, F, d,
            {counted.row + 1, counted.end_row + 1, counted.column + 1, counted.end_column + 1});
      }
      if (!late_relu) keep_where_positive(F, d);

      const InputPlanes d_piece = {for_planes, height, width};
      convolve_input_backward_piece(level.kernel_1, d, d_piece);
      add_piece(d_piece, piece, level.edges, tasks, task, reaching_out, d_x);
    });
  });
  add_borders(tasks, level.edges, reaching_out, d_x);
}

}  // namespace limn::kernels
