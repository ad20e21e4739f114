#include "style/sizes.h"

#include <algorithm>
#include <cmath>

namespace limn {
namespace {

// `length` in a picture whose longest side goes from `from` to `to`.
int scaled(int length, int from, int to) {
  return std::max(1, static_cast<int>(std::lround(length * (static_cast<double>(to) / from))));
}

}  // namespace

WorkingSizes working_sizes(const Image& photo, const Image& painting, int longest) {
  const int photo_side = std::max(photo.width, photo.height);
  const int side = longest == 0 ? photo_side : longest;
  const int painting_side = std::max(painting.width, painting.height);
  WorkingSizes sizes;
  sizes.height = scaled(photo.height, photo_side, side);
  sizes.width = scaled(photo.width, photo_side, side);
  const int working_side = std::max(sizes.height, sizes.width);
  sizes.painting_height = scaled(painting.height, painting_side, working_side);
  sizes.painting_width = scaled(painting.width, painting_side, working_side);
  return sizes;
}

}  // namespace limn
