#include "canvas/units.h"

#include <algorithm>
#include <utility>

namespace limn {

Units::Units(Space space, const InputConvention& convention) {
  of_rgb_.bgr = of_variable_.bgr = convention.bgr;
  for (int plane = 0; plane < 3; ++plane) {
    const int channel = convention.bgr ? 2 - plane : plane;
    const float deviation = convention.deviation[channel];
    of_rgb_.planes[plane] = {convention.scale / deviation, -convention.mean[channel] / deviation};
  }
  if (space == Space::network) {
    rgb_to_variable_ = of_rgb_.planes;
  } else {
    of_variable_.planes = of_rgb_.planes;
  }
}

std::vector<float> Units::encode(Image picture) const {
  std::vector<float> x = std::move(picture.rgb);
  const size_t plane_size = x.size() / 3;
  for (size_t i = 0; i < x.size(); ++i) x[i] = rgb_to_variable_[i / plane_size](x[i]);
  return x;
}

Image Units::decode(std::vector<float> x, const Size& size) const {
  const size_t plane_size = x.size() / 3;
  for (size_t i = 0; i < x.size(); ++i) {
    const Affine& affine = rgb_to_variable_[i / plane_size];
    x[i] = (x[i] - affine.offset) / affine.gain;
  }
  Image picture;
  picture.width = size.width;
  picture.height = size.height;
  picture.rgb = std::move(x);
  return picture;
}

template <typename Of>
void Units::map_clamped(std::span<float> x, const Size& size, ThreadPool& pool, Of&& of) const {
  pool.run(3 * static_cast<size_t>(size.height), [&](size_t row) {
    const Affine& affine = rgb_to_variable_[row / size.height];
    const float black = affine(0.0f);
    const float white = affine(1.0f);
    for (float& value : x.subspan(row * size.width, size.width)) {
      value = of(value, std::clamp(value, black, white));
    }
  });
}

void Units::clip(std::span<float> x, const Size& size, ThreadPool& pool) const {
  map_clamped(x, size, pool, [](float, float clamped) { return clamped; });
}

void Units::replace_by_clipping(std::span<float> x, const Size& size, ThreadPool& pool) const {
  map_clamped(x, size, pool, [](float value, float clamped) { return clamped - value; });
}

}  // namespace limn
