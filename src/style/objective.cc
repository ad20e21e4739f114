#include "style/objective.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "style/losses.h"

namespace limn {

Objective::Objective(const Weights& weights, const Recipe& recipe, const Image& photo,
                     const Image& painting, ThreadPool& pool)
    : recipe_(recipe), height_(photo.height), width_(photo.width), pool_(pool) {
  table_ = weights.network;
  plan_variable(input_convention(recipe.network.convention, weights.convention));
  const std::vector<LayerInUse> layers = layers_in_use(*table_, recipe);
  if (layers.empty()) return;
  for (const LayerInUse& layer : layers) layers_.push_back({layer});
  network_ = std::make_unique<Network>(weights, recipe.network.pooling, deepest_row(layers));
  check_size("photo", height_, width_);
  check_size("painting", painting.height, painting.width);
  measure_painting(painting, painting_taps(layers));
  measure_photo(photo, picture_taps(layers, recipe.picture.half_features));
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

// Where a layer that the recipe names is read.
LayerPosition position_of(const NetworkTable& network, const std::string& layer) {
  const std::optional<LayerPosition> position = find_layer(network, layer);
  if (position) return *position;
  std::string ids;
  for (const Row& row : network.rows) {
    if (row.kind == RowKind::convolution)
      ids += fmt::format("{}{}", ids.empty() ? "" : " ", row.id);
  }
  fail(ErrorKind::usage,
       "{} has no layer '{}'{} (conv4_2 is a layer before its ReLU, relu4_2 after it, pool4 a "
       "pooling; the convolutions are {})",
       network.name, layer, did_you_mean(layer, layer_names(network)), ids);
}

}  // namespace

std::vector<LayerInUse> layers_in_use(const NetworkTable& network, const Recipe& recipe) {
  std::vector<LayerInUse> in_use;
  const auto collect = [&](double term_weight, const std::vector<LayerWeight>& layers,
                           double LayerInUse::*weight) {
    for (const LayerWeight& layer : layers) {
      const LayerPosition position = position_of(network, layer.layer);
      if (term_weight == 0 || layer.weight == 0) continue;
      auto known = std::ranges::find(in_use, position, &LayerInUse::position);
      if (known == in_use.end()) known = in_use.insert(known, {position});
      (*known).*weight += term_weight * layer.weight;
    }
  };
  collect(recipe.content.weight, recipe.content.layers, &LayerInUse::content_weight);
  collect(recipe.style.weight, recipe.style.layers, &LayerInUse::style_weight);
  return in_use;
}

int deepest_row(std::span<const LayerInUse> layers) {
  int deepest = -1;
  for (const LayerInUse& layer : layers) deepest = std::max(deepest, layer.position.row);
  return deepest;
}

void drop_unread_layers(Weights& weights, const Recipe& recipe) {
  const int deepest = deepest_row(layers_in_use(*weights.network, recipe));
  const auto reached = std::ranges::count(weights.network->rows.first(deepest + 1),
                                          RowKind::convolution, &Row::kind);
  if (weights.convolutions.size() > static_cast<size_t>(reached)) {
    weights.convolutions.resize(reached);
  }
}

std::vector<TapRequest> painting_taps(std::span<const LayerInUse> layers) {
  std::vector<TapRequest> taps;
  for (const LayerInUse& layer : layers) {
    if (layer.style_weight != 0) taps.push_back({layer.position, false, /*gram=*/true});
  }
  return taps;
}

std::vector<TapRequest> picture_taps(std::span<const LayerInUse> layers, bool half_features) {
  std::vector<TapRequest> taps;
  for (const LayerInUse& layer : layers) {
    taps.push_back(
        {layer.position, layer.content_weight != 0, layer.style_weight != 0, half_features});
  }
  return taps;
}

void Objective::check_size(const char* what, int height, int width) const {
  const int last_row = static_cast<int>(network_->rows().size()) - 1;
  const int smallest = smallest_side(network_->rows(), network_->pooling(), last_row);
  if (std::min(height, width) >= smallest) return;
  fail(ErrorKind::usage,
       "the {} is worked on at {} x {} pixels, but layer {} of {} needs at least {} x {}; choose a "
       "larger --size or shallower layers",
       what, width, height, layer_name(network_->rows()[last_row]), table_->name, smallest,
       smallest);
}

// ------------------------------------------------------------------------------------- targets --

// The Gram matrices of the painting. Its pass is given back before the picture's is made.
void Objective::measure_painting(const Image& painting, std::span<const TapRequest> taps) {
  if (taps.empty()) return;
  Pass pass(*network_, painting.height, painting.width, taps, Purpose::features, pool_.threads());
  fill_input(pass.input(), painting.rgb, rgb_to_network_);
  pass.forward(pool_);
  int tap = 0;
  for (Layer& layer : layers_) {
    if (layer.style_weight == 0) continue;
    const std::span<const float> G = pass.gram(tap);
    const auto M = static_cast<double>(pass.shape(tap).positions());
    const double scale = limn::gram_scale(recipe_.style.gram, M);
    layer.style_target = Buffer<float>(G.size());
    for (size_t i = 0; i < G.size(); ++i) layer.style_target[i] = static_cast<float>(scale * G[i]);
    ++tap;
  }
}

// The photo's features, and all that depends on the picture's size. The pass serves the picture
// afterwards.
void Objective::measure_photo(const Image& photo, std::span<const TapRequest> taps) {
  pass_ =
      std::make_unique<Pass>(*network_, height_, width_, taps, Purpose::gradients, pool_.threads());
  fill_input(pass_->input(), photo.rgb, rgb_to_network_);
  pass_->forward(pool_);

  gradients_.resize(layers_.size());
  const double pixels = static_cast<double>(height_) * width_;
  for (size_t i = 0; i < layers_.size(); ++i) {
    Layer& layer = layers_[i];
    const ConstFeatureMap shape = pass_->shape(static_cast<int>(i));
    const auto C = static_cast<double>(shape.channels);
    const auto M = static_cast<double>(shape.positions());
    if (layer.content_weight != 0) {
      const ConstFeatureMap F = pass_->features(static_cast<int>(i));
      layer.content_factor = layer.content_weight * content_factor(recipe_.content.form, C, M);
      layer.content_target = Buffer<float>(F.floats());
      std::memcpy(layer.content_target.data(), F.data, F.floats() * sizeof(float));
      gradients_[i].target = shape;
      gradients_[i].target.data = layer.content_target.data();
      gradients_[i].factor = static_cast<float>(2 * layer.content_factor);
    }
    if (layer.style_weight != 0) {
      layer.style_factor = layer.style_weight * style_factor(recipe_.style.form, C, M, pixels);
      layer.gram_scale = limn::gram_scale(recipe_.style.gram, M);
    }
  }
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

// ---------------------------------------------------------------------------------- evaluation --

Losses Objective::evaluate(std::span<const float> x, std::span<float> gradient) {
  assert(x.size() == size() && gradient.size() == size());
  Losses losses;
  std::fill(gradient.begin(), gradient.end(), 0.0f);

  if (pass_) {
    const auto fill = [&](InputPlanes input) { fill_input(input, x, variable_to_network_); };
    fill(pass_->input());
    pass_->forward(pool_);
    for (size_t i = 0; i < layers_.size(); ++i) {
      const Layer& layer = layers_[i];
      const int tap = static_cast<int>(i);
      if (layer.content_weight != 0) {
        losses.content +=
            content_loss(layer.content_factor, pass_->features(tap), gradients_[i].target, pool_);
      }
      if (layer.style_weight != 0) {
        const std::span<float> G = pass_->gram(tap);
        losses.style += style_loss(layer.style_factor, layer.gram_scale, G, layer.style_target);
        gradients_[i].S = G;
      }
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

  if (recipe_.total_variation.weight != 0) {
    losses.total_variation =
        total_variation(recipe_.total_variation.form, recipe_.total_variation.weight, x, height_,
                        width_, gradient, pool_);
  }
  losses.total = losses.content + losses.style + losses.total_variation;
  return losses;
}

}  // namespace limn
