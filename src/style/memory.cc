#include "style/memory.h"

#include <algorithm>
#include <vector>

#include "kernels/kernels.h"
#include "network/network.h"

namespace limn {
namespace {

constexpr double kFloat = sizeof(float);
// Of a process of limn before it has read anything, its libraries included.
constexpr double kProgram = 25e6;

// What losses of non-zero weight read of one row.
struct Use {
  bool content = false;
  bool style = false;
};

std::vector<Use> uses_of(const NetworkTable& network, const Recipe& recipe) {
  std::vector<Use> uses(network.rows.size());
  const auto note = [&](double term_weight, const std::vector<LayerWeight>& layers,
                        bool Use::*kind) {
    for (const LayerWeight& layer : layers) {
      if (term_weight == 0 || layer.weight == 0) continue;
      if (const auto position = find_layer(network, layer.layer)) uses[position->row].*kind = true;
    }
  };
  note(recipe.content.weight, recipe.content.layers, &Use::content);
  note(recipe.style.weight, recipe.style.layers, &Use::style);
  while (!uses.empty() && !uses.back().content && !uses.back().style) uses.pop_back();
  return uses;
}

// A pass over a picture, and the scratch memory that its convolutions use.
struct PassBytes {
  double kept = 0;     // features of taps, bits, input
  double work = 0;     // the two work maps
  double target = 0;   // features that content losses compare with
  double scratch = 0;  // the most that any layer uses
};

PassBytes pass_bytes(const NetworkTable& network, const std::vector<Use>& uses, Pooling pooling,
                     int height, int width, int threads) {
  constexpr double kBits = 2.0 / kBlock;  // bytes of one bit for each channel
  PassBytes bytes;
  bytes.kept = 2 * 3 * kFloat * height * width;
  const bool fused = uses.size() > 2 && !uses[0].content && !uses[1].content && !uses[1].style;
  const auto used = [&](size_t row) { return uses[row].content || uses[row].style; };
  for (size_t row = 0; row < uses.size(); ++row) {
    const Row& r = network.rows[row];
    const bool convolution = r.kind == RowKind::convolution;
    if (!convolution) {
      height = pooled_side(pooling, height);
      width = pooled_side(pooling, width);
    }
    const double map = static_cast<double>(r.out) * height * width;
    const bool pooled = convolution && !used(row) && row + 1 < uses.size() &&
                        network.rows[row + 1].kind == RowKind::pooling;
    const bool in_pieces = fused && row < 2;
    if (used(row) && !in_pieces) bytes.kept += kFloat * map;
    if (uses[row].content) bytes.target += kFloat * map;
    if (convolution && !(fused && row == 0)) {
      // A sign for each value; three bits for each maximum, a quarter of the values.
      bytes.kept += kBits * map * (pooled && pooling == Pooling::max ? 0.75 : 1.0);
    }
    if (!used(row) && !pooled && !in_pieces) bytes.work = std::max(bytes.work, 2 * kFloat * map);
    if (convolution && row > 0 && !in_pieces) {
      const double floats = static_cast<double>(
          std::max(kernels::convolution_scratch(r.in, r.out, height, width, threads),
                   kernels::convolution_scratch(r.out, r.in, height, width, threads)));
      bytes.scratch = std::max(bytes.scratch, kFloat * floats);
    }
  }
  return bytes;
}

// All kernels that a file holds, used or not.
double weight_bytes(const NetworkTable& network) {
  double bytes = 0;
  for (const Row& row : network.rows) {
    if (row.kind == RowKind::convolution) bytes += kFloat * 9 * row.in * row.out;
  }
  return bytes;
}

// Vectors as large as the picture that the optimiser keeps.
double optimiser_vectors(const Recipe& recipe) {
  switch (recipe.optimiser.kind) {
    case OptimiserKind::lbfgs:
      return 2.0 * recipe.optimiser.history;
    case OptimiserKind::adam:
      return 2;
    case OptimiserKind::sgd:
      return 0;
  }
  return 0;
}

}  // namespace

double predict_peak_bytes(const NetworkTable& network, const Recipe& recipe,
                          const MemoryPlan& plan) {
  const std::vector<Use> uses = uses_of(network, recipe);
  const Pooling pooling = recipe.network.pooling;
  const PassBytes painting =
      pass_bytes(network, uses, pooling, plan.painting_height, plan.painting_width, plan.threads);
  const PassBytes picture =
      pass_bytes(network, uses, pooling, plan.height, plan.width, plan.threads);
  // Photo, first picture, x and its gradient stay; painting likewise.
  const double vector = 3 * kFloat * plan.height * plan.width;
  const double pictures = 4 * vector + 3 * kFloat * plan.painting_height * plan.painting_width;
  const double while_measuring = painting.kept + painting.work;
  const double while_painting =
      picture.kept + picture.work + picture.target + optimiser_vectors(recipe) * vector;
  return kProgram + weight_bytes(network) + pictures + std::max(painting.scratch, picture.scratch) +
         std::max(while_measuring, while_painting);
}

}  // namespace limn
