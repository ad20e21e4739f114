// The sliced Wasserstein loss of one layer: the picture's features should be spread like the
// painting's along every direction of the space of features (Heitz and others 2021, arXiv
// 2006.07229).
//
//   loss = factor / N * sum over directions v of  1 / M * sum over ranks i of  (p(i) - q(i))^2
//
// F: the picture's features, C channels by M positions. p: the M projections v^T F, sorted; q: the
// painting's, likewise. In one dimension moving sorted values onto sorted values is the cheapest
// way to turn one set into the other, so the inner mean is the exact squared Wasserstein distance.
// Where it is 0 for all directions, both have the same distribution of features, of which Gram
// matrices are only the second moments.
//
// Directions are N = C unit vectors, drawn uniformly and independently, as published. They and q
// are held for some iterations, so that an optimiser sees one function meanwhile; then others are
// drawn.
//
// GRADIENT. Small moves do not change the ranks. So with p(i) the projection at position x,
//
//   d loss / d F(x) = factor / N * sum over v of  2 / M * (p(i) - q(i)) v
//
// Among equal projections the first position has the lower rank.
//
// WEIGHTS AND SIZES. A region counts positions with weights w, and so does a painting's mask.
// Sorted values are then steps of width w / W along 0..1, W the sum of all w. Of the painting the
// quantile function, linear between the middles of its steps, is taken at M levels (k + 1/2) / M;
// these are the q, steps of equal width. (Of a painting with M positions they are its sorted
// values.) The mean over ranks becomes the integral of (p - q)^2 over 0..1, in which both are
// constant between the ends of steps: still the exact distance, so it does not jump where ranks
// change. The losses of several regions add up, each times its share of the picture (regional.h).
// Of several paintings q is the mean by their shares s: the sum of s_k (p - q_k)^2 is (p - sum of
// s_k q_k)^2 plus a term without p, so gradients are those of the mean of their losses.
//
// A student's features (network/imitation.h) are compared as R F. R F is U^T Q F for some U with
// orthonormal columns, and Q F imitates the teacher's features. So a direction is drawn in the
// teacher's space, and its part along U, which is distributed like its first components, is mapped
// back: v^T R F = (R^T v)^T F.
#pragma once

#include <limn/limn.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/buffer.h"
#include "losses/loss.h"
#include "network/imitation.h"

namespace limn {

// A painting's features at one layer.
struct SlicedPainting {
  int region = 0;              // of the picture, where it is used
  double share = 1;            // of that region's paintings
  int count = 0;               // of the positions below
  FeatureMap shape;            // a map whose first `count` positions, row by row, count
  Buffer<float> features;      // its memory
  std::vector<float> weights;  // w, [count]; empty: all are 1
};

// A region of the picture.
struct SlicedRegion {
  std::vector<float> weights;  // w, [H][W]; empty: 1 everywhere
  double total = 0;            // W; 0: no position of this layer is in the region
  double share = 1;            // of the picture
};

struct SlicedTarget {
  std::vector<SlicedRegion> regions;
  std::vector<SlicedPainting> paintings;
};

// The regions of a picture at a layer of this shape, still without paintings. No masks: one region,
// everywhere.
SlicedTarget sliced_target(std::span<const Mask> regions, ConstFeatureMap shape);

// A painting with features F, whose positions have these weights ([H][W]; empty: all 1). Of more
// than 65,536 positions so many are drawn.
SlicedPainting sliced_painting(ConstFeatureMap F, std::span<const float> weights, int region,
                               double share);

class SlicedLoss : public Loss {
 public:
  // Reads the features of tap number `tap`, which have this shape. The directions depend on the
  // seed, the tap and the number of searches before. imitation: a student's, or null. It and the
  // target must outlive the loss.
  SlicedLoss(double factor, std::uint64_t seed, int every, int tap, const LayerShape& shape,
             const SlicedTarget& target, const Imitation* imitation, Scratch& scratch);

  // Draws directions.
  void seek(ThreadPool&) override;
  int seeks_every() const override { return every_; }
  void forget() override { searches_ = 0; }
  void keep(State& state) override;

  // The projections of all positions are kept, since they can only be sorted together: for a layer
  // as many floats as its features have, whether the picture is cut into tiles or not.
  void measure(const View&, std::span<double>, Scratch&, ThreadPool&) override;
  std::span<float> measured_by_tiles() override { return lines_; }
  double settle(std::span<const double>, Scratch&, ThreadPool&) override;
  void spread(const View&, std::span<Slope>, Scratch&, ThreadPool&) override;

  // For tests: V, whose rows v are the directions, [C][C]; of a student R^T v.
  std::span<const float> directions() const { return directions_; }

 private:
  void draw(ThreadPool& pool);
  void draw_direction(size_t n);
  void add_quantiles(const SlicedPainting& painting, ThreadPool& pool);
  double compare(size_t n, std::span<std::uint64_t> memory);
  std::span<float> quantiles(size_t region, size_t n);
  std::span<std::uint64_t> sorting_memory(ThreadPool& pool, int thread) const;
  void add_gradient(FeatureMap d);

  const std::uint64_t seed_;
  const int every_;
  const int tap_;
  const ConstFeatureMap shape_;  // of all tiles
  const SlicedTarget& target_;
  const Imitation* const imitation_;
  const size_t levels_;         // of q
  Buffer<float> directions_;    // V, [C][C]
  Buffer<float> quantiles_;     // [regions][C][levels]: q
  Buffer<float> lines_;         // by direction, [C][M]: the projections; after settle, their slopes
  std::vector<double> losses_;  // by direction, without factor / N
  int searches_ = 0;
  bool stale_ = true;  // the directions are not those of this number of searches
  // For the slope's addend.
  Window cells_;
  Scratch* scratch_ = nullptr;
  ThreadPool* pool_ = nullptr;
};

// Bytes for a painting at one layer, and as many while its quantiles are tabulated; for the loss;
// and of scratch besides Scratch::weighed, that of `threads` threads included.
double sliced_painting_bytes(ConstFeatureMap painting);
double sliced_bytes(ConstFeatureMap shape, int regions, bool masks);
double sliced_scratch_bytes(const LayerShape& shape, int threads);

}  // namespace limn
