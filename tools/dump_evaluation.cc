// Writes everything that parity/gradient.py checks: features at every layer, losses, gradient.
//
//   dump_evaluation PHOTO PAINTING PICTURE --weights FILE [--recipe NAME|FILE] [--tile N] --out DIR
//
// DIR/evaluation.json       the losses, gradient_norm, width, height, and the recipe
// DIR/gradient.npy          (3, H, W), of the total loss by the picture in 0..1 RGB
// DIR/features_<layer>.npy  (C, H, W), of PICTURE at its own size, for every layer of the network;
//                           of the built-in one those it imitates others with, F_s
//
// and, for parity/neighbours.py, of the recipe's columns number i (losses/columns.h):
//
// DIR/matched_<i>.npy          (C, h, w), the painting's features that were matched with PICTURE's
// DIR/places_<i>.npy           (2, 1, n), rows and columns of drawn places: in PICTURE's pixels, or
//                              of a single layer in cells of its map
// DIR/painting_places_<i>.npy  the same of PAINTING
//
// Weights of losses are the recipe's own, measured by none.
//
// For developers: it uses the library's insides and is not installed.
#include <limn/limn.h>

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/error.h"
#include "base/file.h"
#include "canvas/units.h"
#include "commands/report.h"
#include "losses/columns.h"
#include "losses/layers.h"
#include "losses/transport.h"
#include "models/model_cache.h"
#include "network/network.h"
#include "paint/objective.h"
#include "request/arguments.h"

namespace {

using namespace limn;

// NumPy's format, version 1.0: magic, header length, a Python dictionary, little-endian floats.
void write_npy(const std::string& path, std::span<const float> values, int channels, int height,
               int width) {
  std::string header =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}, {}), }}", channels,
                  height, width);
  constexpr size_t kPrefix = 10;
  header.resize((kPrefix + header.size() + 1 + 63) / 64 * 64 - kPrefix - 1, ' ');
  header += '\n';
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(header.size() & 0xff);
  file += static_cast<char>(header.size() >> 8);
  file += header;
  file.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  replace_file(path, file);
}

void write_map(const std::string& path, ConstFeatureMap F) {
  std::vector<float> values;
  for (int c = 0; c < F.channels; ++c) {
    for (int y = 0; y < F.height; ++y) {
      for (int x = 0; x < F.width; ++x) values.push_back(F.at(c, y, x));
    }
  }
  write_npy(path, values, F.channels, F.height, F.width);
}

// All layers of the network at once, with the picture put in by the weights' convention.
void dump_features(const Model& model, const Recipe& recipe, const Image& picture,
                   const std::string& folder) {
  const Weights& weights = model.weights();
  const NetworkTable& table = *weights.network;
  const std::vector<std::string> names = layer_names(table);
  std::vector<TapRequest> taps;
  int last_row = 0;
  for (const std::string& name : names) {
    taps.push_back({*find_layer(table, name), true, false});
    last_row = std::max(last_row, taps.back().position.row);
  }
  const Network network(weights, recipe.network.pooling, last_row);

  ThreadPool pool;
  Pass pass(network, picture.height, picture.width, taps, Purpose::features);
  const Units units(Space::rgb, weights.convention);
  pass.forward(picture.rgb, units.of_rgb(), pool);
  for (size_t i = 0; i < names.size(); ++i) {
    const ConstFeatureMap F = pass.features(static_cast<int>(i));
    write_map(fmt::format("{}/features_{}.npy", folder, names[i]), F);
  }
}

void write_places(const std::string& path, const Columns& columns) {
  std::vector<float> values;
  for (const Columns::Place& place : columns.places(0)) values.push_back(place.y);
  for (const Columns::Place& place : columns.places(0)) values.push_back(place.x);
  const auto count = static_cast<int>(columns.places(0).size());
  write_npy(path, values, 2, 1, count);
}

// As drawn when targets are measured.
Columns columns_of_painting(ColumnsInUse in_use, const Objective& objective, const Model& model,
                            const Recipe& recipe, const Image& painting) {
  const std::vector<LayerInUse> layers = layers_in_use(*model.weights().network, recipe);
  const std::span<const Row> rows = model.weights().network->rows;
  const PassPlan plan = plan_pass(rows, recipe.network.pooling, painting.height, painting.width,
                                  painting_taps(layers, false), Purpose::features, 1);
  std::vector<ConstFeatureMap> shapes(layers.size());
  size_t tap = 0;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].of_paintings()) shapes[i] = plan.taps[tap++].shape;
  }
  if (in_use.reader == ColumnsInUse::Reader::transport) in_use.places.most = kDrawnFromPainting;
  return {in_use,
          layers,
          rows,
          shapes,
          {painting.height, painting.width},
          objective.units(),
          objective.targets()->basis.seed,
          {}};
}

void dump_columns(const Model& model, const Recipe& recipe, const Image& photo,
                  const Image& painting, const Image& picture, const std::string& folder) {
  ThreadPool pool;
  Objective objective(model.weights(), recipe, photo, painting, pool);
  std::vector<float> unused(objective.size());
  objective.evaluate(objective.units().encode(picture), unused);
  for (size_t i = 0; i < objective.columns().size(); ++i) {
    const ColumnsInUse& in_use = objective.columns()[i];
    Buffer<float> memory;
    if (const ConstFeatureMap T = objective.gathered(i, memory); T.data) {
      write_map(fmt::format("{}/matched_{}.npy", folder, i), T);
    }
    if (in_use.places.kind == Places::Kind::quarter) continue;
    write_places(fmt::format("{}/places_{}.npy", folder, i), objective.columns_in_place(i));
    if (in_use.reader == ColumnsInUse::Reader::structure) continue;
    write_places(fmt::format("{}/painting_places_{}.npy", folder, i),
                 columns_of_painting(in_use, objective, model, recipe, painting));
  }
}

void dump(const PaintingArguments& arguments, const std::string& picture_path,
          const std::string& folder, int tile) {
  Recipe recipe = arguments.recipe();
  recipe.picture.size = 0;  // the picture's own
  // The weights that evaluation.json has, by which PyTorch computes the same.
  recipe.balance.kind = Balance::fixed;
  // All of the weights.
  const Model model(std::make_shared<const Weights>(read_found(arguments.weights_file(recipe))));
  recipe.network.name = model.network();
  const Image picture = read_image(picture_path);
  const Image photo = read_image(arguments.photo());
  const Image painting = read_image(arguments.painting());
  const Evaluation evaluation = evaluate(model, photo, painting, picture, recipe, tile);
  nlohmann::ordered_json json = to_json(evaluation.losses);
  json["gradient_norm"] = evaluation.gradient_norm;
  json["width"] = evaluation.width;
  json["height"] = evaluation.height;
  json["recipe"] = to_json(recipe);
  replace_file(folder + "/evaluation.json", json.dump(2));
  write_npy(folder + "/gradient.npy", evaluation.gradient, 3, evaluation.height, evaluation.width);
  dump_features(model, recipe, picture, folder);
  dump_columns(model, recipe, photo, painting, picture, folder);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Write features, losses and gradient for parity/gradient.py", "dump_evaluation");
  PaintingArguments arguments;
  std::string picture, folder;
  int tile = 0;
  arguments.add_to(app, PaintingArguments::Settings::all, PaintingArguments::Styles::one);
  app.add_option("PICTURE", picture, "The picture to evaluate")->required();
  app.add_option("--tile", tile, "Losses and gradient in tiles of at most N pixels a side");
  app.add_option("--out", folder, "An existing folder")->required();
  CLI11_PARSE(app, argc, argv);
  try {
    dump(arguments, picture, folder, tile);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "dump_evaluation: {}\n", error.what());
    return 1;
  }
}
