// TensorFlow.js's files, as sound or as unsound as a test wants them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "network/weights.h"
#include "weights_files.h"

namespace limn {

// A manifest's group without its paths, and the bytes that its shards have together.
struct JsGroup {
  nlohmann::json weights = nlohmann::json::array();
  std::string bytes;
};

// A group of all kernels and biases in float32; each name begins with `prefix` ("vgg19/").
inline JsGroup js_group(const Weights& weights, const std::string& prefix = "") {
  JsGroup group;
  const auto add = [&](const std::string& name, const std::vector<int>& shape,
                       std::span<const float> values) {
    group.weights.push_back({{"name", prefix + name}, {"shape", shape}, {"dtype", "float32"}});
    group.bytes.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  };
  for (const Convolution& layer : weights.convolutions) {
    const std::string name = "block" + layer.id.substr(0, 1) + "_conv" + layer.id.substr(2);
    add(name + "/kernel", {3, 3, layer.in(), layer.out()}, keras_order(layer));
    add(name + "/bias", {layer.out()}, layer.bias);
  }
  return group;
}

// Writes the group's bytes as shards beside the manifest; returns the group as a manifest has it.
inline nlohmann::json write_js_shards(const TemporaryFolder& folder, const JsGroup& group,
                                      size_t shard_bytes = 50'000) {
  nlohmann::json paths = nlohmann::json::array();
  for (size_t begin = 0; begin < group.bytes.size(); begin += shard_bytes) {
    paths.push_back("shard" + std::to_string(paths.size()) + ".bin");
    write_bytes(folder.path(paths.back().get<std::string>()),
                group.bytes.substr(begin, shard_bytes));
  }
  return {{"paths", paths}, {"weights", group.weights}};
}

// model.json of these groups.
inline std::string js_model(const nlohmann::json& groups) {
  const nlohmann::ordered_json model = {{"format", "layers-model"},
                                        {"modelTopology", {{"keras_version", "2.4.0"}}},
                                        {"weightsManifest", groups}};
  return model.dump();
}

}  // namespace limn
