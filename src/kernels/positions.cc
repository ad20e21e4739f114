// Features weighted position by position, per-channel sums and sums of squares, and their
// gradients: memory-bound passes with little arithmetic.
//
// Sums and products are taken in double, so that the variance can be computed as the mean of
// squares minus the squared mean: double has digits to spare for the cancellation. A map is cut
// into slices of rows, whose sums are added in order.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/positions.cc"
#include <hwy/foreach_target.h>
// clang-format off: after foreach_target.h
#include "kernels/cell-inl.h"
// clang-format on

#include <algorithm>

#include "kernels/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace limn::kernels::HWY_NAMESPACE {

// Row `row` of a block. m: for this row, or null for 1. mean: for this block, or null for 0.
void WeighRow(ConstFeatureMap F, const float* m, const float* mean, FeatureMap X, int block,
              int row) {
  const CellTag d;
  const float* from = F.cell(block, row, 0);
  float* to = X.cell(block, row, 0);
  for (int x = 0; x < F.width; ++x, from += kBlock, to += kBlock) {
    const auto root = hn::Set(d, m ? m[x] : 1.0f);
    for (int i = 0; i < kBlock; i += kLanes) {
      auto value = hn::Load(d, from + i);
      if (mean) value = hn::Sub(value, hn::LoadU(d, mean + i));
      hn::Store(hn::Mul(root, value), d, to + i);
    }
  }
}

void AddWeighedRow(ConstFeatureMap X, const float* m, FeatureMap d_F, int block, int row) {
  const CellTag d;
  const float* from = X.cell(block, row, 0);
  float* to = d_F.cell(block, row, 0);
  for (int x = 0; x < X.width; ++x, from += kBlock, to += kBlock) {
    const auto root = hn::Set(d, m[x]);
    for (int i = 0; i < kBlock; i += kLanes) {
      hn::Store(hn::MulAdd(root, hn::Load(d, from + i), hn::Load(d, to + i)), d, to + i);
    }
  }
}

// a and b: for this block.
void AddMomentsGradientRow(const float* a, const float* b, ConstFeatureMap F, const float* m,
                           FeatureMap d_F, int block, int row) {
  const CellTag d;
  const float* from = F.cell(block, row, 0);
  float* to = d_F.cell(block, row, 0);
  for (int x = 0; x < F.width; ++x, from += kBlock, to += kBlock) {
    const auto weight = hn::Set(d, m ? m[x] * m[x] : 1.0f);
    for (int i = 0; i < kBlock; i += kLanes) {
      const auto slope =
          hn::MulAdd(hn::LoadU(d, b + i), hn::Load(d, from + i), hn::LoadU(d, a + i));
      hn::Store(hn::MulAdd(weight, slope, hn::Load(d, to + i)), d, to + i);
    }
  }
}

using DoubleTag = hn::CappedTag<double, 8>;
constexpr int kDoubles = hn::MaxLanes(DoubleTag());

// sums, squares: [16], of one block at rows first_row..end_row - 1, "=". m: the map's, or null.
void BlockMoments(ConstFeatureMap F, const float* m, int block, int first_row, int end_row,
                  double* sums, double* squares) {
  const DoubleTag d;
  const hn::Rebind<float, DoubleTag> half;
  constexpr int kParts = kBlock / kDoubles;
  hn::Vec<DoubleTag> sum[kParts], square[kParts];
  unrolled<kParts>([&](auto k) HWY_ATTR { sum[k] = square[k] = hn::Zero(d); });
  for (int y = first_row; y < end_row; ++y) {
    const float* cell = F.cell(block, y, 0);
    const float* root = m ? m + static_cast<size_t>(y) * F.width : nullptr;
    for (int x = 0; x < F.width; ++x, cell += kBlock) {
      const auto weight = hn::Set(d, root ? double{root[x]} * root[x] : 1.0);
      unrolled<kParts>([&](auto k) HWY_ATTR {
        const auto value = hn::PromoteTo(d, hn::Load(half, cell + k * kDoubles));
        const auto weighed = hn::Mul(weight, value);
        sum[k] = hn::Add(sum[k], weighed);
        square[k] = hn::MulAdd(weighed, value, square[k]);
      });
    }
  }
  unrolled<kParts>([&](auto k) HWY_ATTR {
    hn::StoreU(sum[k], d, sums + k * kDoubles);
    hn::StoreU(square[k], d, squares + k * kDoubles);
  });
}

}  // namespace limn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limn::kernels {

HWY_EXPORT(WeighRow);
HWY_EXPORT(AddWeighedRow);
HWY_EXPORT(AddMomentsGradientRow);
HWY_EXPORT(BlockMoments);

namespace {

// 64 tasks at 64 channels, as large maps have.
int moment_slices(ConstFeatureMap F) { return std::min(F.height, 16); }

// The part of an optional span that belongs to a row or a block.
const float* row_of(std::span<const float> m, ConstFeatureMap F, int row) {
  assert(m.empty() || m.size() == F.positions());
  return m.empty() ? nullptr : &m[static_cast<size_t>(row) * F.width];
}
const float* block_of(std::span<const float> values, int block) {
  assert(values.empty() || values.size() >= (static_cast<size_t>(block) + 1) * kBlock);
  return values.empty() ? nullptr : &values[static_cast<size_t>(block) * kBlock];
}

// Calls work(block, row) for every row of every block.
template <typename Work>
void for_each_row(ConstFeatureMap F, ThreadPool& pool, const Work& work) {
  pool.run(static_cast<size_t>(F.blocks()) * F.height, [&](size_t task) {
    work(static_cast<int>(task / F.height), static_cast<int>(task % F.height));
  });
}

}  // namespace

void weigh(ConstFeatureMap F, std::span<const float> m, std::span<const float> mean, FeatureMap X,
           ThreadPool& pool) {
  assert(X.channels == F.channels && X.height == F.height && X.width == F.width);
  for_each_row(F, pool, [&](int block, int row) {
    HWY_DYNAMIC_DISPATCH(WeighRow)
    (F, row_of(m, F, row), block_of(mean, block), X, block, row);
  });
}

void add_weighed(ConstFeatureMap X, std::span<const float> m, FeatureMap d, ThreadPool& pool) {
  assert(d.channels == X.channels && d.height == X.height && d.width == X.width && !m.empty());
  for_each_row(X, pool, [&](int block, int row) {
    HWY_DYNAMIC_DISPATCH(AddWeighedRow)(X, row_of(m, X, row), d, block, row);
  });
}

size_t moments_scratch_size(ConstFeatureMap F) {
  return static_cast<size_t>(moment_slices(F)) * 2 * F.channels;
}

void moments(ConstFeatureMap F, std::span<const float> m, std::span<double> sums,
             std::span<double> squares, std::span<double> scratch, ThreadPool& pool) {
  const size_t C = F.channels;
  assert(sums.size() == C && squares.size() == C && scratch.size() >= moments_scratch_size(F));
  const int slices = moment_slices(F);
  pool.run(static_cast<size_t>(slices) * F.blocks(), [&](size_t task) {
    const int64_t slice = static_cast<int64_t>(task) % slices;
    const int block = static_cast<int>(task) / slices;
    double* partial = &scratch[slice * 2 * C + static_cast<size_t>(block) * kBlock];
    HWY_DYNAMIC_DISPATCH(BlockMoments)
    (F, row_of(m, F, 0), block, static_cast<int>(F.height * slice / slices),
     static_cast<int>(F.height * (slice + 1) / slices), partial, partial + C);
  });
  std::fill(sums.begin(), sums.end(), 0.0);
  std::fill(squares.begin(), squares.end(), 0.0);
  for (int slice = 0; slice < slices; ++slice) {
    const double* partial = &scratch[slice * 2 * C];
    for (size_t c = 0; c < C; ++c) {
      sums[c] += partial[c];
      squares[c] += partial[C + c];
    }
  }
}

void add_moments_gradient(std::span<const float> a, std::span<const float> b, ConstFeatureMap F,
                          std::span<const float> m, FeatureMap d_F, ThreadPool& pool) {
  assert(d_F.channels == F.channels && d_F.height == F.height && d_F.width == F.width);
  assert(!a.empty() && !b.empty());
  for_each_row(F, pool, [&](int block, int row) {
    HWY_DYNAMIC_DISPATCH(AddMomentsGradientRow)
    (block_of(a, block), block_of(b, block), F, row_of(m, F, row), d_F, block, row);
  });
}

void mirror(FeatureMap F, Mirror mirror, ThreadPool& pool) {
  const bool rows = mirror != Mirror::left_right, columns = mirror != Mirror::up_down;
  const int height = F.height, width = F.width;
  // Each task exchanges the cells of one pair of rows, which may be the same row.
  const int pairs = rows ? (height + 1) / 2 : height;
  pool.run(static_cast<size_t>(F.blocks()) * pairs, [&](size_t task) {
    const int block = static_cast<int>(task / pairs);
    const int row = static_cast<int>(task % pairs);
    const int other = rows ? height - 1 - row : row;
    const int end = columns && other == row ? width / 2 : width;
    if (!columns && other == row) return;
    for (int x = 0; x < end; ++x) {
      float* from = F.cell(block, row, x);
      std::swap_ranges(from, from + kBlock, F.cell(block, other, columns ? width - 1 - x : x));
    }
  });
}

}  // namespace limn::kernels
#endif  // HWY_ONCE
