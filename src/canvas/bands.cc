#include "canvas/bands.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <numbers>

#include "kernels/kernels.h"

namespace limn {
namespace {

struct Plane {
  const float* data;
  int height, width;
  bool repeats;
  const float* row(int y) const { return data + static_cast<size_t>(y) * width; }
};

// U: out[2 i] = (3 in[i] + in[i - 1]) / 4 and out[2 i + 1] = (3 in[i] + in[i + 1]) / 4 in both
// directions. Beyond an edge lies the edge itself or, if the plane repeats, the opposite one. The
// other input that row i of the result interpolates with:
int neighbour(int i, int length, bool repeats) {
  const int other = i % 2 == 0 ? i / 2 - 1 : i / 2 + 1;
  return repeats ? (other + length) % length : std::clamp(other, 0, length - 1);
}

// Row `y` of the larger plane, whose rows have `width` values: "+=".
void add_enlarged_row(const Plane& in, int y, int width, float* out) {
  const float* near = in.row(y / 2);
  const float* far = in.row(neighbour(y, in.height, in.repeats));
  const auto between = [&](int x) { return 0.75f * near[x] + 0.25f * far[x]; };
  for (int x = 0; x < width; ++x) {
    out[x] += 0.75f * between(x / 2) + 0.25f * between(neighbour(x, in.width, in.repeats));
  }
}

// The weights of U^T: the rows (or columns) of the larger plane that feed one of the smaller.
struct Parts {
  int index[4];
  float weight[4];
};

Parts parts_of(int i, int length, int larger, bool repeats) {
  Parts parts = {{2 * i - 1, 2 * i, 2 * i + 1, 2 * i + 2}, {0.25f, 0.75f, 0.75f, 0.25f}};
  if (repeats) {
    for (int& index : parts.index) index = (index + larger) % larger;
    return parts;
  }
  for (int k = 0; k < 4; ++k) {
    if (parts.index[k] < 0 || parts.index[k] >= larger) {
      parts.index[k] = 0;
      parts.weight[k] = 0;
    }
  }
  if (i == 0) parts.weight[1] = 1;  // the edge is its own neighbour
  if (i == length - 1 && 2 * i + 1 < larger) parts.weight[2] = 1;
  return parts;
}

// Row `i` of U^T in: "=".
void shrunk_row(const Plane& in, int i, int height, int width, float* out) {
  const Parts rows = parts_of(i, height, in.height, in.repeats);
  for (int x = 1; x + 1 < width; ++x) {
    float sum = 0;
    for (int r = 0; r < 4; ++r) {
      const float* row = in.row(rows.index[r]) + 2 * static_cast<std::ptrdiff_t>(x);
      sum += rows.weight[r] * (0.25f * (row[-1] + row[2]) + 0.75f * (row[0] + row[1]));
    }
    out[x] = sum;
  }
  for (const int x : {0, width - 1}) {
    const Parts columns = parts_of(x, width, in.width, in.repeats);
    float sum = 0;
    for (int r = 0; r < 4; ++r) {
      const float* row = in.row(rows.index[r]);
      float along = 0;
      for (int c = 0; c < 4; ++c) along += columns.weight[c] * row[columns.index[c]];
      sum += rows.weight[r] * along;
    }
    out[x] = sum;
  }
}

// Reflects grey, (1, 1, 1) / sqrt(3), onto the first axis, and back: x - 2 (v . x) v, with v along
// the difference of the two. The other two axes then hold only colour.
void mirror_colours(std::span<float> x, ThreadPool& pool) {
  constexpr double kShare = std::numbers::inv_sqrt3;  // of each channel in grey
  constexpr auto kFirst = static_cast<float>(kShare);
  constexpr auto kOthers = static_cast<float>((1 + kShare) / 2);
  const size_t plane = x.size() / 3;
  constexpr size_t kPiece = 16384;
  pool.run((plane + kPiece - 1) / kPiece, [&](size_t task) {
    float *a = x.data(), *b = a + plane, *c = b + plane;
    for (size_t i = task * kPiece; i < std::min(plane, (task + 1) * kPiece); ++i) {
      const float first = a[i];
      const float others = b[i] + c[i];
      const float change = kFirst * first - kOthers * others;
      a[i] = kFirst * (first + others);
      b[i] += change;
      c[i] += change;
    }
  });
}

}  // namespace

Bands::Bands(int height, int width, std::span<const double> gains, ThreadPool& pool,
             bool grey_apart, bool repeats)
    : height_(height),
      width_(width),
      grey_apart_(grey_apart),
      repeats_(repeats),
      size_(pixels()),
      pool_(pool) {
  constexpr int kLeastSide = 4;
  size_t used = 0;
  for (const double gain : gains) {
    if (repeats && (height % 2 != 0 || width % 2 != 0)) break;
    height = (height + 1) / 2;
    width = (width + 1) / 2;
    if (std::min(height, width) < kLeastSide) break;
    const size_t floats = 3 * static_cast<size_t>(height) * width;
    bands_.push_back({height, width, static_cast<float>(gain), size_, Buffer<float>(floats)});
    if (gain == 0) continue;
    size_ += floats;
    used = bands_.size();
  }
  bands_.erase(bands_.begin() + static_cast<std::ptrdiff_t>(used), bands_.end());
}

std::vector<Size> Bands::planes() const {
  std::vector<Size> planes(3, {height_, width_});
  for (const Band& band : bands_) {
    if (band.gain != 0) planes.insert(planes.end(), 3, {band.height, band.width});
  }
  return planes;
}

std::vector<float> Bands::split(std::vector<float> x) const {
  assert(x.size() == pixels());
  if (mirrors()) mirror_colours(x, pool_);
  x.resize(size_, 0.0f);
  return x;
}

void Bands::join(std::span<const float> z, std::span<float> x) {
  assert(z.size() == size_ && x.size() == pixels());
  for (size_t k = bands_.size(); k-- > 0;) {
    Band& band = bands_[k];
    const Band* coarser = k + 1 < bands_.size() ? &bands_[k + 1] : nullptr;
    pool_.run(3 * static_cast<size_t>(band.height), [&](size_t task) {
      float* row = band.sum.data() + task * band.width;
      if (band.gain == 0) {
        std::fill_n(row, band.width, 0.0f);
      } else {
        const float* own = z.data() + band.offset + task * band.width;
        for (int i = 0; i < band.width; ++i) row[i] = band.gain * own[i];
      }
      if (!coarser) return;
      const size_t plane = task / band.height;
      const Plane in = {coarser->sum.data() + plane * coarser->height * coarser->width,
                        coarser->height, coarser->width, repeats_};
      add_enlarged_row(in, static_cast<int>(task % band.height), band.width, row);
    });
  }
  pool_.run(3 * static_cast<size_t>(height_), [&](size_t task) {
    float* row = x.data() + task * width_;
    std::memcpy(row, z.data() + task * width_, width_ * sizeof(float));
    if (trivial()) return;
    const Band& band = bands_.front();
    const size_t plane = task / height_;
    const Plane in = {band.sum.data() + plane * band.height * band.width, band.height, band.width,
                      repeats_};
    add_enlarged_row(in, static_cast<int>(task % height_), width_, row);
  });
  if (mirrors()) mirror_colours(x, pool_);
}

void Bands::move(std::span<float> d_x, std::span<float> z) const {
  assert(z.size() == size_ && d_x.size() == pixels());
  if (mirrors()) mirror_colours(d_x, pool_);
  kernels::add_scaled(1, d_x, z.first(pixels()), pool_);
}

void Bands::split_gradient(std::span<float> d_z) {
  assert(d_z.size() == size_);
  if (trivial()) return;
  if (mirrors()) mirror_colours(d_z.first(pixels()), pool_);
  Plane larger = {d_z.data(), height_, width_, repeats_};
  for (Band& band : bands_) {
    const Plane from = larger;
    pool_.run(3 * static_cast<size_t>(band.height), [&](size_t task) {
      const size_t plane = task / band.height;
      const Plane in = {from.data + plane * from.height * from.width, from.height, from.width,
                        repeats_};
      float* row = band.sum.data() + task * band.width;
      shrunk_row(in, static_cast<int>(task % band.height), band.height, band.width, row);
      if (band.gain == 0) return;
      float* own = d_z.data() + band.offset + task * band.width;
      for (int i = 0; i < band.width; ++i) own[i] = band.gain * row[i];
    });
    larger = {band.sum.data(), band.height, band.width, repeats_};
  }
}

std::vector<float> finest_band(std::span<const float> x, int height, int width) {
  const int rows = (height + 1) / 2, columns = (width + 1) / 2;
  std::vector<float> band(x.begin(), x.end());
  std::vector<float> half(static_cast<size_t>(rows) * columns), blurred(width);
  for (size_t c = 0; c < 3; ++c) {
    float* plane = band.data() + c * height * width;
    for (int y = 0; y < rows; ++y) {
      const float* upper = plane + static_cast<size_t>(2 * y) * width;
      const float* lower = 2 * y + 1 < height ? upper + width : upper;
      for (int i = 0; i < columns; ++i) {
        const int right = std::min(2 * i + 1, width - 1);
        half[static_cast<size_t>(y) * columns + i] =
            (upper[2 * i] + upper[right] + lower[2 * i] + lower[right]) / 4;
      }
    }
    for (int y = 0; y < height; ++y) {
      std::ranges::fill(blurred, 0.0f);
      add_enlarged_row({half.data(), rows, columns, false}, y, width, blurred.data());
      float* row = plane + static_cast<size_t>(y) * width;
      for (int i = 0; i < width; ++i) row[i] -= blurred[i];
    }
  }
  return band;
}

}  // namespace limn
