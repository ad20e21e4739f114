#include "paint/finish.h"

#include <algorithm>
#include <utility>

#include "image/colour.h"
#include "image/mask.h"
#include "paint/scene.h"

namespace limn {

Finish::Finish(const Pictures& pictures, const Recipe& recipe, const Size& size)
    : size_(size), grey_(paints_grey(pictures, recipe)) {
  photo_colors_ = recipe.picture.colors == Colors::content && !grey_;
  const Image& photo = pictures.photo;
  const bool keeps = !pictures.keep.empty();
  if (keeps) keep_ = resized(pictures.keep, size.width, size.height);
  if (!photo_colors_ && !keeps && photo.alpha.empty()) return;
  photo_ = resized(photo, size.width, size.height);
  alpha_ = photo_.alpha;
  if (!photo_colors_ && !keeps) photo_ = Image();
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

void lay_over(Image& picture, const Image& photo, const Mask& keep) {
  if (keep.empty()) return;
  for (size_t i = 0; i < picture.rgb.size(); ++i) {
    const float share = keep.values[i % keep.values.size()];
    picture.rgb[i] =
        share == 1 ? photo.rgb[i] : share * photo.rgb[i] + (1 - share) * picture.rgb[i];
  }
}

}  // namespace limn
