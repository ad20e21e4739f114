// Turns the optimiser's picture into the result.
#pragma once

#include <limn/limn.h>

#include <optional>
#include <vector>

#include "canvas/sizes.h"
#include "image/histogram.h"
#include "image/palette.h"

namespace limn {

class Finish {
 public:
  // Keeps what is needed at the end of pictures at their working sizes.
  Finish(const Pictures& pictures, const Recipe& recipe);

  // The picture (of any size, without border) at the size of the result, within 0..1, with the
  // photo's alpha; if the recipe says so, in the photo's colours, in these with the paintings'
  // palette, with the paintings' histogram, or in grey; and with the photo where it is to be kept.
  Image operator()(Image picture) const;

 private:
  Size size_;
  Image photo_;  // empty if only its alpha is needed
  std::vector<float> alpha_;
  bool photo_colors_, grey_;
  std::optional<Palette> palette_;
  ColourHistograms histogram_;  // empty: none
  Mask keep_;
};

}  // namespace limn
