// A contact sheet: pictures side by side on white, each with a label below it.
//
//        margin  cell_width
//        <----> <----------->
//       +------------------------------------+
//       |       +-----------+   +-----------+|   each picture stands in the middle of its box;
//       |       |    box    |   |    box    ||   the box is as wide as the cell, or narrower where
//       |       +-----------+   +-----------+|   labels need more room than pictures
//       |           label           label    |
//       |                                    |
#pragma once

#include <limn/limn.h>

#include <optional>
#include <span>
#include <string>

#include "image/label.h"

namespace limn {

struct Cell {
  Image picture;
  std::string label;
};

// Lengths in pixels.
struct SheetLayout {
  int columns = 1, rows = 1;
  int box_width = 1, box_height = 1;
  int cell_width = 1;
  int label_height = 0;
  int letters = 0;  // size of the labels
  int margin = 0;   // around the sheet and between cells

  int width() const { return margin + columns * (cell_width + margin); }
  int height() const { return margin + rows * (box_height + label_height + margin); }
  Area box(int cell) const;    // of cell number `cell`, row by row
  Area label(int cell) const;  // likewise; in label_height below the box
};

// The longest side of a sheet, in pixels: programs that show pictures cope with it, and JPEG and
// WebP allow it.
inline constexpr int kLongestSheetSide = 8192;
// With more cells there is no room for labels.
inline constexpr int kMostCells = 400;

// A layout of at most kMostCells cells for pictures of width x height. The number of columns is the
// one that shows the sheet largest on a 16 : 10 screen. Boxes are smaller than the pictures where
// the sheet would otherwise be too large.
SheetLayout sheet_layout(int cells, int width, int height);

// The same with this many columns, for a table; none if it has more than fit a sheet.
std::optional<SheetLayout> sheet_layout(int cells, int width, int height, int columns);

// The same with a single cell: one picture with its label.
SheetLayout single_cell(const SheetLayout& layout);

// The picture at the size the sheet needs: scaled to fit a box, never enlarged.
Image fitted(const Image& picture, const SheetLayout& layout);

// The sheet, opaque, in 0..1 RGB. There may be fewer cells than the layout has room for; pictures
// must be fitted. Transparent ones are drawn on white.
Image contact_sheet(std::span<const Cell> cells, const SheetLayout& layout);

}  // namespace limn
