#include "canvas/canvas.h"

#include <cassert>
#include <utility>

#include "image/mask.h"

namespace limn {

namespace {

// Each pixel becomes the mean of all that the symmetry maps it to: the same sum for all of them, so
// the planes are symmetric to the bit.
void make_symmetric(std::span<float> x, const Size& size, Symmetry symmetry, ThreadPool& pool) {
  const int height = size.height, width = size.width;
  const bool rows = symmetry != Symmetry::left_right, columns = symmetry != Symmetry::up_down;
  const bool both = symmetry == Symmetry::both;
  // Pairs of rows, as tasks share none.
  const size_t pairs = rows ? (height + 1) / 2 : height;
  pool.run(3 * pairs, [&](size_t task) {
    float* plane = x.data() + task / pairs * height * width;
    const int y = static_cast<int>(task % pairs), other = rows ? height - 1 - y : y;
    float* upper = plane + static_cast<size_t>(y) * width;
    float* lower = plane + static_cast<size_t>(other) * width;
    for (int i = 0; i < (both || other == y ? (columns ? (width + 1) / 2 : width) : width); ++i) {
      const int j = columns ? width - 1 - i : i;
      const float mean =
          both ? ((upper[i] + upper[j]) + (lower[i] + lower[j])) / 4 : (upper[i] + lower[j]) / 2;
      upper[i] = lower[j] = mean;
      if (both) upper[j] = lower[i] = mean;
    }
  });
}

}  // namespace

Canvas::Canvas(const Units& units, const Size& size, CanvasForm form, ThreadPool& pool)
    : units_(units),
      size_(size),
      keep_(std::move(form.keep)),
      grey_(form.grey),
      symmetry_(form.symmetry),
      pool_(pool),
      bands_(size.height, size.width, keep_.empty() ? form.bands : std::span<const double>(), pool,
             form.grey_apart, form.repeats),
      x_(is_direct() ? 0 : bands_.pixels()) {
  assert(keep_.empty() || 3 * keep_.values.size() == pixels());
  assert(keep_.empty() || symmetry_ == Symmetry::none);
}

std::vector<float> Canvas::of(std::vector<float> x, const Image& photo) const {
  if (grey_) make_grey(x);
  if (!keep_.empty()) {
    Image picture = units_.decode(std::move(x), size_);
    lay_over(picture, photo, keep_);
    x = units_.encode(std::move(picture));
  }
  if (symmetry_ != Symmetry::none) make_symmetric(x, size_, symmetry_, pool_);
  return bands_.split(std::move(x));
}

void Canvas::join(std::span<const float> z, std::span<float> x) {
  bands_.join(z, x);
  if (symmetry_ != Symmetry::none) make_symmetric(x, size_, symmetry_, pool_);
}

std::span<const float> Canvas::picture(std::span<const float> z) {
  if (is_direct()) return z;
  join(z, x_);
  return x_;
}

void Canvas::hold(std::span<float> d_x) const {
  if (!keep_.empty()) hold_kept(d_x);
  if (grey_) hold_colours(d_x);
  if (symmetry_ != Symmetry::none) make_symmetric(d_x, size_, symmetry_, pool_);
}

void Canvas::pull(std::span<float> d_z) {
  hold(d_picture(d_z));
  bands_.split_gradient(d_z);
}

Image Canvas::image(std::vector<float> z) {
  if (is_direct()) return units_.decode(std::move(z), size_);
  std::vector<float> x(pixels());
  join(z, x);
  return units_.decode(std::move(x), size_);
}

void Canvas::clip(std::span<float> z) {
  if (is_direct()) return units_.clip(z, size_, pool_);
  join(z, x_);
  units_.replace_by_clipping(x_, size_, pool_);
  bands_.move(x_, z);
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
