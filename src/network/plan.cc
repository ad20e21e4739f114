#include "network/plan.h"

#include <algorithm>
#include <utility>

#include "kernels/kernels.h"

namespace limn {
namespace {

class Planner {
 public:
  Planner(std::span<const Row> rows, Pooling pooling, int height, int width, Purpose purpose,
          int threads, const Window& core)
      : table_(rows),
        max_pool_(pooling == Pooling::max),
        pooling_(pooling),
        purpose_(purpose),
        threads_(threads) {
    plan_.height = height;
    plan_.width = width;
    plan_.core = core == kEverywhere ? Window{0, height, 0, width} : core;
  }

  PassPlan plan(std::span<const TapRequest> taps) {
    if (taps.empty()) return plan_;
    plan_rows(taps);
    plan_steps();
    for (int row = 0; row < rows(); ++row) {
      plan_output(row);
      plan_bits(row);
      plan_taps(row);
      plan_scratch(row);
    }
    plan_input();
    place_all();
    return std::move(plan_);
  }

 private:
  int rows() const { return static_cast<int>(plan_.rows.size()); }
  int last_step() const { return plan_.rows.back().step; }
  bool is_convolution(int row) const { return table_[row].kind == RowKind::convolution; }
  bool is_fused(int row) const { return plan_.fused_first_level && row <= 2; }
  // Rows whose output is never stored as a map.
  bool is_inside_first_level(int row) const { return plan_.fused_first_level && row <= 1; }

  static bool is_tapped(const RowPlan& row) {
    return row.tap_before_relu != kNoTap || row.tap_output != kNoTap;
  }

  // Walks down the table with the picture's size, and finds who reads what.
  void plan_rows(std::span<const TapRequest> taps) {
    int deepest = -1;
    for (const TapRequest& tap : taps) deepest = std::max(deepest, tap.position.row);
    assert(deepest < static_cast<int>(table_.size()));
    int height = plan_.height;
    int width = plan_.width;
    std::vector<int> strides(deepest + 1, 1);
    for (int row = 0; row <= deepest; ++row) {
      if (row > 0) strides[row] = strides[row - 1] * (is_convolution(row) ? 1 : 2);
      if (!is_convolution(row)) {
        height = pooled_side(pooling_, height);
        width = pooled_side(pooling_, width);
      }
      assert(height > 0 && width > 0);
      RowPlan& plan = plan_.rows.emplace_back();
      plan.channels = table_[row].out;
      plan.height = height;
      plan.width = width;
    }
    for (const TapRequest& tap : taps) {
      RowPlan& row = plan_.rows[tap.position.row];
      const bool before_relu = tap.position.tap == Tap::before_relu;
      (before_relu ? row.tap_before_relu : row.tap_output) = static_cast<int>(plan_.taps.size());
      const Window core = cells_of(plan_.core, {plan_.height, plan_.width},
                                   strides[tap.position.row], row.height, row.width);
      TapPlan planned;
      planned.request = tap;
      planned.shape = {nullptr, row.channels, row.height, row.width};
      planned.core = core;
      planned.cells = {nullptr, row.channels, core.height(), core.width()};
      plan_.taps.push_back(planned);
    }
  }

  // Finds the fused rows, and numbers the steps.
  void plan_steps() {
    // A convolution whose output is read only by the next pooling passes it on tile by tile.
    for (int row = 1; row + 1 < rows(); ++row) {
      plan_.rows[row].pooled =
          is_convolution(row) && !is_convolution(row + 1) && !is_tapped(plan_.rows[row]);
    }
    plan_.fused_first_level = can_fuse_first_level();
    for (int row = 1; row < rows(); ++row) {
      const bool continues = is_fused(row) || plan_.rows[row - 1].pooled;
      plan_.rows[row].step = plan_.rows[row - 1].step + (continues ? 0 : 1);
    }
  }

  // Not if someone needs features inside it, or both of its Gram matrices.
  bool can_fuse_first_level() const {
    if (rows() < 3 || !is_convolution(1) || !plan_.rows[1].pooled) return false;
    const int before = plan_.rows[0].tap_before_relu;
    const int after = plan_.rows[0].tap_output;
    const auto gram_only = [&](int tap) {
      return tap == kNoTap || !plan_.taps[tap].request.features;
    };
    return (before == kNoTap || after == kNoTap) && gram_only(before) && gram_only(after);
  }

  // An output is read in the next step; backward writes its gradient there.
  void plan_output(int row) {
    RowPlan& plan = plan_.rows[row];
    const bool nowhere = is_inside_first_level(row) || plan.pooled || plan.tap_output != kNoTap ||
                         plan_.ends_before_relu(row);
    if (nowhere) return;
    const FeatureMap map = {nullptr, plan.channels, plan.height, plan.width};
    plan.output = {map.floats() * sizeof(float), plan.step, plan.step + 1};
  }

  // A convolution has sign bits, max pooling place bits; fused, both belong to the convolution.
  void plan_bits(int row) {
    if (plan_.fused_first_level && row == 0) return;
    RowPlan& plan = plan_.rows[row];
    const bool of_maxima =
        max_pool_ && (plan.pooled || (!is_convolution(row) && !plan_.rows[row - 1].pooled));
    const RowPlan& cells = plan.pooled && max_pool_ ? plan_.rows[row + 1] : plan;
    const size_t words = bit_words(plan.channels, cells.height, cells.width);
    const int last = purpose_ == Purpose::gradients ? last_step() : plan.step;
    const Region bits = {words * sizeof(std::uint16_t), plan.step, last};
    plan.bits_height = cells.height;
    plan.bits_width = cells.width;
    if (is_convolution(row)) plan.signs = bits;
    if (of_maxima) plan.right = plan.below = bits;
  }

  void plan_taps(int row) {
    RowPlan& plan = plan_.rows[row];
    for (const int index : {plan.tap_before_relu, plan.tap_output}) {
      if (index == kNoTap) continue;
      TapPlan& tap = plan_.taps[index];
      const auto C = static_cast<size_t>(plan.channels);
      if (tap.request.gram) tap.gram = {C * C * sizeof(float), plan.step, last_step()};
      if (is_inside_first_level(row)) {
        const size_t doubles = kernels::first_level_scratch(plan.channels, plan_.rows[1].height);
        plan_.first_level_scratch = {doubles * sizeof(double), 0, 0};
        continue;
      }
      plan_features(tap, plan.step);
      if (!tap.request.gram) continue;
      const size_t doubles = kernels::gram_scratch_size(tap.shape);
      const size_t bytes = std::max(plan.gram_scratch.bytes, doubles * sizeof(double));
      plan.gram_scratch = {bytes, plan.step, plan.step};
    }
  }

  // Losses read features once forward is done, and the gradient overwrites them. Gram matrices are
  // measured as soon as the features exist. Features needed only for a Gram matrix are kept just
  // for the gradient: in half precision if allowed, and not at all without gradients.
  void plan_features(TapPlan& tap, int step) {
    const bool gradients = purpose_ == Purpose::gradients;
    const bool cropped = tap.request.features && tap.core != window_of(tap.shape);
    if (cropped) tap.cropped = {tap.cells.floats() * sizeof(float), step, last_step()};
    const bool read = tap.request.features && (!cropped || tap.request.around);
    const bool for_gradient = gradients && !tap.request.features && !tap.request.half;
    const bool kept = read || for_gradient;
    const int last = kept ? last_step() : std::min(step + 1, last_step());
    tap.map = {tap.shape.floats() * sizeof(float), step, last};
    if (kept || cropped || !gradients || step == last_step()) return;
    const HalfMap half = {nullptr, tap.shape.channels, tap.shape.height, tap.shape.width};
    tap.half = {half.words() * sizeof(std::uint16_t), step + 1, last_step()};
  }

  void plan_scratch(int row) {
    if (!is_convolution(row) || row == 0 || is_inside_first_level(row)) return;
    RowPlan& plan = plan_.rows[row];
    const auto [in, out] = std::pair(table_[row].in, table_[row].out);
    const auto floats = [&](int from, int to) {
      return kernels::convolution_scratch(from, to, plan.height, plan.width, threads_);
    };
    const bool backward = purpose_ == Purpose::gradients;
    const size_t most = std::max(floats(in, out), backward ? floats(out, in) : 0);
    // Leaves room to align each thread's share.
    plan.scratch = {most * sizeof(float) + (threads_ + 1) * kBufferAlignment, plan.step, plan.step};
  }

  void plan_input() {
    const InputPlanes planes = {nullptr, plan_.height, plan_.width};
    plan_.input = {planes.floats() * sizeof(float), 0, 0};
    if (purpose_ != Purpose::gradients) return;
    plan_.d_input = plan_.input;
    if (!plan_.fused_first_level) return;
    const size_t borders = kernels::first_level_borders(plan_.height, plan_.width);
    plan_.borders = {borders * sizeof(float), 0, 0};
  }

  void place_all() {
    std::vector<Region*> regions = {&plan_.input, &plan_.d_input, &plan_.borders,
                                    &plan_.first_level_scratch};
    for (RowPlan& row : plan_.rows) {
      regions.insert(regions.end(), {&row.output, &row.scratch, &row.gram_scratch, &row.signs,
                                     &row.right, &row.below});
    }
    for (TapPlan& tap : plan_.taps) {
      regions.insert(regions.end(), {&tap.map, &tap.half, &tap.gram, &tap.cropped});
    }
    plan_.arena_bytes = place(regions);
  }

  const std::span<const Row> table_;
  const bool max_pool_;
  const Pooling pooling_;
  const Purpose purpose_;
  const int threads_;
  PassPlan plan_;
};

}  // namespace

int pooled_side(Pooling pooling, int side) {
  return pooling == Pooling::max ? side / 2 : (side + 1) / 2;
}

bool PassPlan::ends_before_relu(int row) const {
  return row + 1 == static_cast<int>(rows.size()) && rows[row].tap_before_relu != kNoTap &&
         rows[row].tap_output == kNoTap;
}

Window cells_of(const Window& core, const Size& picture, int stride, int height, int width) {
  return {core.row / stride, core.end_row == picture.height ? height : core.end_row / stride,
          core.column / stride,
          core.end_column == picture.width ? width : core.end_column / stride};
}

PassPlan plan_pass(std::span<const Row> rows, Pooling pooling, int height, int width,
                   std::span<const TapRequest> taps, Purpose purpose, int threads,
                   const Window& core) {
  return Planner(rows, pooling, height, width, purpose, threads, core).plan(taps);
}

}  // namespace limn
