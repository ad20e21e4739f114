// The interface of all losses: three steps, and what passes between them.
//
//   measure   over positions, tile by tile: sums, Gram matrices, differences from a target
//   settle    a few numbers: the loss, and the slopes of what was measured
//   spread    the slopes back over positions, tile by tile: the gradient
//
// What is measured of tiles is added in their order, whoever runs them.
//
// With this split a loss never sees the network, and the network never sees what a loss compares.
// Each kind is one file that states its equation, its gradient and its source: content.h, gram.h,
// regional.h (statistics of regions), sliced.h, neighbours.h (with cosine.h), transport.h,
// structure.h and variation.h.
#pragma once

#include <limn/limn.h>

#include <cstdint>
#include <span>

#include "base/buffer.h"
#include "base/parallel.h"
#include "base/state.h"
#include "network/tiled_pass.h"

namespace limn {

// What losses see of a picture, a tile of it at a time (network/tiling.h): the taps of a pass. And
// of the picture as a whole: its columns (columns.h), and itself.
struct View {
  // One layer's data, for the losses that requested it (TapRequest), or that of columns.
  struct Layer {
    Layer() = default;
    // Of a whole map.
    explicit Layer(ConstFeatureMap of_all, std::span<const float> products = {})
        : F(of_all), G(products), cells(window_of(of_all)), around(of_all), core(cells) {}

    ConstFeatureMap F;         // C x H x W, of the tile's cells
    std::span<const float> G;  // F F^T, [C][C]
    Window cells;              // where they are in the whole layer's map
    // The tile's cells and what lies around them, where they are `core`; TapRequest::around.
    ConstFeatureMap around;
    Window core;
  };
  std::span<const Layer> layers;  // by tap; then the columns
  std::span<const float> x;       // 3 x height x width, in the optimiser's unit
  Size size;                      // of x
};

// Scratch memory that losses use in turn. Nothing survives from one call to the next, except `own`
// until its slope has been read. (What a slope prepares is read at once.)
struct Scratch {
  Buffer<float> weighed, gradient, mirrored;  // maps
  Buffer<float> own;                          // for Slope::sum
  Buffer<float> around, d_around;             // parts of View::Layer::around
  Buffer<float> products, centre;             // StatisticsScratch
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

  // Saves or restores what was chosen.
  virtual void keep(State&) {}

  // Chooses what to compare with. May allocate. Called before all else, and again every
  // `seeks_every` iterations; 0: only when a size begins.
  virtual void seek(ThreadPool&) {}
  virtual int seeks_every() const { return 0; }
  // Forgets what earlier searches have learnt.
  virtual void forget() {}
  // If that depends on the picture, it then looks at all tiles, then at all again: first "=" its
  // sums over the tile, of which there are `looked`; then, with their sums over all tiles, it
  // finds, and "=" sums of that; and with the sums over all tiles of those it learns.
  struct Sought {
    size_t looked = 0, found = 0;
  };
  virtual Sought sought() const { return {}; }  // none: it does not look
  virtual void look(const View&, std::span<double> /*looked*/, ThreadPool&) {}
  virtual void find(const View&, std::span<const double> /*looked*/, std::span<double> /*found*/,
                    ThreadPool&) {}
  virtual void learn(std::span<const double> /*found*/) {}
  // Memory for the whole picture of which find() sets what belongs to the tile, if later steps of
  // other tiles read it, or checkpoints do: ranks exchange it (base/ranks.h).
  virtual std::span<std::uint32_t> found_by_tiles() { return {}; }

  // Called in this order: measure for every tile, settle once, spread for every tile, which is run
  // again in between unless there is only one. What measure reads from the view of a single tile
  // stays valid until the gradient has been spread. None of these allocates.
  //
  // measure: sums "=" what is added up over tiles, sums_size numbers.
  virtual size_t sums_size() const { return 0; }
  virtual void measure(const View&, std::span<double> /*sums*/, Scratch&, ThreadPool&) {}
  // The same of measure().
  virtual std::span<float> measured_by_tiles() { return {}; }
  virtual double settle(std::span<const double> sums, Scratch&, ThreadPool&) = 0;  // the loss
  // The gradient with respect to the layers' features, by tap: sets only empty terms of slopes.
  virtual void spread(const View&, std::span<Slope>, Scratch&, ThreadPool&) {}
  // The gradient with respect to the picture itself, in the optimiser's unit: d_x "+=". Once.
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
