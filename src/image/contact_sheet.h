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
  int letters = 0;  // size of the labels' letters
  int margin = 0;   // around the sheet and between cells

  int width() const { return margin + columns * (cell_width + margin); }
  int height() const { return margin + rows * (box_height + label_height + margin); }
  Area box(int cell) const;    // of cell number `cell`, row by row
  Area label(int cell) const;  // likewise; in label_height below the box
};

// No side of a sheet is longer, in pixels: programs that show pictures cope with that, and JPEG and
// WebP hold it.
inline constexpr int kLongestSheetSide = 8192;
// More cells find no room for their labels.
inline constexpr int kMostCells = 400;

// A layout of at most kMostCells cells for pictures of width x height, with so many columns that
// the sheet is shown as large as can be on a screen of 16 : 10. Where the sheet would be larger
// than it may, boxes are smaller than the pictures.
SheetLayout sheet_layout(int cells, int width, int height);

// The same with one cell only: a picture with its label.
SheetLayout single_cell(const SheetLayout& layout);

// The picture as the sheet needs it: in proportion no larger than a box, never enlarged.
Image fitted(const Image& picture, const SheetLayout& layout);

// The sheet, opaque, in 0..1 RGB. There may be fewer cells than the layout has room for; pictures
// must be fitted. Transparent ones are laid on white.
Image contact_sheet(std::span<const Cell> cells, const SheetLayout& layout);

}  // namespace limn
