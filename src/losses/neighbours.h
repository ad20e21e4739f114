// The neighbours loss of one layer: each position of the picture is compared with the position of
// the painting that it resembles most.
//
//   loss = factor * sum over positions p of  w(p) |F(p) - T(p)|^2
//   T(p) = S(match(p)),    match(p) = argmax over q of  cos(F(p) - mean F, S(q) - mean S)
//
// F: the picture's features, S: the painting's. A Gram matrix mixes a painting's strokes and
// palette everywhere alike; a match puts them where they belong, and the squared distance to one
// real feature, rather than to an average, keeps strokes whole. Matches are sought at one picture
// and then held: the loss is a content loss (content.h) whose target was gathered from the
// painting. Kolkin and others 2022 (arXiv 2203.13215), section 3.4 ("feature splitting"), minimise
// the cosine distance instead, which leaves contrast free.
//
// LIMITED USE. A rare thing, such as a seal or a moon, would be copied wherever anything resembles
// it a little. So each position of the painting has a price, at first 0, which is subtracted from
// its cosine times the length of F(p) - mean F. After a search it rises where a position was used
// more than `uses` times as often as the mean, and falls elsewhere; prices
// settle over a few searches.
//
// With several paintings, T(p) is the sum over styles k of u_k(p) S_k(match_k(p)), where u_k(p) is
// the style's share at p, by blend and masks; they sum to 1. Paintings with one style are searched
// together. As elsewhere, a student's features are compared by K (network/imitation.h): <a, b> is
// a^T K b.
#pragma once

#include <limn/limn.h>

#include <span>
#include <vector>

#include "kernels/kernels.h"
#include "losses/content.h"

namespace limn {

// One painting's features at one layer, ready to be searched.
struct NeighbourSource {
  int style = 0;
  int region = 0;                        // of the picture, where it is used
  double share = 0;                      // in that region; of all the style's paintings together
  double square = 0;                     // the mean of |S(q)|^2
  Buffer<float> features;                // S, [C / 16][count][16]
  kernels::PackedCandidates candidates;  // K (S - mean) / |S - mean|, likewise
};

// Of one layer.
struct NeighbourTarget {
  std::vector<NeighbourSource> sources;     // those of one style next to each other
  std::vector<std::vector<float>> regions;  // their weights, [H][W]; empty: one, everywhere
  std::vector<float> roots;                 // sqrt(w), [H][W]; empty: all of the photo is visible
};

// A painting with features F, of which only positions of these weights above 1/2 count ([H][W];
// empty: all). K: a student's, [C][C], or empty. Large paintings are sampled on a grid.
NeighbourSource neighbour_source(ConstFeatureMap F, std::span<const float> weights,
                                 std::span<const double> K, ThreadPool& pool);

// What NeighboursLoss owns, made before the distance that reads it.
struct GatheredTarget {
  ContentTarget gathered;
};

class NeighboursLoss : private GatheredTarget, public ContentLoss {
 public:
  // The factor divides by the number of positions and by the paintings' mean |S|^2, so that weights
  // mean the same at all layers and sizes. Target and K must outlive the loss.
  // uses: see above; 0: no limit.
  NeighboursLoss(double weight, double uses, int tap, ConstFeatureMap shape,
                 const NeighbourTarget& target, std::span<const double> K, Scratch& scratch);

  // Until the first call, T is 0.
  void seek(const View&, ThreadPool&) override;
  void forget() override;  // the prices
  void keep(State& state) override;

 private:
  // The share of T(p) that a source's style has at position (y, x).
  float share(const NeighbourSource& source, int y, int x) const;
  void search(size_t i, ConstFeatureMap F, std::span<const double> off_centre, ThreadPool& pool);
  void change_prices(size_t i);
  void gather(size_t first, size_t end, ThreadPool& pool);

  const double uses_;
  const int tap_;
  const ConstFeatureMap shape_;
  const NeighbourTarget& target_;
  // By source: for all positions and the rings between their rows (kernels::positions_of), and for
  // all candidates.
  std::vector<std::vector<int>> matches_;
  std::vector<std::vector<float>> scores_;
  std::vector<std::vector<float>> prices_;
};

// Bytes for one layer of this shape: for the loss, and for each painting.
double neighbours_bytes(ConstFeatureMap shape, bool student, bool seen_whole);
double neighbour_source_bytes(ConstFeatureMap painting);

}  // namespace limn
