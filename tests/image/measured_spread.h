// The colours of a picture's pixels, the slow way.
#pragma once

#include <limn/limn.h>

#include <array>
#include <vector>

#include "image/lab.h"
#include "image/oklab.h"
#include "pictures.h"

namespace limn {

inline Oklab colour_at(const Image& image, int x, int y) {
  return oklab_of(at(image, x, y, 0), at(image, x, y, 1), at(image, x, y, 2));
}

// Mean and covariance in Oklab of every `step`th pixel each way, beginning at `first`: slowly.
inline Spread measured(const Image& image, int first = 0, int step = 1) {
  std::vector<Vector3> all;
  for (int y = first; y < image.height; y += step) {
    for (int x = first; x < image.width; x += step) {
      const auto [L, a, b] = colour_at(image, x, y);
      all.push_back({L, a, b});
    }
  }
  Spread result;
  const double each = 1.0 / static_cast<double>(all.size());
  for (const Vector3& x : all)
    for (int p = 0; p < 3; ++p) result.mean[p] += x[p] * each;
  for (const Vector3& x : all)
    for (int p = 0; p < 3; ++p)
      for (int q = 0; q < 3; ++q)
        result.covariance[p][q] += (x[p] - result.mean[p]) * (x[q] - result.mean[q]) * each;
  return result;
}

}  // namespace limn
