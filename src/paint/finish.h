// From the optimiser's picture to one to show.
#pragma once

#include <limn/limn.h>

#include <vector>

#include "canvas/sizes.h"

namespace limn {

class Finish {
 public:
  // Takes what is needed at the end from pictures at their working sizes.
  Finish(const Pictures& pictures, const Recipe& recipe);

  // The picture (of any size, without border) as large as the result, within 0..1, with the photo's
  // alpha; where the recipe says so in the photo's colours, or in none; where the photo is to be
  // kept, the photo.
  Image operator()(Image picture) const;

 private:
  Size size_;
  Image photo_;  // empty where only its alpha is needed
  std::vector<float> alpha_;
  bool photo_colors_, grey_;
  Mask keep_;
};

}  // namespace limn
