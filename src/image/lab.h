// Pictures with planes L, a and b (image/oklab.h) instead of red, green and blue, and the
// distribution of their colours. A pixel's weight is its alpha.
#pragma once

#include <limn/limn.h>

#include "image/transport.h"

namespace limn {

// Calls act(x, y, z) for every pixel, with references to its values in the three planes.
template <typename Act>
void each_pixel(Image& image, Act&& act) {
  const size_t pixels = image.rgb.size() / 3;
  float* const first = image.rgb.data();
  float* const second = first + pixels;
  float* const third = second + pixels;
  for (size_t i = 0; i < pixels; ++i) act(first[i], second[i], third[i]);
}

// From sRGB-encoded red, green and blue, clamped to 0..1, to L, a and b; and back, to 0..1
// (srgb_of). Alpha is unchanged.
Image in_oklab(Image picture);
Image in_srgb(Image lab);

// The distribution of colours: of L, a and b, in this order.
struct Spread {
  Vector3 mean{};
  Matrix3 covariance{};
};

// The spread of one or more pictures' pixels, added one picture after the other.
class SpreadSum {
 public:
  void add(const Image& lab);
  // Whether no visible pixel was added.
  bool empty() const { return !(total_ > 0); }
  // Of at least one visible pixel.
  Spread spread() const;

 private:
  double total_ = 0;
  Vector3 sum_{};
  Matrix3 squares_{};  // only p <= q
};

// Of a visible picture.
Spread spread_of(const Image& lab);

}  // namespace limn
