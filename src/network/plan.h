// What a pass over a network fuses, and where it keeps what. A plan follows from shapes alone, so
// the memory can be added up before any is allocated.
//
// Rows run in steps: a single convolution, a convolution with its pooling, or the whole fused first
// level. Forward runs from step 0 to the last, backward in reverse. So what step i writes for step
// j lives from i to j in both directions; what it writes for its own backward, or for losses, lives
// from i to the last. Maps, bits and scratch with disjoint lifetimes share memory in one arena:
// relu3_3 of VGG-19, say, occupies the place of relu4_1 and relu4_2, which do not exist yet in
// forward, and no longer in backward.
#pragma once

#include <limn/limn.h>

#include <span>
#include <vector>

#include "base/placement.h"
#include "kernels/feature_map.h"
#include "network/vgg.h"

namespace limn {

// A layer that losses read, and what they need from it.
struct TapRequest {
  LayerPosition position;
  bool features = false;  // F itself
  bool gram = false;      // G = F F^T
  // Whether F may be kept for backward in half precision. That happens only where losses read just
  // G, which is computed from F itself; F - P would be a small difference of rounded values.
  bool half = false;
  // Of a tile: also what the pass holds around its cells (Pass::around).
  bool around = false;
  bool operator==(const TapRequest&) const = default;
};

// What a pass is for. features: backward is never called, so less is kept.
enum class Purpose { features, gradients };

inline constexpr int kNoTap = -1;

struct RowPlan {
  int channels = 0, height = 0, width = 0;  // of the row's output
  int step = 0;                             // in which the row runs
  int tap_before_relu = kNoTap;             // indices into PassPlan::taps
  int tap_output = kNoTap;
  bool pooled = false;  // a convolution whose output goes straight into the next row, a pooling
  Region output;        // none if the tap holds the output, or nobody reads it
  Region scratch;       // for kernels::convolve
  Region gram_scratch;  // for the Gram matrices of its taps
  // Bits for backward, as cells of bits_height x bits_width. A convolution fused with max pooling
  // holds those of the maxima.
  Region signs, right, below;
  int bits_height = 0, bits_width = 0;
};

struct TapPlan {
  TapRequest request;
  FeatureMap shape;  // of the whole map; no data
  Window core;       // the cells that losses read
  FeatureMap cells;  // their shape
  Region map;        // none in the fused first level, which has only Gram matrices
  Region gram;       // [C][C]
  // The features of the core as a map of its own, from its step on; none if the core is everything.
  // The whole map is then short-lived, unless what is around is requested.
  Region cropped;
  // The features in half precision, from the next step on. The map is then short-lived, like an
  // output that nobody reads: it holds the features in forward, the gradient in backward.
  Region half;
};

struct PassPlan {
  int height = 0, width = 0;  // of the picture
  Window core;                // of it
  std::vector<RowPlan> rows;
  std::vector<TapPlan> taps;
  bool fused_first_level = false;  // rows 0, 1 and 2
  Region input;                    // the picture; filled in again for backward
  Region d_input;                  // the gradient with respect to it
  Region borders;                  // kernels::first_level_borders
  Region first_level_scratch;      // of its Gram matrix
  size_t arena_bytes = 0;          // all memory of the pass

  // Whether the deepest row is read only before its ReLU; then the ReLU is not computed.
  bool ends_before_relu(int row) const;
};

// The plan for a picture of height x width through all rows down to the deepest tap; no rows
// without taps. Taps must be distinct. threads: the number of threads to plan scratch memory for.
// core: the part of the picture whose cells losses read (tiling.h): its edges are multiples of the
// taps' strides, or the picture's.
PassPlan plan_pass(std::span<const Row> rows, Pooling pooling, int height, int width,
                   std::span<const TapRequest> taps, Purpose purpose, int threads,
                   const Window& core = kEverywhere);

// The cells of a map of height x width, of this stride, that belong to a core of a picture of this
// size.
Window cells_of(const Window& core, const Size& picture, int stride, int height, int width);

// The side of a map after one pooling: max pooling drops an odd last row, average pooling keeps it.
int pooled_side(Pooling pooling, int side);

}  // namespace limn
