#include "paint/scene.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "image/alpha.h"
#include "image/border.h"
#include "image/colour.h"
#include "image/mask.h"
#include "losses/regions.h"
#include "recipe/stages.h"

namespace limn {
namespace {

bool has_size(const Image& picture, const Size& size) {
  return picture.height == size.height && picture.width == size.width;
}

Image fit(const Image& picture, const Size& size) {
  return resized(picture, size.width, size.height);
}

// The same, freeing a picture that is no longer needed.
Image fit(Image&& picture, const Size& size) {
  Image given = std::move(picture);
  return has_size(given, size) ? std::move(given) : fit(std::as_const(given), size);
}

bool is_black(const Mask& mask) {
  return !mask.empty() && std::ranges::all_of(mask.values, [](float value) { return value == 0; });
}

void check_mask(const Mask& mask, const char* which, size_t style) {
  if (mask.empty()) return;
  check_shape(mask);
  if (is_black(mask)) {
    fail(ErrorKind::usage, "the {} mask of style number {} is black everywhere: it selects nothing",
         which, style + 1);
  }
}

// The styles' shares of the picture, before it is split into regions.
std::vector<double> blend_of(const Pictures& pictures, const Recipe& recipe) {
  if (!recipe.style.blend.empty()) return recipe.style.blend;
  return std::vector<double>(pictures.styles.size(), 1.0);
}

// By style; those without a mask share the last region.
std::vector<int> regions_of(const Pictures& pictures) {
  std::vector<int> regions;
  int next = 0;
  for (const Style& style : pictures.styles) regions.push_back(style.to.empty() ? -1 : next++);
  std::ranges::replace(regions, -1, next);
  return regions;
}

// The sum of the shares of all styles in the region of style number i.
double blend_in_region(const std::vector<double>& blend, const std::vector<int>& regions,
                       size_t i) {
  double sum = 0;
  for (size_t j = 0; j < regions.size(); ++j) {
    if (regions[j] == regions[i]) sum += blend[j];
  }
  return sum;
}

// The masks of the regions that have a style, limited to where the photo is visible; none if a
// single region covers everything.
std::vector<Mask> region_masks(const Pictures& pictures, const Size& size, const Mask& seen) {
  std::vector<Mask> masks;
  bool rest = false;
  for (const Style& style : pictures.styles) {
    if (style.to.empty()) {
      rest = true;
    } else {
      masks.push_back(style.to);
    }
  }
  if (masks.empty()) return seen.empty() ? masks : std::vector<Mask>{seen};
  masks = partition(std::move(masks), size.width, size.height);
  if (!rest) masks.pop_back();
  for (Mask& mask : masks) mask = both(std::move(mask), seen);
  if (std::ranges::all_of(masks, is_black)) {
    fail(ErrorKind::usage, "the photo is transparent everywhere that the style masks select");
  }
  return masks;
}

// Where in the painting, at its working size, the style is taken from.
Mask source_mask(const Mask& given, const Image& painting, size_t style) {
  Mask mask = both(alpha_mask(painting), given);
  if (is_black(mask)) {
    fail(ErrorKind::usage,
         "the painting of style number {} is transparent everywhere that its mask selects",
         style + 1);
  }
  return mask;
}

// The painting with the colours that the losses compare.
Image in_colours(Image painting, const Image& photo, Colors colors) {
  switch (colors) {
    case Colors::style:
    case Colors::palette:
    case Colors::histogram:
      break;
    case Colors::content:
      return lightness_matched(lightness_of(std::move(painting)), photo);
    case Colors::matched:
      return colours_matched(std::move(painting), photo);
  }
  return painting;
}

// Taken: const Pictures, or Pictures to be freed on the way.
template <typename Taken>
Scene make(Taken& pictures, const Recipe& recipe, const WorkingSizes& sizes) {
  check_pictures(pictures, recipe);
  const std::vector<int> regions = regions_of(pictures);
  const std::vector<double> blend = blend_of(pictures, recipe);
  Scene scene;
  scene.grey = paints_grey(pictures, recipe);
  if (!pictures.keep.empty()) {
    scene.keep = resized(pictures.keep, sizes.picture.width, sizes.picture.height);
  }
  scene.photo = filled(fit(std::move(pictures.photo), sizes.picture));
  scene.seen = alpha_mask(scene.photo);
  scene.regions = region_masks(pictures, sizes.picture, scene.seen);
  const bool in_greys = scene.grey || recipe.picture.colors == Colors::content;
  if (in_greys) scene.photo = lightness_of(std::move(scene.photo));

  size_t next = 0;
  for (size_t i = 0; i < pictures.styles.size(); ++i) {
    const double in_region = blend_in_region(blend, regions, i);
    auto& style = pictures.styles[i];
    const double count = static_cast<double>(style.paintings.size());
    for (auto& painting : style.paintings) {
      StyleSource& source = scene.sources.emplace_back();
      // Matching colours uses the alpha of photo and painting; afterwards alpha is only a mask.
      source.painting = in_colours(filled(fit(std::move(painting), sizes.paintings[next++])),
                                   scene.photo, recipe.picture.colors);
      if (scene.grey) source.painting = lightness_of(std::move(source.painting));
      source.from = source_mask(style.from, source.painting, i);
      source.painting.alpha = {};
      source.region = regions[i];
      source.share = blend[i] / in_region / count;
      source.style = static_cast<int>(i);
    }
  }
  scene.photo.alpha = {};
  return scene;
}

// Taken: const Scene, or a Scene to be freed on the way.
template <typename Taken>
Scene resize(Taken& scene, const WorkingSizes& sizes) {
  Scene result;
  const auto to_picture = [&](const Mask& mask) {
    return resized(mask, sizes.picture.width, sizes.picture.height);
  };
  result.photo = fit(std::move(scene.photo), sizes.picture);
  for (const Mask& region : scene.regions) result.regions.push_back(to_picture(region));
  if (!scene.keep.empty()) result.keep = to_picture(scene.keep);
  if (!scene.seen.empty()) result.seen = to_picture(scene.seen);
  result.grey = scene.grey;
  for (size_t i = 0; i < scene.sources.size(); ++i) {
    auto& source = scene.sources[i];
    result.sources.push_back({fit(std::move(source.painting), sizes.paintings[i]), source.from,
                              source.region, source.share, source.style});
  }
  return result;
}

}  // namespace

bool Scene::has_masks() const {
  return !regions.empty() || std::ranges::any_of(sources, [](const StyleSource& source) {
    return !source.from.empty();
  });
}

WorkingSizes Scene::sizes() const {
  WorkingSizes sizes = {{photo.height, photo.width}, {}};
  for (const StyleSource& source : sources) {
    sizes.paintings.push_back({source.painting.height, source.painting.width});
  }
  return sizes;
}

bool paints_grey(const Pictures& pictures, const Recipe& recipe) {
  if (!is_grey(pictures.photo)) return false;
  const Colors colors = recipe.picture.colors;
  if (colors != Colors::style && colors != Colors::histogram) return true;
  return std::ranges::all_of(pictures.styles, [](const Style& style) {
    return std::ranges::all_of(style.paintings, is_grey);
  });
}

void check_pictures(const Pictures& pictures, const Recipe& recipe) {
  const std::vector<double>& blend = recipe.style.blend;
  const size_t styles = pictures.styles.size();
  if (!blend.empty() && blend.size() != styles) {
    fail(ErrorKind::usage,
         "style.blend has {} shares, but the number of styles is {}; give one for each",
         blend.size(), styles);
  }
  const auto masked = [](const Style& style) { return !style.to.empty(); };
  const auto transports = [](const Recipe& stage) { return stage.transport.weight != 0; };
  if (std::ranges::any_of(pictures.styles, masked) &&
      std::ranges::any_of(stages_of(recipe), transports)) {
    fail(ErrorKind::usage,
         "the transport loss of recipe '{}' paints everywhere, and cannot keep styles to their "
         "masks; leave out the masks, or choose another recipe",
         recipe.name);
  }
  if (!is_visible(pictures.photo)) {
    fail(ErrorKind::usage, "the photo is transparent everywhere: there is nothing to paint");
  }
  for (size_t i = 0; i < styles; ++i) {
    const Style& style = pictures.styles[i];
    if (!std::ranges::all_of(style.paintings, is_visible)) {
      fail(ErrorKind::usage, "a painting of style number {} is transparent everywhere", i + 1);
    }
    check_mask(style.from, "painting's", i);
    check_mask(style.to, "picture's", i);
    if (!style.from.empty() && style.paintings.size() > 1) {
      fail(ErrorKind::usage, "style number {} has a painting mask, but {} paintings", i + 1,
           style.paintings.size());
    }
  }
  if (!pictures.keep.empty()) check_shape(pictures.keep);
  if (!pictures.keep.empty() && recipe.picture.symmetry != Symmetry::none) {
    fail(ErrorKind::usage,
         "a picture cannot keep parts of the photo and be symmetric; leave out the mask, or "
         "picture.symmetry");
  }
  const std::vector<int> regions = regions_of(pictures);
  for (size_t i = 0; i < styles && !blend.empty(); ++i) {
    if (blend_in_region(blend, regions, i) == 0) {
      fail(ErrorKind::usage, "style.blend: the share of style number {} is 0{}", i + 1,
           styles > 1 ? ", and no other style where it is painted has a share" : "");
    }
  }
}

Pictures at_working_sizes(Pictures pictures, const WorkingSizes& sizes) {
  const auto fit = [](Image& picture, const Size& size) {
    if (picture.height == size.height && picture.width == size.width) return;
    picture = resized(picture, size.width, size.height);
  };
  fit(pictures.photo, sizes.picture);
  size_t next = 0;
  for (Style& style : pictures.styles) {
    for (Image& painting : style.paintings) fit(painting, sizes.paintings[next++]);
  }
  if (!pictures.keep.empty()) {
    pictures.keep = resized(pictures.keep, sizes.picture.width, sizes.picture.height);
  }
  return pictures;
}

Scene make_scene(const Pictures& pictures, const Recipe& recipe, const WorkingSizes& sizes) {
  return make(pictures, recipe, sizes);
}

Scene make_scene(Pictures&& pictures, const Recipe& recipe, const WorkingSizes& sizes) {
  return make(pictures, recipe, sizes);
}

Scene resized(const Scene& scene, const WorkingSizes& sizes) { return resize(scene, sizes); }

Scene resized(Scene&& scene, const WorkingSizes& sizes) { return resize(scene, sizes); }

Scene with_border(Scene scene, int pixels) {
  if (pixels == 0) return scene;
  scene.photo = with_border(scene.photo, pixels);
  for (Mask& region : scene.regions) region = with_border(region, pixels);
  if (!scene.keep.empty()) scene.keep = with_border(scene.keep, pixels);
  scene.seen = with_border(scene.seen, pixels);
  return scene;
}

Pictures single_style(Image photo, Image painting) {
  Pictures pictures;
  pictures.photo = std::move(photo);
  pictures.styles.emplace_back().paintings.push_back(std::move(painting));
  return pictures;
}

}  // namespace limn
