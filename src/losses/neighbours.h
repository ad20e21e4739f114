// The neighbours loss of one layer: each position of the picture is compared with the position of
// the painting that it resembles most.
//
//   loss = factor * sum over positions p of  w(p) |F(p) - T(p)|^2
//   T(p) = S(match(p)),    match(p) = argmax over q of  cos(F(p) - mean F, S(q) - mean S)
//
// F: the picture's features, S: the painting's. A Gram matrix mixes a painting's strokes and
// palette everywhere alike; a match puts them where they belong, and the squared distance to one
// real feature, rather than to an average, keeps strokes whole. Matches are sought at one picture
// and then held: the loss is a content loss (content.h) whose target comes from the painting. Kept
// is only the number of each position's match; T is gathered by them when it is needed, of a tile
// at a time. Kolkin and others 2022 (arXiv 2203.13215) minimise cosine distances instead
// (cosine.h), which leave contrast free: of the columns (columns.h) that layers have in common
// (section 3.3), then, with the means subtracted, of each layer (section 3.4, "feature splitting").
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

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "kernels/kernels.h"
#include "losses/content.h"
#include "losses/cosine.h"

namespace limn {

// One painting's features at one layer, ready to be searched.
struct NeighbourSource {
  int style = 0;
  int region = 0;                        // of the picture, where it is used
  double share = 0;                      // in that region; of all the style's paintings together
  double square = 0;                     // the mean of |S(q)|^2
  std::vector<double> mean;              // of S, [C]
  Buffer<float> features;                // S, [C / 16][count][16]
  kernels::PackedCandidates candidates;  // K (S - mean) / |S - mean|, likewise
};

// Of one layer.
struct NeighbourTarget {
  std::vector<NeighbourSource> sources;     // those of one style next to each other
  std::vector<std::vector<float>> regions;  // their weights, [H][W]; empty: one, everywhere
  std::vector<float> roots;                 // sqrt(w), [H][W]; empty: all of the photo is visible
};

// The positions (y, x) of a painting's features that are searched: of those of these weights above
// 1/2 ([H][W]; empty: of all), kMostCandidates at most, on a grid, unless `all`. At least one.
using Searched = std::vector<std::pair<int, int>>;
Searched searched_positions(ConstFeatureMap shape, std::span<const float> weights,
                            bool all = false);
// S "=" the features at those of them that lie in a tile, which F has the cells of.
void gather_searched(const Searched& positions, ConstFeatureMap F, const Window& cells,
                     std::span<float> S, ThreadPool& pool);
// From S, [C / 16][count][16]. K: a student's, [C][C], or empty. Without candidates, which centre()
// makes.
NeighbourSource neighbour_source(Buffer<float> S, int channels, std::span<const double> K,
                                 ThreadPool& pool);
// From a painting's features in one piece.
NeighbourSource neighbour_source(ConstFeatureMap F, std::span<const float> weights,
                                 std::span<const double> K, ThreadPool& pool, bool all = false);

// Makes the candidates of these sources, from all of which their common mean is subtracted.
void centre(std::span<NeighbourSource> sources, std::span<const double> K, ThreadPool& pool);

// How matches are sought, and how far the picture is from them (Recipe::neighbours).
struct NeighboursForm {
  NeighbourDistance distance = NeighbourDistance::squared;
  int every = 0;
  double uses = 0;  // see above; 0: no limit
};

class NeighboursLoss : public Loss {
 public:
  // The factor divides by the number of positions and, for squared distances, by the paintings'
  // mean |S|^2, so that weights mean the same at all layers and sizes. Cosines are those of
  // columns, without K. Target and K must outlive the loss.
  NeighboursLoss(double weight, const NeighboursForm& form, int tap, const LayerShape& shape,
                 const NeighbourTarget& target, std::span<const double> K, Scratch& scratch);

  void multiply(double weight, double unit) override;
  int seeks_every() const override { return form_.every; }
  void forget() override;  // the prices
  void keep(State& state) override;
  // Looks for the mean of F, then for the matches. Where nothing was sought yet, T is 0.
  Sought sought() const override;
  void look(const View&, std::span<double> looked, ThreadPool&) override;
  void find(const View&, std::span<const double> looked, std::span<double> found,
            ThreadPool&) override;
  std::span<std::uint32_t> found_by_tiles() override { return matches_; }
  void learn(std::span<const double> found) override;  // prices

  size_t sums_size() const override { return distance_->sums_size(); }
  void measure(const View&, std::span<double> sums, Scratch&, ThreadPool&) override;
  double settle(std::span<const double> sums, Scratch&, ThreadPool&) override;
  void spread(const View&, std::span<Slope>, Scratch&, ThreadPool&) override;

  // T; of centred distances, without the painting's mean.
  const ContentTarget& compared() const { return compared_; }

 private:
  // The sources first..end - 1, whose candidates are numbered one after the other, from 1.
  struct OfStyle {
    size_t first, end;
    std::uint32_t candidates;
  };
  // What was found of one source, for some rows of a tile and the rings between them
  // (kernels::positions_of).
  struct Found {
    std::vector<int> match;
    std::vector<float> score;
  };

  // Of one style, [H][W].
  template <typename T>
  std::span<T> matches_of(size_t style, std::span<T> matches) const {
    return matches.subspan(style * shape_.whole.positions(), shape_.whole.positions());
  }
  // The share of T(p) that a source's style has at position (y, x).
  float share(const NeighbourSource& source, int y, int x) const;
  // What is learnt of one source: how often each candidate is used, then the positions it is sought
  // for and the sum of their scores.
  template <typename T>
  std::span<T> uses_of(size_t i, std::span<T> found) const;
  void gather_row(const Window& cells, int y, FeatureMap T) const;
  void add_match(size_t style, const Window& cells, int y, int x, FeatureMap T) const;
  std::vector<std::vector<float>> biases_at(std::span<const double> mean) const;
  void search(const View::Layer& layer, const Window& rows,
              std::span<const std::vector<float>> biases, std::span<double> found,
              ThreadPool& pool);
  void take_better(const Window& cells, std::uint32_t first, const Found& found,
                   std::span<float> best, std::span<std::uint32_t> matches) const;
  void count_uses(size_t i, const Window& cells, const Found& of_source,
                  std::span<double> uses) const;
  void change_prices(size_t i, std::span<const double> uses);

  bool centred() const { return form_.distance == NeighbourDistance::centred_cosine; }

  const NeighboursForm form_;
  const int tap_;
  const LayerShape shape_;
  const NeighbourTarget& target_;
  std::vector<OfStyle> styles_;
  Buffer<std::uint32_t> matches_;           // candidates' numbers, 0: none yet; [styles][H][W]
  std::vector<std::vector<float>> prices_;  // by source, of its candidates
  const ContentTarget compared_;
  std::unique_ptr<Loss> distance_;
};

// Bytes for one layer of this shape: for the loss, besides its distance's, and for each painting.
double neighbours_bytes(ConstFeatureMap shape, int styles);
double neighbour_source_bytes(ConstFeatureMap painting);
// Those of S alone.
double searched_features_bytes(ConstFeatureMap painting);
// The same where all positions are searched.
double columns_source_bytes(ConstFeatureMap painting);

}  // namespace limn
