#include "style/sizes.h"

#include <algorithm>
#include <cstdint>

#include "base/error.h"
#include "image/shape.h"

namespace limn {
namespace {

struct Size {
  int height, width;
};

// `length` in a picture of which another length goes from `from` to `to`.
int scaled(int length, int from, int to) {
  constexpr std::int64_t kMost = 1'000'000;  // pixels a side, as many as are read
  const std::int64_t side = std::int64_t{length} * to / from;
  if (side > kMost) {
    fail(ErrorKind::resources,
         "a picture would have a side of {} pixels, but {} are the most; choose a smaller --size",
         side, kMost);
  }
  return static_cast<int>(std::max<std::int64_t>(1, side));
}

Size with_longest_side(const Image& picture, int side) {
  const int from = std::max(picture.height, picture.width);
  return {scaled(picture.height, from, side), scaled(picture.width, from, side)};
}

Size picture_size(const Image& photo, int size, SizeOf size_of) {
  if (size == 0) return {photo.height, photo.width};
  if (size_of == SizeOf::height) return {size, scaled(photo.width, photo.height, size)};
  return with_longest_side(photo, size);
}

Size painting_size(const Image& painting, const Size& picture, PaintingSize form) {
  switch (form) {
    case PaintingSize::proportional:
      return with_longest_side(painting, std::max(picture.height, picture.width));
    case PaintingSize::stretched:
      return picture;
    case PaintingSize::own:
      break;
  }
  return {painting.height, painting.width};
}

}  // namespace

WorkingSizes working_sizes(const Image& photo, const Image& painting, const Recipe& recipe) {
  check_shape(photo);
  check_shape(painting);
  const Size picture = picture_size(photo, recipe.picture.size, recipe.picture.size_of);
  const Size other = painting_size(painting, picture, recipe.picture.painting_size);
  return {picture.height, picture.width, other.height, other.width};
}

}  // namespace limn
