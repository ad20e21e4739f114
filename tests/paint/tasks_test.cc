// Textures and holes as limn/tasks.h gives them to programs; what becomes of them is tested by the
// commands (tests/app/texture.sh, inpaint.sh).
#include <gtest/gtest.h>
#include <limn/tasks.h>

#include <vector>

#include "support/drawn.h"
#include "support/errors.h"

namespace limn {
namespace {

Mask mask_of(int width, int height, float value) {
  return {width, height, std::vector<float>(static_cast<size_t>(width) * height, value)};
}

// Rows of one colour, which repeat themselves every `period` rows.
Image rows(int width, int height, int period) {
  Image image = {width, height, {}, {}};
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < height; ++y) {
      image.rgb.insert(image.rgb.end(), width, y % period < 4 ? 0.9f : 0.1f);
    }
  }
  return image;
}

TEST(Tasks, ATextureHasTheSizeAskedFor) {
  const Pictures pictures = texture_pictures({{{rows(32, 32, 8)}, {}, {}}}, {24, 40});
  EXPECT_EQ(sizes_of(pictures).photo, (Size{24, 40}));
  for (const Size& size : {Size{0, 5}, Size{5, -1}, Size{100'001, 5}}) {
    EXPECT_ERROR(texture_pictures({}, size), usage, "pixels");
  }
}

TEST(Tasks, PeriodsTakeThePlaceOfDistances) {
  Recipe recipe = named_recipe("texture");
  recipe.picture.size = 0;
  const auto followed = [&](const Image& exemplar) {
    return with_periods(recipe, texture_pictures({{{exemplar}, {}, {}}}, {96, 96}));
  };
  const Recipe found = followed(rows(96, 96, 16));
  EXPECT_EQ(found.style.shifts_down, (std::vector{8, 16}));
  EXPECT_TRUE(found.style.shifts.empty());
  EXPECT_EQ(to_toml(followed(smooth_picture(40, 40, 2))), to_toml(recipe)) << "without a period";
  recipe.style.shift_unit = ShiftUnit::cells;
  EXPECT_EQ(to_toml(followed(rows(96, 96, 16))), to_toml(recipe));
}

TEST(Tasks, AHoleNeedsSomethingToPaintAndSomethingToGoBy) {
  const Image picture = smooth_picture(40, 30, 1);
  Pictures pictures = single_style(picture, picture);
  EXPECT_ERROR(cut_hole(pictures, mask_of(40, 30, 0), true), usage, "black everywhere");
  EXPECT_ERROR(cut_hole(pictures, mask_of(40, 30, 1), true), usage, "white everywhere");
  EXPECT_ERROR(cut_hole(pictures, {}, true), usage, "no pixels");
  Pictures without = {picture, {}, {}, {}};
  EXPECT_ERROR(cut_hole(without, mask_of(40, 30, 0.5f), true), usage, "what fills it");
}

TEST(Tasks, NothingIsSeenOfWhatWasInAHole) {
  Mask hole = mask_of(40, 30, 0);
  std::fill_n(hole.values.begin() + 400, 200, 1.0f);
  const auto cut = [&](float inside) {
    Image picture = smooth_picture(40, 30, 1);
    std::fill_n(picture.rgb.begin() + 400, 200, inside);
    Pictures pictures = single_style(picture, picture);
    cut_hole(pictures, hole, true);
    return pictures;
  };
  const Pictures one = cut(0.1f), other = cut(0.9f);
  EXPECT_EQ(one.photo.rgb, other.photo.rgb);
  EXPECT_EQ(one.styles[0].paintings[0].rgb, other.styles[0].paintings[0].rgb);
  EXPECT_EQ(one.keep.values[0], 1);
  EXPECT_EQ(one.keep.values[500], 0);
}

TEST(Tasks, TheMachineHasMemory) { EXPECT_GT(machine_budget().bytes, 1e6); }

}  // namespace
}  // namespace limn
