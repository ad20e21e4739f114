// Runs a loss by itself, without a network: all its steps, on its inputs.
#pragma once

#include <limn/limn.h>

#include <span>
#include <vector>

#include "losses/loss.h"
#include "losses/variation.h"

namespace limn {

// The result of a loss on one layer: its value and its slope.
struct AtLayer {
  double loss = 0;
  Slope slope;
};
inline AtLayer at_layer(Loss& loss, ConstFeatureMap F, std::span<float> G, Scratch& scratch,
                        ThreadPool& pool) {
  const View::Layer layer = {F, G};
  const View view = {{&layer, 1}, {}, {}};
  AtLayer result;
  loss.measure(view, scratch, pool);
  result.loss = loss.settle(view, scratch, pool);
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
  loss.measure(view, scratch, pool);
  const double value = loss.settle(view, scratch, pool);
  loss.spread_to_picture(view, d_x, pool);
  return value;
}

}  // namespace limn
