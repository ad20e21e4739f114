#include "image/contact_sheet.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>

#include "base/error.h"
#include "image/shape.h"

namespace limn {
namespace {

// Wide enough for "total_variation.weight 0.0001" in two lines of the smallest letters.
constexpr int kLeastCellWidth = 160;
// Letters are a twentieth of the picture's width, within these limits.
constexpr int kSmallestLetters = 13;
constexpr int kLargestLetters = 48;
constexpr int kLinesOfLabel = 3;  // two, and space around them

constexpr double kScreenWidth = 16;
constexpr double kScreenHeight = 10;

// The layout with this many columns, with boxes of the pictures' size.
SheetLayout with_columns(int columns, int cells, int width, int height) {
  SheetLayout layout;
  layout.columns = columns;
  layout.rows = (cells + columns - 1) / columns;
  layout.box_width = width;
  layout.box_height = height;
  layout.cell_width = std::max(width, kLeastCellWidth);
  layout.letters = std::clamp(width / 20, kSmallestLetters, kLargestLetters);
  layout.margin = layout.letters;
  layout.label_height = kLinesOfLabel * layout.letters;
  return layout;
}

// Whether shrinking the boxes can make the sheet fit the size limit.
bool can_fit(SheetLayout layout) {
  layout.cell_width = kLeastCellWidth;
  layout.box_height = 1;
  return layout.width() <= kLongestSheetSide && layout.height() <= kLongestSheetSide;
}

// The scale at which the sheet fits the screen.
double scale_on_screen(const SheetLayout& layout) {
  return std::min(kScreenWidth / layout.width(), kScreenHeight / layout.height());
}

// Shrinks the boxes until the sheet fits the size limit.
void shrink_to_limit(SheetLayout& layout) {
  const int room_across = (kLongestSheetSide - layout.margin) / layout.columns - layout.margin;
  const int room_down =
      (kLongestSheetSide - layout.margin) / layout.rows - layout.margin - layout.label_height;
  const double scale = std::min({1.0, static_cast<double>(room_across) / layout.box_width,
                                 static_cast<double>(room_down) / layout.box_height});
  if (scale == 1.0) return;
  layout.box_width = std::max(1, static_cast<int>(layout.box_width * scale));
  layout.box_height = std::max(1, static_cast<int>(layout.box_height * scale));
  layout.cell_width = std::max(layout.box_width, kLeastCellWidth);
}

// Draws the picture in the middle of the area.
void lay_on(Image& sheet, const Image& picture, const Area& area) {
  assert(picture.width <= area.width && picture.height <= area.height);
  const size_t sheet_plane = sheet.rgb.size() / 3;
  const size_t plane = picture.rgb.size() / 3;
  const int left = area.left + (area.width - picture.width) / 2;
  const int top = area.top + (area.height - picture.height) / 2;
  for (int c = 0; c < 3; ++c) {
    for (int y = 0; y < picture.height; ++y) {
      const size_t from = static_cast<size_t>(y) * picture.width;
      float* to = &sheet.rgb[c * sheet_plane + static_cast<size_t>(top + y) * sheet.width + left];
      for (int x = 0; x < picture.width; ++x) {
        const float alpha = picture.alpha.empty() ? 1.0f : picture.alpha[from + x];
        to[x] = alpha * picture.rgb[c * plane + from + x] + (1 - alpha);
      }
    }
  }
}

}  // namespace

Area SheetLayout::box(int cell) const {
  return {margin + cell % columns * (cell_width + margin) + (cell_width - box_width) / 2,
          margin + cell / columns * (box_height + label_height + margin), box_width, box_height};
}

Area SheetLayout::label(int cell) const {
  const int gap = letters / 3;  // between the picture and the first line
  return {margin + cell % columns * (cell_width + margin), box(cell).top + box_height + gap,
          cell_width, label_height - gap};
}

SheetLayout sheet_layout(int cells, int width, int height) {
  assert(cells >= 1 && cells <= kMostCells && width >= 1 && height >= 1);
  SheetLayout best;
  bool found = false;
  for (int columns = 1; columns <= cells; ++columns) {
    const SheetLayout layout = with_columns(columns, cells, width, height);
    if (!can_fit(layout)) continue;
    if (found && scale_on_screen(layout) <= scale_on_screen(best)) continue;
    best = layout;
    found = true;
  }
  shrink_to_limit(best);
  return best;
}

std::optional<SheetLayout> sheet_layout(int cells, int width, int height, int columns) {
  assert(cells >= 1 && columns >= 1 && width >= 1 && height >= 1);
  SheetLayout layout = with_columns(columns, cells, width, height);
  if (!can_fit(layout)) return std::nullopt;
  shrink_to_limit(layout);
  return layout;
}

SheetLayout single_cell(const SheetLayout& layout) {
  SheetLayout single = layout;
  single.columns = 1;
  single.rows = 1;
  return single;
}

Image fitted(const Image& picture, const SheetLayout& layout) {
  check_shape(picture);
  const double scale = std::min(static_cast<double>(layout.box_width) / picture.width,
                                static_cast<double>(layout.box_height) / picture.height);
  if (scale >= 1) return picture;
  const auto scaled = [&](int side, int most) {
    return std::clamp(static_cast<int>(std::lround(side * scale)), 1, most);
  };
  return resized(picture, scaled(picture.width, layout.box_width),
                 scaled(picture.height, layout.box_height));
}

Image contact_sheet(std::span<const Cell> cells, const SheetLayout& layout) {
  assert(std::ssize(cells) <= std::ptrdiff_t{layout.columns} * layout.rows);
  Image sheet;
  sheet.width = layout.width();
  sheet.height = layout.height();
  sheet.rgb.assign(3 * static_cast<size_t>(sheet.width) * sheet.height, 1.0f);
  for (int i = 0; i < std::ssize(cells); ++i) {
    lay_on(sheet, cells[i].picture, layout.box(i));
    draw_label(sheet, cells[i].label, layout.label(i), layout.letters);
  }
  return sheet;
}

}  // namespace limn
