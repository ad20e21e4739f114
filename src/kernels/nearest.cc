// Nearest neighbours: for each query x_i the candidate y_j with the highest score,
//
//   score(i, j) = <x_i, y_j> + b_j,      match(i) = the first j with the highest score
//
// If every y_j has length 1 and b = 0, that is the largest cosine (the query's own length makes no
// difference); if b_j = -|y_j|^2 / 2, it is the smallest distance. A lower b_j keeps a candidate
// from being chosen too often.
//
// The scores are one large matrix product, of which only each row's maximum is needed, so it is
// never stored. A task is kQueries queries; candidates come in panels of kPanel, whose scores stay
// in the near cache:
//
//     V, the task's queries    [channels / 16][kQueries][16 channels]
//     U, a panel of candidates [kPanel / 16][channels][16 candidates]    streamed, once per task
//     M = U V                  [kPanel / 16][kQueries][16 candidates]
//     best, its candidate      [kQueries][16 lanes]
//
// Every lane keeps the first of its own highest scores; after the last panel the lanes are
// compared. A score's sum runs over the channels in an order that depends on their number only, so
// the matches do not depend on threads, nor on where a query stands.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/nearest.cc"
#include <hwy/foreach_target.h>
// clang-format off: after foreach_target.h
#include "kernels/cell-inl.h"
// clang-format on

#include <algorithm>
#include <cstring>
#include <limits>

#include "kernels/amx.h"
#include "kernels/kernels.h"
#include "kernels/products-inl.h"

HWY_BEFORE_NAMESPACE();
namespace limn::kernels::HWY_NAMESPACE {

constexpr int kQueries = 96;  // a multiple of every kGroup, and of kAmxRows
constexpr int kPanel = PackedCandidates::kPanel;
static_assert(kQueries % kGroup == 0 && kQueries % kAmxRows == 0);
static_assert(kPanel % kAmxOutputs == 0 && kPanel % (kPairBlocks * kBlock) == 0);

// How a task's scratch memory is laid out, in floats.
struct NearestScratch {
  explicit NearestScratch(int channels)
      : amx(amx_serves(kLanes, channels, kPanel)),
        strides(channels, kQueries, kPanel / kBlock),
        rows{nullptr, channels, kQueries} {}
  bool amx;
  Strides strides;
  AmxRows rows;

  static constexpr size_t kLaneFloats = static_cast<size_t>(kQueries) * kBlock;
  size_t V() const { return 0; }
  size_t M() const { return strides.v_point; }
  size_t best() const { return M() + strides.m_point; }
  size_t candidate() const { return best() + kLaneFloats; }
  size_t parts() const { return candidate() + kLaneFloats; }
  size_t end() const {
    return parts() + (amx ? amx_floats(rows.values() + AmxProducts::kScratch) : 0);
  }
};

size_t NearestFloats(int channels) { return NearestScratch(channels).end(); }
int NearestTasks(int queries) { return (queries + kQueries - 1) / kQueries; }

// best, candidate = what each lane has seen until now, this panel of scores M + bias included.
void compare_panel(const float* HWY_RESTRICT M, size_t m_block, const float* HWY_RESTRICT bias,
                   int first_candidate, int rows, float* HWY_RESTRICT best,
                   int32_t* HWY_RESTRICT candidate) {
  const CellTag d;
  const hn::RebindToSigned<CellTag> di;
  for (int block = 0; block < kPanel / kBlock; ++block) {
    for (int v = 0; v < kVectors; ++v) {
      const int place = block * kBlock + v * kLanes;
      const auto b = hn::Load(d, bias + place);
      const auto own = hn::Iota(di, first_candidate + place);
      for (int r = 0; r < rows; ++r) {
        const size_t cell = static_cast<size_t>(r) * kBlock + v * kLanes;
        const auto score = hn::Add(hn::Load(d, M + block * m_block + cell), b);
        const auto before = hn::Load(d, best + cell);
        const auto better = hn::Gt(score, before);
        hn::Store(hn::IfThenElse(better, score, before), d, best + cell);
        hn::Store(hn::IfThenElse(hn::RebindMask(di, better), own, hn::Load(di, candidate + cell)),
                  di, candidate + cell);
      }
    }
  }
}

// Queries number task * kQueries and on.
void NearestTask(const Vectors& x, const PackedCandidates& y, std::span<const float> bias,
                 size_t task, float* scratch, std::span<int> match, std::span<float> score) {
  const NearestScratch layout(x.channels);
  const Strides& strides = layout.strides;
  const int first = static_cast<int>(task) * kQueries;
  const int rows = std::min(kQueries, x.count - first);
  const int in_blocks = x.channels / kBlock;
  float* const V = scratch + layout.V();
  float* const M = scratch + layout.M();
  float* const best = scratch + layout.best();
  auto* const candidate = reinterpret_cast<int32_t*>(scratch + layout.candidate());
  for (int block = 0; block < in_blocks; ++block) {
    float* to = V + block * strides.block;
    std::memcpy(to, x.cell(block, first), rows * kBlock * sizeof(float));
    std::fill(to + rows * kBlock, to + strides.block, 0.0f);
  }
  std::fill_n(best, NearestScratch::kLaneFloats, -std::numeric_limits<float>::infinity());
  std::fill_n(candidate, NearestScratch::kLaneFloats, 0);

  const size_t panel_floats = static_cast<size_t>(kPanel) * x.channels;
  const size_t u_block = static_cast<size_t>(kBlock) * x.channels;
  const int panels = (y.count + kPanel - 1) / kPanel;
  const auto compare = [&](int panel) {
    // Those that fill up the last panel are never the best.
    HWY_ALIGN float biases[kPanel];
    const int first_candidate = panel * kPanel;
    const int count = std::min(kPanel, y.count - first_candidate);
    std::copy_n(bias.data() + first_candidate, count, biases);
    std::fill(biases + count, biases + kPanel, -std::numeric_limits<float>::infinity());
    compare_panel(M, strides.block, biases, first_candidate, rows, best, candidate);
  };
  if (layout.amx) {
    AmxRows parts = layout.rows;
    parts.parts = reinterpret_cast<uint16_t*>(scratch + layout.parts());
    amx_cut(V, strides.block, parts);
    AmxProducts products(parts.parts + parts.values(), y.values.data(), x.channels);
    const AmxRegisters registers;
    for (int panel = 0; panel < panels; ++panel) {
      const float* U = y.values.data() + panel * panel_floats;
      products.multiply_all(parts, U, kPanel, M, strides.block,
                            panel + 1 < panels ? U + panel_floats : nullptr);
      compare(panel);
    }
  } else {
    for (int panel = 0; panel < panels; ++panel) {
      const float* U = y.values.data() + panel * panel_floats;
      for (int block = 0; block < kPanel / kBlock; block += kPairBlocks) {
        multiply<kPairBlocks>(U + block * u_block, u_block, V, in_blocks, rows, strides,
                              M + block * strides.block);
      }
      compare(panel);
    }
  }

  for (int r = 0; r < rows; ++r) {
    const float* lanes = best + r * kBlock;
    const int32_t* candidates = candidate + r * kBlock;
    int lane = 0;
    for (int other = 1; other < kBlock; ++other) {
      const bool earlier = candidates[other] < candidates[lane];
      if (lanes[other] > lanes[lane] || (lanes[other] == lanes[lane] && earlier)) lane = other;
    }
    match[first + r] = candidates[lane];
    score[first + r] = lanes[lane];
  }
}

}  // namespace limn::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limn::kernels {

HWY_EXPORT(NearestFloats);
HWY_EXPORT(NearestTasks);
HWY_EXPORT(NearestTask);

Vectors positions_of(ConstFeatureMap F) {
  const int count = (F.height - 1) * (F.width + 2) + F.width;
  return {F.cell(0, 0, 0), F.channels, count, F.plane_stride()};
}

PackedCandidates pack_candidates(const Vectors& y, ThreadPool& pool) {
  assert(y.channels % kBlock == 0 && y.count > 0);
  constexpr int kPanel = PackedCandidates::kPanel;
  const size_t padded = static_cast<size_t>(y.count + kPanel - 1) / kPanel * kPanel;
  PackedCandidates packed;
  packed.channels = y.channels;
  packed.count = y.count;
  packed.values = Buffer<float>(padded * y.channels);
  const int blocks = y.channels / kBlock;
  pool.run(padded / kBlock, [&](size_t group) {
    float* to = packed.values.data() + group * kBlock * y.channels;
    const int first = static_cast<int>(group) * kBlock;
    const int end = std::min(first + kBlock, y.count);
    for (int block = 0; block < blocks; ++block, to += kBlock * kBlock) {
      for (int j = first; j < end; ++j) {
        const float* cell = y.cell(block, j);
        for (int c = 0; c < kBlock; ++c) to[c * kBlock + (j - first)] = cell[c];
      }
    }
  });
  return packed;
}

void nearest(const Vectors& x, const PackedCandidates& y, std::span<const float> bias,
             std::span<int> match, std::span<float> score, ThreadPool& pool) {
  assert(x.channels == y.channels && bias.size() == static_cast<size_t>(y.count) &&
         match.size() == static_cast<size_t>(x.count) && score.size() == match.size());
  const size_t floats = HWY_DYNAMIC_DISPATCH(NearestFloats)(x.channels);
  pool.run(HWY_DYNAMIC_DISPATCH(NearestTasks)(x.count), [&](size_t task, int thread) {
    HWY_DYNAMIC_DISPATCH(NearestTask)
    (x, y, bias, task, pool.thread_scratch(thread, floats).data(), match, score);
  });
}

}  // namespace limn::kernels
#endif  // HWY_ONCE
