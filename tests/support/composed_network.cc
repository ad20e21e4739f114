#include "support/composed_network.h"

#include <algorithm>
#include <cmath>

#include "kernels/reference.h"
#include "support/drawn.h"

namespace limn {
namespace {

float zero(int, int, int) { return 0.0f; }

GuardedMap zeros_like(const GuardedMap& guarded) {
  const ConstFeatureMap map = guarded;
  return {map.channels, map.height, map.width, zero};
}

void add(GuardedMap& sum, const GuardedMap& u) {
  sum.fill([&](int c, int y, int x) { return sum.at(c, y, x) + u.at(c, y, x); });
}

}  // namespace

const Convolution& ComposedNetwork::convolution_of(int row) const {
  size_t number = 0;
  for (int i = 0; i < row; ++i) {
    number += weights_.network->rows[i].kind == RowKind::convolution ? 1 : 0;
  }
  return weights_.convolutions[number];
}

void ComposedNetwork::forward(const GuardedPlanes& x, int height, int width, int last_row) {
  rows_.clear();
  for (int row = 0; row <= last_row; ++row) {
    const Row& shape = weights_.network->rows[row];
    RowMaps maps;
    if (shape.kind == RowKind::convolution) {
      const Convolution& convolution = convolution_of(row);
      maps.before_relu.emplace(shape.out, height, width, zero);
      maps.output.emplace(shape.out, height, width, zero);
      maps.signs.emplace(shape.out, height, width);
      if (row == 0) {
        reference::convolve_input(unpacked(convolution.kernel), convolution.bias.data(), x,
                                  *maps.before_relu, nullptr);
      } else {
        reference::convolve(unpacked(convolution.kernel), convolution.bias.data(),
                            *rows_[row - 1].output, *maps.before_relu);
      }
      reference::relu(*maps.before_relu, *maps.output, maps.signs->bits());
    } else {
      const bool max = pooling_ == Pooling::max;
      height = max ? height / 2 : (height + 1) / 2;
      width = max ? width / 2 : (width + 1) / 2;
      maps.output.emplace(shape.out, height, width, zero);
      maps.right.emplace(shape.out, height, width);
      maps.below.emplace(shape.out, height, width);
      if (max) {
        reference::max_pool(*rows_[row - 1].output, *maps.output,
                            {maps.right->bits(), maps.below->bits()});
      } else {
        reference::average_pool(*rows_[row - 1].output, *maps.output);
      }
    }
    if (edges_ == Edges::periodic) reference::wrap_ring(*maps.output);
    rows_.push_back(std::move(maps));
  }
}

const GuardedMap& ComposedNetwork::features(const LayerPosition& position) const {
  const RowMaps& maps = rows_[position.row];
  return position.tap == Tap::before_relu ? *maps.before_relu : *maps.output;
}

bool ComposedNetwork::is_decided(double tolerance) const {
  const auto largest = [](const ConstFeatureMap& map) {
    float most = 0;
    for_each_value(map.channels, map.height, map.width,
                   [&](int c, int y, int x) { most = std::max(most, std::abs(map.at(c, y, x))); });
    return most;
  };
  bool decided = true;
  for (size_t row = 0; row < rows_.size(); ++row) {
    const RowMaps& maps = rows_[row];
    if (maps.signs) {
      const ConstFeatureMap F = *maps.before_relu;
      const double least = tolerance * largest(F);
      for_each_value(F.channels, F.height, F.width,
                     [&](int c, int y, int x) { decided &= std::abs(F.at(c, y, x)) > least; });
    } else if (pooling_ == Pooling::max) {
      const ConstFeatureMap F = *rows_[row - 1].output;
      const ConstFeatureMap pooled = *maps.output;
      const double least = 2 * tolerance * largest(F);  // either may be off
      for_each_value(pooled.channels, pooled.height, pooled.width, [&](int c, int y, int x) {
        float cells[4];
        for (int i = 0; i < 4; ++i) cells[i] = F.at(c, 2 * y + i / 2, 2 * x + i % 2);
        std::sort(cells, cells + 4);
        decided &= cells[3] == 0 || cells[3] - cells[2] > least;  // 0: no gradient passes
      });
    }
  }
  return decided;
}

GuardedPlanes ComposedNetwork::backward(std::span<const Gradient> gradients) const {
  const auto add_gradients = [&](int row, Tap tap, GuardedMap& d) {
    for (const Gradient& gradient : gradients) {
      if (gradient.position.row == row && gradient.position.tap == tap) add(d, *gradient.u);
    }
  };
  std::optional<GuardedMap> d(zeros_like(*rows_.back().output));
  for (int row = static_cast<int>(rows_.size()) - 1;; --row) {
    const RowMaps& maps = rows_[row];
    add_gradients(row, Tap::output, *d);
    if (maps.signs) {
      reference::relu_backward(maps.signs->bits(), *d);
      add_gradients(row, Tap::before_relu, *d);
    }
    if (edges_ == Edges::periodic) reference::wrap_ring(*d);
    if (row == 0) break;
    GuardedMap d_x = zeros_like(*rows_[row - 1].output);
    if (maps.signs) {
      reference::convolve_backward(unpacked(convolution_of(row).kernel), *d, d_x);
    } else if (pooling_ == Pooling::max) {
      reference::max_pool_backward({maps.right->bits(), maps.below->bits()}, *d, d_x);
    } else {
      reference::average_pool_backward(*d, d_x);
    }
    d.emplace(std::move(d_x));
  }
  const ConstFeatureMap first = *rows_.front().output;
  GuardedPlanes d_input(first.height, first.width, zero);
  reference::convolve_input_backward(unpacked(weights_.convolutions.front().kernel), *d, d_input);
  return d_input;
}

SmallNetwork::SmallNetwork() {
  constexpr auto kConvolution = RowKind::convolution;
  constexpr auto kPooling = RowKind::pooling;
  rows = {
      {kConvolution, "1_1", 3, 16},  {kConvolution, "1_2", 16, 32}, {kPooling, "1", 32, 32},
      {kConvolution, "2_1", 32, 16}, {kConvolution, "2_2", 16, 48}, {kPooling, "2", 48, 48},
      {kConvolution, "3_1", 48, 32}, {kPooling, "3", 32, 32},       {kConvolution, "4_1", 32, 16}};
  table = {"small", rows};
  weights.network = &table;
  weights.source = "small.h5";
  Random stream(12);
  weights.convolutions = draw_convolutions(table, stream);
}

}  // namespace limn
