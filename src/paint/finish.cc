#include "paint/finish.h"

#include <algorithm>
#include <utility>

#include "image/colour.h"
#include "image/mask.h"
#include "paint/scene.h"

namespace limn {

Finish::Finish(const Pictures& pictures, const Recipe& recipe)
    : size_{pictures.photo.height, pictures.photo.width},
      grey_(paints_grey(pictures, recipe)),
      keep_(pictures.keep) {
  photo_colors_ = recipe.picture.colors == Colors::content && !grey_;
  alpha_ = pictures.photo.alpha;
  if (photo_colors_ || !keep_.empty()) photo_ = pictures.photo;
}

Image Finish::operator()(Image picture) const {
  picture = resized(picture, size_.width, size_.height);
  for (float& value : picture.rgb) value = std::clamp(value, 0.0f, 1.0f);
  if (grey_) picture = lightness_of(std::move(picture));
  if (photo_colors_) picture = with_colours_of(picture, photo_);
  lay_over(picture, photo_, keep_);
  picture.alpha = alpha_;
  return picture;
}

}  // namespace limn
