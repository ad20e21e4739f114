// Messages about working sizes: too small for a layer, or larger than the file. Any advice in them
// has been checked to work.
#pragma once

#include <limn/limn.h>

#include <string>
#include <vector>

#include "canvas/sizes.h"
#include "network/vgg.h"
#include "request/opened_inputs.h"

namespace limn {

// Painting number `painting` of style number `style`, both from 0.
struct PaintingNumber {
  size_t style = 0, painting = 0;
};

// Throws Error (usage) if the photo is too small for one of the recipe's layers.
void check_photo_size(const NetworkTable& network, const Recipe& recipe, const PictureSizes& own,
                      const std::string& file);

// Why the painting is too small for the recipe's style layers, and what to do; "" if it is not.
std::string too_small(const NetworkTable& network, const Recipe& recipe, const PictureSizes& own,
                      PaintingNumber number, const std::string& file);

// A sentence for each painting that is enlarged: which one, and what to do.
std::vector<std::string> notes_on_enlarging(const Inputs& inputs, const NetworkTable& network,
                                            const Plan& plan);

}  // namespace limn
