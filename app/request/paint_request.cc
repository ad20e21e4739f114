#include "request/paint_request.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/standard_output.h"
#include "image/read.h"
#include "losses/layers.h"
#include "models/model_cache.h"
#include "network/student.h"
#include "request/provenance.h"

namespace limn {
namespace {

using Json = nlohmann::ordered_json;

std::string absolute(const std::string& path) {
  if (path.empty() || path == kStandardOutput) return path;
  std::error_code ignored;  // the current directory may have been removed
  const std::filesystem::path whole = std::filesystem::absolute(path, ignored);
  return whole.empty() ? path : whole.string();
}

std::vector<std::string> absolute(std::vector<std::string> paths) {
  for (std::string& path : paths) {
    if (path != kNoMask) path = absolute(path);
  }
  return paths;
}

Json absolute(const std::optional<std::string>& path) {
  return path ? Json(absolute(*path)) : Json();
}

std::optional<std::string> optional_text(const Json& json) {
  if (json.is_null()) return std::nullopt;
  return json.get<std::string>();
}

}  // namespace

std::string to_text(const PaintRequest& request) {
  Json json;
  json["photo"] = absolute(request.names.photo);
  if (const std::optional<Size>& canvas = request.names.canvas) {
    json["canvas"] = {{"width", canvas->width}, {"height", canvas->height}};
  }
  json["paintings"] = absolute(request.names.paintings);
  json["content_masks"] = absolute(request.names.content_masks);
  json["style_masks"] = absolute(request.names.style_masks);
  json["keep_mask"] = absolute(request.names.keep_mask);
  json["hole"] = absolute(request.names.hole);
  json["max_pixels"] = request.max_pixels;
  if (request.budget.bytes > 0) json["memory"] = request.budget.bytes;
  if (request.budget.tile > 0) json["tile"] = request.budget.tile;
  json["weights"] = absolute(request.weights);
  json["output"] = absolute(request.output);
  json["bits"] = request.write.bits;
  json["quality"] = request.write.quality;
  json["format"] = request.write.format;
  if (request.write.dpi > 0) json["dpi"] = request.write.dpi;
  json["metadata"] = request.metadata;
  json["report"] = absolute(request.report);
  json["checkpoint_every"] = request.checkpoint_every;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

PaintRequest parse_request(const std::string& text, const std::string& source) try {
  const Json json = Json::parse(text);
  PaintRequest request;
  request.names.photo = json.at("photo").get<std::string>();
  if (json.contains("canvas")) {
    const Json& canvas = json.at("canvas");
    const Size size = {canvas.at("height").get<int>(), canvas.at("width").get<int>()};
    if (!is_canvas(size)) fail(ErrorKind::file, "'{}' has a canvas of no size", source);
    request.names.canvas = size;
  }
  json.at("paintings").get_to(request.names.paintings);
  json.at("content_masks").get_to(request.names.content_masks);
  json.at("style_masks").get_to(request.names.style_masks);
  request.names.keep_mask = optional_text(json.at("keep_mask"));
  if (json.contains("hole")) request.names.hole = optional_text(json.at("hole"));
  json.at("max_pixels").get_to(request.max_pixels);
  request.budget = {json.value("memory", 0.0), json.value("tile", 0)};
  request.weights = optional_text(json.at("weights"));
  json.at("output").get_to(request.output);
  json.at("bits").get_to(request.write.bits);
  json.at("quality").get_to(request.write.quality);
  json.at("format").get_to(request.write.format);
  request.write.dpi = json.value("dpi", 0.0);
  json.at("metadata").get_to(request.metadata);
  request.report = optional_text(json.at("report"));
  json.at("checkpoint_every").get_to(request.checkpoint_every);
  if (request.names.paintings.empty()) fail(ErrorKind::file, "'{}' names no painting", source);
  return request;
} catch (const nlohmann::json::exception& error) {
  fail(ErrorKind::file, "'{}' does not say what to paint: {}", source, error.what());
}

void keep_dpi(PaintRequest& request) {
  const bool of_photo = !request.names.is_texture() && request.recipe.picture.size == 0;
  if (!of_photo || request.write.dpi > 0 || is_stream(request.names.photo)) return;
  request.write.dpi = read_header(request.names.photo, {.max_pixels = request.max_pixels}).dpi;
}

Model read_model(const std::optional<std::string>& file, std::span<Recipe> recipes,
                 bool network_given) {
  Weights weights = read_found(file);
  const std::string network(weights.network->name);
  for (Recipe& recipe : recipes) {
    if (recipe.network.name != kBuiltinName) continue;
    if (network_given && network != kBuiltinName) {
      fail(ErrorKind::usage,
           "--network: the built-in network was requested, but the weights in '{}' are for {}",
           weights.source, network);
    }
    recipe.network.name = network;
  }
  // If the network is another one, painting fails with a better message.
  const auto matches = [&](const Recipe& recipe) { return recipe.network.name == network; };
  if (std::ranges::all_of(recipes, matches)) {
    drop_unread_layers(weights, recipes);
  }
  return Model(std::make_shared<const Weights>(std::move(weights)));
}

}  // namespace limn
