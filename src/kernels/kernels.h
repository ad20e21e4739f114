// The expensive arithmetic, in SIMD chosen at run time. Each function has a slow twin of the same
// name in reference.h, and a test that compares the two.
//
// Conventions. Map layout: feature_map.h. Kernels write interiors, never rings (wrap_ring apart),
// and read zero rings as padding. "=" and "+=" say whether an output is set or added to. d_x is the
// gradient of the total loss with respect to x. Shapes are checked once, by the network; kernels
// assert them. Kernels do not allocate unless they say so. Any ThreadPool gives the same bits: sums
// are split by shape alone, and no value depends on a split by threads.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/buffer.h"
#include "base/parallel.h"
#include "kernels/feature_map.h"

namespace limn::kernels {

// The instruction set in use: "AMX" (amx.h, with AVX-512), "AVX3" (AVX-512), "AVX2", "SSE4",
// "NEON", "EMU128" (none).
std::string_view instruction_set();

// The place of a maximum among its 2 x 2 cells as two bits: on the right, and below. Among equals,
// the first in reading order wins.
struct MaxPlaces {
  CellBits right;
  CellBits below;
};

// -------------------------------------------------------------- 3 x 3 convolution (winograd.cc) --

// A convolution's kernel in the order convolve reads it, for both directions.
struct PackedKernel {
  int in = 0;
  int out = 0;
  Buffer<float> values;  // [out / 16][in / 16][3][3][16 in][16 out]
};

// kernel: [out][in][3][3]; in and out multiples of 16. Allocates.
PackedKernel pack_kernel(std::span<const float> kernel, int in, int out);

// Forward: K * x. Backward: the transposed convolution (K rotated by 180 degrees, input and output
// channels swapped), which maps the gradient with respect to the output to that of the input.
enum class Direction { forward, backward };

// What a convolution reads. In backward this is often a gradient that must first pass back through
// the ReLU and pooling that followed the convolution.
struct Source {
  enum class Kind {
    map,                   // x = map, ring included if edges are zero
    relu_gradient,         // x = map where its sign bit is set, else 0
    max_pool_gradient,     // map: that of max pooling's output; x = its value at each maximum's
                           // place where the sign bit is set, else 0; signs, places as large as map
    average_pool_gradient  // map: that of average pooling's output; x = each cell's share where its
                           // sign bit is set, else 0; signs as large as x
  };
  Kind kind = Kind::map;
  ConstFeatureMap map;
  CellBits signs;
  MaxPlaces places;
  int row = 0;  // if map is a piece of x (zero edges): where in x its cell (0, 0) is
  int column = 0;
  Edges edges = Edges::zero;  // of x; periodic: no ring is read, and pooled sides are even
};

// What a convolution writes: its result y, with the bias added.
struct Sink {
  enum class Kind {
    set,               // map = y
    add,               // map += y
    relu,              // map = max(y, 0); signs of y
    relu_max_pool,     // map = the maxima of max(y, 0); their places, and their signs
    relu_average_pool  // map = the means of max(y, 0); signs of y
  };
  Kind kind = Kind::set;
  FeatureMap map;
  int height = 0;  // of y
  int width = 0;
  CellBits signs;
  MaxPlaces places;
  int row = 0;  // if map is a piece of y (no pooling): where in y its cell (0, 0) is
  int column = 0;
};

// bias: [out], or null.
void convolve(const PackedKernel& kernel, Direction direction, const float* bias,
              const Source& source, const Sink& sink, ThreadPool& pool);

// Floats of the pool's scratch memory that convolve needs for an output of height x width.
size_t convolution_scratch(int in, int out, int height, int width, int threads);

// ------------------------------------------------------ the first convolution (input_conv.cc) --

// The ring = the opposite edges' values, corners included: both directions read the ring, so this
// makes their edges periodic.
void wrap_ring(FeatureMap map);
void wrap_ring(InputPlanes planes);

// From the picture's three planes; "=". With `signs`, y goes through a ReLU and the sign bits of
// the ReLU's input are kept.
// kernel: [out][3][3][3]. packed: [out / 16][3][3][3][16 out], from pack_input_kernel.
Buffer<float> pack_input_kernel(std::span<const float> kernel, int out);
void convolve_input(std::span<const float> packed, const float* bias, ConstInputPlanes x,
                    FeatureMap y, const CellBits* signs, ThreadPool& pool);
// d_x = K^T * d_y, "=".
void convolve_input_backward(std::span<const float> packed, ConstFeatureMap d_y, InputPlanes d_x,
                             ThreadPool& pool);

// --------------------------------------------------------- the first level, fused (first_level.cc)

// conv1_1, ReLU, conv1_2, ReLU and pooling fused, in pieces that stay in the near cache. So the
// full-size maps, which make up most of a network's memory, are never stored.
struct FirstLevel {
  std::span<const float> kernel_1;  // from pack_input_kernel
  const float* bias_1 = nullptr;
  const PackedKernel* kernel_2 = nullptr;
  const float* bias_2 = nullptr;
  enum class Features { none, before_relu, after_relu };
  Features features = Features::none;  // of conv1_1: which Gram matrix is needed
  Edges edges = Edges::zero;           // of every map; the ring of x is the caller's (wrap_ring)
  Window counted = kEverywhere;        // the positions over which the Gram matrix sums
};

// Forward: x through the level into `sink` (relu_max_pool or relu_average_pool); and G = F F^T of
// conv1_1's features F, [C][C], if needed.
// scratch: first_level_scratch doubles.
size_t first_level_scratch(int channels, int height);
void first_level(const FirstLevel& level, ConstInputPlanes x, const Sink& sink, std::span<float> G,
                 std::span<double> scratch, ThreadPool& pool);

// Backward: d_x, "=", from `source` (max_pool_gradient or average_pool_gradient, of the level's
// edges), and from S F if a Gram matrix is needed (see turn_into_gradient). Recomputes conv1_1.
// borders: first_level_borders floats.
size_t first_level_borders(int height, int width);
void first_level_backward(const FirstLevel& level, ConstInputPlanes x, const Source& source,
                          std::span<const float> S, InputPlanes d_x, std::span<float> borders,
                          ThreadPool& pool);

// ---------------------------------------------------------------------- ReLU, pooling (pool.cc) --

// y = max(x, 0), "=", keeping the signs of x.
void relu(ConstFeatureMap x, FeatureMap y, const CellBits& signs, ThreadPool& pool);
// d = d where the sign bit is set, else 0; in place.
void relu_backward(const CellBits& signs, FeatureMap d, ThreadPool& pool);
// d_x += d_y where the sign bit is set.
void add_relu_backward(const CellBits& signs, ConstFeatureMap d_y, FeatureMap d_x,
                       ThreadPool& pool);

// y(i, j) = max of x(2i..2i+1, 2j..2j+1), "="; y is floor(H/2) x floor(W/2).
void max_pool(ConstFeatureMap x, FeatureMap y, const MaxPlaces& places, ThreadPool& pool);
// d_x += d_y at the place of the maximum.
void max_pool_backward(const MaxPlaces& places, ConstFeatureMap d_y, FeatureMap d_x,
                       ThreadPool& pool);

// y(i, j) = mean of the cells of x(2i..2i+1, 2j..2j+1) that exist, "="; y is ceil(H/2) x ceil(W/2).
void average_pool(ConstFeatureMap x, FeatureMap y, ThreadPool& pool);
// d_x += d_y, shared equally among the averaged cells.
void average_pool_backward(ConstFeatureMap d_y, FeatureMap d_x, ThreadPool& pool);

// --------------------------------------------------------------------- Gram matrices (gram.cc) --

// G = F F^T, "=": G[i][j] = sum over positions of F[i] F[j], not normalised. Symmetric, [C][C].
// scratch holds partial sums: at least gram_scratch_size(F) doubles.
size_t gram_scratch_size(ConstFeatureMap F);
void gram(ConstFeatureMap F, std::span<float> G, std::span<double> scratch, ThreadPool& pool);
// The same for the positions in a window, which is not empty.
void gram(ConstFeatureMap F, const Window& window, std::span<float> G, std::span<double> scratch,
          ThreadPool& pool);

// The offset from one position to another.
struct Shift {
  int dy = 0;
  int dx = 0;
  // What leaves the map comes back in at the opposite edge, so p + shift is always inside. Only for
  // shifts shorter than the map.
  bool around = false;
  bool operator==(const Shift&) const = default;
};

// G[i][j] = sum of F[i](p) F[j](p + shift) over positions p where both are inside, "="; not
// symmetric. The shift is not {0, 0}. scratch: as for gram.
void shifted_gram(ConstFeatureMap F, Shift shift, std::span<float> G, std::span<double> scratch,
                  ThreadPool& pool);

// ----------------------------------------------------------- their gradients (gram_gradient.cc) --

// F = S F + factor (F - P), "=", in place: replaces features no longer needed by the gradient of
// the losses that read them. S, [C][C], symmetric: twice the gradient with respect to G; empty if
// no loss reads G. P: what F is compared with, at least as large (seen_from); null data for none.
void turn_into_gradient(FeatureMap F, std::span<const float> S, float factor, ConstFeatureMap P,
                        ThreadPool& pool);
// F = S F in a window, 0 elsewhere.
void turn_into_gradient(FeatureMap F, const Window& window, std::span<const float> S,
                        ThreadPool& pool);
// d_F = S F, "=", in a window, 0 elsewhere, for features kept in half precision.
void gradient_from_half(const HalfMap& F, const Window& window, std::span<const float> S,
                        FeatureMap d_F, ThreadPool& pool);

// d_F += S F. S: [C][C], symmetric.
void add_gram_gradient(std::span<const float> S, ConstFeatureMap F, FeatureMap d_F,
                       ThreadPool& pool);

// d_F(p) += S F(p + shift) + S^T F(p - shift), each where inside: the gradient with respect to F of
// a loss whose gradient with respect to the shifted G is S, [C][C], symmetric or not.
void add_shifted_gradient(std::span<const float> S, ConstFeatureMap F, Shift shift, FeatureMap d_F,
                          ThreadPool& pool);

// P = V F, "=": the projections of features onto the rows of any V, [C][C]. P may not be F.
void project(std::span<const float> V, ConstFeatureMap F, FeatureMap P, ThreadPool& pool);
// d_F += V^T d_P.
void add_projection_backward(std::span<const float> V, ConstFeatureMap d_P, FeatureMap d_F,
                             ThreadPool& pool);

// -------------------------------------------------------------- products with K (congruence.cc) --

// KDK = K D K, "=", for symmetric K and D; exactly symmetric. Also sets KD = K D, "=". All are
// [C][C] and aligned like buffers; C is a multiple of kBlock.
void congruence(std::span<const double> K, std::span<const double> D, std::size_t C,
                std::span<double> KD, std::span<double> KDK, ThreadPool& pool);
// The same for any D: computes all of KDK, which takes a third longer.
void general_congruence(std::span<const double> K, std::span<const double> D, std::size_t C,
                        std::span<double> KD, std::span<double> KDK, ThreadPool& pool);

// AK = A K, "=", for any number of rows that is a multiple of kBlock. AK is aligned likewise.
void multiply_rows(std::span<const double> A, std::span<const double> K, std::size_t C,
                   std::span<double> AK);

// ---------------------------------------- weights of positions, moments, mirrors (positions.cc) --
//
// m: [H][W], one per position, the square roots of weights w = m^2; empty if all are 1. So the Gram
// matrix of m F is that of F with each position counted w times.

// X(c, p) = m(p) (F(c, p) - mean[c]), "=". mean: [C]; empty if all are 0. X may be F.
void weigh(ConstFeatureMap F, std::span<const float> m, std::span<const float> mean, FeatureMap X,
           ThreadPool& pool);
// d(c, p) += m(p) X(c, p). m is not empty.
void add_weighed(ConstFeatureMap X, std::span<const float> m, FeatureMap d, ThreadPool& pool);

// sums[c] = the sum over positions of w F[c], squares[c] of w F[c]^2, "=", in double. scratch holds
// partial sums: at least moments_scratch_size(F) doubles.
size_t moments_scratch_size(ConstFeatureMap F);
void moments(ConstFeatureMap F, std::span<const float> m, std::span<double> sums,
             std::span<double> squares, std::span<double> scratch, ThreadPool& pool);
// d_F(c, p) += w(p) (a[c] + b[c] F(c, p)): the gradient of a loss whose gradient with respect to
// the sums is a and with respect to the squares b / 2, [C] each.
void add_moments_gradient(std::span<const float> a, std::span<const float> b, ConstFeatureMap F,
                          std::span<const float> m, FeatureMap d_F, ThreadPool& pool);

// F becomes its mirror image about its middle, in place.
enum class Mirror {
  left_right,
  up_down,
  both,  // turned by 180 degrees
};
void mirror(FeatureMap F, Mirror mirror, ThreadPool& pool);

// ---------------------------------------------------------- nearest neighbours (nearest.cc) --

// Vectors of `channels` values, a multiple of 16, in cells: [channels / 16][count][16], the blocks
// block_stride floats apart.
struct Vectors {
  const float* cells = nullptr;
  int channels = 0;
  int count = 0;
  size_t block_stride = 0;

  const float* cell(int block, int vector) const {
    return cells + block * block_stride + static_cast<size_t>(vector) * kBlock;
  }
};

// A map's positions, row by row. Between rows lie the ring's two cells, which are vectors too:
// position (y, x) is number y (width + 2) + x.
Vectors positions_of(ConstFeatureMap F);

// Vectors to search, in the order nearest reads them. Whole panels; those beyond `count` are 0.
struct PackedCandidates {
  static constexpr int kPanel = 64;

  int channels = 0;
  int count = 0;
  Buffer<float> values;  // [count / 16, of whole panels][channels][16 candidates]
};
// y: at least one. Allocates.
PackedCandidates pack_candidates(const Vectors& y, ThreadPool& pool);

// match[i] = the candidate j with the highest score <x_i, y_j> + bias[j], the first among equals;
// score[i] = that score. A score that is not a number is never the highest; if a query has no
// other, its match is 0 and its score -infinity.
void nearest(const Vectors& x, const PackedCandidates& y, std::span<const float> bias,
             std::span<int> match, std::span<float> score, ThreadPool& pool);

// --------------------------------------------------------------- windows of maps (window.cc) --

// to "=" a window of F, ring and gaps 0.
void crop(ConstFeatureMap F, const Window& window, FeatureMap to, ThreadPool& pool);
// F "=" the cropped map where the window is, and 0 elsewhere, ring included.
void paste(ConstFeatureMap cropped, const Window& window, FeatureMap F, ThreadPool& pool);
// F += the cropped map where the window is.
void add_pasted(ConstFeatureMap cropped, const Window& window, FeatureMap F, ThreadPool& pool);
// F = 0 outside the window, ring aside.
void clear_outside(FeatureMap F, const Window& window, ThreadPool& pool);

// ------------------------------------------------------------------- half precision (half.cc) --

// half = F, "=", rounded to nearest, ties to even: relative error at most 2^-11, or absolute error
// at most 2^-25 if that is more. Values above the largest half, 65504, become 65504. NaN becomes an
// arbitrary number; F's Gram matrix still shows it.
void round_to_half(ConstFeatureMap F, const HalfMap& half, ThreadPool& pool);

// The same for a piece of a vector, on the calling thread: half = factor x, and x = factor half,
// both "=". A half times a power of two is a float to the bit, as long as it is not below 2^-126.
void round_to_half(std::span<const float> x, float factor, std::span<std::uint16_t> half);
void expand_half(std::span<const std::uint16_t> half, float factor, std::span<float> x);
// The largest |x|; 0 of none. Which, if any x is NaN, is not defined.
float largest(std::span<const float> x);

// --------------------------------------------------------------------- flat vectors (vector.cc) --
// Sums are taken in pieces of a fixed size, whose results are added in double, in order.

double dot(std::span<const float> a, std::span<const float> b, ThreadPool& pool);
// sum (a - b)^2
double squared_distance(std::span<const float> a, std::span<const float> b, ThreadPool& pool);
// sum |a|
double absolute_sum(std::span<const float> a, ThreadPool& pool);
// y += alpha x
void add_scaled(float alpha, std::span<const float> x, std::span<float> y, ThreadPool& pool);
// y *= alpha
void scale(float alpha, std::span<float> y, ThreadPool& pool);
// y = x
void copy(std::span<const float> x, std::span<float> y, ThreadPool& pool);
// y = x + alpha direction; y may be x
void scaled_sum(std::span<const float> x, float alpha, std::span<const float> direction,
                std::span<float> y, ThreadPool& pool);
// y = a b, elementwise
void multiply(std::span<const float> a, std::span<const float> b, std::span<float> y,
              ThreadPool& pool);
// y = x - y
void subtract_from(std::span<const float> x, std::span<float> y, ThreadPool& pool);

// Many vectors in one pass: some in half precision, then some of floats. Each is as long as a, or
// y.
struct Rows {
  std::span<const std::uint16_t* const> halves;
  std::span<const float* const> floats;
  size_t size() const { return halves.size() + floats.size(); }
};
// Both functions sum in double, products included.
//
// results[2 r] = rows[r] . a and results[2 r + 1] = rows[r] . b, "=". a and b may be among the
// rows. scratch holds partial sums: at least products_scratch_size(rows.size(), a.size()) doubles.
size_t products_scratch_size(size_t rows, size_t n);
void products(const Rows& rows, std::span<const float> a, std::span<const float> b,
              std::span<double> results, std::span<double> scratch, ThreadPool& pool);
inline void products(std::span<const float* const> rows, std::span<const float> a,
                     std::span<const float> b, std::span<double> results, std::span<double> scratch,
                     ThreadPool& pool) {
  products(Rows{{}, rows}, a, b, results, scratch, pool);
}
// Its two steps. The sums of one piece of the vectors, sums[piece][2 rows], are added up in the
// order of the pieces.
inline constexpr size_t kRowPiece = 16384;  // floats of each row (vector.cc has the reason)
inline size_t row_pieces(size_t n) { return (n + kRowPiece - 1) / kRowPiece; }
void product_sums(const Rows& rows, std::span<const float> a, std::span<const float> b,
                  std::span<double> sums, ThreadPool& pool);
void add_product_sums(std::span<const double> sums, std::span<double> results);
// y = sum over r of coefficients[r] rows[r], rounded to float once. y may be one of the rows.
void combine(const Rows& rows, std::span<const double> coefficients, std::span<float> y,
             ThreadPool& pool);
inline void combine(std::span<const float* const> rows, std::span<const double> coefficients,
                    std::span<float> y, ThreadPool& pool) {
  combine(Rows{{}, rows}, coefficients, y, pool);
}

}  // namespace limn::kernels
