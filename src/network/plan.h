// What a pass over a network computes in one go, and where it keeps what: a value that follows from
// shapes alone, so that its memory can be added up before any is taken.
//
// Rows are run in steps: a convolution alone, one with the pooling behind it, or the whole of the
// fused first level. Forward goes from step 0 to the last, backward the other way, so what step i
// writes for step j lives from i to j both ways, and what it writes for its own way back, or for
// losses, from i to the last. Maps, bits and scratch memory that do not live at the same time share
// their bytes in one piece of memory, the arena: relu3_3 of VGG-19, say, lies where relu4_1 and
// relu4_2 come to lie later, which forward do not exist yet and backward no longer.
#pragma once

#include <limn/limn.h>

#include <span>
#include <vector>

#include "base/placement.h"
#include "kernels/feature_map.h"
#include "network/vgg.h"

namespace limn {

// A layer that losses read, and what they need of it.
struct TapRequest {
  LayerPosition position;
  bool features = false;  // F itself
  bool gram = false;      // G = F F^T
  // Whether F may be kept for backward in half precision. That is done where losses read G alone,
  // which is taken from F itself; F - P would be a small difference of rounded values.
  bool half = false;
  bool operator==(const TapRequest&) const = default;
};

// What a pass is for. features: backward is never called, less is kept.
enum class Purpose { features, gradients };

inline constexpr int kNoTap = -1;

struct RowPlan {
  int channels = 0, height = 0, width = 0;  // of the row's output
  int step = 0;                             // in which the row is run
  int tap_before_relu = kNoTap;             // indices into PassPlan::taps
  int tap_output = kNoTap;
  bool pooled = false;  // a convolution whose output goes straight into the next row's
  Region output;        // none where a tap takes it, or nobody
  Region scratch;       // what kernels::convolve uses
  Region gram_scratch;  // for the Gram matrices of its taps
  // Bits that backward reads; where maxima of a convolution are taken at once, of the maxima, and
  // with the convolution. Cells of bits_height x bits_width.
  Region signs, right, below;
  int bits_height = 0, bits_width = 0;
};

struct TapPlan {
  TapRequest request;
  FeatureMap shape;  // no data
  Region map;        // none in the fused first level, of which there are only Gram matrices
  // The features in half precision, from the step after the row's on. The map then lives from step
  // to step like an output that nobody reads: forward the features are there, backward the
  // gradient.
  Region half;
};

struct PassPlan {
  int height = 0, width = 0;  // of the picture
  std::vector<RowPlan> rows;
  std::vector<TapPlan> taps;
  bool fused_first_level = false;  // rows 0, 1 and 2
  Region input;                    // the picture; given anew for the way back
  Region d_input;                  // the gradient by it
  Region edges;                    // kernels::first_level_edges
  Region first_level_scratch;      // of its Gram matrix
  size_t arena_bytes = 0;

  // The deepest row may be read before its ReLU only; then the ReLU is not computed.
  bool ends_before_relu(int row) const;
  // What the pass takes in all: the arena and the Gram matrices.
  size_t bytes() const;
};

// The plan for a picture of height x width through the rows down to the deepest tap; through none
// where there is no tap. Taps must differ from each other. threads: those that will run it, for
// which there is scratch memory.
PassPlan plan_pass(std::span<const Row> rows, Pooling pooling, int height, int width,
                   std::span<const TapRequest> taps, Purpose purpose, int threads);

// The side of a map after one pooling: max pooling drops an odd last row, average pooling keeps it.
int pooled_side(Pooling pooling, int side);

}  // namespace limn
