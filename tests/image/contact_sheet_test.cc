// Contact sheets: where pictures and labels stand, that sheets stay small enough, and what is
// drawn.
#include "image/contact_sheet.h"

#include <cmath>

#include "pictures.h"

namespace limn {
namespace {

Image plain(int width, int height, float value) {
  return painted(width, height, [&](int, int, int) { return value; });
}

// Whether all pixels of the area have this value in all channels.
bool is_plain(const Image& sheet, const Area& area, float value) {
  for (int y = area.top; y < area.top + area.height; ++y)
    for (int x = area.left; x < area.left + area.width; ++x)
      for (int c = 0; c < 3; ++c)
        if (std::abs(at(sheet, x, y, c) - value) > 1e-6f) return false;
  return true;
}

float darkest(const Image& sheet, const Area& area) {
  float least = 1;
  for (int y = area.top; y < area.top + area.height; ++y)
    for (int x = area.left; x < area.left + area.width; ++x)
      least = std::min(least, at(sheet, x, y, 0));
  return least;
}

bool overlap(const Area& a, const Area& b) {
  return a.left < b.left + b.width && b.left < a.left + a.width && a.top < b.top + b.height &&
         b.top < a.top + a.height;
}

bool within(const Area& a, const SheetLayout& layout) {
  return a.left >= 0 && a.top >= 0 && a.left + a.width <= layout.width() &&
         a.top + a.height <= layout.height();
}

TEST(SheetLayout, HasARoomForEveryCellAndNoneOverlaps) {
  for (const int cells : {1, 2, 3, 7, 12, 66, kMostCells}) {
    for (const auto& [width, height] : {std::pair{512, 384}, {30, 40}, {1, 5000}, {100'000, 3}}) {
      const SheetLayout layout = sheet_layout(cells, width, height);
      ASSERT_GE(layout.columns * layout.rows, cells);
      ASSERT_LT(layout.columns * (layout.rows - 1), cells) << "no empty row";
      EXPECT_LE(layout.width(), kLongestSheetSide) << cells << " of " << width << " x " << height;
      EXPECT_LE(layout.height(), kLongestSheetSide) << cells << " of " << width << " x " << height;
      std::vector<Area> areas;
      for (int i = 0; i < cells; ++i) {
        areas.push_back(layout.box(i));
        areas.push_back(layout.label(i));
      }
      for (size_t i = 0; i < areas.size(); ++i) {
        ASSERT_TRUE(within(areas[i], layout));
        for (size_t j = 0; j < i; ++j) ASSERT_FALSE(overlap(areas[i], areas[j])) << i << ' ' << j;
      }
    }
  }
}

TEST(SheetLayout, ShowsPicturesAtTheirOwnSizeWhereThatFits) {
  const SheetLayout layout = sheet_layout(7, 512, 384);
  EXPECT_EQ(layout.box_width, 512);
  EXPECT_EQ(layout.box_height, 384);
  EXPECT_EQ(layout.columns, 4);
  EXPECT_EQ(layout.rows, 2);
}

TEST(SheetLayout, HasAColumnForEachOfTallPicturesAndARowForEachOfWideOnes) {
  EXPECT_EQ(sheet_layout(6, 200, 2000).rows, 1);
  EXPECT_EQ(sheet_layout(6, 2000, 100).columns, 1);
}

TEST(SheetLayout, KeepsTheProportionsOfBoxesItShrinks) {
  const SheetLayout layout = sheet_layout(64, 4000, 3000);
  EXPECT_LT(layout.box_width, 4000);
  EXPECT_NEAR(layout.box_width / 4000.0, layout.box_height / 3000.0, 1e-3);
  EXPECT_GT(std::max(layout.width(), layout.height()), kLongestSheetSide - 200) << "no smaller";
}

TEST(Fitted, ShrinksInProportionAndNeverEnlarges) {
  const SheetLayout layout = sheet_layout(3, 300, 200);
  const Image small = plain(30, 200, 0.5f);
  EXPECT_EQ(fitted(small, layout).rgb, small.rgb);
  const Image wide = fitted(plain(900, 300, 0.5f), layout);
  EXPECT_EQ(wide.width, 300);
  EXPECT_EQ(wide.height, 100);
  const Image thin = fitted(plain(2000, 1, 0.5f), layout);
  EXPECT_EQ(thin.width, 300);
  EXPECT_EQ(thin.height, 1);
}

TEST(ContactSheet, HasEachPictureInTheMiddleOfItsBoxAndInkInItsLabel) {
  const SheetLayout layout = sheet_layout(3, 200, 100);
  const std::vector<Cell> cells = {
      {plain(200, 100, 0.25f), "one"}, {plain(100, 50, 0.5f), "two"}, {plain(200, 60, 0.75f), ""}};
  const Image sheet = contact_sheet(cells, layout);
  expect_sound(sheet);
  EXPECT_EQ(sheet.width, layout.width());
  EXPECT_EQ(sheet.height, layout.height());
  EXPECT_TRUE(is_plain(sheet, layout.box(0), 0.25f));
  const Area second = layout.box(1);
  EXPECT_TRUE(is_plain(sheet, {second.left + 50, second.top + 25, 100, 50}, 0.5f));
  EXPECT_TRUE(is_plain(sheet, {second.left, second.top, 200, 25}, 1.0f));
  EXPECT_TRUE(is_plain(sheet, {second.left, second.top, 50, 100}, 1.0f));
  const Area third = layout.box(2);
  EXPECT_TRUE(is_plain(sheet, {third.left, third.top + 20, 200, 60}, 0.75f));
  EXPECT_LT(darkest(sheet, layout.label(0)), 0.3f);
  EXPECT_LT(darkest(sheet, layout.label(1)), 0.3f);
  EXPECT_TRUE(is_plain(sheet, layout.label(2), 1.0f)) << "no label, no ink";
  EXPECT_TRUE(is_plain(sheet, {0, 0, sheet.width, layout.margin}, 1.0f));
}

// Where the labels of both differ, the pictures do not.
TEST(ContactSheet, SaysEachLabelOfItsOwn) {
  const SheetLayout layout = sheet_layout(1, 200, 100);
  const Cell cell = {plain(200, 100, 0.25f), "style.weight 1"};
  const Cell other = {plain(200, 100, 0.25f), "style.weight 2"};
  const Image sheet = contact_sheet({&cell, 1}, layout);
  EXPECT_EQ(sheet.rgb, contact_sheet({&cell, 1}, layout).rgb);
  EXPECT_NE(sheet.rgb, contact_sheet({&other, 1}, layout).rgb);
}

TEST(ContactSheet, LaysTransparentPicturesOnWhite) {
  Image glass = plain(200, 100, 0.0f);
  glass.alpha.assign(200 * 100, 0.25f);
  const SheetLayout layout = sheet_layout(1, 200, 100);
  const Cell cell = {glass, ""};
  EXPECT_TRUE(is_plain(contact_sheet({&cell, 1}, layout), layout.box(0), 0.75f));
}

TEST(ContactSheet, LeavesCellsThatAreMissingWhite) {
  const SheetLayout layout = sheet_layout(4, 200, 100);
  const Cell cell = {plain(200, 100, 0.5f), "first"};
  const Image sheet = contact_sheet({&cell, 1}, layout);
  EXPECT_EQ(sheet.width, layout.width());
  for (int i = 1; i < 4; ++i) {
    EXPECT_TRUE(is_plain(sheet, layout.box(i), 1.0f));
    EXPECT_TRUE(is_plain(sheet, layout.label(i), 1.0f));
  }
}

// What is no label of limn's own (the names of files can be anything) is drawn within its area too.
TEST(ContactSheet, DrawsAnyBytesWithinTheLabelsArea) {
  const SheetLayout layout = sheet_layout(1, 200, 100);
  for (const std::string& label :
       {std::string("<b>bold</b> & co"), std::string("</span>"), std::string("&#0;"),
        std::string("\xff\xfe broken"), std::string("a\0b", 3), std::string("line\nbreak\ttab"),
        std::string(100'000, 'W'), std::string("\xe2\x80\xae right to left"), std::string("   "),
        std::string("relu1_1:1,relu2_1:0.5,relu3_1:0.25,relu4_1:0.125,relu5_1:0.0625")}) {
    const Cell cell = {plain(200, 100, 0.5f), label};
    const Image sheet = contact_sheet({&cell, 1}, layout);
    expect_sound(sheet);
    EXPECT_TRUE(is_plain(sheet, layout.box(0), 0.5f)) << label.substr(0, 80);
    EXPECT_TRUE(is_plain(sheet, {0, 0, layout.margin, sheet.height}, 1.0f));
    const int below = layout.label(0).top + layout.label(0).height;
    EXPECT_TRUE(is_plain(sheet, {0, below, sheet.width, layout.margin}, 1.0f));
  }
}

TEST(ContactSheet, ShowsMarkupAsItIs) {
  const SheetLayout layout = sheet_layout(1, 200, 100);
  const Cell bold = {plain(200, 100, 0.5f), "<b>x</b>"};
  const Cell letter = {plain(200, 100, 0.5f), "x"};
  EXPECT_NE(contact_sheet({&bold, 1}, layout).rgb, contact_sheet({&letter, 1}, layout).rgb);
}

TEST(ContactSheet, MakesLettersSmallerForALabelThatIsLong) {
  const SheetLayout layout = sheet_layout(1, 200, 100);
  // The last word is seen: were the label cut off, changing it would change nothing.
  const std::string start = "relu1_1:1,relu2_1:0.5,relu3_1:0.25,relu4_1:0.125,";
  const Cell cell = {plain(200, 100, 0.5f), start + "relu5_1:1"};
  const Cell other = {plain(200, 100, 0.5f), start + "relu5_1:2"};
  EXPECT_NE(contact_sheet({&cell, 1}, layout).rgb, contact_sheet({&other, 1}, layout).rgb);
}

}  // namespace
}  // namespace limn
