// What every loss has in common: three steps, and what passes between them.
//
//   measure   over positions: sums, Gram matrices, differences from a target
//   settle    a few numbers: the loss, and the slopes of what was measured
//   spread    the slopes back over positions: the gradient
//
// Cut there, a loss never sees the network, and the network never sees what a loss compares. Each
// kind is one file that states its equation, its gradient and its source: content.h, gram.h,
// regional.h (statistics of regions) and variation.h.
#pragma once

#include <limn/limn.h>

#include <span>

#include "base/buffer.h"
#include "base/parallel.h"
#include "network/network.h"

namespace limn {

// What losses see of a picture: the taps of a pass over it, and the picture itself.
struct View {
  // Of one layer, for those losses that asked for it (TapRequest).
  struct Layer {
    ConstFeatureMap F;   // C x H x W
    std::span<float> G;  // F F^T, [C][C]; a loss may overwrite it when it settles
  };
  std::span<const Layer> layers;  // by tap
  std::span<const float> x;       // 3 x height x width, in the optimiser's unit
  Size size;                      // of x
};

// Memory that losses use for a while, one after the other; nothing in it is kept from one call to
// the next, except `own` until its slope has been read.
struct Scratch {
  Buffer<float> weighed, gradient;  // maps
  Buffer<float> own;                // a gradient with respect to F that a loss adds up itself
  Buffer<double> sums, matrices;

  template <typename T>
  static void grow(Buffer<T>& buffer, size_t size) {
    if (buffer.size() < size) buffer = Buffer<T>(size);
  }
};

enum class Term { content, style, total_variation };

class Loss {
 public:
  virtual ~Loss() = default;
  Loss(const Loss&) = delete;
  Loss& operator=(const Loss&) = delete;

  // Which term of the objective it is part of.
  Term term() const { return term_; }
  // From now on the loss is times `weight` (1 at first), and its gradient times `unit` besides
  // (paint/loss_unit.h). A loss of weight 0 need not be computed.
  void multiply(double weight, double unit) {
    weight_ = weight;
    unit_ = unit;
  }
  bool counts() const { return factor() != 0; }

  // In this order, once each for an evaluation. What measure takes from the view is kept until the
  // gradient has been spread. None of them allocates.
  virtual void measure(const View&, Scratch&, ThreadPool&) {}
  virtual double settle(const View&, Scratch&, ThreadPool&) = 0;  // the loss
  // The gradient with respect to layers' features, by tap: fills in terms of slopes that are empty.
  virtual void spread(const View&, std::span<Slope>, Scratch&, ThreadPool&) {}
  // The gradient with respect to the picture itself, in the optimiser's unit: d_x "+=".
  virtual void spread_to_picture(const View&, std::span<float> /*d_x*/, ThreadPool&) {}

 protected:
  // factor: the recipe's weight and form; the loss is this times its equation's sum.
  Loss(Term term, double factor) : term_(term), factor_(factor) {}

  double factor() const { return weight_ * factor_; }
  double unit() const { return unit_; }

 private:
  const Term term_;
  const double factor_;
  double weight_ = 1, unit_ = 1;
};

}  // namespace limn
