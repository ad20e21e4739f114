#include "paint/finish.h"

#include <algorithm>
#include <utility>

#include "image/colour.h"
#include "image/mask.h"
#include "paint/scene.h"

namespace limn {
namespace {

// Of all paintings, as far as their style is taken: styles count by their shares of the blend.
std::vector<PaletteSource> sources_of(const Pictures& pictures, const Recipe& recipe) {
  std::vector<PaletteSource> sources;
  for (size_t i = 0; i < pictures.styles.size(); ++i) {
    const Style& style = pictures.styles[i];
    const double share = recipe.style.blend.empty() ? 1 : recipe.style.blend[i];
    for (const Image& painting : style.paintings) {
      sources.push_back({&painting, &style.from, share});
    }
  }
  return sources;
}

}  // namespace

Finish::Finish(const Pictures& pictures, const Recipe& recipe)
    : size_{pictures.photo.height, pictures.photo.width},
      grey_(paints_grey(pictures, recipe)),
      keep_(pictures.keep) {
  photo_colors_ = recipe.picture.colors == Colors::content && !grey_;
  alpha_ = pictures.photo.alpha;
  if (recipe.picture.colors == Colors::palette && !grey_) {
    palette_ = palette_of(sources_of(pictures, recipe));
  }
  if (recipe.picture.colors == Colors::histogram) {
    histogram_ = histogram_of(sources_of(pictures, recipe));
  }
  if (photo_colors_ || palette_ || !keep_.empty()) photo_ = pictures.photo;
}

Image Finish::operator()(Image picture) const {
  if (picture.width != size_.width || picture.height != size_.height) {
    picture = resized(picture, size_.width, size_.height);
  }
  for (float& value : picture.rgb) value = std::clamp(value, 0.0f, 1.0f);
  if (grey_) picture = lightness_of(std::move(picture));
  picture.alpha = alpha_;
  if (photo_colors_) picture = with_colours_of(picture, photo_);
  if (palette_) picture = in_palette(std::move(picture), photo_, *palette_);
  picture = with_histogram(std::move(picture), histogram_);
  lay_over(picture, photo_, keep_);
  return picture;
}

}  // namespace limn
