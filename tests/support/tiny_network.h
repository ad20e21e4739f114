// The tiny network of tests/network/tiny_golden.json with its weights, pictures and expected
// numbers. Weights and pictures are not in the file: they are drawn here as in tools/make_golden.py
// (see "generator" in the file).
#pragma once

#include <limn/limn.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "network/weights.h"

namespace limn {

// A table of rows unknown to the library, and weights for it. Not movable: the weights point to the
// table.
struct TinyNetwork {
  TinyNetwork();
  TinyNetwork(const TinyNetwork&) = delete;
  TinyNetwork& operator=(const TinyNetwork&) = delete;

  nlohmann::json golden;  // the whole file
  std::vector<std::string> ids;
  std::vector<Row> rows;
  NetworkTable table;
  Weights weights;
  Image photo, painting, picture, painting_small;
  std::vector<float> direction;  // of gradient_dot; planes like a picture's
};

// Read and drawn once.
const TinyNetwork& tiny_network();

// The same weights with biases that keep every ReLU open, and kernels that keep features from
// falling below them.
Weights open_tiny_weights();

// The recipe of a case: every key of every section, set like the command's flags.
Recipe recipe_of(const nlohmann::json& sections);

}  // namespace limn
