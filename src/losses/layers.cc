#include "losses/layers.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "network/network.h"
#include "recipe/stages.h"

namespace limn {
namespace {

// The position of a layer named by the recipe.
LayerPosition position_of(const NetworkTable& network, const std::string& layer) {
  const std::optional<LayerPosition> position = find_layer(network, layer);
  if (position) return *position;
  if (!network.imitations.empty()) {
    const std::vector<std::string> names = layer_names(network);
    fail(ErrorKind::usage,
         "the network '{}' has no layer '{}'{}; it imitates only {}; for other layers, use "
         "--network vgg19",
         network.name, layer, did_you_mean(layer, names), fmt::join(names, ", "));
  }
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
      if (known == in_use.end()) {
        LayerInUse found = {.position = position, .imitation = imitation_at(network, position)};
        found.channels =
            found.imitation ? found.imitation->channels : network.rows[position.row].out;
        known = in_use.insert(known, found);
      }
      (*known).*weight += term_weight * layer.weight;
    }
  };
  collect(recipe.content.weight, recipe.content.layers, &LayerInUse::content_weight);
  collect(recipe.style.weight, recipe.style.layers, &LayerInUse::style_weight);
  // Unlike theirs, these have layers by default, even where a network is too small for them.
  if (recipe.neighbours.weight != 0) {
    collect(recipe.neighbours.weight, recipe.neighbours.layers, &LayerInUse::neighbours_weight);
  }
  if (recipe.transport.weight != 0) {
    collect(recipe.transport.weight, recipe.transport.layers, &LayerInUse::transport_weight);
  }
  if (recipe.structure.weight != 0) {
    collect(recipe.structure.weight, recipe.structure.layers, &LayerInUse::structure_weight);
  }
  return in_use;
}

int deepest_row(std::span<const LayerInUse> layers) {
  int deepest = -1;
  for (const LayerInUse& layer : layers) deepest = std::max(deepest, layer.position.row);
  return deepest;
}

namespace {

int least_side(const NetworkTable& network, const Recipe& recipe, const LayerWeight& layer) {
  return smallest_side(network.rows, recipe.network.pooling, position_of(network, layer.layer).row);
}

// Raises `least` to what this term's layers need, except those of weight 0.
void raise(LeastSide& least, const NetworkTable& network, const Recipe& recipe, double term_weight,
           const std::vector<LayerWeight>& layers) {
  for (const LayerWeight& layer : layers) {
    if (term_weight == 0 || layer.weight == 0) continue;
    const int pixels = least_side(network, recipe, layer);
    if (pixels > least.pixels || least.layer.empty()) least = {pixels, layer.layer};
  }
}

}  // namespace

LeastSide least_painting_side(const NetworkTable& network, const Recipe& recipe) {
  LeastSide least;
  for (const Recipe& stage : stages_of(recipe)) {
    raise(least, network, stage, stage.style.weight, stage.style.layers);
    raise(least, network, stage, stage.neighbours.weight, stage.neighbours.layers);
    raise(least, network, stage, stage.transport.weight, stage.transport.layers);
  }
  return least;
}

LeastSide least_picture_side(const NetworkTable& network, const Recipe& recipe) {
  LeastSide least = least_painting_side(network, recipe);
  for (const Recipe& stage : stages_of(recipe)) {
    raise(least, network, stage, stage.content.weight, stage.content.layers);
    raise(least, network, stage, stage.structure.weight, stage.structure.layers);
  }
  return least;
}

std::vector<LayerWeight> layers_within(const NetworkTable& network, const Recipe& recipe,
                                       std::span<const LayerWeight> layers, int shorter_side) {
  std::vector<LayerWeight> within;
  std::ranges::copy_if(layers, std::back_inserter(within), [&](const LayerWeight& layer) {
    return least_side(network, recipe, layer) <= shorter_side;
  });
  return within;
}

void drop_unread_layers(Weights& weights, std::span<const Recipe> recipes) {
  int deepest = -1;
  for (const Recipe& recipe : recipes) {
    for (const Recipe& stage : stages_of(recipe)) {
      deepest = std::max(deepest, deepest_row(layers_in_use(*weights.network, stage)));
    }
  }
  const auto reached = std::ranges::count(weights.network->rows.first(deepest + 1),
                                          RowKind::convolution, &Row::kind);
  if (weights.convolutions.size() > static_cast<size_t>(reached)) {
    weights.convolutions.resize(reached);
  }
}

std::vector<TapRequest> painting_taps(std::span<const LayerInUse> layers, bool regional) {
  std::vector<TapRequest> taps;
  for (const LayerInUse& layer : layers) {
    if (!layer.of_paintings()) continue;
    const bool style = layer.style_weight != 0;
    const bool searched = layer.neighbours_weight != 0 || layer.transport_weight != 0;
    taps.push_back({layer.position, searched || (style && regional), style && !regional});
  }
  return taps;
}

std::vector<TapRequest> picture_taps(std::span<const LayerInUse> layers, bool half_features,
                                     bool regional) {
  std::vector<TapRequest> taps;
  for (const LayerInUse& layer : layers) {
    const bool style = layer.style_weight != 0;
    const bool compared =
        layer.of_photo() || layer.neighbours_weight != 0 || layer.transport_weight != 0;
    taps.push_back(
        {layer.position, compared || (style && regional), style && !regional, half_features});
  }
  return taps;
}

}  // namespace limn
