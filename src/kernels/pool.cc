// ReLU and 2 x 2 pooling, forward and backward: memory-bound passes with little arithmetic.
//
// What backward needs is kept as bits, not as feature maps: the sign of every input of a ReLU, and
// for max pooling which of the four cells won.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/pool.cc"
#include <hwy/foreach_target.h>
// clang-format off: after foreach_target.h
#include "kernels/cell-inl.h"
// clang-format on

#include "kernels/kernels.h"
#include "kernels/pieces.h"

HWY_BEFORE_NAMESPACE();
namespace limn::kernels::HWY_NAMESPACE {

// Calls row(block, y) for every row of every block.
template <typename RowFunction>
void for_each_row(int blocks, int height, ThreadPool& pool, RowFunction&& row) {
  pool.run(static_cast<size_t>(blocks) * height, [&](size_t task) {
    row(static_cast<int>(task / height), static_cast<int>(task % height));
  });
}

void Relu(ConstFeatureMap x, FeatureMap y, const CellBits& signs, ThreadPool& pool) {
  const CellTag d;
  for_each_row(x.blocks(), x.height, pool, [&](int block, int row) HWY_ATTR {
    const float* from = x.cell(block, row, 0);
    float* to = y.cell(block, row, 0);
    uint16_t* words = signs.row(block, row);
    for (int i = 0; i < x.width; ++i, from += kBlock, to += kBlock) {
      unsigned bits = 0;
      for (int v = 0; v < kVectors; ++v) {
        const auto value = hn::Load(d, from + v * kLanes);
        bits |= mask_bits(hn::Gt(value, hn::Zero(d)), v);
        hn::Store(hn::Max(value, hn::Zero(d)), d, to + v * kLanes);
      }
      words[i] = static_cast<uint16_t>(bits);
    }
  });
}

// to += value where the mask is set.
HWY_INLINE void add_where(hn::Mask<CellTag> mask, CellVector value, float* to) {
  const CellTag d;
  hn::Store(hn::Add(hn::Load(d, to), hn::IfThenElseZero(mask, value)), d, to);
}

void ReluBackward(const CellBits& signs, FeatureMap d_x, ThreadPool& pool) {
  const CellTag d;
  for_each_row(d_x.blocks(), d_x.height, pool, [&](int block, int row) HWY_ATTR {
    float* cell = d_x.cell(block, row, 0);
    const uint16_t* words = signs.row(block, row);
    for (int i = 0; i < d_x.width; ++i, cell += kBlock) {
      for (int v = 0; v < kVectors; ++v) {
        const auto kept = hn::IfThenElseZero(mask_of(words[i], v), hn::Load(d, cell + v * kLanes));
        hn::Store(kept, d, cell + v * kLanes);
      }
    }
  });
}

void AddReluBackward(const CellBits& signs, ConstFeatureMap d_y, FeatureMap d_x, ThreadPool& pool) {
  const CellTag d;
  for_each_row(d_x.blocks(), d_x.height, pool, [&](int block, int row) HWY_ATTR {
    const float* from = d_y.cell(block, row, 0);
    float* to = d_x.cell(block, row, 0);
    const uint16_t* words = signs.row(block, row);
    for (int i = 0; i < d_x.width; ++i, from += kBlock, to += kBlock) {
      for (int v = 0; v < kVectors; ++v) {
        add_where(mask_of(words[i], v), hn::Load(d, from + v * kLanes), to + v * kLanes);
      }
    }
  });
}

void KeepWherePositive(ConstFeatureMap F, FeatureMap d_F) {
  const CellTag d;
  for (int block = 0; block < F.blocks(); ++block) {
    for (int row = 0; row < F.height; ++row) {
      const float* f = F.cell(block, row, 0);
      float* to = d_F.cell(block, row, 0);
      for (int i = 0; i < F.width * kBlock; i += kLanes) {
        const auto positive = hn::Gt(hn::Load(d, f + i), hn::Zero(d));
        hn::Store(hn::IfThenElseZero(positive, hn::Load(d, to + i)), d, to + i);
      }
    }
  }
}

void MaxPool(ConstFeatureMap x, FeatureMap y, const MaxPlaces& places, ThreadPool& pool) {
  const CellTag d;
  for_each_row(y.blocks(), y.height, pool, [&](int block, int row) HWY_ATTR {
    const float* above = x.cell(block, 2 * row, 0);
    const float* below = x.cell(block, 2 * row + 1, 0);
    float* to = y.cell(block, row, 0);
    uint16_t* right_words = places.right.row(block, row);
    uint16_t* below_words = places.below.row(block, row);
    for (int i = 0; i < y.width; ++i, to += kBlock, above += 2 * kBlock, below += 2 * kBlock) {
      unsigned right_bits = 0;
      unsigned below_bits = 0;
      for (int v = 0; v < kVectors; ++v) {
        const auto a = hn::Load(d, above + v * kLanes);
        const auto b = hn::Load(d, above + kBlock + v * kLanes);
        const auto e = hn::Load(d, below + v * kLanes);
        const auto f = hn::Load(d, below + kBlock + v * kLanes);
        const Maximum maximum = maximum_of(a, b, e, f);
        hn::Store(maximum.value, d, to + v * kLanes);
        right_bits |= mask_bits(maximum.right, v);
        below_bits |= mask_bits(maximum.below, v);
      }
      right_words[i] = static_cast<uint16_t>(right_bits);
      below_words[i] = static_cast<uint16_t>(below_bits);
    }
  });
}

void MaxPoolBackward(const MaxPlaces& places, ConstFeatureMap d_y, FeatureMap d_x,
                     ThreadPool& pool) {
  const CellTag d;
  for_each_row(d_x.blocks(), d_x.height, pool, [&](int block, int row) HWY_ATTR {
    float* to = d_x.cell(block, row, 0);
    const int pooled_row = row / 2;
    if (pooled_row >= d_y.height) return;  // the odd last row, which pooling dropped
    const unsigned row_flip = row % 2 == 1 ? 0u : 0xffffu;  // bits set where this row won
    const float* from = d_y.cell(block, pooled_row, 0);
    const uint16_t* right_words = places.right.row(block, pooled_row);
    const uint16_t* below_words = places.below.row(block, pooled_row);
    for (int i = 0; i < d_y.width; ++i, from += kBlock, to += 2 * kBlock) {
      const unsigned won = below_words[i] ^ row_flip;
      for (int v = 0; v < kVectors; ++v) {
        const auto gradient = hn::Load(d, from + v * kLanes);
        const auto left = mask_of(won & ~unsigned{right_words[i]}, v);
        const auto right = mask_of(won & right_words[i], v);
        add_where(left, gradient, to + v * kLanes);
        add_where(right, gradient, to + kBlock + v * kLanes);
      }
    }
  });
}

void AveragePool(ConstFeatureMap x, FeatureMap y, ThreadPool& pool) {
  const CellTag d;
  for_each_row(y.blocks(), y.height, pool, [&](int block, int row) HWY_ATTR {
    const bool two_rows = 2 * row + 1 < x.height;
    float* to = y.cell(block, row, 0);
    for (int i = 0; i < y.width; ++i, to += kBlock) {
      const bool two_columns = 2 * i + 1 < x.width;
      // Cells past the edge are the ring's zeros and add nothing; only the divisor changes.
      const auto share = hn::Set(d, pooling_share(two_rows, two_columns));
      const float* above = x.cell(block, 2 * row, 2 * i);
      const float* below = x.cell(block, 2 * row + 1, 2 * i);
      for (int v = 0; v < kVectors; ++v) {
        const auto upper =
            hn::Add(hn::Load(d, above + v * kLanes), hn::Load(d, above + kBlock + v * kLanes));
        const auto lower =
            hn::Add(hn::Load(d, below + v * kLanes), hn::Load(d, below + kBlock + v * kLanes));
        hn::Store(hn::Mul(hn::Add(upper, lower), share), d, to + v * kLanes);
      }
    }
  });
}

void AveragePoolBackward(ConstFeatureMap d_y, FeatureMap d_x, ThreadPool& pool) {
  const CellTag d;
  for_each_row(d_x.blocks(), d_x.height, pool, [&](int block, int row) HWY_ATTR {
    const bool two_rows = (row | 1) < d_x.height;
    float* to = d_x.cell(block, row, 0);
    for (int i = 0; i < d_x.width; ++i, to += kBlock) {
      const bool two_columns = (i | 1) < d_x.width;
      const auto share = hn::Set(d, pooling_share(two_rows, two_columns));
      const float* from = d_y.cell(block, row / 2, i / 2);
      for (int v = 0; v < kVectors; ++v) {
        const auto sum =
            hn::MulAdd(hn::Load(d, from + v * kLanes), share, hn::Load(d, to + v * kLanes));
        hn::Store(sum, d, to + v * kLanes);
      }
    }
  });
}

}  // namespace limn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limn::kernels {

HWY_EXPORT(Relu);
HWY_EXPORT(ReluBackward);
HWY_EXPORT(AddReluBackward);
HWY_EXPORT(KeepWherePositive);
HWY_EXPORT(MaxPool);
HWY_EXPORT(MaxPoolBackward);
HWY_EXPORT(AveragePool);
HWY_EXPORT(AveragePoolBackward);

void relu(ConstFeatureMap x, FeatureMap y, const CellBits& signs, ThreadPool& pool) {
  assert(x.channels == y.channels && x.height == y.height && x.width == y.width);
  HWY_DYNAMIC_DISPATCH(Relu)(x, y, signs, pool);
}

void relu_backward(const CellBits& signs, FeatureMap d, ThreadPool& pool) {
  assert(signs.height == d.height && signs.width == d.width);
  HWY_DYNAMIC_DISPATCH(ReluBackward)(signs, d, pool);
}

void add_relu_backward(const CellBits& signs, ConstFeatureMap d_y, FeatureMap d_x,
                       ThreadPool& pool) {
  assert(d_y.channels == d_x.channels && d_y.height == d_x.height && d_y.width == d_x.width);
  assert(signs.height == d_x.height && signs.width == d_x.width);
  HWY_DYNAMIC_DISPATCH(AddReluBackward)(signs, d_y, d_x, pool);
}

void keep_where_positive(ConstFeatureMap F, FeatureMap d) {
  assert(F.channels == d.channels && F.height == d.height && F.width == d.width);
  HWY_DYNAMIC_DISPATCH(KeepWherePositive)(F, d);
}

void max_pool(ConstFeatureMap x, FeatureMap y, const MaxPlaces& places, ThreadPool& pool) {
  assert(y.channels == x.channels && y.height == x.height / 2 && y.width == x.width / 2);
  HWY_DYNAMIC_DISPATCH(MaxPool)(x, y, places, pool);
}

void max_pool_backward(const MaxPlaces& places, ConstFeatureMap d_y, FeatureMap d_x,
                       ThreadPool& pool) {
  assert(d_y.channels == d_x.channels);
  assert(d_y.height == d_x.height / 2 && d_y.width == d_x.width / 2);
  HWY_DYNAMIC_DISPATCH(MaxPoolBackward)(places, d_y, d_x, pool);
}

void average_pool(ConstFeatureMap x, FeatureMap y, ThreadPool& pool) {
  assert(y.channels == x.channels);
  assert(y.height == (x.height + 1) / 2 && y.width == (x.width + 1) / 2);
  HWY_DYNAMIC_DISPATCH(AveragePool)(x, y, pool);
}

void average_pool_backward(ConstFeatureMap d_y, FeatureMap d_x, ThreadPool& pool) {
  assert(d_y.channels == d_x.channels);
  assert(d_y.height == (d_x.height + 1) / 2 && d_y.width == (d_x.width + 1) / 2);
  HWY_DYNAMIC_DISPATCH(AveragePoolBackward)(d_y, d_x, pool);
}

}  // namespace limn::kernels
#endif  // HWY_ONCE
