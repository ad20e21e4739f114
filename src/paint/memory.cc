#include "paint/memory.h"

#include <algorithm>

#include "losses/columns.h"
#include "losses/content.h"
#include "losses/gram.h"
#include "losses/layers.h"
#include "losses/neighbours.h"
#include "losses/regional.h"
#include "losses/sliced.h"
#include "losses/structure.h"
#include "losses/transport.h"
#include "network/network.h"
#include "network/plan.h"
#include "weights/read.h"

namespace limn {
namespace {

constexpr double kFloat = sizeof(float);
constexpr double kDouble = sizeof(double);
// A limn process that has read no file, including its libraries.
constexpr double kProgram = 25e6;
// Added by reading two pictures and weights: library code, and buffers that libraries keep.
constexpr double kReaders = 18e6;

double weight_bytes(const Weights& weights) {
  double bytes = 0;
  for (const Convolution& convolution : weights.convolutions) {
    bytes += kFloat * static_cast<double>(convolution.kernel.values.size());
  }
  // The built-in network's file is part of the program, and stays in memory once read.
  if (weights.source == kBuiltinName) bytes += static_cast<double>(builtin_file().size());
  for (const Imitation& imitation : weights.network->imitations) {
    bytes += (kFloat + kDouble) * static_cast<double>(imitation.K.size());
  }
  return bytes;
}

// For content losses and plain style losses: their targets and differences, and the largest scratch
// memory of any of them.
double loss_bytes(const PassPlan& picture, std::span<const LayerInUse> layers,
                  bool transparent_photo, bool by_columns) {
  double bytes = 0;
  double sums = 0;  // scratch, of the largest
  double matrices = 0;
  for (size_t i = 0; i < layers.size(); ++i) {
    const FeatureMap& shape = picture.taps[i].shape;
    const double C = shape.channels;
    const bool student = layers[i].imitation != nullptr;
    if (picture.taps[i].request.gram) bytes += kFloat * C * C;
    if (student && layers[i].style_weight != 0)
      matrices = std::max(matrices, gram_scratch_bytes(C));
    const bool neighbours = layers[i].neighbours_weight != 0 && !by_columns;
    if (!layers[i].of_photo() && !neighbours) continue;
    if (layers[i].of_photo()) bytes += content_bytes(shape, student, !transparent_photo);
    if (neighbours) {
      bytes += neighbours_bytes(shape, student, !transparent_photo);
    }
    sums = std::max(sums, content_scratch_bytes(shape, student));
  }
  return bytes + sums + matrices;
}

bool is_sliced(const Recipe& recipe) { return recipe.style.statistic == StyleStatistic::sliced; }

// For regional style losses, in addition.
double regional_bytes_of(const PassPlan& picture, std::span<const LayerInUse> layers,
                         std::span<const Row> rows, const Recipe& recipe, int regions,
                         int threads) {
  double bytes = 0;
  double scratch = 0;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].style_weight == 0) continue;
    const FeatureMap& shape = picture.taps[i].shape;
    if (is_sliced(recipe)) {
      bytes += sliced_bytes(shape, std::max(1, regions), regions > 0);
      scratch = std::max(scratch, sliced_scratch_bytes(shape, threads));
      continue;
    }
    const int stride = stride_of(rows, layers[i].position.row);
    bytes += regional_bytes(recipe, shape, stride, std::max(1, regions));
    scratch = std::max(scratch, regional_scratch_bytes(recipe, shape, stride, regions > 0,
                                                       layers[i].imitation != nullptr));
  }
  return bytes + scratch;
}

double picture_bytes(const Size& size) { return 3 * kFloat * size.height * size.width; }

// For the paintings' features that neighbours losses search: one painting's. `plan`: of a pass with
// painting_taps.
double searched_bytes(const PassPlan& plan, std::span<const LayerInUse> layers, bool by_columns) {
  double bytes = 0;
  size_t tap = 0;
  for (const LayerInUse& layer : layers) {
    if (!layer.of_paintings()) continue;
    if (layer.neighbours_weight != 0 && !by_columns) {
      bytes += neighbour_source_bytes(plan.taps[tap].shape);
    }
    ++tap;
  }
  return bytes;
}

// The same for sliced style losses, and what is needed besides while directions are drawn.
struct SlicedPaintings {
  double kept = 0, drawing = 0;
};
SlicedPaintings sliced_paintings(const PassPlan& plan, std::span<const LayerInUse> layers,
                                 const Recipe& recipe) {
  SlicedPaintings bytes;
  size_t tap = 0;
  for (const LayerInUse& layer : layers) {
    if (!layer.of_paintings()) continue;
    const FeatureMap& shape = plan.taps[tap++].shape;
    if (!is_sliced(recipe) || layer.style_weight == 0) continue;
    const double one = sliced_painting_bytes(shape);
    bytes.kept += one;
    bytes.drawing = std::max(bytes.drawing, one);
  }
  return bytes;
}

// The shapes of a pass's taps by layers in use; those of layers without one are empty.
template <typename HasTap>
std::vector<ConstFeatureMap> shapes_of(const PassPlan& plan, std::span<const LayerInUse> layers,
                                       HasTap&& has_tap) {
  std::vector<ConstFeatureMap> shapes(layers.size());
  size_t tap = 0;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (has_tap(layers[i])) shapes[i] = plan.taps[tap++].shape;
  }
  return shapes;
}

// What columns of one painting keep, and what is needed besides while they are made.
struct PaintingColumns {
  double kept = 0, making = 0;
};
PaintingColumns painting_columns(const Recipe& recipe, std::span<const LayerInUse> layers,
                                 const PassPlan& plan, const Size& painting) {
  const std::vector<ConstFeatureMap> shapes =
      shapes_of(plan, layers, [](const LayerInUse& layer) { return layer.of_paintings(); });
  PaintingColumns bytes;
  for (ColumnsInUse columns : columns_in_use(recipe, layers)) {
    if (columns.reader == ColumnsInUse::Reader::structure) continue;
    const bool transport = columns.reader == ColumnsInUse::Reader::transport;
    if (transport) columns.places = {Places::Kind::drawn, kDrawnFromPainting};
    const ConstFeatureMap shape = columns_shape(columns, shapes, painting);
    // The columns, those less their mean, and for moments the products' sums.
    const double sums =
        transport ? kDouble * static_cast<double>(kernels::gram_scratch_size(shape)) : 0;
    bytes.making = std::max(bytes.making, 2 * kFloat * static_cast<double>(shape.floats()) + sums);
    bytes.kept += transport ? transport_target_bytes(shape.channels, shape.width)
                            : (recipe.neighbours.turned ? 4 : 1) * columns_source_bytes(shape);
  }
  return bytes;
}

// Columns of the picture, and the losses that read them.
double picture_columns_bytes(const Recipe& recipe, std::span<const LayerInUse> layers,
                             const PassPlan& plan, const Size& picture) {
  const std::vector<ConstFeatureMap> shapes =
      shapes_of(plan, layers, [](const LayerInUse&) { return true; });
  double bytes = 0, scratch = 0;
  for (const ColumnsInUse& columns : columns_in_use(recipe, layers)) {
    const ConstFeatureMap shape = columns_shape(columns, shapes, picture);
    const double map = kFloat * static_cast<double>(shape.floats());
    bytes += map;
    switch (columns.reader) {
      case ColumnsInUse::Reader::neighbours:
        bytes += neighbours_bytes(shape, false, true);
        break;
      case ColumnsInUse::Reader::transport:
        bytes += transport_bytes(shape, kDrawnFromPainting);
        break;
      case ColumnsInUse::Reader::structure:
        bytes += structure_bytes(shape) + picture_bytes(picture);
        break;
    }
    for (const ConstFeatureMap& layer : shapes) {
      scratch = std::max(scratch, kFloat * static_cast<double>(layer.floats()));
    }
    scratch = std::max(scratch, map);
  }
  return bytes + scratch;
}

// The number of picture-sized vectors kept by the optimiser and its variable.
double optimiser_vectors(const Recipe& recipe) {
  const bool bands = std::ranges::any_of(recipe.pyramid.bands, [](double b) { return b != 0; });
  const double variable = bands ? 2 : 0;
  switch (recipe.optimiser.kind) {
    case OptimiserKind::lbfgs: {
      const bool searches = recipe.optimiser.line_search != LineSearch::none;
      // r, r times a vector, and sums over two planes (local_scales.h).
      const double scales = recipe.optimiser.curvature == Curvature::local ? 2 + 2.0 / 3 : 0;
      return variable + 2.0 * recipe.optimiser.history + (searches ? 1 : 0) + scales;
    }
    case OptimiserKind::adam:
      return variable + 2;
    case OptimiserKind::rmsprop:
      return variable + 1;
    case OptimiserKind::sgd:
      break;
  }
  return variable;
}

// `vectors`: picture-sized, besides x and its gradient, during the descent.
double peak_bytes(const Weights& weights, const Recipe& recipe, const WorkingSizes& sizes,
                  const Parts& parts, int threads, double vectors) {
  const int border = 2 * recipe.picture.border;
  const Size size = {sizes.picture.height + border, sizes.picture.width + border};
  const double picture = picture_bytes(size);
  const std::vector<LayerInUse> layers = layers_in_use(*weights.network, recipe);
  if (layers.empty()) return kProgram + weight_bytes(weights) + (2 + vectors) * picture;
  const std::span<const Row> rows = weights.network->rows;
  const Pooling pooling = recipe.network.pooling;
  const bool regional = is_regional(recipe, parts.regions > 0);
  const bool by_columns = neighbours_read_columns(recipe);
  // All pictures are in memory while the largest painting is measured.
  double waiting = picture;
  double of_painting = 0;
  double searched = 0;
  double drawing = 0;
  for (const Size& painting : sizes.paintings) {
    waiting += picture_bytes(painting);
    const PassPlan plan = plan_pass(rows, pooling, painting.height, painting.width,
                                    painting_taps(layers, regional), Purpose::features, threads);
    double scratch = 0;
    for (const TapPlan& tap : plan.taps) {
      if (!regional || is_sliced(recipe)) continue;
      const int stride = stride_of(rows, tap.request.position.row);
      scratch = std::max(scratch, source_bytes(recipe, tap.shape, stride, parts.regions > 0));
    }
    const SlicedPaintings sliced = sliced_paintings(plan, layers, recipe);
    drawing = std::max(drawing, sliced.drawing);
    const PaintingColumns columns = painting_columns(recipe, layers, plan, painting);
    searched += searched_bytes(plan, layers, by_columns) + columns.kept + sliced.kept;
    of_painting =
        std::max(of_painting, static_cast<double>(plan.bytes()) + scratch + columns.making);
  }
  const PassPlan of_picture = plan_pass(
      rows, pooling, size.height, size.width,
      picture_taps(layers, recipe.picture.half_features, regional), Purpose::gradients, threads);
  const double of_regions =
      regional ? regional_bytes_of(of_picture, layers, rows, recipe, parts.regions, threads) : 0;
  const double while_painting =
      static_cast<double>(of_picture.bytes()) +
      loss_bytes(of_picture, layers, parts.transparent_photo, by_columns) +
      picture_columns_bytes(recipe, layers, of_picture, size) + of_regions + drawing +
      (2 + vectors) * picture;
  return kProgram + weight_bytes(weights) + searched +
         std::max(of_painting + waiting, while_painting);
}

}  // namespace

Parts parts_of(const PartsFound& found) {
  Parts parts;
  parts.transparent_photo = found.transparent_photo;
  int with_mask = 0;
  bool anything = found.transparent_photo;
  for (const PartsFound::Style& style : found.styles) {
    with_mask += style.to ? 1 : 0;
    anything = anything || style.from;
  }
  const bool rest = with_mask < std::ssize(found.styles);
  parts.regions = with_mask > 0 ? with_mask + (rest ? 1 : 0) : anything ? 1 : 0;
  return parts;
}

double predict_evaluation_bytes(const Weights& weights, const Recipe& recipe,
                                const WorkingSizes& sizes, int threads) {
  return peak_bytes(weights, recipe, sizes, {}, threads, 0);
}

double predict_painting_bytes(const Weights& weights, const Recipe& recipe,
                              const WorkingSizes& sizes, const Parts& parts, int threads,
                              double reading_bytes) {
  const double while_reading = kProgram + weight_bytes(weights) + reading_bytes;
  const double while_painting =
      peak_bytes(weights, recipe, sizes, parts, threads, 1 + optimiser_vectors(recipe));
  return kReaders + std::max(while_reading, while_painting);
}

}  // namespace limn
