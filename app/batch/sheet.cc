#include "batch/sheet.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/error.h"
#include "batch/overview.h"
#include "image/contact_sheet.h"

namespace limn {
namespace {

// The longest side of a picture, where a sheet has room for it.
constexpr int kCell = 384;

Cell empty_cell() {
  Cell cell;
  cell.picture = {1, 1, {1, 1, 1}, {}};
  return cell;
}

// The largest height and width that results have on the sheet.
Size box_of(const Overview& overview) {
  Size box = {1, 1};
  for (const Overview::Picture& picture : overview.pictures) {
    const auto [height, width] = picture.item->size;
    const double scale = std::min(1.0, 1.0 * kCell / std::max(height, width));
    box.height = std::max(box.height, static_cast<int>(height * scale));
    box.width = std::max(box.width, static_cast<int>(width * scale));
  }
  return box;
}

Cell cell_of(const std::string& file, const std::string& label, const SheetLayout& layout) {
  const int most = std::max(layout.box_width, layout.box_height);
  return {fitted(small_picture(file, most), layout), label};
}

Image table(const Overview& overview, const SheetLayout& layout) {
  const size_t columns = overview.styles.size() + 1;
  std::vector<Cell> cells(columns * (overview.photos.size() + 1), empty_cell());
  for (size_t i = 0; i < overview.styles.size(); ++i) {
    const Overview::StyleFiles& style = overview.styles[i];
    cells[1 + i] = cell_of(style.front(), title_of(style), layout);
  }
  for (const Overview::Picture& picture : overview.pictures) {
    const size_t row = columns * (picture.photo + 1);
    const std::string& photo = overview.photos[picture.photo];
    if (cells[row].label.empty()) cells[row] = cell_of(photo, title_of(photo), layout);
    const std::string style = title_of(overview.styles[picture.style]);
    cells[row + 1 + picture.style] =
        cell_of(picture.item->request.output, title_of(photo) + ", " + style, layout);
  }
  return contact_sheet(cells, layout);
}

Image in_order(const Overview& overview, const SheetLayout& layout) {
  std::vector<Cell> cells;
  cells.reserve(overview.pictures.size());
  for (const Overview::Picture& picture : overview.pictures) {
    std::string label =
        title_of(overview.photos[picture.photo]) + ", " + title_of(overview.styles[picture.style]);
    if (!picture.settings.empty()) label += "\n" + picture.settings;
    cells.push_back(cell_of(picture.item->request.output, label, layout));
  }
  return contact_sheet(cells, layout);
}

}  // namespace

void check_sheet(std::span<const BatchItem> items) {
  if (items.size() <= kMostCells) return;
  fail(ErrorKind::usage,
       "--sheet: has room for {} pictures, but there are {}; leave it out, or paint fewer at a "
       "time, or a shard",
       kMostCells, items.size());
}

Image batch_sheet(std::span<const BatchItem> items) {
  const Overview overview = overview_of(items);
  const auto [height, width] = box_of(overview);
  if (overview.is_table) {
    const size_t columns = overview.styles.size() + 1;
    const auto layout = sheet_layout(static_cast<int>(columns * (overview.photos.size() + 1)),
                                     width, height, static_cast<int>(columns));
    if (layout) return table(overview, *layout);
  }
  return in_order(overview,
                  sheet_layout(static_cast<int>(overview.pictures.size()), width, height));
}

}  // namespace limn
