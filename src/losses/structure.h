// The structure loss: what resembles what in the photo should do so in the picture, whatever both
// look like (Kolkin, Salavon and Shakhnarovich 2019, arXiv 1904.12785, section 2.2).
//
//   loss = factor / n * sum over i, j of | D(i, j) / sum_k D(k, j)  -  D_P(i, j) / sum_k D_P(k, j)
//   |
//
// D(i, j) is the cosine distance between the columns (columns.h) at places i and j of the picture,
// D_P between those of the photo at the same places.
#pragma once

#include <limn/limn.h>

#include <vector>

#include "base/buffer.h"
#include "losses/columns.h"
#include "losses/loss.h"

namespace limn {

// What the photo's columns are gathered from.
struct StructureTarget {
  std::vector<ConstFeatureMap> layers;  // the photo's, by layers in use; those of no part are empty
  std::vector<float> x;                 // the photo, in the optimiser's unit
};

class StructureLoss : public Loss {
 public:
  // Reads columns as layer number `tap` of the view; these and the target must outlive the loss.
  // every: iterations after which they are drawn anew.
  StructureLoss(double weight, int every, int tap, Columns& columns, const StructureTarget& target,
                Scratch& scratch);

  // Measures the photo at the columns' new places.
  void seek(ThreadPool&) override;
  int seeks_every() const override { return every_; }
  void keep(State&) override;  // nothing: what was measured follows from the places

  void measure(const View&, std::span<double>, Scratch&, ThreadPool&) override;
  double settle(std::span<const double>, Scratch&, ThreadPool&) override;
  void spread(const View&, std::span<Slope>, Scratch&, ThreadPool&) override;

 private:
  void measure_distances(ConstFeatureMap X, Buffer<float>& cosines, ThreadPool& pool);
  void add_gradient(ConstFeatureMap X, FeatureMap d, ThreadPool& pool);

  const int every_;
  const int tap_;
  Columns& columns_;
  const StructureTarget& target_;
  const ConstFeatureMap shape_;  // C x 1 x n
  const int padded_;             // n, rounded up to whole blocks
  Buffer<float> photo_;          // the photo's columns, laid out like the picture's
  Buffer<float> turned_;         // directions of columns, a map of n x 1 x C
  Buffer<float> d_turned_;
  std::vector<double> lengths_;
  // [n][n], padded: D_P over its sums; cosines of the picture.
  Buffer<float> of_photo_, cosines_;
  std::vector<double> sums_;  // of D's columns
  Buffer<float> slopes_;      // [n][n], padded: of the cosines
  Buffer<double> partial_;    // sums of products
  bool stale_ = false;        // places were restored, where the photo is not measured yet
};

double structure_bytes(ConstFeatureMap shape);

}  // namespace limn
