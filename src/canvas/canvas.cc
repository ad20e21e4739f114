#include "canvas/canvas.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "image/mask.h"

namespace limn {

Canvas::Canvas(const Units& units, const Size& size, Mask keep, bool grey,
               std::span<const double> bands, ThreadPool& pool, bool grey_apart)
    : units_(units),
      size_(size),
      keep_(std::move(keep)),
      grey_(grey),
      pool_(pool),
      bands_(size.height, size.width, keep_.empty() ? bands : std::span<const double>(), pool,
             grey_apart),
      x_(bands_.trivial() ? 0 : bands_.pixels()),
      d_x_(x_.size()) {
  assert(keep_.empty() || 3 * keep_.values.size() == pixels());
}

std::vector<float> Canvas::of(std::vector<float> x, const Image& photo) const {
  if (grey_) make_grey(x);
  if (!keep_.empty()) {
    Image picture = units_.decode(std::move(x), size_);
    lay_over(picture, photo, keep_);
    x = units_.encode(std::move(picture));
  }
  return bands_.split(std::move(x));
}

std::span<const float> Canvas::picture(std::span<const float> z) {
  if (bands_.trivial()) return z;
  bands_.join(z, x_);
  return x_;
}

std::span<float> Canvas::d_picture(std::span<float> d_z) {
  return bands_.trivial() ? d_z : std::span<float>(d_x_);
}

void Canvas::hold(std::span<float> d_x) const {
  if (!keep_.empty()) hold_kept(d_x);
  if (grey_) hold_colours(d_x);
}

void Canvas::pull(std::span<float> d_z) {
  hold(d_picture(d_z));
  if (!bands_.trivial()) bands_.split_gradient(d_x_, d_z);
}

Image Canvas::image(std::vector<float> z) {
  if (bands_.trivial()) return units_.decode(std::move(z), size_);
  std::vector<float> x(pixels());
  bands_.join(z, x);
  return units_.decode(std::move(x), size_);
}

void Canvas::clip(std::span<float> z) {
  if (bands_.trivial()) return units_.clip(z, size_, pool_);
  bands_.join(z, x_);
  std::ranges::copy(x_, d_x_.begin());
  units_.clip(d_x_, size_, pool_);
  for (size_t i = 0; i < x_.size(); ++i) d_x_[i] -= x_[i];
  bands_.move(d_x_, z);
}

// The gradient with respect to kept pixels is 0.
void Canvas::hold_kept(std::span<float> d_x) const {
  const auto width = static_cast<size_t>(size_.width);
  pool_.run(3 * static_cast<size_t>(size_.height), [&](size_t row) {
    const float* keep = keep_.values.data() + row % size_.height * width;
    float* values = d_x.data() + row * width;
    for (size_t i = 0; i < width; ++i) values[i] *= 1 - keep[i];
  });
}

// A grey v makes x = gain v + offset, which can only move along the gains.
void Canvas::hold_colours(std::span<float> d_x) const {
  const size_t plane_size = d_x.size() / 3;
  const auto width = static_cast<size_t>(size_.width);
  float square = 0;
  for (int c = 0; c < 3; ++c) square += units_.plane(c).gain * units_.plane(c).gain;
  pool_.run(size_.height, [&](size_t row) {
    for (size_t i = row * width; i < (row + 1) * width; ++i) {
      float along = 0;
      for (int c = 0; c < 3; ++c) along += units_.plane(c).gain * d_x[c * plane_size + i];
      for (int c = 0; c < 3; ++c) d_x[c * plane_size + i] = units_.plane(c).gain * (along / square);
    }
  });
}

// The nearest picture without colours.
void Canvas::make_grey(std::span<float> x) const {
  const size_t plane_size = x.size() / 3;
  for (size_t i = 0; i < plane_size; ++i) {
    float grey = 0;
    for (int c = 0; c < 3; ++c) {
      const Affine& affine = units_.plane(c);
      grey += (x[c * plane_size + i] - affine.offset) / affine.gain / 3;
    }
    for (int c = 0; c < 3; ++c) x[c * plane_size + i] = units_.plane(c)(grey);
  }
}

}  // namespace limn
