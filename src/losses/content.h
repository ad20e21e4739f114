// The content loss of one layer: the distance of the picture's features F from the photo's, P.
//
//   loss = factor * sum over channels and positions p of  w(p) (F - P)^2
//
// w(p), 1 unless the photo has alpha, is how visible a position is. The factor depends on the
// recipe's choice of scale (ContentForm); it is 1/2 in Gatys, Ecker and Bethge (arXiv 1508.06576),
// equation 1. The gradient with respect to F is 2 factor w (F - P).
//
// A student's features (network/imitation.h) are compared as R F, which needs only products with K
// = R^T R:  loss = factor <K, (m E) (m E)^T>  with E = F - P and m = sqrt(w), and the gradient is 2
// factor K w E. <X, Y> is the sum of X[i][j] Y[i][j].
#pragma once

#include <limn/limn.h>

#include <functional>
#include <span>
#include <vector>

#include "losses/loss.h"

namespace limn {

// The factor of sum (F - P)^2 for C channels and M positions.
double content_factor(ContentForm form, double C, double M);

// What one layer's features are compared with.
struct ContentTarget {
  Buffer<float> features;    // P, laid out like F; empty if it is not kept
  std::vector<float> roots;  // m = sqrt(w), [H][W]; empty: all of the photo is visible
  // If P is not kept, makes a row of it: P "=" row `y` of the layer's cells.
  std::function<void(const Window& cells, int y, FeatureMap P)> make_row = {};

  bool is_kept() const { return !features.empty(); }
  // From either, of the layer's cells, ring and gaps 0; shape: of the whole layer.
  void put(ConstFeatureMap shape, const Window& cells, FeatureMap P, ThreadPool& pool) const;
  // E "=" F - P likewise. A row of P is made and subtracted while it lies in a cache.
  void subtract(ConstFeatureMap shape, const Window& cells, ConstFeatureMap F, FeatureMap E,
                ThreadPool& pool) const;

 private:
  void put_row(ConstFeatureMap shape, const Window& cells, int y, FeatureMap P) const;
};

class ContentLoss : public Loss {
 public:
  // Reads the features of tap number `tap`, which have this shape. K: a student's, [C][C], or
  // empty. Target and K must outlive the loss.
  ContentLoss(double factor, int tap, const LayerShape& shape, const ContentTarget& target,
              std::span<const double> K, Scratch& scratch, Term term = Term::content);

  size_t sums_size() const override { return 1; }
  void measure(const View&, std::span<double> sums, Scratch&, ThreadPool&) override;
  double settle(std::span<const double> sums, Scratch&, ThreadPool&) override;
  void spread(const View&, std::span<Slope>, Scratch&, ThreadPool&) override;

 private:
  bool is_plain() const { return K_.empty() && target_.roots.empty(); }
  // Whether P is read where it is kept.
  bool is_in_place() const { return is_plain() && target_.is_kept() && !shape_.is_cut(); }
  ConstFeatureMap target(const View::Layer& layer, Scratch& scratch, ThreadPool& pool);
  FeatureMap difference(const View::Layer& layer, Scratch& scratch, ThreadPool& pool);
  double sum_mapped(const View::Layer& layer, Scratch& scratch, ThreadPool& pool);
  double sum_weighed(const View::Layer& layer, Scratch& scratch, ThreadPool& pool);
  std::span<const float> roots(const View::Layer& layer);
  void prepare();

  const int tap_;
  const LayerShape shape_;
  const ContentTarget& target_;
  const std::span<const double> K_;
  Buffer<float> roots_;            // of a tile
  Buffer<float> difference_gram_;  // for a student: (m E) (m E)^T, [C][C]
  Buffer<float> slope_;            // for a student: 2 factor K, [C][C]
  // For the slope.
  View::Layer layer_;
  Scratch* scratch_ = nullptr;
  ThreadPool* pool_ = nullptr;
};

// Bytes of a target that is kept, and of the loss: its own, and Scratch::weighed and sums.
// in_place: not a student's, all of the photo is visible, and the target is kept and not cut.
double content_bytes(ConstFeatureMap shape);
struct DistanceBytes {
  double own = 0, weighed = 0, sums = 0;
};
DistanceBytes distance_bytes(const LayerShape& shape, bool student, bool in_place);

}  // namespace limn
