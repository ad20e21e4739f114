// Writes everything that parity/gradient.py checks: features at every layer, losses, gradient.
//
//   dump_evaluation PHOTO PAINTING PICTURE --weights FILE [--recipe NAME|FILE] --out DIR
//
// DIR/evaluation.json       the losses, gradient_norm, width, height, and the recipe
// DIR/gradient.npy          (3, H, W), of the total loss by the picture in 0..1 RGB
// DIR/features_<layer>.npy  (C, H, W), of PICTURE at its own size, for every layer of the network;
//                           of the built-in one those it imitates others with, F_s
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
#include "models/model_cache.h"
#include "network/network.h"
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
    std::vector<float> values;
    for (int c = 0; c < F.channels; ++c) {
      for (int y = 0; y < F.height; ++y) {
        for (int x = 0; x < F.width; ++x) values.push_back(F.at(c, y, x));
      }
    }
    write_npy(fmt::format("{}/features_{}.npy", folder, names[i]), values, F.channels, F.height,
              F.width);
  }
}

void dump(const PaintingArguments& arguments, const std::string& picture_path,
          const std::string& folder) {
  Recipe recipe = arguments.recipe();
  recipe.picture.size = 0;  // the picture's own
  // The weights that evaluation.json has, by which PyTorch computes the same.
  recipe.balance.kind = Balance::fixed;
  // All of the weights.
  const Model model(std::make_shared<const Weights>(read_found(arguments.weights_file(recipe))));
  recipe.network.name = model.network();
  const Image picture = read_image(picture_path);
  const Evaluation evaluation = evaluate(model, read_image(arguments.photo()),
                                         read_image(arguments.painting()), picture, recipe);
  nlohmann::ordered_json json = to_json(evaluation.losses);
  json["gradient_norm"] = evaluation.gradient_norm;
  json["width"] = evaluation.width;
  json["height"] = evaluation.height;
  json["recipe"] = to_json(recipe);
  replace_file(folder + "/evaluation.json", json.dump(2));
  write_npy(folder + "/gradient.npy", evaluation.gradient, 3, evaluation.height, evaluation.width);
  dump_features(model, recipe, picture, folder);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Write features, losses and gradient for parity/gradient.py", "dump_evaluation");
  PaintingArguments arguments;
  std::string picture, folder;
  arguments.add_to(app, PaintingArguments::Settings::all, PaintingArguments::Styles::one);
  app.add_option("PICTURE", picture, "The picture to evaluate")->required();
  app.add_option("--out", folder, "An existing folder")->required();
  CLI11_PARSE(app, argc, argv);
  try {
    dump(arguments, picture, folder);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "dump_evaluation: {}\n", error.what());
    return 1;
  }
}
