// The VGG networks as data (Simonyan and Zisserman, arXiv 1409.1556, table 1, columns D and E).
//
// A network is a table of rows, run from top to bottom. Every convolution is 3 x 3 with stride 1
// and zero padding of 1, followed by a bias and a ReLU; every pooling halves height and width.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "network/imitation.h"

namespace limn {

enum class RowKind { convolution, pooling };

struct Row {
  RowKind kind;
  std::string_view id;  // "4_2" for conv4_2 and relu4_2, "4" for pool4
  int in;               // channels
  int out;
};

struct NetworkTable {
  std::string_view name;
  std::span<const Row> rows;
  // Only for a network that imitates another: its layers are then named after the other's.
  std::span<const Imitation> imitations = {};
};

extern const NetworkTable kVgg16;
extern const NetworkTable kVgg19;

// The table of this name ("vgg16", "vgg19"), or nullptr. A student's comes with its weights.
const NetworkTable* find_network(std::string_view name);
// The same, but throws Error (usage), suggesting the nearest name, if there is none.
const NetworkTable& network_named(std::string_view name);

// Where features are read: after the row, or before its ReLU.
enum class Tap { before_relu, output };
struct LayerPosition {
  int row;
  Tap tap;
  bool operator==(const LayerPosition&) const = default;
};

// "conv4_2" is {its row, before_relu}, "relu4_2" {its row, output}, "pool4" {its row, output}. In a
// student, "relu4_2" is where the teacher's relu4_2 is imitated.
std::optional<LayerPosition> find_layer(const NetworkTable& table, std::string_view layer);

// The name of a row's output: "relu4_2" or "pool4".
std::string layer_name(const Row& row);

// The imitation at this position, or null.
const Imitation* imitation_at(const NetworkTable& table, const LayerPosition& position);

// Every name find_layer knows, in the table's order.
std::vector<std::string> layer_names(const NetworkTable& table);

}  // namespace limn
