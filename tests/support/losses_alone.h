// Runs a loss by itself, without a network: all its steps, on its inputs.
#pragma once

#include <limn/limn.h>

#include <span>
#include <vector>

#include "losses/loss.h"
#include "losses/variation.h"

namespace limn {

// Chooses what to compare with, as at the beginning of an evaluation that is due to.
inline void seek_at(Loss& loss, const View& view, ThreadPool& pool) {
  loss.seek(pool);
  const auto [looked_size, found_size] = loss.sought();
  if (looked_size == 0) return;
  std::vector<double> looked(looked_size), found(found_size);
  loss.look(view, looked, pool);
  loss.find(view, looked, found, pool);
  loss.learn(found);
}

// The loss of a picture that is one tile.
inline double loss_at(Loss& loss, const View& view, Scratch& scratch, ThreadPool& pool) {
  std::vector<double> sums(loss.sums_size());
  loss.measure(view, sums, scratch, pool);
  return loss.settle(sums, scratch, pool);
}

// The result of a loss on one layer: its value and its slope.
struct AtLayer {
  double loss = 0;
  Slope slope;
};
inline AtLayer at_layer(Loss& loss, ConstFeatureMap F, std::span<const float> G, Scratch& scratch,
                        ThreadPool& pool) {
  const View::Layer layer(F, G);
  const View view = {{&layer, 1}, {}, {}};
  AtLayer result;
  result.loss = loss_at(loss, view, scratch, pool);
  loss.spread(view, {&result.slope, 1}, scratch, pool);
  return result;
}

// weight * the total variation of x; d_x += its gradient.
inline double total_variation(VariationForm form, double weight, std::span<const float> x,
                              int height, int width, std::span<float> d_x, ThreadPool& pool,
                              bool repeats = false) {
  VariationLoss loss(weight, form, repeats);
  Scratch scratch;
  const View view = {{}, x, {height, width}};
  double sum = 0;
  loss.measure(view, {&sum, 1}, scratch, pool);
  const double value = loss.settle({&sum, 1}, scratch, pool);
  loss.spread_to_picture(view, d_x, pool);
  return value;
}

}  // namespace limn
