// The weights of the losses, measured before painting begins.
//
// For each style layer l, the gradient of its loss S_l is measured at the photo. The content loss C
// has no gradient there, so its gradient is measured at grey noise, which is equally far from any
// photo. Weights are chosen so that the style layers push equally hard, up to e_l, the recipe's own
// weights for them, and together 1 / a times as hard as the content resists:
//
//   total = C + V |grad C| / |grad V|
//             + |grad C| / a * sum over l of  e_l / (sum of e)  S_l / |grad S_l|
//
//   a = 0.05 * 20^(1 - 2 strength):  1 at strength 0, 0.05 at 0.5, 0.0025 at 1
//
// with V the total variation, also measured at noise. Each term is also multiplied by the recipe's
// weight for it. Gradients of losses that are means over positions fall alike as the picture grows,
// so their ratios mean the same at every size; and paint() measures at the first size of its
// pyramid, which large and small pictures share.
#pragma once

#include <limn/limn.h>

#include <vector>

#include "canvas/canvas.h"
#include "paint/objective.h"

namespace limn {

// Lengths of gradients: all that is measured, whatever the strength. 0: of no such term.
struct MeasuredGradients {
  double content = 0;    // without the term's own weight; so is that of the variation
  double variation = 0;  // V
  // The larger of that at the photo and a part of that at noise, by layers, or columns, in use.
  std::vector<double> style, neighbours, columns;
};
MeasuredGradients measure_gradients(Objective& objective, const Canvas& canvas,
                                    const Recipe& recipe, const Image& photo);
// The factors that follow from them.
LossWeights weights_from(const MeasuredGradients& measured, const Objective& objective,
                         const Recipe& recipe);

// The factors for the objective's terms: both steps. photo: the objective's, of its size. What the
// canvas holds fixed is not counted.
LossWeights measured_weights(Objective& objective, const Canvas& canvas, const Recipe& recipe,
                             const Image& photo);

}  // namespace limn
