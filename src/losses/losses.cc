#include "losses/losses.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

#include "kernels/kernels.h"

namespace limn {

// ------------------------------------------------------------------------------------- content --

double content_factor(ContentForm form, double C, double M) {
  switch (form) {
    case ContentForm::sum:
      return 1.0;
    case ContentForm::half_sum:
      return 0.5;
    case ContentForm::mean:
      return 1.0 / (C * M);
    case ContentForm::root:
      return 1.0 / (2.0 * std::sqrt(C) * std::sqrt(M));
  }
  return 0;
}

double content_loss(double factor, ConstFeatureMap F, ConstFeatureMap P, ThreadPool& pool) {
  return factor * kernels::squared_distance(flat(F), flat(P), pool);
}

double weighed_content_loss(double factor, ConstFeatureMap F, ConstFeatureMap P,
                            std::span<const float> m, FeatureMap D, ThreadPool& pool) {
  kernels::scaled_sum(flat(F), -1, flat(P), flat(D), pool);
  kernels::weigh(D, m, {}, D, pool);
  const double loss = factor * kernels::dot(flat(D), flat(D), pool);
  kernels::weigh(D, m, {}, D, pool);
  kernels::scaled_sum(flat(F), -1, flat(D), flat(D), pool);
  return loss;
}

// The Gram matrix of the difference, not the difference of Gram matrices: where F is near P, that
// would be left of large numbers that cancel out.
double mapped_content_loss(double factor, std::span<const double> K, ConstFeatureMap F,
                           ConstFeatureMap P, std::span<const float> m, FeatureMap D,
                           std::span<float> D_gram, std::span<double> sums, ThreadPool& pool) {
  kernels::scaled_sum(flat(F), -1, flat(P), flat(D), pool);
  if (!m.empty()) kernels::weigh(D, m, {}, D, pool);
  kernels::gram(D, D_gram, sums, pool);
  if (!m.empty()) kernels::weigh(D, m, {}, D, pool);
  double sum = 0;
  for (size_t i = 0; i < K.size(); ++i) sum += K[i] * D_gram[i];
  return factor * sum;
}

// --------------------------------------------------------------------------------------- style --

double gram_scale(GramForm form, double M) { return form == GramForm::raw ? 1.0 : 1.0 / M; }

double style_factor(StyleForm form, double C, double M, double pixels) {
  switch (form) {
    case StyleForm::mean:
      return 1.0 / (C * C);
    case StyleForm::paper:
      return 1.0 / (4 * C * C * M * M);
    case StyleForm::paper_times_4:
      return 1.0 / (C * C * M * M);
    case StyleForm::image:
      return 1.0 / (4 * 9 * pixels * pixels);
  }
  return 0;
}

double style_loss(double factor, double g, std::span<float> G, std::span<const float> A,
                  double unit) {
  assert(G.size() == A.size());
  double sum = 0;
  const double slope = unit * (4 * factor * g);
  for (size_t i = 0; i < G.size(); ++i) {
    const double difference = g * G[i] - A[i];
    sum += difference * difference;
    G[i] = static_cast<float>(slope * difference);
  }
  return factor * sum;
}

double mapped_style_loss(double factor, double g, std::span<const double> K, std::span<float> G,
                         std::span<const float> A, std::span<double> scratch, ThreadPool& pool,
                         double unit) {
  const size_t n = K.size();
  assert(G.size() == n && A.size() == n && scratch.size() >= 3 * n);
  const std::span<double> D = scratch.first(n);
  const std::span<double> KD = scratch.subspan(n, n);
  const std::span<double> KDK = scratch.subspan(2 * n, n);
  for (size_t i = 0; i < n; ++i) D[i] = g * G[i] - A[i];
  const auto C = static_cast<size_t>(std::lround(std::sqrt(static_cast<double>(n))));
  kernels::congruence(K, D, C, KD, KDK, pool);
  double sum = 0;
  const double slope = unit * (4 * factor * g);
  for (size_t i = 0; i < n; ++i) {
    sum += D[i] * KDK[i];
    G[i] = static_cast<float>(slope * KDK[i]);
  }
  return factor * sum;
}

// ----------------------------------------------------------------------------- total variation --

namespace {

// One plane's rows and the differences that the forms are made of. Beyond the edge there is none.
struct Plane {
  const float* x;
  int height, width;

  bool has_right(int column) const { return column + 1 < width; }
  bool has_lower(int row) const { return row + 1 < height; }
  double dx(int row, int column) const {
    const float* place = x + static_cast<size_t>(row) * width + column;
    return double{place[1]} - place[0];
  }
  double dy(int row, int column) const {
    const float* place = x + static_cast<size_t>(row) * width + column;
    return double{place[width]} - place[0];
  }
};

double sign(double value) { return (value > 0) - (value < 0); }

// The value that pixel (row, column) adds to the variation, and the slopes of that value by the
// pixel's dx and dy (0 where there is no neighbour).
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

// The variation of one row of a plane. d_x: the plane's, += weight * the gradient, in that row.
double variation_row(VariationForm form, double weight, const Plane& plane, int row, float* d_x) {
  float* d_row = d_x + static_cast<size_t>(row) * plane.width;
  double sum = 0;
  double left_slope = 0;
  for (int column = 0; column < plane.width; ++column) {
    const PixelTerm own = pixel_term(form, plane, row, column);
    const double upper_slope = row > 0 ? pixel_term(form, plane, row - 1, column).slope_y : 0.0;
    sum += own.value;
    d_row[column] +=
        static_cast<float>(weight * (left_slope + upper_slope - own.slope_x - own.slope_y));
    left_slope = own.slope_x;
  }
  return sum;
}

}  // namespace

double total_variation(VariationForm form, double weight, std::span<const float> x, int height,
                       int width, std::span<float> d_x, ThreadPool& pool, double unit) {
  const size_t plane_size = static_cast<size_t>(height) * width;
  assert(x.size() == 3 * plane_size && d_x.size() == x.size());
  // Each pixel gathers from the terms that it is part of (its own, its left and its upper
  // neighbour's), so that rows are independent of each other. A task takes a band of rows, so many
  // that the bands' sums need no allocated memory.
  constexpr size_t kMostBands = 1024;
  const size_t rows = 3 * static_cast<size_t>(height);
  const size_t band = (rows + kMostBands - 1) / kMostBands;
  std::array<double, kMostBands> sums = {};
  pool.run((rows + band - 1) / band, [&](size_t task) {
    for (size_t i = task * band; i < std::min(rows, (task + 1) * band); ++i) {
      const size_t first = i / height * plane_size;
      const auto row = static_cast<int>(i % height);
      sums[task] += variation_row(form, unit * weight, {x.data() + first, height, width}, row,
                                  d_x.data() + first);
    }
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return weight * total;
}

}  // namespace limn
