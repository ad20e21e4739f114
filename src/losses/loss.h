// The interface of all losses: three steps, and what passes between them.
//
//   measure   over positions: sums, Gram matrices, differences from a target
//   settle    a few numbers: the loss, and the slopes of what was measured
//   spread    the slopes back over positions: the gradient
//
// With this split a loss never sees the network, and the network never sees what a loss compares.
// Each kind is one file that states its equation, its gradient and its source: content.h, gram.h,
// regional.h (statistics of regions), sliced.h, neighbours.h (with cosine.h), transport.h,
// structure.h and variation.h.
#pragma once

#include <limn/limn.h>

#include <span>

#include "base/buffer.h"
#include "base/parallel.h"
#include "base/state.h"
#include "network/network.h"

namespace limn {

// What losses see of a picture: the taps of a pass over it, and the picture itself.
struct View {
  // One layer's data, for the losses that requested it (TapRequest), or that of columns
  // (columns.h).
  struct Layer {
    ConstFeatureMap F;   // C x H x W
    std::span<float> G;  // F F^T, [C][C]; settle may overwrite it
  };
  std::span<const Layer> layers;  // by tap; then the columns
  std::span<const float> x;       // 3 x height x width, in the optimiser's unit
  Size size;                      // of x
};

// Scratch memory that losses use in turn. Nothing survives from one call to the next, except `own`
// until its slope has been read.
struct Scratch {
  Buffer<float> weighed, gradient, mirrored;  // maps
  Buffer<float> own;                          // for Slope::sum
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

  // The term of the objective it belongs to.
  Term term() const { return term_; }
  // From now on multiplies the loss by `weight` (initially 1), and the gradient by `weight` and
  // `unit` (paint/loss_unit.h). A loss of weight 0 need not be computed.
  virtual void multiply(double weight, double unit) {
    weight_ = weight;
    unit_ = unit;
  }
  bool counts() const { return factor() != 0; }

  // Chooses what to compare with at this picture, if that depends on the picture. May allocate.
  // Called before all else, and again every `seeks_every` iterations; 0: only when a size begins.
  virtual void seek(const View&, ThreadPool&) {}
  virtual int seeks_every() const { return 0; }
  // Forgets what earlier calls of seek have learnt.
  virtual void forget() {}
  // Saves or restores what was chosen.
  virtual void keep(State&) {}

  // Called in this order, once each per evaluation. What measure reads from the view must stay
  // valid until the gradient has been spread. None of these allocates.
  virtual void measure(const View&, Scratch&, ThreadPool&) {}
  virtual double settle(const View&, Scratch&, ThreadPool&) = 0;  // the loss
  // The gradient with respect to the layers' features, by tap: sets only empty terms of slopes.
  virtual void spread(const View&, std::span<Slope>, Scratch&, ThreadPool&) {}
  // The gradient with respect to the picture itself, in the optimiser's unit: d_x "+=".
  virtual void spread_to_picture(const View&, std::span<float> /*d_x*/, ThreadPool&) {}

 protected:
  // factor: from the recipe's weight and form; the loss is this times the sum in its equation.
  Loss(Term term, double factor) : term_(term), factor_(factor) {}

  double factor() const { return weight_ * factor_; }
  double unit() const { return unit_; }

 private:
  const Term term_;
  const double factor_;
  double weight_ = 1, unit_ = 1;
};

}  // namespace limn
