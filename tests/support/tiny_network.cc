#include "support/tiny_network.h"

#include <fmt/format.h>

#include <fstream>

#include "base/random.h"
#include "recipe/fields.h"
#include "support/copies.h"
#include "support/drawn.h"

namespace limn {

TinyNetwork::TinyNetwork() {
  std::ifstream(LIMN_SOURCE_DIR "/tests/network/tiny_golden.json") >> golden;
  for (const auto& row : golden.at("rows")) ids.push_back(row.at("id"));
  int channels = 3;
  for (size_t i = 0; i < ids.size(); ++i) {
    const auto& row = golden.at("rows")[i];
    const bool pooling = row.at("kind") == "pool";
    const int out = pooling ? channels : row.at("out").get<int>();
    rows.push_back({pooling ? RowKind::pooling : RowKind::convolution, ids[i], channels, out});
    channels = out;
  }
  table = {"tiny", rows};

  Random stream(1);
  weights.network = &table;
  weights.convention = kTorchvisionConvention;
  weights.source = "tiny_golden.json";
  weights.convolutions = draw_convolutions(table, stream);
  const int width = golden.at("width");
  const int height = golden.at("height");
  photo = draw_picture(width, height, stream);
  painting = draw_picture(width, height, stream);
  picture = draw_picture(width, height, stream);
  painting_small = draw_picture(golden.at("painting_small").at("width"),
                                golden.at("painting_small").at("height"), stream);

  Random directions(2);
  for (size_t i = 0; i < picture.rgb.size(); ++i) {
    direction.push_back(static_cast<float>(2 * directions.uniform() - 1));
  }
}

const TinyNetwork& tiny_network() {
  static const TinyNetwork tiny;
  return tiny;
}

Weights open_tiny_weights() {
  Weights weights = copy_of(tiny_network().weights);
  for (Convolution& convolution : weights.convolutions) {
    for (float& bias : convolution.bias) bias += 4;
    for (float& value : convolution.kernel.values) value *= 0.25f;
  }
  return weights;
}

Recipe recipe_of(const nlohmann::json& sections) {
  const auto text_of = [](const nlohmann::json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (value.is_number()) return fmt::format("{}", value.get<double>());
    std::string layers;
    for (const auto& [layer, weight] : value.items()) {
      layers += fmt::format("{}{}:{}", layers.empty() ? "" : ",", layer, weight.get<double>());
    }
    return layers;
  };
  Recipe recipe;
  for (const auto& [section, settings] : sections.items()) {
    for (const auto& [key, value] : settings.items()) {
      set_field(recipe, fmt::format("{}.{}", section, key), text_of(value), "tiny_golden.json");
    }
  }
  return recipe;
}

}  // namespace limn
