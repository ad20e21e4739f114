#include "losses/structure.h"

#include <cmath>
#include <cstring>
#include <utility>

#include "kernels/kernels.h"

namespace limn {
namespace {

int whole_blocks(int count) { return (count + kBlock - 1) / kBlock * kBlock; }

// A map with places as channels and channels as positions: its Gram matrix compares places.
FeatureMap turned_shape(ConstFeatureMap shape) {
  return {nullptr, whole_blocks(shape.width), 1, shape.channels};
}

size_t matrix_size(ConstFeatureMap shape) {
  const auto n = static_cast<size_t>(whole_blocks(shape.width));
  return n * n;
}

}  // namespace

StructureLoss::StructureLoss(double weight, int every, int tap, Columns& columns,
                             const StructureTarget& target, Scratch& scratch)
    : Loss(Term::content, weight),
      every_(every),
      tap_(tap),
      columns_(columns),
      target_(target),
      shape_(columns.shape()),
      padded_(whole_blocks(shape_.width)),
      photo_(shape_.floats()),
      turned_(turned_shape(shape_).floats()),
      d_turned_(turned_shape(shape_).floats()),
      lengths_(shape_.width),
      of_photo_(matrix_size(shape_)),
      cosines_(matrix_size(shape_)),
      sums_(shape_.width),
      slopes_(matrix_size(shape_)),
      partial_(kernels::gram_scratch_size(turned_shape(shape_))) {
  Scratch::grow(scratch.own, shape_.floats());
}

// The cosines between the columns of X, [n][n]. Also sets the sums.
void StructureLoss::measure_distances(ConstFeatureMap X, Buffer<float>& cosines, ThreadPool& pool) {
  FeatureMap turned = turned_shape(shape_);
  turned.data = turned_.data();
  pool.run(X.width, [&](size_t task) {
    const auto i = static_cast<int>(task);
    double square = 0;
    for (int c = 0; c < X.channels; ++c) square += double{X.at(c, 0, i)} * X.at(c, 0, i);
    lengths_[task] = std::sqrt(square);
    const auto scale = static_cast<float>(square > 0 ? 1 / lengths_[task] : 0);
    for (int c = 0; c < X.channels; ++c) turned.at(i, 0, c) = scale * X.at(c, 0, i);
  });
  kernels::gram(turned, cosines, partial_, pool);
  const auto n = static_cast<size_t>(X.width);
  pool.run(n, [&](size_t j) {  // the matrix is symmetric
    const float* row = cosines.data() + j * padded_;
    sums_[j] = 0;
    for (size_t i = 0; i < n; ++i) sums_[j] += 1 - row[i];
  });
}

void StructureLoss::seek(ThreadPool& pool) {
  FeatureMap P = {photo_.data(), shape_.channels, shape_.height, shape_.width};
  columns_.gather(target_.layers, target_.x, P, pool);
  measure_distances(P, of_photo_, pool);
  const auto n = static_cast<size_t>(shape_.width);
  pool.run(n, [&](size_t i) {
    float* row = of_photo_.data() + i * padded_;
    for (size_t j = 0; j < n; ++j) {
      row[j] = static_cast<float>(sums_[j] > 0 ? (1 - row[j]) / sums_[j] : 0);
    }
  });
}

void StructureLoss::keep(State& state) { stale_ = state.restores(); }

void StructureLoss::measure(const View& view, std::span<double>, Scratch&, ThreadPool& pool) {
  if (std::exchange(stale_, false)) seek(pool);
  measure_distances(view.layers[tap_].F, cosines_, pool);
}

// With c_j = sum_k D(k, j) and e(i, j) the sign of the difference, the slope of D(i, j) is
//   (e(i, j) - sum_k e(k, j) D(k, j) / c_j) / c_j,
// and that of the cosines the negative. Each cosine stands twice in the symmetric matrix.
double StructureLoss::settle(std::span<const double>, Scratch&, ThreadPool& pool) {
  const auto n = static_cast<size_t>(shape_.width);
  std::vector<double> differences(n), mean_signs(n);
  const auto difference = [&](size_t i, size_t j) {
    if (!(sums_[j] > 0)) return 0.0;
    return (1 - cosines_[i * padded_ + j]) / sums_[j] - of_photo_[i * padded_ + j];
  };
  const auto sign = [](double value) { return value > 0 ? 1.0 : value < 0 ? -1.0 : 0.0; };
  pool.run(n, [&](size_t j) {
    for (size_t i = 0; i < n; ++i) {
      const double e = difference(i, j);
      differences[j] += std::abs(e);
      if (sums_[j] > 0) mean_signs[j] += sign(e) * (1 - cosines_[i * padded_ + j]) / sums_[j];
    }
  });
  double sum = 0;
  for (const double part : differences) sum += part;

  const double scale = unit() * factor() / static_cast<double>(n);
  const auto slope = [&](size_t i, size_t j) {
    return sums_[j] > 0 ? -(sign(difference(i, j)) - mean_signs[j]) / sums_[j] : 0;
  };
  pool.run(n, [&](size_t i) {
    for (size_t j = 0; j < n; ++j) {
      slopes_[i * padded_ + j] = static_cast<float>(scale * (slope(i, j) + slope(j, i)));
    }
  });
  return factor() * sum / static_cast<double>(n);
}

void StructureLoss::spread(const View&, std::span<Slope> slopes, Scratch& scratch,
                           ThreadPool& pool) {
  slopes[tap_].sum = scratch.own.data();
  slopes[tap_].addends.emplace_back(
      [this, &pool](ConstFeatureMap X, FeatureMap d) { add_gradient(X, d, pool); });
}

// By the directions u = x / |x|:  d_u = slopes u;  then  d_x += (d_u - <d_u, u> u) / |x|.
void StructureLoss::add_gradient(ConstFeatureMap X, FeatureMap d, ThreadPool& pool) {
  FeatureMap turned = turned_shape(shape_), d_turned = turned;
  turned.data = turned_.data();
  d_turned.data = d_turned_.data();
  std::memset(d_turned.data, 0, d_turned.floats() * sizeof(float));
  kernels::add_gram_gradient(slopes_, turned, d_turned, pool);
  pool.run(X.width, [&](size_t task) {
    const auto i = static_cast<int>(task);
    if (lengths_[task] == 0) return;
    double along = 0;
    for (int c = 0; c < X.channels; ++c) along += double{d_turned.at(i, 0, c)} * turned.at(i, 0, c);
    for (int c = 0; c < X.channels; ++c) {
      const double across = d_turned.at(i, 0, c) - along * turned.at(i, 0, c);
      d.at(c, 0, i) += static_cast<float>(across / lengths_[task]);
    }
  });
}

double structure_bytes(ConstFeatureMap shape) {
  const FeatureMap turned = turned_shape(shape);
  return sizeof(float) *
         (static_cast<double>(shape.floats()) + 2 * static_cast<double>(turned.floats()) +
          3 * static_cast<double>(matrix_size(shape)));
}

}  // namespace limn
