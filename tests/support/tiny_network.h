// The tiny network of tests/network/tiny_golden.json with its weights, pictures and expected
// numbers. Weights and pictures are not in the file: they are drawn here as tools/make_golden.py
// draws them (see "generator" in the file).
#pragma once

#include <limn/limn.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "network/weights.h"

namespace limn {

// A table of rows that the library does not know, and weights for it. Not movable: the weights
// point at the table.
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

// Its weights with biases that keep every ReLU open, and kernels that keep features from falling
// below them.
Weights open_tiny_weights();

// The recipe of a case: every key of every section, set as the command's flags would be.
Recipe recipe_of(const nlohmann::json& sections);

}  // namespace limn
