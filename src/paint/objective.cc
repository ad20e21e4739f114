#include "paint/objective.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "losses/content.h"
#include "losses/gram.h"
#include "losses/neighbours.h"
#include "losses/regional.h"
#include "losses/sliced.h"
#include "losses/structure.h"
#include "losses/transport.h"
#include "losses/variation.h"
#include "paint/tiles.h"
#include "recipe/fields.h"

namespace limn {

namespace {

void check_size(const char* what, const char* mend, int height, int width, const LeastSide& least,
                std::string_view network) {
  if (std::min(height, width) >= least.pixels) return;
  fail(ErrorKind::usage,
       "the {} is used at {} x {} pixels, but layer {} of {} needs at least {} x {}; choose a "
       "larger {} or shallower layers",
       what, width, height, least.layer, network, least.pixels, least.pixels, mend);
}

}  // namespace

void check_objective(const Weights& weights, const Recipe& recipe, const WorkingSizes& sizes) {
  const std::vector<LayerInUse> layers = layers_in_use(*weights.network, recipe);
  if (layers.empty()) return;
  if (weights.student && recipe.network.pooling != Pooling::max) {
    fail(
        ErrorKind::usage,
        "the network '{}' was trained with max pooling only; for --pooling {}, use --network vgg19",
        weights.network->name, name_of(recipe.network.pooling));
  }
  // Throws if the weights end too early.
  const Network network(weights, recipe.network.pooling, deepest_row(layers));
  const int border = 2 * recipe.picture.border;
  check_size("photo", "--size", sizes.picture.height + border, sizes.picture.width + border,
             least_picture_side(*weights.network, recipe), weights.network->name);
  for (const Size& painting : sizes.paintings) {
    check_size("painting", "--size or --style-scale", painting.height, painting.width,
               least_painting_side(*weights.network, recipe), weights.network->name);
  }
}

// -------------------------------------------------------------------------------------- making --

namespace {

std::shared_ptr<const Targets> targets_of(const Weights& weights, const Recipe& recipe, Scene scene,
                                          ThreadPool& pool, const Size& core) {
  const WorkingSizes sizes = scene.sizes();
  check_objective(weights, recipe, sizes);
  scene = with_border(std::move(scene), recipe.picture.border);
  return measure_targets(weights, recipe, sizes, scene, pool, core);
}

}  // namespace

Objective::Objective(const Weights& weights, const Recipe& recipe, Scene scene, ThreadPool& pool,
                     const Size& core)
    : Objective(weights, recipe, targets_of(weights, recipe, std::move(scene), pool, core), pool,
                core) {}

Objective::Objective(const Weights& weights, const Recipe& recipe, const Image& photo,
                     const Image& painting, ThreadPool& pool, const Size& core)
    : Objective(weights, recipe, Scene{photo, {{painting, {}, 0, 1.0}}, {}, {}, {}, false}, pool,
                core) {}

Objective::Objective(const Weights& weights, const Recipe& recipe,
                     std::shared_ptr<const Targets> targets, ThreadPool& pool, const Size& core,
                     Ranks& ranks)
    : recipe_(recipe),
      pool_(pool),
      ranks_(ranks),
      targets_(std::move(targets)),
      units_(recipe.optimiser.space,
             input_convention(recipe.network.convention, weights.convention)),
      layers_(layers_in_use(*weights.network, recipe)) {
  assert(targets_->basis ==
         targets_basis(weights, recipe, targets_->basis.sizes, targets_->regional));
  check_objective(weights, recipe, targets_->basis.sizes);
  if (!layers_.empty()) {
    network_ = std::make_unique<Network>(weights, recipe.network.pooling, deepest_row(layers_));
    pass_ = std::make_unique<TiledPass>(
        *network_, picture_tiles(*weights.network, recipe, picture_size(), core),
        tiled_picture_taps(recipe, layers_, targets_->regional), Purpose::gradients, pool.threads(),
        recipe.picture.tileable ? Edges::periodic : Edges::zero);
  }
  const size_t layers_and_columns = layers_.size() + columns().size();
  view_.resize(layers_and_columns);
  slopes_.resize(layers_and_columns);
  content_.resize(layers_.size());
  style_.resize(layers_.size());
  neighbours_.resize(layers_.size());
  for (int tap = 0; tap < std::ssize(layers_); ++tap) make_losses(tap);
  of_layers_ = losses_.size();
  make_columns(weights);
  const auto& variation = recipe.total_variation;
  if (variation.weight != 0) {
    losses_.push_back(
        std::make_unique<VariationLoss>(variation.weight, variation.form, recipe.picture.tileable));
    variation_ = losses_.back().get();
  }
  make_sums();
  due_.assign(losses_.size(), 1);
  const std::vector<double> ones(layers_.size(), 1.0);
  multiply({ones, ones, 1, ones, std::vector<double>(columns().size(), 1.0)});
}

namespace {

NeighboursForm neighbours_form(const Recipe& recipe) {
  const auto& neighbours = recipe.neighbours;
  return {neighbours.distance, neighbours.every, neighbours.uses};
}

}  // namespace

void Objective::make_sums() {
  sums_begin_ = {0};
  for (const auto& loss : losses_) sums_begin_.push_back(sums_begin_.back() + loss->sums_size());
  sums_ = Buffer<double>(sums_begin_.back());
  if (tiles() > 1) {
    tile_sums_ = Buffer<double>(sums_begin_[of_layers_]);
    if (ranks_.count() > 1) {
      others_sums_ = Buffer<double>(tile_sums_.size());
      others_patch_ = Buffer<float>(pass_->most_patch_floats());
    }
  }
  // Slopes of what lies around tiles are added up there.
  const std::vector<TapRequest> taps = tiled_picture_taps(recipe_, layers_, targets_->regional);
  for (int tap = 0; tap < std::ssize(layers_) && tiles() > 1; ++tap) {
    if (taps[tap].around) Scratch::grow(scratch_.own, pass_->shape(tap).around.floats());
  }
}

// Makes the losses of one layer.
void Objective::make_losses(int tap) {
  const LayerInUse& layer = layers_[tap];
  const Targets::Layer& target = targets_->layers[tap];
  const LayerShape& shape = pass_->shape(tap);
  const double C = layer.imitation ? layer.imitation->channels : shape.whole.channels;
  const auto M = static_cast<double>(shape.whole.positions());
  const std::span<const double> K =
      layer.imitation ? std::span<const double>(layer.imitation->K) : std::span<const double>();

  if (layer.content_weight != 0) {
    const double factor = layer.content_weight * content_factor(recipe_.content.form, C, M);
    losses_.push_back(
        std::make_unique<ContentLoss>(factor, tap, shape, target.content, K, scratch_));
    content_[tap] = losses_.back().get();
  }
  if (targets_->basis.reads[tap].neighbours) {
    losses_.push_back(std::make_unique<NeighboursLoss>(layer.neighbours_weight,
                                                       neighbours_form(recipe_), tap, shape,
                                                       target.neighbours, K, scratch_));
    neighbours_[tap] = losses_.back().get();
  }
  if (layer.style_weight == 0) return;
  // C means and deviations replace the C^2 values of a matrix, so C replaces C^2 in the factor. The
  // mean over directions is 1 / C of the sum over channels, since each has 1 / C of every square.
  const bool sliced = recipe_.style.statistic == StyleStatistic::sliced;
  const bool of_channels = sliced || recipe_.style.statistic == StyleStatistic::mean_deviation;
  const double pixels = static_cast<double>(size()) / 3;
  const double factor = layer.style_weight *
                        style_factor(recipe_.style.form, of_channels ? std::sqrt(C) : C, M, pixels);
  if (sliced) {
    losses_.push_back(std::make_unique<SlicedLoss>(C * factor, recipe_.picture.seed,
                                                   recipe_.style.every, tap, shape, target.sliced,
                                                   layer.imitation, scratch_));
  } else if (targets_->regional) {
    losses_.push_back(std::make_unique<RegionalLoss>(factor, tap, recipe_.style.gram, shape,
                                                     target.regions, K, scratch_));
  } else {
    losses_.push_back(std::make_unique<GramLoss>(factor, tap, gram_scale(recipe_.style.gram, M),
                                                 target.gram, K, scratch_));
  }
  style_[tap] = losses_.back().get();
}

// Makes columns and the losses that read them.
void Objective::make_columns(const Weights& weights) {
  of_columns_.resize(columns().size());
  std::vector<ConstFeatureMap> shapes;
  for (int tap = 0; tap < std::ssize(layers_); ++tap) {
    shapes.push_back(pass_->shape(tap).whole);
    if (!columns().empty() && tiles() == 1) Scratch::grow(scratch_.own, shapes.back().floats());
  }
  for (size_t i = 0; i < columns().size(); ++i) {
    const ColumnsInUse& in_use = columns()[i];
    const Targets::OfColumns& target = targets_->columns[i];
    columns_.push_back(std::make_unique<Columns>(in_use, layers_, weights.network->rows, shapes,
                                                 picture_size(), units_, targets_->basis.seed,
                                                 targets_->seen));
    Columns& columns = *columns_.back();
    const auto tap = static_cast<int>(layers_.size() + i);
    const auto add = [&](std::unique_ptr<Loss> loss) {
      of_columns_[i].push_back(losses_.size());
      losses_.push_back(std::move(loss));
    };
    switch (in_use.reader) {
      case ColumnsInUse::Reader::neighbours:
        add(std::make_unique<NeighboursLoss>(in_use.weight, neighbours_form(recipe_), tap,
                                             columns.shape(), target.neighbours,
                                             std::span<const double>(), scratch_));
        break;
      case ColumnsInUse::Reader::transport:
        for (const TransportTarget& painting : target.transport) {
          add(std::make_unique<TransportLoss>(in_use.weight, recipe_.transport.palette,
                                              recipe_.transport.every, tap, columns.shape(),
                                              columns.used_channels(), painting, scratch_));
        }
        break;
      case ColumnsInUse::Reader::structure:
        add(std::make_unique<StructureLoss>(in_use.weight, recipe_.structure.every, tap, columns,
                                            targets_->structure, scratch_));
        break;
    }
  }
}

// ------------------------------------------------------------------------------------- weights --

void Objective::multiply(const LossWeights& weights) {
  multiplied_ = weights;
  for (size_t tap = 0; tap < layers_.size(); ++tap) {
    if (content_[tap]) content_[tap]->multiply(weights.content[tap], unit_);
    if (style_[tap]) style_[tap]->multiply(weights.style[tap], unit_);
    if (neighbours_[tap]) neighbours_[tap]->multiply(weights.neighbours[tap], unit_);
  }
  for (size_t i = 0; i < of_columns_.size(); ++i) {
    for (const size_t loss : of_columns_[i]) losses_[loss]->multiply(weights.columns[i], unit_);
  }
  if (variation_) variation_->multiply(weights.total_variation, unit_);
  last_row_ = last_row_that_counts();
}

// Of the network: deeper layers are read by losses of weight 0. Columns are gathered whole.
int Objective::last_row_that_counts() const {
  const auto counts = [](const Loss* loss) { return loss && loss->counts(); };
  int last = columns_.empty() ? -1 : deepest_row(layers_);
  for (size_t tap = 0; tap < layers_.size(); ++tap) {
    if (counts(content_[tap]) || counts(style_[tap]) || counts(neighbours_[tap])) {
      last = std::max(last, layers_[tap].position.row);
    }
  }
  return last;
}

void Objective::set_unit(double unit) {
  unit_ = unit;
  multiply(LossWeights(multiplied_));
}

double Objective::leading_weight() const {
  for (const LayerInUse& layer : layers_) {
    if (layer.content_weight != 0) return layer.content_weight;
  }
  for (const LayerInUse& layer : layers_) {
    if (layer.style_weight != 0) return layer.style_weight;
  }
  for (const LayerInUse& layer : layers_) {
    if (layer.neighbours_weight != 0) return layer.neighbours_weight;
  }
  if (!columns().empty()) return columns().front().weight;
  return recipe_.total_variation.weight;
}

std::vector<double> Objective::style_weights() const {
  std::vector<double> weights;
  for (const LayerInUse& layer : layers_) weights.push_back(layer.style_weight);
  return weights;
}

std::vector<double> Objective::neighbours_weights() const {
  std::vector<double> weights;
  for (size_t tap = 0; tap < layers_.size(); ++tap) {
    weights.push_back(neighbours_[tap] ? layers_[tap].neighbours_weight : 0);
  }
  return weights;
}

ConstFeatureMap Objective::gathered(size_t i, Buffer<float>& memory) const {
  if (columns()[i].reader != ColumnsInUse::Reader::neighbours) return {};
  FeatureMap T = columns_[i]->shape();
  memory = Buffer<float>(T.floats());
  T.data = memory.data();
  static_cast<const NeighboursLoss&>(*losses_[of_columns_[i].front()])
      .compared()
      .put(T, window_of(T), T, pool_);
  return T;
}

bool Objective::seek_before(int iteration) {
  bool any = false;
  for (size_t i = 0; i < losses_.size(); ++i) {
    const int every = losses_[i]->seeks_every();
    if (!losses_[i]->counts() || every == 0 || iteration % every != 0) continue;
    due_[i] = 1;
    any = true;
  }
  return any;
}

void Objective::seek_afresh() {
  for (const auto& loss : losses_) loss->forget();
  due_.assign(losses_.size(), 1);
}

void Objective::seek_at(std::span<const float> x) {
  due_.assign(losses_.size(), 1);
  choose(x);
}

void Objective::keep(State& state) {
  LossWeights weights = multiplied_;
  state.numbers("weights.content", weights.content);
  state.numbers("weights.style", weights.style);
  state.numbers("weights.neighbours", weights.neighbours);
  state.number("weights.total_variation", weights.total_variation);
  double unit = unit_;
  state.number("objective.unit", unit);
  state.numbers("weights.columns", weights.columns);
  for (size_t i = 0; i < columns_.size(); ++i) {
    columns_[i]->keep(state, fmt::format("columns.{}", i));
  }
  for (const auto& loss : losses_) loss->keep(state);
  if (!state.restores()) return;
  multiply(weights);
  set_unit(unit);
  due_.assign(losses_.size(), 0);
}

// ---------------------------------------------------------------------------------- evaluation --

namespace {

double& term_of(Losses& losses, Term term) {
  switch (term) {
    case Term::content:
      return losses.content;
    case Term::style:
      return losses.style;
    case Term::total_variation:
      break;
  }
  return losses.total_variation;
}

}  // namespace

void Objective::run_tile(int tile, std::span<const float> x, bool grams) {
  pass_->forward(tile, x, units_.of_variable(), pool_, {grams, last_row_});
  for (int tap = 0; tap < std::ssize(layers_); ++tap) {
    View::Layer& layer = view_[tap];
    layer.F = pass_->features(tap);
    layer.G = pass_->gram(tap);
    layer.cells = pass_->cells(tap);
    layer.around = pass_->around(tap);
    layer.core = pass_->core(tap);
  }
}

template <typename Act, typename Join>
void Objective::each_tile(std::span<const float> x, bool grams, const Act& act, const Join& join) {
  if (!pass_) return;
  if (tiles() == 1) {
    if (!std::exchange(has_run_, true)) run_tile(0, x, grams);
    act();
    return;
  }
  const auto run = [&](int tile) {
    run_tile(tile, x, grams);
    act();
  };
  take_turns(ranks_, tiles(), run, join);
}

// Whatever is due is chosen at x.
void Objective::choose(std::span<const float> x) {
  has_run_ = has_gathered_ = false;
  // Losses that choose anew do so at new places.
  for (size_t i = 0; i < losses_.size(); ++i) {
    if (!losses_[i]->counts()) due_[i] = 0;
  }
  for (size_t i = 0; i < columns_.size(); ++i) {
    const auto is_due = [this](size_t loss) { return this->is_due(loss); };
    if (std::ranges::any_of(of_columns_[i], is_due)) columns_[i]->draw_next();
  }
  for (size_t i = 0; i < losses_.size(); ++i) {
    if (is_due(i)) losses_[i]->seek(pool_);
  }
  look_and_find(x);
  find_among_columns(x);
  std::ranges::fill(due_, 0);
}

namespace {

// Adds up what tiles hand in.
void add(std::span<const double> part, std::span<double> sum) {
  for (size_t i = 0; i < sum.size(); ++i) sum[i] += part[i];
}

}  // namespace

// Losses of layers that choose by the picture see all of its tiles twice.
void Objective::look_and_find(std::span<const float> x) {
  struct Looking {
    Loss& loss;
    std::vector<double> looked, found, part, others;
  };
  std::vector<Looking> looking;
  for (size_t i = 0; i < of_layers_; ++i) {
    const auto [looked, found] = losses_[i]->sought();
    if (!is_due(i) || looked == 0) continue;
    looking.push_back(
        {*losses_[i], std::vector<double>(looked), std::vector<double>(found), {}, {}});
  }
  if (looking.empty()) return;
  const bool several = tiles() > 1;
  // Calls act(one, sums) for each of them at every tile, and adds up their sums.
  const auto sum_up = [&](std::vector<double> Looking::*sums, const auto& act) {
    for (Looking& one : looking) {
      one.part.resize((one.*sums).size());
      one.others.resize((one.*sums).size());
    }
    each_tile(
        x, /*grams=*/!several,
        [&] {
          for (Looking& one : looking) {
            act(one, several ? std::span<double>(one.part) : std::span<double>(one.*sums));
          }
        },
        [&](int, int rank) {
          for (Looking& one : looking) {
            add(values_of<double>(ranks_, rank, one.part, one.others), one.*sums);
          }
        });
  };
  sum_up(&Looking::looked,
         [&](Looking& one, std::span<double> sums) { one.loss.look(view(x), sums, pool_); });
  for (Looking& one : looking) begin_by_tiles(one.loss.found_by_tiles());
  sum_up(&Looking::found, [&](Looking& one, std::span<double> sums) {
    one.loss.find(view(x), one.looked, sums, pool_);
  });
  for (Looking& one : looking) {
    end_by_tiles(one.loss.found_by_tiles());
    one.loss.learn(one.found);
  }
}

// The same for losses of columns, which are gathered for them.
void Objective::find_among_columns(std::span<const float> x) {
  const auto looks = [this](size_t i) { return is_due(i) && losses_[i]->sought().looked > 0; };
  bool any = false;
  for (size_t i = of_layers_; i < losses_.size(); ++i) any = any || looks(i);
  if (!any) return;
  gather_columns(
      x, [] {}, [](int, int) {});
  for (size_t i = of_layers_; i < losses_.size(); ++i) {
    if (!looks(i)) continue;
    const auto [looked_size, found_size] = losses_[i]->sought();
    std::vector<double> looked(looked_size), found(found_size);
    losses_[i]->look(view(x), looked, pool_);
    losses_[i]->find(view(x), looked, found, pool_);
    losses_[i]->learn(found);
  }
}

// Runs all tiles, of which the columns are gathered unless they are, and each of which `act` sees.
template <typename Act, typename Join>
void Objective::gather_columns(std::span<const float> x, const Act& act, const Join& join) {
  const bool gathers = !std::exchange(has_gathered_, true);
  if (!gathers && of_layers_ == 0) return;
  for (const auto& columns : columns_) {
    if (gathers) columns->begin_gathering();
  }
  each_tile(
      x, /*grams=*/true,
      [&] {
        for (const auto& columns : columns_) {
          if (gathers) columns->gather(layer_views(), pool_);
        }
        act();
      },
      join);
  for (size_t i = 0; i < columns_.size() && gathers; ++i) {
    end_by_tiles(columns_[i]->gathered());
    view_[layers_.size() + i] = View::Layer(columns_[i]->end_gathering(x, pool_));
  }
}

// Memory that tiles set in part: of ranks, each then has what all of them set.
template <typename T>
void Objective::begin_by_tiles(std::span<T> memory) const {
  if (tiles() > 1 && ranks_.count() > 1) std::ranges::fill(memory, T());
}

template <typename T>
void Objective::end_by_tiles(std::span<T> memory) const {
  if (tiles() > 1) merge(ranks_, memory);
}

void Objective::measure(std::span<const float> x) {
  const bool several = tiles() > 1;
  const std::span<double> all = sums_, of_tile = tile_sums_, others = others_sums_;
  if (several) std::ranges::fill(all, 0.0);
  const std::span<const std::unique_ptr<Loss>> of_layers = std::span(losses_).first(of_layers_);
  for (const auto& loss : of_layers) begin_by_tiles(loss->measured_by_tiles());
  gather_columns(
      x,
      [&] {
        for (size_t i = 0; i < of_layers.size(); ++i) {
          if (!of_layers[i]->counts()) continue;
          const std::span<double> sums = share(several ? of_tile : all, sums_begin_, i);
          of_layers[i]->measure(view(x), sums, scratch_, pool_);
        }
      },
      [&](int, int rank) {
        add(values_of(ranks_, rank, of_tile, others), all.first(of_tile.size()));
      });
  for (const auto& loss : of_layers) end_by_tiles(loss->measured_by_tiles());
  for (size_t i = of_layers_; i < losses_.size(); ++i) {
    if (!losses_[i]->counts()) continue;
    losses_[i]->measure(view(x), share(all, sums_begin_, i), scratch_, pool_);
  }
}

Losses Objective::settle() {
  Losses losses;
  const std::span<const double> all = sums_;
  for (size_t i = 0; i < losses_.size(); ++i) {
    if (!losses_[i]->counts()) continue;
    const double loss = losses_[i]->settle(share(all, sums_begin_, i), scratch_, pool_);
    term_of(losses, losses_[i]->term()) += loss;
  }
  losses.total = losses.content + losses.style + losses.total_variation;
  return losses;
}

void Objective::spread(std::span<const float> x, std::span<float> d_x) {
  const auto spread_of = [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      if (losses_[i]->counts()) losses_[i]->spread(view(x), slopes_, scratch_, pool_);
    }
  };
  for (Slope& slope : slopes_) slope.clear();
  spread_of(of_layers_, losses_.size());
  const std::span<Slope> of_layers = std::span(slopes_).first(layers_.size());
  std::vector<char> has_slope(columns_.size());
  for (size_t i = 0; i < columns_.size(); ++i) {
    const Slope& slope = slopes_[layers_.size() + i];
    has_slope[i] = slope.empty() ? 0 : 1;
    if (has_slope[i]) columns_[i]->take_slope(slope, pool_);
  }
  if (!pass_ || tiles() > 1) std::ranges::fill(d_x, 0.0f);
  each_tile(
      x, /*grams=*/false,
      [&] {
        for (Slope& slope : of_layers) slope.clear();
        spread_of(0, of_layers_);
        for (size_t i = 0; i < columns_.size(); ++i) {
          if (has_slope[i]) columns_[i]->spread(layer_views(), of_layers, scratch_, pool_);
        }
        pass_->backward(of_layers, d_x, pool_);
      },
      [&](int tile, int rank) {
        const std::span<float> others =
            std::span<float>(others_patch_)
                .first(others_patch_.empty() ? 0 : pass_->patch_floats(tile));
        pass_->add_patch(tile, values_of(ranks_, rank, pass_->patch_gradient(tile), others), d_x,
                         pool_);
      });
  for (const auto& loss : losses_) {
    if (loss->counts()) loss->spread_to_picture(view(x), d_x, pool_);
  }
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (has_slope[i]) columns_[i]->spread_to_picture(d_x);
  }
}

Losses Objective::evaluate(std::span<const float> x, std::span<float> d_x) {
  assert(x.size() == size() && d_x.size() == size());
  choose(x);
  measure(x);
  const Losses losses = settle();
  spread(x, d_x);
  return losses;
}

}  // namespace limn
