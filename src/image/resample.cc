// Vertical before horizontal: sums of whole rows are simple loops, and only new rows are left for
// the horizontal pass. Sums are doubles: one may have thousands of samples.
#include "image/resample.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace limn {
namespace {

double sinc(double x) {
  if (std::abs(x) < 1e-9) return 1;
  const double turn = std::numbers::pi * x;
  return std::sin(turn) / turn;
}

// The new sample centred on old sample `centre` (whole numbers are the middles of samples), with a
// width of `scale` old samples.
Blend lanczos(double centre, double scale, int old_size) {
  constexpr double kLobes = 3;
  const int begin = static_cast<int>(std::ceil(centre - kLobes * scale));
  const int end = static_cast<int>(std::floor(centre + kLobes * scale)) + 1;
  Blend blend;
  blend.first = std::clamp(begin, 0, old_size - 1);
  blend.weights.resize(std::clamp(end - 1, 0, old_size - 1) - blend.first + 1);
  for (int i = begin; i < end; ++i) {
    const double x = (i - centre) / scale;
    blend.weights[std::clamp(i, 0, old_size - 1) - blend.first] += sinc(x) * sinc(x / kLobes);
  }
  const double sum = std::accumulate(blend.weights.begin(), blend.weights.end(), 0.0);
  for (double& weight : blend.weights) weight /= sum;
  return blend;
}

// The new sample covering the old ones in [begin, end).
Blend covering(double begin, double end, int old_size) {
  Blend blend;
  blend.first = std::clamp(static_cast<int>(begin), 0, old_size - 1);
  for (int i = blend.first; i < old_size && (i < end || blend.weights.empty()); ++i) {
    const double covered = std::min(end, i + 1.0) - std::max(begin, static_cast<double>(i));
    blend.weights.push_back(std::max(covered, 0.0) / (end - begin));
  }
  return blend;
}

// The new sample at `centre`, interpolated between two old ones.
Blend between(double centre, int old_size) {
  const double inside = std::clamp(centre, 0.0, old_size - 1.0);
  const int left = std::min(static_cast<int>(inside), std::max(old_size - 2, 0));
  if (old_size == 1) return {0, {1.0}};
  return {left, {1 - (inside - left), inside - left}};
}

}  // namespace

Blends lanczos_blends(int old_size, double extent, int new_size) {
  const double scale = extent / new_size;
  Blends blends;
  blends.reserve(new_size);
  for (int i = 0; i < new_size; ++i) {
    blends.push_back(scale == 1 ? Blend{i, {1.0}}
                                : lanczos((i + 0.5) * scale - 0.5, scale, old_size));
  }
  return blends;
}

Blends mean_blends(int old_size, int new_size) {
  const double scale = static_cast<double>(old_size) / new_size;
  Blends blends;
  blends.reserve(new_size);
  for (int i = 0; i < new_size; ++i) {
    blends.push_back(new_size <= old_size ? covering(i * scale, (i + 1) * scale, old_size)
                                          : between((i + 0.5) * scale - 0.5, old_size));
  }
  return blends;
}

RowResampler::RowResampler(int planes, int old_width, Blends across, Blends down, Give give)
    : planes_(planes),
      old_width_(old_width),
      across_(std::move(across)),
      down_(std::move(down)),
      give_(std::move(give)),
      row_(planes_ * across_.size()) {}

void RowResampler::take(const float* row) {
  const size_t values = planes_ * old_width_;
  for (; next_ < down_.size() && down_[next_].first <= old_y_; ++next_) {
    Sum sum;
    if (!spare_.empty()) {
      sum = std::move(spare_.back());
      spare_.pop_back();
    }
    sum.y = static_cast<int>(next_);
    sum.values.assign(values, 0.0);
    sums_.push_back(std::move(sum));
  }
  size_t done = 0;
  for (Sum& sum : sums_) {
    const Blend& blend = down_[sum.y];
    const auto k = static_cast<size_t>(old_y_ - blend.first);
    const double weight = blend.weights[k];
    double* const out = sum.values.data();
    for (size_t i = 0; i < values; ++i) out[i] += weight * row[i];
    if (k + 1 < blend.weights.size()) continue;
    give(sum);
    ++done;
  }
  // Blends end in the order in which they begin.
  std::move(sums_.begin(), sums_.begin() + done, std::back_inserter(spare_));
  sums_.erase(sums_.begin(), sums_.begin() + done);
  ++old_y_;
}

void RowResampler::give(const Sum& sum) {
  for (size_t plane = 0; plane < planes_; ++plane) {
    for (size_t x = 0; x < across_.size(); ++x) {
      const double* old = &sum.values[plane * old_width_ + across_[x].first];
      double value = 0;
      for (const double weight : across_[x].weights) value += weight * *old++;
      row_[plane * across_.size() + x] = static_cast<float>(value);
    }
  }
  give_(sum.y, row_.data());
}

}  // namespace limn
