#include "paint/targets.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "canvas/units.h"
#include "losses/gram.h"
#include "losses/regions.h"

namespace limn {
namespace {

class Measuring {
 public:
  Measuring(const Weights& weights, const Recipe& recipe, Targets& targets, ThreadPool& pool)
      : recipe_(recipe),
        targets_(targets),
        pool_(pool),
        layers_(layers_in_use(*weights.network, recipe)),
        network_(weights, recipe.network.pooling, deepest_row(layers_)),
        units_(recipe.optimiser.space, targets.basis.convention) {}

  // The picture's regions at its layers, with statistics still 0, and the weights of its positions
  // for neighbours losses. seen: where the photo is visible; empty: everywhere.
  void make_regions(std::span<const Mask> regions, const Mask& seen) {
    const bool neighbours = std::ranges::any_of(
        layers_, [](const LayerInUse& layer) { return layer.neighbours_weight != 0; });
    if (!targets_.regional && !neighbours) return;
    const auto [height, width] = targets_.picture_size();
    const PassPlan plan = plan_pass(network_.rows(), network_.pooling(), height, width,
                                    targets_.basis.taps, Purpose::gradients, pool_.threads());
    for (size_t i = 0; i < layers_.size(); ++i) {
      const ConstFeatureMap shape = plan.taps[i].shape;
      if (targets_.regional && layers_[i].style_weight != 0) {
        targets_.layers[i].regions = region_targets(recipe_, regions, shape);
      }
      if (layers_[i].neighbours_weight == 0) continue;
      NeighbourTarget& target = targets_.layers[i].neighbours;
      for (const Mask& region : regions) {
        target.regions.push_back(layer_weights(region, shape.height, shape.width));
      }
      if (!seen.empty()) target.roots = roots_of(seen, shape);
    }
  }

  void add_painting(const StyleSource& source) {
    const std::vector<TapRequest> taps = painting_taps(layers_, targets_.regional);
    if (taps.empty()) return;
    const Image& painting = source.painting;
    Pass pass(network_, painting.height, painting.width, taps, Purpose::features, pool_.threads());
    pass.forward(painting.rgb, units_.of_rgb(), pool_);
    int tap = 0;
    for (size_t i = 0; i < layers_.size(); ++i) {
      const bool style = layers_[i].style_weight != 0;
      const bool neighbours = layers_[i].neighbours_weight != 0;
      if (style && targets_.regional) {
        add_source(recipe_, source.from, source.share, network_.rows(), layers_[i].position.row,
                   pass.features(tap), targets_.layers[i].regions[source.region], pool_);
      } else if (style) {
        add_gram(source.share, pass.gram(tap), pass.shape(tap), targets_.layers[i].gram);
      }
      if (neighbours) add_neighbours(source, layers_[i], pass.features(tap), i);
      if (style || neighbours) ++tap;
    }
  }

  // seen: where the photo is visible; empty: everywhere.
  void measure_photo(const Image& photo, const Mask& seen) {
    std::vector<TapRequest> taps;
    for (const LayerInUse& layer : layers_) {
      if (layer.content_weight != 0) taps.push_back({layer.position, /*features=*/true});
    }
    if (taps.empty()) return;
    Pass pass(network_, photo.height, photo.width, taps, Purpose::features, pool_.threads());
    pass.forward(photo.rgb, units_.of_rgb(), pool_);
    int tap = 0;
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (layers_[i].content_weight == 0) continue;
      const ConstFeatureMap F = pass.features(tap++);
      ContentTarget& target = targets_.layers[i].content;
      target.features = Buffer<float>(F.floats());
      std::memcpy(target.features.data(), F.data, F.floats() * sizeof(float));
      if (seen.empty()) continue;
      target.roots = roots_of(seen, F);
    }
  }

 private:
  static std::vector<float> roots_of(const Mask& seen, ConstFeatureMap shape) {
    std::vector<float> roots = layer_weights(seen, shape.height, shape.width);
    for (float& root : roots) root = std::sqrt(root);
    return roots;
  }

  void add_neighbours(const StyleSource& source, const LayerInUse& layer, ConstFeatureMap F,
                      size_t tap) {
    std::vector<float> weights;
    if (!source.from.empty()) {
      weights = source_weights(source.from, network_.rows(), layer.position.row, F);
    }
    const std::span<const double> K =
        layer.imitation ? std::span<const double>(layer.imitation->K) : std::span<const double>();
    NeighbourSource found = neighbour_source(F, weights, K, pool_);
    found.style = source.style;
    found.region = source.region;
    found.share = source.share;
    std::vector<NeighbourSource>& sources = targets_.layers[tap].neighbours.sources;
    // A style's paintings are searched together: each has the share of all of them.
    for (NeighbourSource& other : sources) {
      if (other.style != source.style) continue;
      other.share += source.share;
      found.share = other.share;
    }
    sources.push_back(std::move(found));
  }

  void add_gram(double share, std::span<const float> G, ConstFeatureMap shape,
                Buffer<float>& A) const {
    const double scale =
        share * gram_scale(recipe_.style.gram, static_cast<double>(shape.positions()));
    if (A.empty()) A = Buffer<float>(G.size());  // zeros
    for (size_t j = 0; j < G.size(); ++j) A[j] += static_cast<float>(scale * G[j]);
  }

  const Recipe& recipe_;
  Targets& targets_;
  ThreadPool& pool_;
  const std::vector<LayerInUse> layers_;
  const Network network_;
  const Units units_;
};

}  // namespace

Targets::Basis targets_basis(const Weights& weights, const Recipe& recipe,
                             const WorkingSizes& sizes, bool regional) {
  const std::vector<LayerInUse> layers = layers_in_use(*weights.network, recipe);
  std::vector<Targets::Basis::Read> reads;
  reads.reserve(layers.size());
  for (const LayerInUse& layer : layers) {
    reads.push_back({layer.content_weight != 0, layer.neighbours_weight != 0});
  }
  return {&weights,
          recipe.network.pooling,
          input_convention(recipe.network.convention, weights.convention),
          recipe.style.gram,
          recipe.style.statistic,
          recipe.style.shifts,
          recipe.style.blend,
          recipe.picture.colors,
          recipe.picture.border,
          sizes,
          picture_taps(layers, /*half_features=*/false, regional),
          std::move(reads)};
}

std::shared_ptr<const Targets> measure_targets(const Weights& weights, const Recipe& recipe,
                                               const WorkingSizes& sizes, Scene& scene,
                                               ThreadPool& pool) {
  auto targets = std::make_shared<Targets>();
  targets->regional = is_regional(recipe, scene.has_masks());
  targets->basis = targets_basis(weights, recipe, sizes, targets->regional);
  targets->layers.resize(targets->basis.taps.size());
  if (targets->layers.empty()) return targets;
  Measuring measuring(weights, recipe, *targets, pool);
  measuring.make_regions(scene.regions, scene.seen);
  for (StyleSource& source : scene.sources) {
    measuring.add_painting(source);
    source.painting = Image();
  }
  measuring.measure_photo(scene.photo, scene.seen);
  return targets;
}

}  // namespace limn
