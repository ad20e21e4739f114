#include "losses/variation.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

namespace limn {
namespace {

// The rows of one plane, and differences between neighbours: across the edge only if it repeats.
struct Plane {
  const float* x;
  int height, width;
  bool repeats;

  bool has_right(int column) const { return repeats || column + 1 < width; }
  bool has_lower(int row) const { return repeats || row + 1 < height; }
  double at(int row, int column) const { return x[static_cast<size_t>(row) * width + column]; }
  double dx(int row, int column) const {
    return at(row, column + 1 < width ? column + 1 : 0) - at(row, column);
  }
  double dy(int row, int column) const {
    return at(row + 1 < height ? row + 1 : 0, column) - at(row, column);
  }
};

double sign(double value) { return (value > 0) - (value < 0); }

// The contribution of pixel (row, column) to the variation, and its slopes with respect to the
// pixel's dx and dy (0 if there is no neighbour).
struct PixelTerm {
  double value = 0, slope_x = 0, slope_y = 0;
};

PixelTerm pixel_term(VariationForm form, const Plane& plane, int row, int column) {
  const bool right = plane.has_right(column);
  const bool lower = plane.has_lower(row);
  const double dx = right ? plane.dx(row, column) : 0;
  const double dy = lower ? plane.dy(row, column) : 0;
  switch (form) {
    case VariationForm::absolute:
      return {std::abs(dx) + std::abs(dy), sign(dx), sign(dy)};
    case VariationForm::squared:
      return {(dx * dx + dy * dy) / 2, dx, dy};
    case VariationForm::power: {
      if (!right || !lower) return {};
      const double square = dx * dx + dy * dy;
      const double root4 = std::sqrt(std::sqrt(square));  // square^0.25
      return {square * root4, 2.5 * root4 * dx, 2.5 * root4 * dy};
    }
  }
  return {};
}

// The variation of one row of a plane.
double row_variation(VariationForm form, const Plane& plane, int row) {
  double sum = 0;
  for (int column = 0; column < plane.width; ++column) {
    sum += pixel_term(form, plane, row, column).value;
  }
  return sum;
}

// d_x: the plane's, += weight * the gradient, in that row. Each pixel gathers from the terms it is
// part of (its own, its left and its upper neighbour's), so that rows are independent.
void add_row_gradient(VariationForm form, double weight, const Plane& plane, int row, float* d_x) {
  float* d_row = d_x + static_cast<size_t>(row) * plane.width;
  const int above = row > 0 ? row - 1 : plane.height - 1;
  const bool has_upper = row > 0 || plane.repeats;
  double left_slope = plane.repeats ? pixel_term(form, plane, row, plane.width - 1).slope_x : 0.0;
  for (int column = 0; column < plane.width; ++column) {
    const PixelTerm own = pixel_term(form, plane, row, column);
    const double upper_slope = has_upper ? pixel_term(form, plane, above, column).slope_y : 0.0;
    d_row[column] +=
        static_cast<float>(weight * (left_slope + upper_slope - own.slope_x - own.slope_y));
    left_slope = own.slope_x;
  }
}

// Calls row(band, plane, row number, offset of the plane) for every row of every plane, in few
// enough bands that one sum per band needs no allocation.
constexpr size_t kMostBands = 1024;
template <typename Row>
void for_rows(const View& view, bool repeats, ThreadPool& pool, const Row& row) {
  const int height = view.size.height, width = view.size.width;
  const size_t rows = 3 * static_cast<size_t>(height);
  const size_t band = (rows + kMostBands - 1) / kMostBands;
  pool.run((rows + band - 1) / band, [&](size_t task) {
    for (size_t i = task * band; i < std::min(rows, (task + 1) * band); ++i) {
      const size_t first = i / height * height * width;
      row(task, Plane{view.x.data() + first, height, width, repeats}, static_cast<int>(i % height),
          first);
    }
  });
}

}  // namespace

void VariationLoss::measure(const View& view, std::span<double> sums, Scratch&, ThreadPool& pool) {
  std::array<double, kMostBands> bands = {};
  for_rows(view, repeats_, pool, [&](size_t band, const Plane& plane, int row, size_t) {
    bands[band] += row_variation(form_, plane, row);
  });
  sums[0] = 0;
  for (const double sum : bands) sums[0] += sum;
}

double VariationLoss::settle(std::span<const double> sums, Scratch&, ThreadPool&) {
  return factor() * sums[0];
}

void VariationLoss::spread_to_picture(const View& view, std::span<float> d_x, ThreadPool& pool) {
  assert(d_x.size() == view.x.size());
  for_rows(view, repeats_, pool, [&](size_t, const Plane& plane, int row, size_t first) {
    add_row_gradient(form_, unit() * factor(), plane, row, d_x.data() + first);
  });
}

}  // namespace limn
