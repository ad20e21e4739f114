// The pictures of a painting made ready: whose manner goes where, with what share, and what is
// refused.
#include "paint/scene.h"

#include <gtest/gtest.h>

#include <cmath>

#include "support/drawn.h"
#include "support/errors.h"
#include "support/masks.h"
#include "support/same_bits.h"

namespace limn {
namespace {

constexpr int kWidth = 24, kHeight = 18;

Mask mask_of(float left, float right) { return halves(kWidth, kHeight, left, right); }

Style style_of(std::uint64_t seed, Mask to = {}) {
  return {{smooth_picture(kWidth, kHeight, seed)}, {}, std::move(to)};
}

Pictures pictures_of(std::vector<Style> styles) {
  return {smooth_picture(kWidth, kHeight, 1), std::move(styles), {}};
}

Scene scene_of(const Pictures& pictures, const Recipe& recipe = small_recipe()) {
  return make_scene(pictures, recipe, working_sizes(pictures, recipe));
}

struct Place {
  int region;
  double share;
  bool operator==(const Place&) const = default;
};

std::vector<Place> places_of(const Scene& scene) {
  std::vector<Place> places;
  for (const StyleSource& source : scene.sources) places.push_back({source.region, source.share});
  return places;
}

// ---- shares and regions ----

TEST(Scene, OfOneStyleIsOneSourceEverywhere) {
  const Pictures pictures = pictures_of({style_of(2)});
  const Scene scene = scene_of(pictures);
  EXPECT_EQ(places_of(scene), (std::vector<Place>{{0, 1.0}}));
  EXPECT_TRUE(scene.regions.empty());
  EXPECT_EQ(scene.region_count(), 1);
  EXPECT_FALSE(scene.has_masks());
  EXPECT_TRUE(scene.keep.empty());
  EXPECT_TRUE(same_bits(scene.photo.rgb, pictures.photo.rgb));
  EXPECT_TRUE(same_bits(scene.sources[0].painting.rgb, pictures.styles[0].paintings[0].rgb));
  EXPECT_EQ(scene.sizes(), working_sizes(pictures, small_recipe()));
}

TEST(Scene, SharesAreEqualOrThoseOfTheBlend) {
  const Pictures pictures = pictures_of({style_of(2), style_of(3)});
  EXPECT_EQ(places_of(scene_of(pictures)), (std::vector<Place>{{0, 0.5}, {0, 0.5}}));
  Recipe recipe = small_recipe();
  recipe.style.blend = {3, 1};
  EXPECT_EQ(places_of(scene_of(pictures, recipe)), (std::vector<Place>{{0, 0.75}, {0, 0.25}}));
  recipe.style.blend = {1, 0};
  EXPECT_EQ(places_of(scene_of(pictures, recipe)), (std::vector<Place>{{0, 1.0}, {0, 0.0}}));
}

TEST(Scene, PaintingsOfOneStyleShareItsShare) {
  Pictures pictures = pictures_of({style_of(2), style_of(3)});
  for (const int seed : {4, 5, 6}) {
    pictures.styles[0].paintings.push_back(smooth_picture(kWidth, kHeight, seed));
  }
  Recipe recipe = small_recipe();
  recipe.style.blend = {2, 6};
  const Scene scene = scene_of(pictures, recipe);
  EXPECT_EQ(
      places_of(scene),
      (std::vector<Place>{{0, 1 / 16.0}, {0, 1 / 16.0}, {0, 1 / 16.0}, {0, 1 / 16.0}, {0, 0.75}}));
  EXPECT_TRUE(same_bits(scene.sources[1].painting.rgb, smooth_picture(kWidth, kHeight, 4).rgb));
  EXPECT_TRUE(same_bits(scene.sources[4].painting.rgb, smooth_picture(kWidth, kHeight, 3).rgb));
}

// The left is one style's; the rest of the picture is shared by those without a mask.
TEST(Scene, StylesWithAMaskHaveTheirRegionAndTheOthersTheRest) {
  const Pictures pictures = pictures_of({style_of(2), style_of(3, mask_of(1, 0)), style_of(4)});
  Recipe recipe = small_recipe();
  recipe.style.blend = {3, 5, 1};
  const Scene scene = scene_of(pictures, recipe);
  EXPECT_EQ(places_of(scene), (std::vector<Place>{{1, 0.75}, {0, 1.0}, {1, 0.25}}));
  ASSERT_EQ(scene.regions.size(), 2u);
  EXPECT_TRUE(scene.has_masks());
  EXPECT_TRUE(same_bits(scene.regions[0].values, mask_of(1, 0).values));
  EXPECT_TRUE(same_bits(scene.regions[1].values, mask_of(0, 1).values));
}

TEST(Scene, WhereNoStyleGoesThereIsNoRegion) {
  const Scene scene =
      scene_of(pictures_of({style_of(2, mask_of(0.5, 0)), style_of(3, mask_of(0, 0.25f))}));
  EXPECT_EQ(places_of(scene), (std::vector<Place>{{0, 1.0}, {1, 1.0}}));
  ASSERT_EQ(scene.regions.size(), 2u);
  EXPECT_TRUE(same_bits(scene.regions[0].values, mask_of(0.5, 0).values));
  EXPECT_TRUE(same_bits(scene.regions[1].values, mask_of(0, 0.25f).values));
}

TEST(Scene, OverlappingMasksAreDividedByTheirSum) {
  const Scene scene =
      scene_of(pictures_of({style_of(2, mask_of(1, 1)), style_of(3, mask_of(1, 0))}));
  ASSERT_EQ(scene.regions.size(), 2u);
  EXPECT_TRUE(same_bits(scene.regions[0].values, mask_of(0.5, 1).values));
  EXPECT_TRUE(same_bits(scene.regions[1].values, mask_of(0.5, 0).values));
}

TEST(Scene, MasksOfTheWholePictureAreTakenToItsSize) {
  Pictures pictures = pictures_of({style_of(2, mask_of(1, 0)), style_of(3)});
  pictures.keep = halves(6, 4, 0, 1);
  pictures.styles[1].from = halves(6, 4, 0, 1);
  Recipe recipe = small_recipe();
  recipe.picture.size = kWidth / 2;
  const Scene scene = scene_of(pictures, recipe);
  const Mask expected = halves(kWidth / 2, kHeight / 2, 1, 0);
  EXPECT_EQ(scene.regions[0].width, kWidth / 2);
  EXPECT_EQ(scene.regions[0].height, kHeight / 2);
  EXPECT_TRUE(same_bits(scene.regions[0].values, expected.values));
  EXPECT_EQ(scene.keep.width, kWidth / 2);
  EXPECT_EQ(scene.keep.height, kHeight / 2);
  EXPECT_EQ(scene.keep.values.front(), 0);
  EXPECT_EQ(scene.keep.values.back(), 1);
  EXPECT_EQ(scene.sources[1].from.width, 6) << "is taken to each layer's size";
}

// ---- other sizes, and a border ----

TEST(Scene, ResizedIsAllOfIt) {
  Pictures pictures = pictures_of({style_of(2, mask_of(1, 0)), style_of(3)});
  pictures.keep = mask_of(1, 0);
  pictures.styles[1].from = mask_of(0, 1);
  const Scene scene = scene_of(pictures);
  const WorkingSizes sizes = {{9, 12}, {{5, 6}, {7, 8}}};
  Scene given = scene;
  for (const Scene& small : {resized(scene, sizes), resized(std::move(given), sizes)}) {
    EXPECT_EQ(small.sizes(), sizes);
    EXPECT_EQ(places_of(small), places_of(scene));
    ASSERT_EQ(small.regions.size(), 2u);
    for (const Mask& mask : {small.regions[0], small.regions[1], small.keep}) {
      EXPECT_EQ(mask.width, 12);
      EXPECT_EQ(mask.height, 9);
    }
    EXPECT_TRUE(same_bits(small.photo.rgb, resized(scene.photo, 12, 9).rgb));
    EXPECT_TRUE(same_bits(small.sources[1].from.values, scene.sources[1].from.values));
  }
  EXPECT_EQ(given.photo.rgb.capacity(), 0u) << "is given back";
}

TEST(Scene, WithABorderIsAllOfThePictureButNotThePaintings) {
  Pictures pictures = pictures_of({style_of(2, mask_of(1, 0)), style_of(3)});
  pictures.keep = mask_of(1, 0);
  const Scene scene = scene_of(pictures);
  const Scene bordered = with_border(scene, 3);
  EXPECT_EQ(bordered.sizes().picture, (Size{kHeight + 6, kWidth + 6}));
  EXPECT_EQ(bordered.sizes().paintings, scene.sizes().paintings);
  for (const Mask& mask : {bordered.regions[0], bordered.regions[1], bordered.keep}) {
    EXPECT_EQ(mask.width, kWidth + 6);
    EXPECT_EQ(mask.height, kHeight + 6);
  }
  EXPECT_TRUE(same_bits(with_border(scene, 0).photo.rgb, scene.photo.rgb));
}

// ---- colours ----

struct Mean {
  double red = 0, green = 0, blue = 0;
};

Mean mean_of(const Image& picture) {
  Mean mean;
  const size_t plane = picture.rgb.size() / 3;
  for (size_t i = 0; i < plane; ++i) {
    mean.red += picture.rgb[i] / static_cast<double>(plane);
    mean.green += picture.rgb[plane + i] / static_cast<double>(plane);
    mean.blue += picture.rgb[2 * plane + i] / static_cast<double>(plane);
  }
  return mean;
}

bool is_grey(const Image& picture) {
  const size_t plane = picture.rgb.size() / 3;
  for (size_t i = 0; i < plane; ++i) {
    if (picture.rgb[i] != picture.rgb[plane + i]) return false;
    if (picture.rgb[i] != picture.rgb[2 * plane + i]) return false;
  }
  return true;
}

TEST(Scene, IsInTheColoursThatArePainted) {
  Pictures pictures = pictures_of({style_of(2)});
  for (float& value : pictures.photo.rgb) value = 0.3f + 0.2f * value;
  for (size_t i = 0; i < pictures.photo.rgb.size() / 3; ++i) pictures.photo.rgb[i] += 0.3f;
  Recipe recipe = small_recipe();
  const Scene plain = scene_of(pictures, recipe);
  ASSERT_FALSE(is_grey(plain.photo));

  recipe.picture.colors = Colors::content;
  const Scene grey = scene_of(pictures, recipe);
  EXPECT_TRUE(is_grey(grey.photo));
  EXPECT_TRUE(is_grey(grey.sources[0].painting));
  EXPECT_NEAR(mean_of(grey.sources[0].painting).red, mean_of(grey.photo).red, 0.05);

  recipe.picture.colors = Colors::matched;
  const Scene matched = scene_of(pictures, recipe);
  EXPECT_TRUE(same_bits(matched.photo.rgb, plain.photo.rgb));
  const Mean photo = mean_of(plain.photo), before = mean_of(plain.sources[0].painting),
             after = mean_of(matched.sources[0].painting);
  ASSERT_GT(photo.red, before.red + 0.1);
  EXPECT_NEAR(after.red, photo.red, 0.05);
  EXPECT_NEAR(after.green, photo.green, 0.05);
  EXPECT_NEAR(after.blue, photo.blue, 0.05);
}

// ---- what is given back ----

TEST(Scene, TakesThePicturesThatAreMovedIn) {
  Pictures pictures = pictures_of({style_of(2), style_of(3)});
  const Recipe recipe = small_recipe();
  const Scene expected = scene_of(pictures);
  const WorkingSizes sizes = working_sizes(pictures, recipe);
  const Scene scene = make_scene(std::move(pictures), recipe, sizes);
  EXPECT_TRUE(same_bits(scene.photo.rgb, expected.photo.rgb));
  EXPECT_TRUE(same_bits(scene.sources[1].painting.rgb, expected.sources[1].painting.rgb));
  EXPECT_EQ(pictures.photo.rgb.capacity(), 0u);
  for (const Style& style : pictures.styles) EXPECT_EQ(style.paintings[0].rgb.capacity(), 0u);
}

// ---- errors ----

template <typename... Parts>
testing::AssertionResult refused(const Pictures& pictures, const Recipe& recipe,
                                 const Parts&... parts) {
  const Error early = error_of([&] { check_pictures(pictures, recipe); });
  const Error late = error_of([&] { scene_of(pictures, recipe); });
  if (std::string(early.what()) != late.what()) {
    return testing::AssertionFailure() << "not the same error: " << late.what();
  }
  return says(early, ErrorKind::usage, parts...);
}

TEST(SceneErrors, NameABlendOfOtherStyles) {
  Recipe recipe = small_recipe();
  recipe.style.blend = {0.5, 0.5};
  EXPECT_TRUE(
      refused(pictures_of({style_of(2)}), recipe, "style.blend", "2 shares", "styles is 1"));
  recipe.style.blend = {1};
  EXPECT_TRUE(refused(pictures_of({style_of(2), style_of(3)}), recipe, "1 shares", "styles is 2"));
}

TEST(SceneErrors, NameAShareOf0WhereThereIsNoOther) {
  Recipe recipe = small_recipe();
  recipe.style.blend = {0, 0};
  EXPECT_TRUE(refused(pictures_of({style_of(2), style_of(3)}), recipe, "style.blend", "number 1"));
  recipe.style.blend = {1, 0};
  EXPECT_NO_THROW(scene_of(pictures_of({style_of(2), style_of(3)}), recipe));
  EXPECT_TRUE(refused(pictures_of({style_of(2), style_of(3, mask_of(1, 0))}), recipe, "style.blend",
                      "number 2"));
}

TEST(SceneErrors, NameAMaskThatSelectsNothing) {
  Pictures pictures = pictures_of({style_of(2), style_of(3, mask_of(0, 0))});
  EXPECT_TRUE(refused(pictures, small_recipe(), "picture's mask", "number 2", "black"));
  pictures = pictures_of({style_of(2)});
  pictures.styles[0].from = mask_of(0, 0);
  EXPECT_TRUE(refused(pictures, small_recipe(), "painting's mask", "number 1", "black"));
  pictures = pictures_of({style_of(2)});
  pictures.keep = mask_of(0, 0);  // nothing is kept
  EXPECT_NO_THROW(scene_of(pictures));
}

TEST(SceneErrors, NameAMaskForSeveralPaintings) {
  Pictures pictures = pictures_of({style_of(2), style_of(3)});
  pictures.styles[1].from = mask_of(0, 1);
  EXPECT_NO_THROW(scene_of(pictures));
  pictures.styles[1].paintings.push_back(smooth_picture(kWidth, kHeight, 4));
  EXPECT_TRUE(refused(pictures, small_recipe(), "number 2", "mask", "2 paintings"));
}

TEST(SceneErrors, AreThoseOfTornMasks) {
  Mask torn = mask_of(0, 1);
  torn.values.pop_back();
  Mask beyond = mask_of(0, 1);
  beyond.values[7] = 1.5f;
  for (const Mask& bad : {torn, beyond}) {
    EXPECT_TRUE(refused(pictures_of({style_of(2, bad)}), small_recipe(), "mask"));
    Pictures pictures = pictures_of({style_of(2)});
    pictures.keep = bad;
    EXPECT_TRUE(refused(pictures, small_recipe(), "mask"));
    pictures = pictures_of({style_of(2)});
    pictures.styles[0].from = bad;
    EXPECT_TRUE(refused(pictures, small_recipe(), "mask"));
  }
}

}  // namespace
}  // namespace limn
