#include "paint/memory.h"

#include <algorithm>

#include "losses/columns.h"
#include "losses/content.h"
#include "losses/cosine.h"
#include "losses/gram.h"
#include "losses/layers.h"
#include "losses/neighbours.h"
#include "losses/regional.h"
#include "losses/sliced.h"
#include "losses/structure.h"
#include "losses/transport.h"
#include "network/network.h"
#include "network/plan.h"
#include "network/tiled_pass.h"
#include "optimise/history.h"
#include "paint/tiles.h"
#include "weights/read.h"

namespace limn {
namespace {

constexpr double kFloat = sizeof(float);
constexpr double kDouble = sizeof(double);
// A limn process that has read no file, including its libraries.
constexpr double kProgram = 29e6;
// Added by reading two pictures and weights: library code, and buffers that libraries keep.
constexpr double kReaders = 18e6;
// Added by MPI: Open MPI 4.1, for ranks on one machine.
constexpr double kExchange = 9e6;

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

// The picture's tiles, and the shapes that its losses see.
struct PictureShapes {
  Tiling tiling;
  std::vector<TapRequest> taps;
  std::vector<LayerShape> layers;  // by layers in use
};

// For content losses, neighbours and plain style losses: their targets and sums, and the largest
// scratch memory of any of them; Scratch::weighed apart.
struct LossBytes {
  double kept = 0, weighed = 0;
};
LossBytes loss_bytes(const PictureShapes& picture, std::span<const LayerInUse> layers,
                     const Parts& parts, bool by_columns) {
  LossBytes bytes;
  double sums = 0, matrices = 0;  // scratch, of the largest
  for (size_t i = 0; i < layers.size(); ++i) {
    const LayerShape& shape = picture.layers[i];
    const double C = shape.whole.channels;
    const bool student = layers[i].imitation != nullptr;
    if (picture.taps[i].gram) {
      bytes.kept += gram_bytes(C) + (shape.is_cut() ? kDouble * C * C : 0);
    }
    if (student && layers[i].style_weight != 0)
      matrices = std::max(matrices, gram_scratch_bytes(C));
    const bool neighbours = layers[i].neighbours_weight != 0 && !by_columns;
    if (!layers[i].of_photo() && !neighbours) continue;
    if (layers[i].of_photo()) bytes.kept += content_bytes(shape.whole);
    if (neighbours) bytes.kept += neighbours_bytes(shape.whole, parts.styles);
    const bool in_place = !student && !parts.transparent_photo && !neighbours && !shape.is_cut();
    const DistanceBytes distance = distance_bytes(shape, student, in_place);
    bytes.kept += distance.own;
    bytes.weighed = std::max(bytes.weighed, distance.weighed);
    sums = std::max(sums, distance.sums);
  }
  bytes.kept += sums + matrices;
  return bytes;
}

bool is_sliced(const Recipe& recipe) { return recipe.style.statistic == StyleStatistic::sliced; }

// The same for regional style losses.
LossBytes regional_bytes_of(const PictureShapes& picture, std::span<const LayerInUse> layers,
                            std::span<const Row> rows, const Recipe& recipe, int regions,
                            int threads) {
  LossBytes bytes;
  double scratch = 0;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].style_weight == 0) continue;
    const LayerShape& shape = picture.layers[i];
    if (is_sliced(recipe)) {
      bytes.kept += sliced_bytes(shape.whole, std::max(1, regions), regions > 0);
      bytes.weighed = std::max(bytes.weighed, kFloat * static_cast<double>(shape.tile.floats()));
      scratch = std::max(scratch, sliced_scratch_bytes(shape, threads));
      continue;
    }
    const int stride = stride_of(rows, layers[i].position.row);
    bytes.kept += regional_bytes(recipe, shape, stride, std::max(1, regions));
    const RegionalScratchBytes of_layer =
        regional_scratch_bytes(recipe, shape, stride, regions > 0, layers[i].imitation != nullptr);
    bytes.weighed = std::max(bytes.weighed, of_layer.weighed);
    scratch = std::max(scratch, of_layer.others);
  }
  bytes.kept += scratch;
  return bytes;
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
                             const PictureShapes& of_picture, const Size& picture, int styles) {
  std::vector<ConstFeatureMap> shapes;
  for (const LayerShape& shape : of_picture.layers) shapes.push_back(shape.whole);
  double bytes = 0, scratch = 0, compared = 0;
  for (const ColumnsInUse& columns : columns_in_use(recipe, layers)) {
    const ConstFeatureMap shape = columns_shape(columns, shapes, picture);
    const double map = kFloat * static_cast<double>(shape.floats());
    bytes += map;
    switch (columns.reader) {
      case ColumnsInUse::Reader::neighbours:
        bytes += neighbours_bytes(shape, styles) + cosine_bytes(shape);
        compared = std::max(compared, map);
        break;
      case ColumnsInUse::Reader::transport:
        bytes += transport_bytes(shape, kDrawnFromPainting);
        break;
      case ColumnsInUse::Reader::structure:
        bytes += structure_bytes(shape) + picture_bytes(picture);
        break;
    }
    for (const LayerShape& layer : of_picture.layers) {
      scratch = std::max(scratch, kFloat * static_cast<double>(layer.around.floats()));
    }
    scratch = std::max(scratch, map);
  }
  return bytes + scratch + compared;
}

// The number of picture-sized vectors kept by the optimiser and its variable, on each rank.
double optimiser_vectors(const Recipe& recipe, int ranks) {
  const bool bands = std::ranges::any_of(recipe.pyramid.bands, [](double b) { return b != 0; });
  const double variable = bands ? 1 : 0;
  switch (recipe.optimiser.kind) {
    case OptimiserKind::lbfgs: {
      const bool searches = recipe.optimiser.line_search != LineSearch::none;
      // r, r times a vector, and sums over two planes (local_scales.h).
      const double scales = recipe.optimiser.curvature == Curvature::local ? 2 + 2.0 / 3 : 0;
      // Besides a history that is in half precision or shared, the direction, as floats and whole;
      // scales have it.
      const bool half = recipe.optimiser.half_history;
      const double direction = (half || ranks > 1) && scales == 0 ? 1 : 0;
      return variable + history_vectors(recipe.optimiser.history, half, ranks) + direction +
             (searches ? 1 : 0) + scales;
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

// What measuring a picture takes (WholePicture in targets.cc), and `plan`, that of a single pass.
// searched: the taps of which nothing is kept but what is searched, which is counted elsewhere.
double measuring_bytes(std::span<const Row> rows, const PassPlan& plan, Pooling pooling,
                       const Tiling& tiling, std::span<const TapRequest> taps,
                       const std::vector<bool>& searched, int threads) {
  if (tiling.whole()) return static_cast<double>(plan.arena_bytes);
  double bytes = tiled_pass_bytes(rows, pooling, tiling, taps, Purpose::features, threads);
  for (size_t i = 0; i < taps.size(); ++i) {
    const TapPlan& tap = plan.taps[i];
    const double C = tap.shape.channels;
    if (tap.request.features && !searched[i]) {
      bytes += kFloat * static_cast<double>(tap.shape.floats());
    }
    if (tap.request.gram) bytes += (kFloat + kDouble) * C * C;
  }
  return bytes;
}

// Everything that one recipe's losses take.
class Prediction {
 public:
  Prediction(const Weights& weights, const Recipe& recipe, const WorkingSizes& sizes,
             const Parts& parts, int threads, const Size& core, int ranks = 1)
      : weights_(weights),
        table_(*weights.network),
        recipe_(recipe),
        sizes_(sizes),
        parts_(parts),
        threads_(threads),
        core_(core),
        ranks_(ranks),
        layers_(layers_in_use(table_, recipe)),
        regional_(is_regional(recipe, parts.regions > 0)) {}

  // `vectors`: picture-sized, besides x and its gradient, during the descent.
  double peak_bytes(double vectors) {
    const double vectors_bytes = (2 + vectors) * picture_bytes(picture());
    if (layers_.empty()) return kProgram + weight_bytes(weights_) + vectors_bytes;
    for (const Size& painting : sizes_.paintings) add_painting(painting);
    const double measuring = of_painting_ + picture_bytes(picture()) + of_paintings_;
    return kProgram + weight_bytes(weights_) + searched_ +
           std::max(measuring, while_painting() + vectors_bytes);
  }

 private:
  Size picture() const {
    const int border = 2 * recipe_.picture.border;
    return {sizes_.picture.height + border, sizes_.picture.width + border};
  }
  std::span<const Row> rows() const { return table_.rows; }

  // By tap of painting_taps: whether nothing of it is kept but what is searched.
  std::vector<bool> searched_taps() const {
    const std::vector<bool> searched = only_searched(recipe_, layers_, regional_);
    std::vector<bool> taps;
    taps.reserve(layers_.size());
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (layers_[i].of_paintings()) taps.push_back(searched[i]);
    }
    return taps;
  }

  // All pictures are in memory while the largest painting is measured.
  void add_painting(const Size& painting) {
    of_paintings_ += picture_bytes(painting);
    const std::vector<TapRequest> taps = painting_taps(layers_, regional_);
    const Pooling pooling = recipe_.network.pooling;
    const PassPlan plan = plan_pass(rows(), pooling, painting.height, painting.width, taps,
                                    Purpose::features, threads_);
    double scratch = 0;
    for (const TapPlan& tap : plan.taps) {
      if (!regional_ || is_sliced(recipe_)) continue;
      const int stride = stride_of(rows(), tap.request.position.row);
      scratch = std::max(scratch, source_bytes(recipe_, tap.shape, stride, parts_.regions > 0));
    }
    const SlicedPaintings sliced = sliced_paintings(plan, layers_, recipe_);
    drawing_ = std::max(drawing_, sliced.drawing);
    const PaintingColumns columns = painting_columns(recipe_, layers_, plan, painting);
    const bool by_columns = neighbours_read_columns(recipe_);
    searched_ += searched_bytes(plan, layers_, by_columns) + columns.kept + sliced.kept;
    const Tiling tiling = measured_tiles(table_, recipe_, painting, core_);
    of_painting_ = std::max(of_painting_, measuring_bytes(rows(), plan, pooling, tiling, taps,
                                                          searched_taps(), threads_) +
                                              scratch + columns.making);
  }

  double while_painting() const {
    PictureShapes shapes;
    shapes.tiling = picture_tiles(table_, recipe_, picture(), core_);
    shapes.taps = tiled_picture_taps(recipe_, layers_, regional_);
    const Pooling pooling = recipe_.network.pooling;
    shapes.layers = tiled_shapes(rows(), pooling, shapes.tiling, shapes.taps);
    const double pass =
        tiled_pass_bytes(rows(), pooling, shapes.tiling, shapes.taps, Purpose::gradients, threads_);
    const LossBytes losses = loss_bytes(shapes, layers_, parts_, neighbours_read_columns(recipe_));
    LossBytes of_regions;
    if (regional_) {
      of_regions = regional_bytes_of(shapes, layers_, rows(), recipe_, parts_.regions, threads_);
    }
    return pass + losses.kept + of_regions.kept + std::max(losses.weighed, of_regions.weighed) +
           picture_columns_bytes(recipe_, layers_, shapes, picture(), parts_.styles) + drawing_ +
           others_bytes(shapes);
  }

  // What another rank found on a tile: its gradient, and its Gram matrices' sums.
  double others_bytes(const PictureShapes& shapes) const {
    if (ranks_ == 1 || shapes.tiling.whole()) return 0;
    double gradient = 0;
    for (const Tile& tile : shapes.tiling.tiles) {
      gradient = std::max(gradient, picture_bytes({tile.patch.height(), tile.patch.width()}));
    }
    double sums = 0;
    for (size_t tap = 0; tap < shapes.taps.size(); ++tap) {
      const double C = shapes.layers[tap].whole.channels;
      if (shapes.taps[tap].gram) sums += kDouble * C * C;
    }
    return gradient + sums;
  }

  const Weights& weights_;
  const NetworkTable& table_;
  const Recipe& recipe_;
  const WorkingSizes& sizes_;
  const Parts& parts_;
  const int threads_;
  const Size core_;
  const int ranks_;
  const std::vector<LayerInUse> layers_;
  const bool regional_;
  double of_paintings_ = 0;  // all of them, as pictures
  double of_painting_ = 0;   // measuring the largest
  double searched_ = 0, drawing_ = 0;
};

}  // namespace

Parts parts_of(const PartsFound& found) {
  Parts parts;
  parts.styles = static_cast<int>(found.styles.size());
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
  return Prediction(weights, recipe, sizes, {}, threads, {}).peak_bytes(0);
}

double predict_file_bytes(const Weights& weights, double bytes) {
  return kReaders + kProgram + weight_bytes(weights) + bytes;
}

double predict_painting_bytes(const Weights& weights, const Recipe& recipe,
                              const WorkingSizes& sizes, const Parts& parts, int threads,
                              const PictureFileBytes& files, const Size& core, int ranks) {
  Prediction prediction(weights, recipe, sizes, parts, threads, core, ranks);
  const double painting =
      prediction.peak_bytes(1 + optimiser_vectors(recipe, ranks)) + files.besides;
  const double exchange = ranks > 1 ? kExchange : 0;
  return exchange + std::max(predict_file_bytes(weights, files.alone), kReaders + painting);
}

}  // namespace limn
