// The transport loss: all that the picture's columns hold, moved onto all that the painting's hold
// (Kolkin, Salavon and Shakhnarovich 2019, arXiv 1904.12785, section 2.3).
//
//   loss = factor * (R(X, S; d) + |mean X - mean S| + |cov X - cov S| + palette * R(X, S; d'))
//
// X: n columns of the picture, S: m of the painting (columns.h), of C channels. The two absolute
// differences are means over the C entries of the mean and the C^2 of the covariance, which is
// divided by n. R is the relaxed earth mover's distance: every column moves to the nearest of the
// other side, from whichever side that is farther,
//
//   R = max(mean_i min_j d(x_i, s_j), mean_j min_i d(x_i, s_j))
//
// with d = 1 - cos of the columns and, for the palette, d' = 1 - cos + sqrt(|difference|^2 / 3) of
// their red, green and blue; a |difference|^2 below 1e-5 counts as that. (The paper turns colours
// to decorrelated axes first, which are orthogonal, so that neither cosine nor difference changes.)
#pragma once

#include <limn/limn.h>

#include <array>
#include <vector>

#include "base/buffer.h"
#include "kernels/kernels.h"
#include "losses/loss.h"

namespace limn {

// One painting's columns.
struct TransportTarget {
  double share = 1;                      // the painting's, of the whole style
  int count = 0;                         // m
  Buffer<float> directions;              // S / |S|, [C / 16][m][16]
  kernels::PackedCandidates candidates;  // the same, to be searched
  std::vector<std::array<float, 3>> colours;
  std::vector<double> mean;  // [C]
  Buffer<float> covariance;  // [C][C]
};

// At most so many columns of a painting are drawn, as published.
inline constexpr int kDrawnFromPainting = 5000;

// S: a map of C x 1 x m, whose first three channels are the picture's own.
TransportTarget transport_target(ConstFeatureMap S, double share, ThreadPool& pool);

class TransportLoss : public Loss {
 public:
  // Reads columns, as layer number `tap` of the view, of this shape (C x 1 x n), of which
  // used_channels are not fillers. The target must outlive the loss.
  // every: iterations after which the columns are drawn anew.
  TransportLoss(double weight, double palette, int every, int tap, ConstFeatureMap shape,
                int used_channels, const TransportTarget& target, Scratch& scratch);

  int seeks_every() const override { return every_; }
  void measure(const View&, std::span<double>, Scratch&, ThreadPool&) override;
  double settle(std::span<const double>, Scratch&, ThreadPool&) override;
  void spread(const View&, std::span<Slope>, Scratch&, ThreadPool&) override;

 private:
  // R: who moves where, and how far.
  struct Moves {
    std::vector<int> forth, back;           // of each x the nearest s; of each s the nearest x
    std::vector<double> forth_by, back_by;  // d
    double forth_mean = 0, back_mean = 0;
    bool moves_forth() const { return forth_mean >= back_mean; }
    double distance() const { return moves_forth() ? forth_mean : back_mean; }
    void resize(size_t n, size_t m);
    void take_means();
    // Calls act(x, s, d, weight) for every move of the farther side.
    template <typename Act>
    void each(Act&& act) const;
  };
  using Colour = std::array<float, 3>;

  void move_features(ConstFeatureMap X, ThreadPool& pool);
  void move_colours(ThreadPool& pool);
  double moments(ThreadPool& pool);
  void add_gradient(ConstFeatureMap X, FeatureMap d, ThreadPool& pool);
  void add_feature_moves(ConstFeatureMap X, FeatureMap d, ThreadPool& pool) const;
  void add_colour_moves(FeatureMap d) const;

  const double palette_;
  const int every_;
  const int tap_;
  const ConstFeatureMap shape_;
  const double C_;
  const TransportTarget& target_;
  Moves features_, colours_;
  std::vector<double> lengths_;  // |x_i|
  std::vector<Colour> own_colours_;
  std::vector<double> mean_;
  Buffer<float> directions_;  // X / |X|, [C / 16][n][16]
  Buffer<float> centred_;     // X - mean, laid out like X
  Buffer<float> covariance_;  // [C][C]; after settle, the slope
};

double transport_target_bytes(int channels, int count);
double transport_bytes(ConstFeatureMap shape, int count);

}  // namespace limn
