#include "paint/targets.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "canvas/units.h"
#include "losses/gram.h"
#include "losses/regions.h"
#include "network/tiled_pass.h"
#include "paint/tiles.h"

namespace limn {
namespace {

// A plane turned to the left by 90 degrees, of what was height x width.
std::vector<float> turned_left(std::span<const float> plane, int height, int width) {
  std::vector<float> turned(plane.size());
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      turned[static_cast<size_t>(width - 1 - x) * height + y] =
          plane[static_cast<size_t>(y) * width + x];
    }
  }
  return turned;
}

Image turned_left(const Image& picture) {
  Image turned = {picture.height, picture.width, {}, {}};
  const size_t plane = picture.rgb.size() / 3;
  for (size_t c = 0; c < 3; ++c) {
    const std::vector<float> part = turned_left(std::span(picture.rgb).subspan(c * plane, plane),
                                                picture.height, picture.width);
    turned.rgb.insert(turned.rgb.end(), part.begin(), part.end());
  }
  return turned;
}

Mask turned_left(const Mask& mask) {
  if (mask.empty()) return mask;
  return {mask.height, mask.width, turned_left(mask.values, mask.height, mask.width)};
}

// The features and Gram matrices of a whole picture, run tile by tile. With a single tile they are
// the pass's; otherwise they are put together here. Where features are searched and nothing else,
// only those at the searched positions are kept.
class WholePicture {
 public:
  WholePicture(const Network& network, Tiling tiling, std::span<const TapRequest> taps,
               ThreadPool& pool, Ranks& ranks)
      : pass_(network, std::move(tiling), taps, Purpose::features, pool.threads()),
        pool_(pool),
        ranks_(ranks),
        taps_(taps.begin(), taps.end()),
        searched_(taps.size()) {
    if (pass_.whole()) return;
    for (size_t tap = 0; tap < taps.size(); ++tap) {
      const auto C = static_cast<size_t>(shape(static_cast<int>(tap)).channels);
      sums_.emplace_back(taps[tap].gram ? C * C : 0);
      grams_.emplace_back(taps[tap].gram ? C * C : 0);
    }
  }

  // Before run(): of this tap's features only these are needed.
  void search(int tap, Searched positions) {
    const auto C = static_cast<size_t>(shape(tap).channels);
    searched_[tap].S = Buffer<float>(C * positions.size());
    searched_[tap].positions = std::move(positions);
  }

  void run(std::span<const float> x, const InputMap& map) {
    for (size_t tap = 0; tap < taps_.size() && !pass_.whole(); ++tap) {
      const bool all = taps_[tap].features && searched_[tap].positions.empty();
      features_.emplace_back(all ? shape(static_cast<int>(tap)).floats() : 0);
    }
    const auto run = [&](int tile) {
      pass_.forward(tile, x, map, pool_);
      collect_features();
      collect_searched();
    };
    if (pass_.whole()) return run(0);
    take_turns(ranks_, pass_.tiles(), run, [this](int, int rank) { add_grams(rank); });
    for (Buffer<float>& features : features_) merge(ranks_, features);
    for (OfSearched& searched : searched_) merge(ranks_, searched.S);
    for (size_t tap = 0; tap < grams_.size(); ++tap) {
      std::ranges::transform(sums_[tap], grams_[tap].begin(),
                             [](double sum) { return static_cast<float>(sum); });
    }
  }

  ConstFeatureMap shape(int tap) const { return pass_.shape(tap).whole; }
  ConstFeatureMap features(int tap) {
    if (pass_.whole()) return pass_.features(tap);
    if (features_[tap].empty()) return {};
    ConstFeatureMap map = shape(tap);
    map.data = features_[tap].data();
    return map;
  }
  // As neighbour_source() takes them.
  Buffer<float> take_searched(int tap) { return std::move(searched_[tap].S); }
  std::span<const float> gram(int tap) {
    return pass_.whole() ? pass_.gram(tap) : std::span<const float>(grams_[tap]);
  }

 private:
  struct OfSearched {
    Searched positions;
    Buffer<float> S;
  };

  // From the tile run last.
  void collect_features() {
    for (size_t i = 0; i < features_.size(); ++i) {
      if (features_[i].empty()) continue;
      const auto tap = static_cast<int>(i);
      const ConstFeatureMap F = pass_.features(tap), all = shape(tap);
      const FeatureMap to = {features_[i].data(), all.channels, all.height, all.width};
      kernels::add_pasted(F, pass_.cells(tap), to, pool_);
    }
  }

  void collect_searched() {
    for (size_t i = 0; i < searched_.size(); ++i) {
      auto& [positions, S] = searched_[i];
      if (positions.empty()) continue;
      const auto tap = static_cast<int>(i);
      gather_searched(positions, pass_.features(tap), pass_.cells(tap), S, pool_);
    }
  }

  // Those of the tile that this rank has run last.
  void add_grams(int rank) {
    for (size_t i = 0; i < sums_.size(); ++i) {
      if (sums_[i].empty()) continue;
      // Until the end, the sums in float are of no use: others' matrices pass through.
      const std::span<float> through = grams_[i];
      if (ranks_.rank() == rank)
        std::ranges::copy(pass_.gram(static_cast<int>(i)), through.begin());
      broadcast(ranks_, through, rank);
      for (size_t j = 0; j < through.size(); ++j) sums_[i][j] += through[j];
    }
  }

  TiledPass pass_;
  ThreadPool& pool_;
  Ranks& ranks_;
  const std::vector<TapRequest> taps_;
  std::vector<OfSearched> searched_;  // by tap
  // By tap, if there are several tiles.
  std::vector<Buffer<float>> features_, grams_;
  std::vector<Buffer<double>> sums_;
};

class Measuring {
 public:
  Measuring(const Weights& weights, const Recipe& recipe, const Size& core, Targets& targets,
            ThreadPool& pool, Ranks& ranks)
      : recipe_(recipe),
        table_(*weights.network),
        core_(core),
        targets_(targets),
        pool_(pool),
        ranks_(ranks),
        layers_(layers_in_use(*weights.network, recipe)),
        network_(weights, recipe.network.pooling, deepest_row(layers_)),
        units_(recipe.optimiser.space, targets.basis.convention) {}

  // The picture's regions at its layers, with statistics still 0, and the weights of its positions
  // for neighbours losses. seen: where the photo is visible; empty: everywhere.
  void make_regions(std::span<const Mask> regions, const Mask& seen) {
    const bool searched = std::ranges::any_of(
        targets_.basis.reads, [](const Targets::Basis::Read& read) { return read.neighbours; });
    if (!targets_.regional && !searched && targets_.columns.empty()) return;
    const auto [height, width] = targets_.picture_size();
    const PassPlan plan = plan_pass(network_.rows(), network_.pooling(), height, width,
                                    targets_.basis.taps, Purpose::gradients, pool_.threads());
    for (size_t i = 0; i < layers_.size(); ++i) {
      const ConstFeatureMap shape = plan.taps[i].shape;
      if (sliced() && layers_[i].style_weight != 0) {
        targets_.layers[i].sliced = sliced_target(regions, shape);
      } else if (targets_.regional && layers_[i].style_weight != 0) {
        const int stride = stride_of(network_.rows(), layers_[i].position.row);
        targets_.layers[i].regions = region_targets(recipe_, regions, shape, stride);
      }
      if (!targets_.basis.reads[i].neighbours) continue;
      limit(targets_.layers[i].neighbours, regions, seen, shape);
    }
    std::vector<ConstFeatureMap> shapes;
    shapes.reserve(plan.taps.size());
    for (const TapPlan& tap : plan.taps) shapes.push_back(tap.shape);
    for (size_t i = 0; i < targets_.columns.size(); ++i) {
      const ColumnsInUse& in_use = targets_.basis.columns[i];
      if (in_use.reader != ColumnsInUse::Reader::neighbours) continue;
      limit(targets_.columns[i].neighbours, regions, seen,
            columns(in_use, shapes, targets_.picture_size(), seen).shape());
    }
  }

  void add_painting(const StyleSource& source) {
    add_painting(source, source.share, /*searched_only=*/false);
    const int orientations = targets_.basis.turned ? 4 : 1;
    StyleSource turned = orientations > 1 ? source : StyleSource();
    for (int quarters = 1; quarters < orientations; ++quarters) {
      turned.painting = turned_left(turned.painting);
      turned.from = turned_left(turned.from);
      add_painting(turned, 0, /*searched_only=*/true);
    }
    const auto centre_last = [&](NeighbourTarget& target, std::span<const double> K) {
      if (target.sources.empty()) return;
      centre(std::span(target.sources).last(orientations), K, pool_);
    };
    for (size_t i = 0; i < layers_.size(); ++i) {
      centre_last(targets_.layers[i].neighbours, K_of(layers_[i]));
    }
    for (Targets::OfColumns& target : targets_.columns) centre_last(target.neighbours, {});
  }

  // seen: where the photo is visible; empty: everywhere.
  void measure_photo(const Image& photo, const Mask& seen) {
    std::vector<TapRequest> taps;
    for (const LayerInUse& layer : layers_) {
      if (layer.of_photo()) taps.push_back({layer.position, /*features=*/true});
    }
    targets_.seen = seen;
    if (taps.empty()) return;
    WholePicture pass(network_, tiles_of(photo), taps, pool_, ranks_);
    pass.run(photo.rgb, units_.of_rgb());
    int tap = 0;
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (!layers_[i].of_photo()) continue;
      const ConstFeatureMap F = pass.features(tap++);
      ContentTarget& target = targets_.layers[i].content;
      target.features = Buffer<float>(F.floats());
      std::memcpy(target.features.data(), F.data, F.floats() * sizeof(float));
      if (!seen.empty()) target.roots = roots_of(seen, F);
    }
    make_structure(photo);
  }

 private:
  Tiling tiles_of(const Image& picture) const {
    return measured_tiles(table_, recipe_, {picture.height, picture.width}, core_);
  }

  Columns columns(const ColumnsInUse& in_use, std::span<const ConstFeatureMap> shapes,
                  const Size& size, const Mask& allowed) const {
    return {in_use, layers_, network_.rows(), shapes, size, units_, targets_.basis.seed, allowed};
  }

  // The regions and visible parts of the picture, for positions of this shape.
  static void limit(NeighbourTarget& target, std::span<const Mask> regions, const Mask& seen,
                    ConstFeatureMap shape) {
    for (const Mask& region : regions) {
      target.regions.push_back(layer_weights(region, shape.height, shape.width));
    }
    if (!seen.empty()) target.roots = roots_of(seen, shape);
  }

  // share: what it adds to that of its style. searched_only: only for losses that search it.
  void add_painting(const StyleSource& source, double share, bool searched_only) {
    const std::vector<TapRequest> taps = painting_taps(layers_, targets_.regional);
    if (taps.empty()) return;
    const Image& painting = source.painting;
    WholePicture pass(network_, tiles_of(painting), taps, pool_, ranks_);
    const std::vector<bool> searched = only_searched(recipe_, layers_, targets_.regional);
    int tap = 0;
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (!layers_[i].of_paintings()) continue;
      const ConstFeatureMap shape = pass.shape(tap);
      if (searched[i]) {
        pass.search(tap, searched_positions(shape, weights_of(source, layers_[i], shape)));
      }
      ++tap;
    }
    pass.run(painting.rgb, units_.of_rgb());
    std::vector<ConstFeatureMap> features(layers_.size());
    tap = 0;
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (!layers_[i].of_paintings()) continue;
      features[i] = pass.features(tap);
      const bool style = layers_[i].style_weight != 0 && !searched_only;
      if (style && sliced()) {
        add_sliced(source, layers_[i], features[i], targets_.layers[i].sliced);
      } else if (style && targets_.regional) {
        add_source(recipe_.style.gram, source.from, source.share, network_.rows(),
                   layers_[i].position.row, features[i], targets_.layers[i].regions[source.region],
                   pool_);
      } else if (style) {
        add_gram(source.share, pass.gram(tap), pass.shape(tap), targets_.layers[i].gram);
      }
      if (targets_.basis.reads[i].neighbours) {
        const std::span<const double> K = K_of(layers_[i]);
        const ConstFeatureMap F = features[i];
        add_source_of(
            source, share,
            searched[i]
                ? neighbour_source(pass.take_searched(tap), pass.shape(tap).channels, K, pool_)
                : neighbour_source(F, weights_of(source, layers_[i], F), K, pool_),
            targets_.layers[i].neighbours);
      }
      ++tap;
    }
    for (size_t i = 0; i < targets_.columns.size(); ++i) {
      add_columns(source, share, searched_only, features, i);
    }
  }

  void add_columns(const StyleSource& source, double share, bool searched_only,
                   std::span<const ConstFeatureMap> features, size_t number) {
    ColumnsInUse in_use = targets_.basis.columns[number];
    const bool transport = in_use.reader == ColumnsInUse::Reader::transport;
    if (in_use.reader == ColumnsInUse::Reader::structure || (transport && searched_only)) return;
    if (transport) in_use.places = {Places::Kind::drawn, kDrawnFromPainting, /*whole=*/true};
    const Image& painting = source.painting;
    Columns of_painting = columns(in_use, features, {painting.height, painting.width}, source.from);
    FeatureMap h = of_painting.shape();
    Buffer<float> memory(h.floats());
    h.data = memory.data();
    const std::vector<float> x = transport ? units_.encode(painting) : std::vector<float>();
    of_painting.gather(features, x, h, pool_);
    if (transport) {
      targets_.columns[number].transport.push_back(transport_target(h, source.share, pool_));
      return;
    }
    std::vector<float> weights;
    if (!source.from.empty()) weights = layer_weights(source.from, h.height, h.width);
    add_source_of(source, share, neighbour_source(h, weights, {}, pool_, /*all=*/true),
                  targets_.columns[number].neighbours);
  }

  // The photo as columns are gathered from it.
  void make_structure(const Image& photo) {
    if (std::ranges::none_of(targets_.basis.columns, [](const ColumnsInUse& columns) {
          return columns.reader == ColumnsInUse::Reader::structure;
        })) {
      return;
    }
    const auto [height, width] = targets_.picture_size();
    const PassPlan plan = plan_pass(network_.rows(), network_.pooling(), height, width,
                                    targets_.basis.taps, Purpose::gradients, pool_.threads());
    targets_.structure.x = units_.encode(photo);
    for (size_t i = 0; i < layers_.size(); ++i) {
      ConstFeatureMap map = plan.taps[i].shape;
      map.data = targets_.layers[i].content.features.data();
      targets_.structure.layers.push_back(map);
    }
  }

  static std::vector<float> roots_of(const Mask& seen, ConstFeatureMap shape) {
    std::vector<float> roots = layer_weights(seen, shape.height, shape.width);
    for (float& root : roots) root = std::sqrt(root);
    return roots;
  }

  // Of a painting's positions at a layer of this shape; empty: all count.
  std::vector<float> weights_of(const StyleSource& source, const LayerInUse& layer,
                                ConstFeatureMap shape) const {
    if (source.from.empty()) return {};
    return source_weights(source.from, network_.rows(), layer.position.row, shape);
  }

  bool sliced() const { return targets_.basis.statistic == StyleStatistic::sliced; }

  void add_sliced(const StyleSource& source, const LayerInUse& layer, ConstFeatureMap F,
                  SlicedTarget& target) const {
    target.paintings.push_back(
        sliced_painting(F, weights_of(source, layer, F), source.region, source.share));
  }

  static std::span<const double> K_of(const LayerInUse& layer) {
    if (!layer.imitation) return {};
    return layer.imitation->K;
  }

  // A style's paintings are searched together: each has the share of all of them.
  static void add_source_of(const StyleSource& source, double share, NeighbourSource found,
                            NeighbourTarget& target) {
    found.style = source.style;
    found.region = source.region;
    found.share = share;
    for (NeighbourSource& other : target.sources) {
      if (other.style != source.style) continue;
      other.share += share;
      found.share = other.share;
    }
    target.sources.push_back(std::move(found));
  }

  void add_gram(double share, std::span<const float> G, ConstFeatureMap shape,
                Buffer<float>& A) const {
    const double scale =
        share * gram_scale(recipe_.style.gram, static_cast<double>(shape.positions()));
    if (A.empty()) A = Buffer<float>(G.size());  // zeros
    for (size_t j = 0; j < G.size(); ++j) A[j] += static_cast<float>(scale * G[j]);
  }

  const Recipe& recipe_;
  const NetworkTable& table_;
  const Size core_;  // of the tiles
  Targets& targets_;
  ThreadPool& pool_;
  Ranks& ranks_;
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
  const bool by_columns = neighbours_read_columns(recipe);
  for (const LayerInUse& layer : layers) {
    reads.push_back({layer.of_photo(), layer.neighbours_weight != 0 && !by_columns});
  }
  std::vector<ColumnsInUse> columns = columns_in_use(recipe, layers);
  const bool drawn = std::ranges::any_of(columns, [](const ColumnsInUse& in_use) {
    return in_use.places.kind != Places::Kind::quarter;
  });
  const bool of_pictures = std::ranges::any_of(columns, [](const ColumnsInUse& in_use) {
    return in_use.parts.front().layer == ColumnsInUse::kPicture;
  });
  return {&weights,
          recipe.network.pooling,
          input_convention(recipe.network.convention, weights.convention),
          recipe.style.gram,
          recipe.style.statistic,
          recipe.style.shifts,
          recipe.style.shifts_across,
          recipe.style.shifts_down,
          recipe.style.shift_unit,
          recipe.style.shift_weight,
          recipe.style.symmetry,
          recipe.picture.tileable,
          recipe.style.blend,
          recipe.picture.colors,
          recipe.picture.border,
          sizes,
          picture_taps(layers, /*half_features=*/false, regional),
          std::move(reads),
          std::move(columns),
          recipe.neighbours.weight != 0 && recipe.neighbours.turned,
          of_pictures ? recipe.optimiser.space : Space(),
          drawn ? recipe.picture.seed : 0};
}

std::shared_ptr<const Targets> measure_targets(const Weights& weights, const Recipe& recipe,
                                               const WorkingSizes& sizes, Scene& scene,
                                               ThreadPool& pool, const Size& core, Ranks& ranks) {
  auto targets = std::make_shared<Targets>();
  targets->regional = is_regional(recipe, scene.has_masks());
  targets->basis = targets_basis(weights, recipe, sizes, targets->regional);
  targets->layers.resize(targets->basis.taps.size());
  targets->columns.resize(targets->basis.columns.size());
  if (targets->layers.empty()) return targets;
  Measuring measuring(weights, recipe, core, *targets, pool, ranks);
  measuring.make_regions(scene.regions, scene.seen);
  for (StyleSource& source : scene.sources) {
    measuring.add_painting(source);
    source.painting = Image();
  }
  measuring.measure_photo(scene.photo, scene.seen);
  return targets;
}

}  // namespace limn
