#include "canvas/sizes.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "base/error.h"
#include "image/shape.h"

namespace limn {

int scaled(int length, int from, int to) {
  constexpr std::int64_t kMost = 1'000'000;  // pixels a side, the limit for reading too
  const std::int64_t side = (2 * std::int64_t{length} * to + from) / (2 * std::int64_t{from});
  if (side > kMost) {
    fail(ErrorKind::resources,
         "a picture would have a side of {} pixels, but at most {} are allowed; choose a smaller "
         "--size or --style-scale",
         side, kMost);
  }
  return static_cast<int>(std::max<std::int64_t>(1, side));
}

namespace {

int longest_side(const Size& size) { return std::max(size.height, size.width); }

Size with_longest_side(const Size& size, int side) {
  const int from = longest_side(size);
  return {scaled(size.height, from, side), scaled(size.width, from, side)};
}

Size size_of(const Image& picture) {
  check_shape(picture);
  return {picture.height, picture.width};
}

Size picture_size(const Size& photo, int size, SizeOf length) {
  if (size == 0) return photo;
  if (length == SizeOf::height) return {size, scaled(photo.width, photo.height, size)};
  return with_longest_side(photo, size);
}

Size unscaled_size(const Size& painting, const Size& picture, PaintingSize form) {
  switch (form) {
    case PaintingSize::proportional:
      return with_longest_side(painting, longest_side(picture));
    case PaintingSize::stretched:
      return picture;
    case PaintingSize::within:
      if (longest_side(painting) > longest_side(picture)) {
        return with_longest_side(painting, longest_side(picture));
      }
      break;
    case PaintingSize::own:
      break;
  }
  return painting;
}

Size painting_size(const Size& painting, const Size& picture, PaintingSize form, double scale) {
  const Size size = unscaled_size(painting, picture, form);
  if (scale == 1) return size;
  const double side = std::max(1.0, std::round(scale * longest_side(size)));
  return with_longest_side(size, static_cast<int>(std::min(side, 2e6)));
}

}  // namespace

PictureSizes sizes_of(const Pictures& pictures) {
  PictureSizes sizes = {size_of(pictures.photo), {}};
  for (const Style& style : pictures.styles) {
    std::vector<Size>& paintings = sizes.styles.emplace_back();
    for (const Image& painting : style.paintings) paintings.push_back(size_of(painting));
  }
  return sizes;
}

WorkingSizes working_sizes(const PictureSizes& pictures, const Recipe& recipe) {
  WorkingSizes sizes = {picture_size(pictures.photo, recipe.picture.size, recipe.picture.size_of),
                        {}};
  const std::vector<double>& scale = recipe.style.scale;
  const size_t styles = pictures.styles.size();
  if (styles == 0) fail(ErrorKind::usage, "no painting was given");
  if (scale.size() != 1 && scale.size() != styles) {
    fail(ErrorKind::usage,
         "style.scale has {} values, but the number of styles is {}; give one for each, or one for "
         "all",
         scale.size(), styles);
  }
  for (size_t i = 0; i < styles; ++i) {
    if (pictures.styles[i].empty())
      fail(ErrorKind::usage, "style number {} has no painting", i + 1);
    for (const Size& painting : pictures.styles[i]) {
      sizes.paintings.push_back(painting_size(painting, sizes.picture, recipe.picture.painting_size,
                                              scale[scale.size() == 1 ? 0 : i]));
    }
  }
  return sizes;
}

WorkingSizes working_sizes(const Pictures& pictures, const Recipe& recipe) {
  return working_sizes(sizes_of(pictures), recipe);
}

WorkingSizes working_sizes(const Image& photo, const Image& painting, const Recipe& recipe) {
  PictureSizes sizes = {size_of(photo), {{size_of(painting)}}};
  return working_sizes(sizes, recipe);
}

}  // namespace limn
