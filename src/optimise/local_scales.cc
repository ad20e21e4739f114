#include "optimise/local_scales.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>

namespace limn {
namespace {

// A neighbourhood is a square of side 2 * kRadius + 1.
constexpr int kRadius = 6;
// The share of the whole plane's sums in every neighbourhood's, so that places where almost nothing
// happened follow the rest.
constexpr double kShare = 1e-6;
// Pairs to learn from. (Older ones have already been used.)
constexpr size_t kNewest = 10;
// The largest change of r at once.
constexpr double kMostChange = 10;

size_t floats(const Size& plane) { return static_cast<size_t>(plane.height) * plane.width; }

// sums[x] = the sum of the terms around x in a row of `width`. Returns the sum of all terms.
template <typename Term>
double running_sums(int width, const Term& term, float* sums) {
  double total = 0;
  double sum = 0;
  for (int x = -kRadius; x < width; ++x) {
    if (x + kRadius < width) {
      const double next = term(x + kRadius);
      sum += next;
      total += next;
    }
    if (x - kRadius - 1 >= 0) sum -= term(x - kRadius - 1);
    if (x >= 0) sums[x] = static_cast<float>(std::max(sum, 0.0));
  }
  return total;
}

}  // namespace

size_t widest_row(std::span<const Size> planes) {
  int widest = 0;
  for (const Size& plane : planes) widest = std::max(widest, plane.width);
  return widest;
}

LocalScales::LocalScales(std::span<const Size> planes, const Share& share, ThreadPool& pool)
    : planes_(planes.begin(), planes.end()), share_(share), weights_(kNewest), pool_(pool) {
  size_t size = 0, largest = 0;
  int rows = 0;
  for (const Size& plane : planes_) {
    size += floats(plane);
    largest = std::max(largest, floats(plane));
    rows = std::max(rows, plane.height);
  }
  r_.assign(size, 1.0f);
  square_s_ = Buffer<float>(largest);
  square_y_ = Buffer<float>(largest);
  row_s_.resize(rows);
  row_y_.resize(rows);
}

void LocalScales::learn(History& history, std::span<const size_t> places,
                        std::span<float> gradient) {
  assert(gradient.size() == r_.size());
  double all_s = 0, all_y = 0;
  for (size_t i = 0; i < std::min(places.size(), kNewest); ++i) {
    const double ss = history.square_of_s(places[i]);
    const double yy = history.square_of_y(places[i]);
    weights_[i] = ss > 0 ? 1 / ss : 0;
    all_s += weights_[i] * ss;
    all_y += weights_[i] * yy;
  }
  if (!(all_s > 0 && all_y > 0 && std::isfinite(all_y))) return;
  // Sums of y^2 scale with the square of the loss's unit, and are stored as floats. So they are
  // multiplied by a power of two that makes them as large as those of s^2.
  y_unit_ = std::ldexp(1.0, std::ilogb(all_s / all_y));
  size_t offset = 0;
  for (const Size& plane : planes_) {
    learn_plane(plane, offset, all_s / (y_unit_ * all_y), history, places, gradient);
    offset += floats(plane);
  }
}

// Sets square_s_, square_y_, row_s_ and row_y_.
void LocalScales::sum_rows(const Size& plane, size_t offset, const History& history,
                           std::span<const size_t> newest) {
  const int width = plane.width;
  using Vectors = std::array<const float*, kNewest>;
  const auto squares = [&](const Vectors& vectors, double unit, int x) {
    double sum = 0;
    for (size_t i = 0; i < newest.size(); ++i) {
      const double value = vectors[i][x];
      sum += weights_[i] * value * value;
    }
    return unit * sum;
  };
  // Rows belong to the rank that owns their first float.
  const auto first_row = [&](int rank) {
    const size_t begin = std::max(share_.begin_of(rank), offset) - offset;
    return std::min((begin + width - 1) / width, static_cast<size_t>(plane.height));
  };
  const int rank = share_.ranks().rank();
  const size_t first = first_row(rank);
  pool_.run(first_row(rank + 1) - first, [&](size_t task, int thread) {
    const size_t row = first + task;
    const size_t at = row * width;
    float* memory = pool_.thread_scratch(thread, newest.size() * width).data();
    Vectors rows;
    for (size_t i = 0; i < newest.size(); ++i) {
      rows[i] = history.s(newest[i], offset + at, width, memory + i * width);
    }
    row_s_[row] = running_sums(
        width, [&](int x) { return squares(rows, 1, x); }, square_s_.data() + at);
    for (size_t i = 0; i < newest.size(); ++i) {
      rows[i] = history.y(newest[i], offset + at, width, memory + i * width);
    }
    row_y_[row] = running_sums(
        width, [&](int x) { return squares(rows, y_unit_, x); }, square_y_.data() + at);
  });
  const auto exchange_rows = [&](auto& values, size_t each) {
    exchange(share_.ranks(), std::span(values.data(), plane.height * each),
             [&](int of_rank) { return first_row(of_rank) * each; });
  };
  exchange_rows(square_s_, width);
  exchange_rows(square_y_, width);
  exchange_rows(row_s_, 1);
  exchange_rows(row_y_, 1);
}

void LocalScales::learn_plane(const Size& plane, size_t offset, double mean, History& history,
                              std::span<const size_t> places, std::span<float> gradient) {
  const int width = plane.width;
  sum_rows(plane, offset, history, places.first(std::min(places.size(), kNewest)));
  double all_s = 0, all_y = 0;
  for (int row = 0; row < plane.height; ++row) {
    all_s += row_s_[row];
    all_y += row_y_[row];
  }
  if (!(all_s > 0 && all_y > 0)) return;
  const double cells = (2.0 * kRadius + 1) * (2.0 * kRadius + 1);
  const double least_s = kShare * all_s / floats(plane) * cells;
  const double least_y = kShare * all_y / floats(plane) * cells;
  pool_.run(plane.height, [&](size_t task, int thread) {
    const int row = static_cast<int>(task);
    const int first = std::max(row - kRadius, 0);
    const int last = std::min(row + kRadius, plane.height - 1);
    const size_t at = offset + static_cast<size_t>(row) * width;
    const std::span<float> memory = pool_.thread_scratch(thread, size_t{2} * width);
    const std::span<float> q = memory.first(width);
    for (int x = 0; x < width; ++x) {
      double sum_s = least_s, sum_y = least_y;
      for (int k = first; k <= last; ++k) {
        sum_s += square_s_.data()[static_cast<size_t>(k) * width + x];
        sum_y += square_y_.data()[static_cast<size_t>(k) * width + x];
      }
      const double ratio = sum_s / sum_y / mean;
      q[x] = static_cast<float>(std::clamp(std::pow(ratio, 0.25), 1 / kMostChange, kMostChange));
      r_[at + x] *= q[x];
      gradient[at + x] *= q[x];
    }
    history.rescale(places, at, q, memory.data() + width);
  });
}

}  // namespace limn
