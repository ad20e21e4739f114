// Textures and holes as limn/tasks.h gives them to programs; what becomes of them is tested by the
// commands (tests/app/texture.sh, inpaint.sh).
#include <gtest/gtest.h>
#include <limn/tasks.h>

#include <algorithm>
#include <vector>

#include "support/drawn.h"
#include "support/errors.h"
#include "support/masks.h"

namespace limn {
namespace {

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
    EXPECT_TRUE(says(error_of([&] { texture_pictures({}, size); }), ErrorKind::usage, "pixels"));
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
  Random stream(1);
  EXPECT_EQ(to_toml(followed(draw_picture(40, 40, stream))), to_toml(recipe)) << "without a period";
  recipe.style.shift_unit = ShiftUnit::cells;
  EXPECT_EQ(to_toml(followed(rows(96, 96, 16))), to_toml(recipe));
}

TEST(Tasks, AHoleNeedsSomethingToPaintAndSomethingToGoBy) {
  const Image picture = smooth_picture(40, 30, 1);
  Pictures pictures = single_style(picture, picture);
  EXPECT_TRUE(says(error_of([&] { cut_hole(pictures, halves(40, 30, 0, 0), true); }),
                   ErrorKind::usage, "black everywhere"));
  EXPECT_TRUE(says(error_of([&] { cut_hole(pictures, halves(40, 30, 1, 1), true); }),
                   ErrorKind::usage, "white everywhere"));
  EXPECT_TRUE(says(error_of([&] { cut_hole(pictures, {}, true); }), ErrorKind::usage, "no pixels"));
  Pictures without = {picture, {}, {}, {}};
  EXPECT_TRUE(says(error_of([&] { cut_hole(without, halves(40, 30, 0, 1), true); }),
                   ErrorKind::usage, "what fills it"));
}

TEST(Tasks, NothingIsSeenOfWhatWasInAHole) {
  Mask hole = halves(40, 30, 0, 0);
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
