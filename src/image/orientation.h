// How a stored picture is meant to be seen: EXIF's eight orientations, each a swap of the axes
// (from 5 on), then possibly a horizontal and a vertical flip.
#pragma once

#include <cstddef>
#include <utility>

namespace limn {

class Orientation {
 public:
  // `number` is EXIF's, 1 to 8; the sizes are those of the stored picture.
  Orientation(int number, int stored_width, int stored_height)
      : swaps_(number >= 5 && number <= 8),
        mirrors_x_(number == 2 || number == 3 || number == 6 || number == 7),
        mirrors_y_(number == 3 || number == 4 || number == 7 || number == 8),
        width_(swaps_ ? stored_height : stored_width),
        height_(swaps_ ? stored_width : stored_height) {}

  // As the picture is seen.
  int width() const { return width_; }
  int height() const { return height_; }
  bool swaps_axes() const { return swaps_; }

  // The position at which the stored pixel (x, y) is seen.
  std::pair<int, int> seen(int x, int y) const {
    if (swaps_) std::swap(x, y);
    return {mirrors_x_ ? width_ - 1 - x : x, mirrors_y_ ? height_ - 1 - y : y};
  }

  // Writes the stored row y into a plane of width() x height().
  void put_row(const float* row, int y, float* plane) const {
    const auto index = [&](int x) {
      const auto [u, v] = seen(x, y);
      return std::ptrdiff_t{v} * width_ + u;
    };
    const int count = swaps_ ? height_ : width_;
    const std::ptrdiff_t first = index(0);
    const std::ptrdiff_t step = count > 1 ? index(1) - first : 0;
    for (int x = 0; x < count; ++x) plane[first + x * step] = row[x];
  }

 private:
  bool swaps_, mirrors_x_, mirrors_y_;
  int width_, height_;
};

}  // namespace limn
