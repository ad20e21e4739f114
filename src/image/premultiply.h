// The colours of transparent pixels mean nothing and must not bleed into visible ones. So colours
// are multiplied by alpha before a picture is resampled, and divided by it afterwards.
//
// Rows are planes x width floats: red, green, blue and, if there are 4, alpha.
#pragma once

#include <algorithm>
#include <cstddef>

namespace limn {

inline void weigh_by_alpha(float* row, int planes, size_t width) {
  if (planes < 4) return;
  const float* const alpha = row + 3 * width;
  for (int c = 0; c < 3; ++c)
    for (size_t x = 0; x < width; ++x) row[c * width + x] *= alpha[x];
}

// The inverse, clamping what a kernel left outside 0..1. NaN becomes 0.
inline void unweigh_and_clamp(float* row, int planes, size_t width) {
  // Less alpha than half a 16-bit step counts as 0: what remains is rounding, not colour.
  constexpr float kLeastAlpha = 0.5f / 65535.0f;
  const auto in_range = [](float value) { return value > 0.0f ? std::min(value, 1.0f) : 0.0f; };
  const float* const alpha = planes < 4 ? nullptr : row + 3 * width;
  for (int c = 0; c < 3; ++c) {
    for (size_t x = 0; x < width; ++x) {
      const float a = alpha ? alpha[x] : 1.0f;
      float& value = row[c * width + x];
      value = a < kLeastAlpha ? 0.0f : in_range(value / a);
    }
  }
  for (size_t x = 0; alpha && x < width; ++x) row[3 * width + x] = in_range(row[3 * width + x]);
}

}  // namespace limn
