// Which layers of a network a recipe's losses read, and what they request from a pass.
#pragma once

#include <limn/limn.h>

#include <span>
#include <string>
#include <vector>

#include "network/plan.h"
#include "network/vgg.h"
#include "network/weights.h"

namespace limn {

// A layer read by losses of non-zero weight, with the recipe's weights for it.
struct LayerInUse {
  LayerPosition position;
  double content_weight = 0;
  double style_weight = 0;
  double neighbours_weight = 0;
  double transport_weight = 0;
  double structure_weight = 0;
  int channels = 0;                      // of the network that a student imitates there
  const Imitation* imitation = nullptr;  // of a student's layer; valid while its table lives

  // Whether the paintings' features matter there, and whether the photo's do.
  bool of_paintings() const {
    return style_weight != 0 || neighbours_weight != 0 || transport_weight != 0;
  }
  bool of_photo() const { return content_weight != 0 || structure_weight != 0; }
};

// Each layer once. Throws Error (usage) unless the network has every layer the recipe names,
// including those of weight 0.
std::vector<LayerInUse> layers_in_use(const NetworkTable& network, const Recipe& recipe);

// The deepest row they read, or -1.
int deepest_row(std::span<const LayerInUse> layers);

// The shortest side a picture needs for all losses to read it: that of the deepest layer, under the
// recipe's name for it. 1 pixel, and no name, if no layer is read.
struct LeastSide {
  int pixels = 1;
  std::string layer;
};
// For the picture being painted, and for paintings, whose content is not read.
LeastSide least_picture_side(const NetworkTable& network, const Recipe& recipe);
LeastSide least_painting_side(const NetworkTable& network, const Recipe& recipe);
// Those of the layers that a painting with this shorter side has.
std::vector<LayerWeight> layers_within(const NetworkTable& network, const Recipe& recipe,
                                       std::span<const LayerWeight> layers, int shorter_side);

// Frees the convolutions that none of the recipes' losses reaches.
void drop_unread_layers(Weights& weights, std::span<const Recipe> recipes);

// The taps requested from the passes over the paintings, and from the one over the picture.
// regional: the style losses read the features themselves (regional.h).
std::vector<TapRequest> painting_taps(std::span<const LayerInUse> layers, bool regional);
std::vector<TapRequest> picture_taps(std::span<const LayerInUse> layers, bool half_features,
                                     bool regional);

}  // namespace limn
