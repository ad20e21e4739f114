#include "image/lab.h"

#include "image/oklab.h"

namespace limn {

Image in_oklab(Image picture) {
  each_pixel(picture, [](float& x, float& y, float& z) {
    const Oklab colour = oklab_of(x, y, z);
    x = colour.L;
    y = colour.a;
    z = colour.b;
  });
  return picture;
}

Image in_srgb(Image lab) {
  each_pixel(lab, [](float& x, float& y, float& z) {
    const std::array<float, 3> rgb = srgb_of({x, y, z});
    x = rgb[0];
    y = rgb[1];
    z = rgb[2];
  });
  return lab;
}

void SpreadSum::add(const Image& lab) {
  const size_t pixels = lab.rgb.size() / 3;
  for (size_t i = 0; i < pixels; ++i) {
    const double weight = lab.alpha.empty() ? 1.0 : lab.alpha[i];
    if (!(weight > 0)) continue;
    total_ += weight;
    const Vector3 x = {lab.rgb[i], lab.rgb[pixels + i], lab.rgb[2 * pixels + i]};
    for (size_t p = 0; p < 3; ++p) {
      sum_[p] += weight * x[p];
      for (size_t q = p; q < 3; ++q) squares_[p][q] += weight * x[p] * x[q];
    }
  }
}

Spread SpreadSum::spread() const {
  Spread spread;
  for (size_t p = 0; p < 3; ++p) spread.mean[p] = sum_[p] / total_;
  for (size_t p = 0; p < 3; ++p) {
    for (size_t q = p; q < 3; ++q) {
      const double square = squares_[p][q] / total_ - spread.mean[p] * spread.mean[q];
      spread.covariance[p][q] = spread.covariance[q][p] = square;
    }
  }
  return spread;
}

Spread spread_of(const Image& lab) {
  SpreadSum sum;
  sum.add(lab);
  return sum.spread();
}

}  // namespace limn
