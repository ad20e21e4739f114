// Which layers of a network a recipe's losses read, and what they ask of a pass through it.
#pragma once

#include <limn/limn.h>

#include <span>
#include <string>
#include <vector>

#include "network/plan.h"
#include "network/vgg.h"
#include "network/weights.h"

namespace limn {

// A layer that losses of non-zero weight read, with the recipe's weights for them.
struct LayerInUse {
  LayerPosition position;
  double content_weight = 0;
  double style_weight = 0;
  const Imitation* imitation = nullptr;  // of a student's layer, as long as its table lives
};

// Each of them once. Throws Error (usage) unless the network has every layer that the recipe names,
// those of weight 0 too.
std::vector<LayerInUse> layers_in_use(const NetworkTable& network, const Recipe& recipe);

// The deepest row that they read; -1 for none.
int deepest_row(std::span<const LayerInUse> layers);

// The side that a picture needs for a loss to read it: that of the deepest layer, named as the
// recipe names it. 1 pixel, and no layer, where none is read.
struct LeastSide {
  int pixels = 1;
  std::string layer;
};
// Of the picture that is painted, and of paintings, whose content nobody reads.
LeastSide least_picture_side(const NetworkTable& network, const Recipe& recipe);
LeastSide least_painting_side(const NetworkTable& network, const Recipe& recipe);
// Of those layers of the recipe's style that a painting with this shorter side has.
std::vector<LayerWeight> style_layers_within(const NetworkTable& network, const Recipe& recipe,
                                             int shorter_side);

// Gives back the memory of the convolutions that the recipe's losses do not reach.
void drop_unread_layers(Weights& weights, const Recipe& recipe);

// What they ask of the passes over the paintings, and of the one over the picture. regional: the
// style's losses take the features themselves (regional_style.h).
std::vector<TapRequest> painting_taps(std::span<const LayerInUse> layers, bool regional);
std::vector<TapRequest> picture_taps(std::span<const LayerInUse> layers, bool half_features,
                                     bool regional);

}  // namespace limn
