#include "paint/objective.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "losses/losses.h"
#include "losses/regions.h"
#include "recipe/fields.h"

namespace limn {

Objective::Objective(const Weights& weights, const Recipe& recipe, Scene scene, ThreadPool& pool)
    : Objective(weights, recipe, scene.sizes(), pool) {
  auto targets = std::make_shared<Targets>();
  targets->regional = is_regional(recipe, scene.has_masks());
  targets->basis = targets_basis(weights, recipe, scene.sizes(), targets->regional);
  targets->layers.resize(layers_.size());
  scene = with_border(std::move(scene), recipe.picture.border);
  if (targets->regional) measure_regions(scene, *targets);
  // The paintings' passes are given back before the picture's is made.
  measure_paintings(scene, *targets);
  make_pass(targets->regional);
  measure_photo(scene.photo, *targets);
  measure_visibility(scene.seen, *targets);
  targets->grey = scene.grey;
  for (const float value : scene.keep.values) targets->free.push_back(1 - value);
  compare_with(std::move(targets));
}

Objective::Objective(const Weights& weights, const Recipe& recipe, const Image& photo,
                     const Image& painting, ThreadPool& pool)
    : Objective(weights, recipe, Scene{photo, {{painting, {}, 0, 1.0}}, {}, {}, {}, false}, pool) {}

Objective::Objective(const Weights& weights, const Recipe& recipe,
                     std::shared_ptr<const Targets> targets, ThreadPool& pool)
    : Objective(weights, recipe, targets->basis.sizes, pool) {
  assert(targets->basis == targets_basis(weights, recipe, targets->basis.sizes, targets->regional));
  make_pass(targets->regional);
  compare_with(std::move(targets));
}

// What both have in common: all but the passes.
Objective::Objective(const Weights& weights, const Recipe& recipe, const WorkingSizes& sizes,
                     ThreadPool& pool)
    : recipe_(recipe),
      height_(sizes.picture.height + 2 * recipe.picture.border),
      width_(sizes.picture.width + 2 * recipe.picture.border),
      pool_(pool) {
  check_objective(weights, recipe, sizes);
  plan_variable(input_convention(recipe.network.convention, weights.convention));
  const std::vector<LayerInUse> layers = layers_in_use(*weights.network, recipe);
  if (layers.empty()) return;
  for (const LayerInUse& layer : layers) static_cast<LayerInUse&>(layers_.emplace_back()) = layer;
  multiplied_ = {std::vector<double>(layers.size(), 1.0), std::vector<double>(layers.size(), 1.0)};
  network_ = std::make_unique<Network>(weights, recipe.network.pooling, deepest_row(layers));
}

// ------------------------------------------------------------------------------------ the plan --

// x is the RGB picture or the network's input; both are affine in each other, plane by plane.
void Objective::plan_variable(const InputConvention& convention) {
  bgr_ = convention.bgr;
  for (int plane = 0; plane < 3; ++plane) {
    const int channel = bgr_ ? 2 - plane : plane;
    const float deviation = convention.deviation[channel];
    rgb_to_network_[plane] = {convention.scale / deviation, -convention.mean[channel] / deviation};
  }
  if (recipe_.optimiser.space == Space::network) {
    rgb_to_variable_ = rgb_to_network_;
  } else {
    variable_to_network_ = rgb_to_network_;
  }
}

namespace {

void check_size(const char* what, const char* mend, int height, int width, const LeastSide& least,
                std::string_view network) {
  if (std::min(height, width) >= least.pixels) return;
  fail(ErrorKind::usage,
       "the {} is worked on at {} x {} pixels, but layer {} of {} needs at least {} x {}; choose a "
       "larger {} or shallower layers",
       what, width, height, least.layer, network, least.pixels, least.pixels, mend);
}

}  // namespace

void check_objective(const Weights& weights, const Recipe& recipe, const WorkingSizes& sizes) {
  const std::vector<LayerInUse> layers = layers_in_use(*weights.network, recipe);
  if (layers.empty()) return;
  if (weights.student && recipe.network.pooling != Pooling::max) {
    fail(ErrorKind::usage,
         "the network '{}' was trained with max pooling and imitates nothing with another; for "
         "--pooling {} there is --network vgg19",
         weights.network->name, name_of(recipe.network.pooling));
  }
  // Which throws where the weights end too early.
  const Network network(weights, recipe.network.pooling, deepest_row(layers));
  const int border = 2 * recipe.picture.border;
  check_size("photo", "--size", sizes.picture.height + border, sizes.picture.width + border,
             least_picture_side(*weights.network, recipe), weights.network->name);
  for (const Size& painting : sizes.paintings) {
    check_size("painting", "--size or --style-scale", painting.height, painting.width,
               least_painting_side(*weights.network, recipe), weights.network->name);
  }
}

// ------------------------------------------------------------------------------------- targets --

Targets::Basis targets_basis(const Weights& weights, const Recipe& recipe,
                             const WorkingSizes& sizes, bool regional) {
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
          picture_taps(layers_in_use(*weights.network, recipe), /*half_features=*/false, regional)};
}

// The statistics of the paintings, each of which is given back once it has been measured.
void Objective::measure_paintings(Scene& scene, Targets& targets) const {
  for (Source& source : scene.sources) {
    measure_painting(source, targets);
    source.painting = Image();
  }
}

void Objective::measure_painting(const Source& source, Targets& targets) const {
  const std::vector<LayerInUse> layers(layers_.begin(), layers_.end());
  const std::vector<TapRequest> taps = painting_taps(layers, targets.regional);
  if (taps.empty()) return;
  const Image& painting = source.painting;
  Pass pass(*network_, painting.height, painting.width, taps, Purpose::features, pool_.threads());
  fill_input(pass.input(), painting.rgb, rgb_to_network_);
  pass.forward(pool_);
  int tap = 0;
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (layers_[i].style_weight == 0) continue;
    if (targets.regional) {
      add_source(recipe_, source.from, source.share, network_->rows(), layers_[i].position.row,
                 pass.features(tap), targets.layers[i].regions[source.region], pool_);
    } else {
      const std::span<const float> G = pass.gram(tap);
      const auto M = static_cast<double>(pass.shape(tap).positions());
      const double scale = source.share * limn::gram_scale(recipe_.style.gram, M);
      Buffer<float>& A = targets.layers[i].gram;
      if (A.empty()) A = Buffer<float>(G.size());  // zeros
      for (size_t j = 0; j < G.size(); ++j) A[j] += static_cast<float>(scale * G[j]);
    }
    ++tap;
  }
}

// The regions of the picture at its layers, without their statistics.
void Objective::measure_regions(const Scene& scene, Targets& targets) const {
  if (layers_.empty()) return;
  const std::vector<LayerInUse> layers(layers_.begin(), layers_.end());
  const std::vector<TapRequest> taps = picture_taps(layers, false, true);
  const PassPlan plan = plan_pass(network_->rows(), network_->pooling(), height_, width_, taps,
                                  Purpose::gradients, pool_.threads());
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (layers_[i].style_weight == 0) continue;
    targets.layers[i].regions = region_targets(recipe_, scene.regions, plan.taps[i].shape);
  }
}

// The pass over the picture, and all that depends on the picture's size.
void Objective::make_pass(bool regional) {
  if (layers_.empty()) return;
  const std::vector<LayerInUse> layers(layers_.begin(), layers_.end());
  pass_ = std::make_unique<Pass>(*network_, height_, width_,
                                 picture_taps(layers, recipe_.picture.half_features, regional),
                                 Purpose::gradients, pool_.threads());
  const double pixels = static_cast<double>(height_) * width_;
  for (size_t i = 0; i < layers_.size(); ++i) {
    Layer& layer = layers_[i];
    const ConstFeatureMap shape = pass_->shape(static_cast<int>(i));
    const double C = layer.imitation ? layer.imitation->channels : shape.channels;
    const auto M = static_cast<double>(shape.positions());
    layer.content_form = layer.content_weight * content_factor(recipe_.content.form, C, M);
    // Where C means and deviations take the place of the C^2 values of a matrix, so does C of C^2.
    const bool of_channels = recipe_.style.statistic == StyleStatistic::mean_deviation;
    layer.style_form = layer.style_weight *
                       style_factor(recipe_.style.form, of_channels ? std::sqrt(C) : C, M, pixels);
    layer.gram_scale = limn::gram_scale(recipe_.style.gram, M);
    if (layer.imitation) make_mapped(layer, shape);
  }
}

// What the losses of a student's layer take besides.
void Objective::make_mapped(Layer& layer, ConstFeatureMap shape) {
  const Buffer<double>& K = layer.imitation->K;
  const auto grow = [](Buffer<double>& buffer, size_t size) {
    if (buffer.size() < size) buffer = Buffer<double>(size);
  };
  if (layer.style_weight != 0) grow(matrices_, 3 * K.size());
  if (layer.content_weight == 0) return;
  grow(gram_sums_, kernels::gram_scratch_size(shape));
  layer.difference = Buffer<float>(shape.floats());
  layer.difference_gram = Buffer<float>(K.size());
  layer.slope = Buffer<float>(K.size());
}

// The photo's features, through the picture's pass.
void Objective::measure_photo(const Image& photo, Targets& targets) {
  if (!pass_) return;
  fill_input(pass_->input(), photo.rgb, rgb_to_network_);
  pass_->forward(pool_);
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (layers_[i].content_weight == 0) continue;
    const ConstFeatureMap F = pass_->features(static_cast<int>(i));
    Buffer<float>& P = targets.layers[i].features;
    P = Buffer<float>(F.floats());
    std::memcpy(P.data(), F.data, F.floats() * sizeof(float));
  }
}

// How much of each position the content losses count.
void Objective::measure_visibility(const Mask& seen, Targets& targets) const {
  for (size_t i = 0; i < layers_.size() && !seen.empty(); ++i) {
    if (layers_[i].content_weight == 0) continue;
    const ConstFeatureMap shape = pass_->shape(static_cast<int>(i));
    std::vector<float>& roots = targets.layers[i].roots;
    roots = layer_weights(seen, shape.height, shape.width);
    for (float& root : roots) root = std::sqrt(root);
  }
}

void Objective::compare_with(std::shared_ptr<const Targets> targets) {
  targets_ = std::move(targets);
  gradients_.resize(layers_.size());
  for (size_t i = 0; i < layers_.size(); ++i) {
    Layer& layer = layers_[i];
    const ConstFeatureMap shape = pass_->shape(static_cast<int>(i));
    if (targets_->regional && layer.style_weight != 0) {
      const std::span<const double> K =
          layer.imitation ? std::span<const double>(layer.imitation->K) : std::span<const double>();
      RegionalStyle& regional =
          layer.regional.emplace(recipe_, shape, K, targets_->layers[i].regions);
      regional.reserve(regional_scratch_);
      gradients_[i].own = [this, &regional](ConstFeatureMap F) {
        return regional.gradient(F, regional_scratch_, pool_);
      };
    }
    if (layer.content_weight == 0) continue;
    const bool all_seen = targets_->layers[i].roots.empty();
    if (!all_seen && layer.difference.empty()) layer.difference = Buffer<float>(shape.floats());
    if (layer.imitation) {
      gradients_[i].T = layer.slope;
      gradients_[i].difference = shape;
      gradients_[i].difference.data = layer.difference.data();
    } else {
      gradients_[i].target = shape;
      gradients_[i].target.data =
          all_seen ? targets_->layers[i].features.data() : layer.difference.data();
    }
  }
  multiply(multiplied_);
}

// ------------------------------------------------------------------------------------- weights --

void Objective::multiply(const LossWeights& weights) {
  multiplied_ = weights;
  for (size_t i = 0; i < layers_.size(); ++i) {
    Layer& layer = layers_[i];
    layer.content_factor = weights.content[i] * layer.content_form;
    layer.style_factor = weights.style[i] * layer.style_form;
    if (layer.content_weight == 0) continue;
    const double slope = unit_ * (2 * layer.content_factor);
    if (!layer.imitation) gradients_[i].factor = static_cast<float>(slope);
    for (size_t j = 0; j < layer.slope.size(); ++j) {
      layer.slope[j] = static_cast<float>(slope * layer.imitation->K[j]);
    }
  }
}

void Objective::set_unit(double unit) {
  unit_ = unit;
  multiply(multiplied_);  // gradients' factors are made anew
}

double Objective::leading_weight() const {
  for (const Layer& layer : layers_) {
    if (layer.content_weight != 0) return layer.content_weight;
  }
  for (const Layer& layer : layers_) {
    if (layer.style_weight != 0) return layer.style_weight;
  }
  return recipe_.total_variation.weight;
}

std::vector<double> Objective::style_weights() const {
  std::vector<double> weights;
  for (const Layer& layer : layers_) weights.push_back(layer.style_weight);
  return weights;
}

// ------------------------------------------------------------------------ variable and picture --

void Objective::fill_input(InputPlanes input, std::span<const float> planes,
                           const std::array<Affine, 3>& to_network) const {
  const size_t plane_size = static_cast<size_t>(input.height) * input.width;
  pool_.run(3 * static_cast<size_t>(input.height), [&](size_t task) {
    const int plane = static_cast<int>(task / input.height);
    const int row = static_cast<int>(task % input.height);
    const float* from = planes.data() + plane * plane_size + static_cast<size_t>(row) * input.width;
    float* to = input.row(bgr_ ? 2 - plane : plane, row);
    for (int x = 0; x < input.width; ++x) to[x] = to_network[plane](from[x]);
  });
}

std::vector<float> Objective::encode(Image picture) const {
  assert(picture.height == height_ && picture.width == width_);
  std::vector<float> x = std::move(picture.rgb);
  const size_t plane_size = x.size() / 3;
  for (size_t i = 0; i < x.size(); ++i) x[i] = rgb_to_variable_[i / plane_size](x[i]);
  return x;
}

Image Objective::decode(std::vector<float> x) const {
  const size_t plane_size = x.size() / 3;
  for (size_t i = 0; i < x.size(); ++i) {
    const Affine& affine = rgb_to_variable_[i / plane_size];
    x[i] = (x[i] - affine.offset) / affine.gain;
  }
  Image picture;
  picture.width = width_;
  picture.height = height_;
  picture.rgb = std::move(x);
  return picture;
}

void Objective::clip(std::span<float> x) const {
  pool_.run(3 * static_cast<size_t>(height_), [&](size_t row) {
    const Affine& affine = rgb_to_variable_[row / height_];
    const float black = affine(0.0f);
    const float white = affine(1.0f);
    for (float& value : x.subspan(row * width_, width_)) value = std::clamp(value, black, white);
  });
}

void Objective::make_grey(std::span<float> x) const {
  const size_t plane_size = x.size() / 3;
  for (size_t i = 0; i < plane_size; ++i) {
    float grey = 0;
    for (size_t c = 0; c < 3; ++c) {
      const Affine& affine = rgb_to_variable_[c];
      grey += (x[c * plane_size + i] - affine.offset) / affine.gain / 3;
    }
    for (size_t c = 0; c < 3; ++c) x[c * plane_size + i] = rgb_to_variable_[c](grey);
  }
}

// ---------------------------------------------------------------------------------- evaluation --

double Objective::content_loss_of(size_t i) {
  Layer& layer = layers_[i];
  const ConstFeatureMap F = pass_->features(static_cast<int>(i));
  ConstFeatureMap P = F;
  P.data = targets_->layers[i].features.data();
  const std::vector<float>& roots = targets_->layers[i].roots;
  const FeatureMap D = {layer.difference.data(), F.channels, F.height, F.width};
  if (layer.imitation) {
    return mapped_content_loss(layer.content_factor, layer.imitation->K, F, P, roots, D,
                               layer.difference_gram, gram_sums_, pool_);
  }
  if (roots.empty()) return content_loss(layer.content_factor, F, P, pool_);
  return weighed_content_loss(layer.content_factor, F, P, roots, D, pool_);
}

// Turns the layer's Gram matrix into the gradient's S.
double Objective::style_loss_of(size_t i) {
  Layer& layer = layers_[i];
  if (layer.regional) {
    return layer.regional->loss(layer.style_factor, unit_, pass_->features(static_cast<int>(i)),
                                regional_scratch_, pool_);
  }
  const std::span<float> G = pass_->gram(static_cast<int>(i));
  const Buffer<float>& A = targets_->layers[i].gram;
  gradients_[i].S = G;
  if (!layer.imitation) return style_loss(layer.style_factor, layer.gram_scale, G, A, unit_);
  return mapped_style_loss(layer.style_factor, layer.gram_scale, layer.imitation->K, G, A,
                           matrices_, pool_, unit_);
}

// The gradient of what is not to move is 0.
void Objective::keep_kept(std::span<float> gradient) const {
  const std::vector<float>& free = targets_->free;
  pool_.run(3 * static_cast<size_t>(height_), [&](size_t row) {
    const float* part = free.data() + row % height_ * width_;
    float* values = gradient.data() + row * width_;
    for (int i = 0; i < width_; ++i) values[i] *= part[i];
  });
}

// x = gain v + offset of a grey v changes along the gains alone.
void Objective::keep_grey(std::span<float> gradient) const {
  const size_t plane_size = gradient.size() / 3;
  float square = 0;
  for (const Affine& affine : rgb_to_variable_) square += affine.gain * affine.gain;
  pool_.run(height_, [&](size_t row) {
    for (size_t i = row * width_; i < (row + 1) * width_; ++i) {
      float along = 0;
      for (size_t c = 0; c < 3; ++c)
        along += rgb_to_variable_[c].gain * gradient[c * plane_size + i];
      for (size_t c = 0; c < 3; ++c) {
        gradient[c * plane_size + i] = rgb_to_variable_[c].gain * (along / square);
      }
    }
  });
}

Losses Objective::evaluate(std::span<const float> x, std::span<float> gradient) {
  assert(x.size() == size() && gradient.size() == size());
  Losses losses;
  std::fill(gradient.begin(), gradient.end(), 0.0f);

  if (pass_) {
    const auto fill = [&](InputPlanes input) { fill_input(input, x, variable_to_network_); };
    fill(pass_->input());
    pass_->forward(pool_);
    for (size_t i = 0; i < layers_.size(); ++i) {
      if (layers_[i].content_weight != 0) losses.content += content_loss_of(i);
      if (layers_[i].style_weight != 0) losses.style += style_loss_of(i);
    }
    pass_->backward(gradients_, pool_, fill);
    const size_t plane_size = size() / 3;
    const ConstInputPlanes d_input = pass_->d_input();
    pool_.run(3 * static_cast<size_t>(height_), [&](size_t task) {
      const int plane = static_cast<int>(task / height_);
      const int row = static_cast<int>(task % height_);
      const float* from = d_input.row(bgr_ ? 2 - plane : plane, row);
      float* to = gradient.data() + plane * plane_size + static_cast<size_t>(row) * width_;
      for (int i = 0; i < width_; ++i) to[i] = variable_to_network_[plane].gain * from[i];
    });
  }

  const double variation = multiplied_.total_variation * recipe_.total_variation.weight;
  if (variation != 0) {
    losses.total_variation = total_variation(recipe_.total_variation.form, variation, x, height_,
                                             width_, gradient, pool_, unit_);
  }
  if (!targets_->free.empty()) keep_kept(gradient);
  if (targets_->grey) keep_grey(gradient);
  losses.total = losses.content + losses.style + losses.total_variation;
  return losses;
}

}  // namespace limn
