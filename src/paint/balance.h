// The weights of the losses, measured before the painting begins.
//
// Of each style layer l the gradient of its loss S_l is measured at the photo, where the content
// loss C has none: its own is measured at grey noise, which is as far from any photo as from any
// other. Weights are chosen so that the style's layers push equally hard, with e_l the recipe's own
// weights for them, and all together 1 / a times as hard as the content resists:
//
//   total = C + V |grad C| / |grad V|
//             + |grad C| / a * sum over l of  e_l / (sum of e)  S_l / |grad S_l|
//
//   a = 0.05 * 20^(1 - 2 strength):  1 at strength 0, 0.05 at 0.5, 0.0025 at 1
//
// with V the total variation, measured at noise too. All but V keep the factors that the recipe
// gives to the whole terms. Gradients of losses that are means over positions fall alike with the
// picture's size, so that their proportions mean the same for each; and paint() measures at the
// first size of its pyramid, which large and small pictures have in common.
#pragma once

#include <limn/limn.h>

#include "canvas/canvas.h"
#include "paint/objective.h"

namespace limn {

// The weights by which the objective's terms are to be multiplied. photo: the objective's, of its
// size. What the canvas holds still does not count.
LossWeights measured_weights(Objective& objective, const Canvas& canvas, const Recipe& recipe,
                             const Image& photo);

}  // namespace limn
