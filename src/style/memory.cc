#include "style/memory.h"

#include <algorithm>

#include "kernels/kernels.h"
#include "network/plan.h"
#include "style/objective.h"
#include "weights/read.h"

namespace limn {
namespace {

constexpr double kFloat = sizeof(float);
constexpr double kDouble = sizeof(double);
// Of a process of limn that has read no file, its libraries included.
constexpr double kProgram = 25e6;
// What reading two pictures and weights adds: code of libraries, and buffers that they keep.
constexpr double kReaders = 18e6;

double weight_bytes(const Weights& weights) {
  double bytes = 0;
  for (const Convolution& convolution : weights.convolutions) {
    bytes += kFloat * static_cast<double>(convolution.kernel.values.size());
  }
  // The built-in network's file, once read, is in memory with the program that it is part of.
  if (weights.source == kBuiltinName) bytes += static_cast<double>(builtin_file().size());
  for (const Imitation& imitation : weights.network->imitations) {
    bytes += (kFloat + kDouble) * static_cast<double>(imitation.K.size());
  }
  return bytes;
}

// What losses compare with: features of the photo, Gram matrices of the painting.
double target_bytes(const PassPlan& picture) {
  double floats = 0;
  for (const TapPlan& tap : picture.taps) {
    const double channels = tap.shape.channels;
    if (tap.request.features) floats += static_cast<double>(tap.shape.floats());
    if (tap.request.gram) floats += channels * channels;
  }
  return kFloat * floats;
}

// What the losses of a student's layers take besides: differences of features, products with K.
double mapped_bytes(const PassPlan& picture, std::span<const LayerInUse> layers) {
  double matrices = 0;  // scratch for the largest
  double gram_sums = 0;
  double floats = 0;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (!layers[i].imitation) continue;
    const FeatureMap& shape = picture.taps[i].shape;
    const auto square = static_cast<double>(layers[i].imitation->K.size());
    if (layers[i].style_weight != 0) matrices = std::max(matrices, 3 * square);
    if (layers[i].content_weight == 0) continue;
    gram_sums = std::max(gram_sums, static_cast<double>(kernels::gram_scratch_size(shape)));
    floats += static_cast<double>(shape.floats()) + 2 * square;
  }
  return kDouble * (matrices + gram_sums) + kFloat * floats;
}

double picture_bytes(int height, int width) { return 3 * kFloat * height * width; }

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

// `vectors`: as large as the picture, besides x and its gradient, once the descent has begun.
double peak_bytes(const Weights& weights, const Recipe& recipe, const WorkingSizes& sizes,
                  int threads, double vectors) {
  const double picture = picture_bytes(sizes.height, sizes.width);
  const std::vector<LayerInUse> layers = layers_in_use(*weights.network, recipe);
  if (layers.empty()) return kProgram + weight_bytes(weights) + (2 + vectors) * picture;
  const std::span<const Row> rows = weights.network->rows;
  const Pooling pooling = recipe.network.pooling;
  const PassPlan of_painting = plan_pass(rows, pooling, sizes.painting_height, sizes.painting_width,
                                         painting_taps(layers), Purpose::features, threads);
  const PassPlan of_picture =
      plan_pass(rows, pooling, sizes.height, sizes.width,
                picture_taps(layers, recipe.picture.half_features), Purpose::gradients, threads);
  // Both pictures wait while the painting is measured.
  const double while_measuring = static_cast<double>(of_painting.bytes()) + picture +
                                 picture_bytes(sizes.painting_height, sizes.painting_width);
  const double while_painting = static_cast<double>(of_picture.bytes()) + target_bytes(of_picture) +
                                mapped_bytes(of_picture, layers) + (2 + vectors) * picture;
  return kProgram + weight_bytes(weights) + std::max(while_measuring, while_painting);
}

}  // namespace

double predict_evaluation_bytes(const Weights& weights, const Recipe& recipe,
                                const WorkingSizes& sizes, int threads) {
  return peak_bytes(weights, recipe, sizes, threads, 0);
}

double predict_painting_bytes(const Weights& weights, const Recipe& recipe,
                              const WorkingSizes& sizes, int threads) {
  return kReaders + peak_bytes(weights, recipe, sizes, threads, 1 + optimiser_vectors(recipe));
}

}  // namespace limn
