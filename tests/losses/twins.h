// Slow twins of losses on columns: in double, over plain lists of vectors.
#pragma once

#include <cmath>
#include <functional>
#include <span>
#include <vector>

#include "support/map_of_values.h"

namespace limn {

using Vector = std::vector<double>;
using Vectors = std::vector<Vector>;  // by place

inline double product(const Vector& a, const Vector& b) {
  double sum = 0;
  for (size_t c = 0; c < a.size(); ++c) sum += a[c] * b[c];
  return sum;
}

inline double cosine(const Vector& a, const Vector& b) {
  return product(a, b) / std::sqrt(product(a, a) * product(b, b));
}

// The columns of a map, place by place, of their first channels.
inline Vectors columns_of(ConstFeatureMap map, int channels) {
  Vectors columns;
  for (int y = 0; y < map.height; ++y) {
    for (int x = 0; x < map.width; ++x) {
      Vector& column = columns.emplace_back(channels);
      for (int c = 0; c < channels; ++c) column[c] = map.at(c, y, x);
    }
  }
  return columns;
}

// The gradient of f at these columns, by differences.
inline Vectors gradient_of(const std::function<double(const Vectors&)>& f, Vectors columns) {
  constexpr double kStep = 1e-6;
  Vectors gradient = columns;
  for (size_t p = 0; p < columns.size(); ++p) {
    for (size_t c = 0; c < columns[p].size(); ++c) {
      const double value = columns[p][c];
      columns[p][c] = value + kStep;
      const double more = f(columns);
      columns[p][c] = value - kStep;
      gradient[p][c] = (more - f(columns)) / (2 * kStep);
      columns[p][c] = value;
    }
  }
  return gradient;
}

// |a - b| / |b|
inline double relative_distance(const Vectors& a, const Vectors& b) {
  double apart = 0, all = 0;
  for (size_t p = 0; p < b.size(); ++p) {
    for (size_t c = 0; c < b[p].size(); ++c) {
      apart += std::pow(a[p][c] - b[p][c], 2);
      all += b[p][c] * b[p][c];
    }
  }
  return std::sqrt(apart / all);
}

}  // namespace limn
