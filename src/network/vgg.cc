#include "network/vgg.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "base/error.h"

namespace limn {
namespace {

constexpr Row conv(std::string_view id, int in, int out) {
  return {RowKind::convolution, id, in, out};
}
constexpr Row pool(std::string_view id, int channels) {
  return {RowKind::pooling, id, channels, channels};
}

// clang-format off
constexpr std::array kVgg19Rows = {
    conv("1_1",   3,  64), conv("1_2",  64,  64), pool("1",  64),
    conv("2_1",  64, 128), conv("2_2", 128, 128), pool("2", 128),
    conv("3_1", 128, 256), conv("3_2", 256, 256), conv("3_3", 256, 256), conv("3_4", 256, 256), pool("3", 256),
    conv("4_1", 256, 512), conv("4_2", 512, 512), conv("4_3", 512, 512), conv("4_4", 512, 512), pool("4", 512),
    conv("5_1", 512, 512), conv("5_2", 512, 512), conv("5_3", 512, 512), conv("5_4", 512, 512), pool("5", 512),
};

constexpr std::array kVgg16Rows = {
    conv("1_1",   3,  64), conv("1_2",  64,  64), pool("1",  64),
    conv("2_1",  64, 128), conv("2_2", 128, 128), pool("2", 128),
    conv("3_1", 128, 256), conv("3_2", 256, 256), conv("3_3", 256, 256), pool("3", 256),
    conv("4_1", 256, 512), conv("4_2", 512, 512), conv("4_3", 512, 512), pool("4", 512),
    conv("5_1", 512, 512), conv("5_2", 512, 512), conv("5_3", 512, 512), pool("5", 512),
};
// clang-format on

}  // namespace

const NetworkTable kVgg16 = {"vgg16", kVgg16Rows};
const NetworkTable kVgg19 = {"vgg19", kVgg19Rows};

const NetworkTable* find_network(std::string_view name) {
  for (const NetworkTable* table : {&kVgg16, &kVgg19}) {
    if (table->name == name) return table;
  }
  return nullptr;
}

const NetworkTable& network_named(std::string_view name) {
  if (const NetworkTable* table = find_network(name)) return *table;
  const std::array<std::string, 2> known = {std::string(kVgg16.name), std::string(kVgg19.name)};
  fail(ErrorKind::usage, "there is no network '{}'{} (networks: {})", name,
       did_you_mean(std::string(name), known), fmt::join(known, ", "));
}

std::optional<LayerPosition> find_layer(const NetworkTable& table, std::string_view layer) {
  if (!table.imitations.empty()) {
    const auto found = std::ranges::find(table.imitations, layer, &Imitation::layer);
    if (found == table.imitations.end()) return std::nullopt;
    return LayerPosition{found->row, Tap::output};
  }
  if (layer.size() < 5) return std::nullopt;
  const std::string_view prefix = layer.substr(0, 4);
  const std::string_view id = layer.substr(4);
  for (int row = 0; row < static_cast<int>(table.rows.size()); ++row) {
    if (table.rows[row].id != id) continue;
    const bool convolution = table.rows[row].kind == RowKind::convolution;
    if (convolution && prefix == "conv") return LayerPosition{row, Tap::before_relu};
    if (convolution && prefix == "relu") return LayerPosition{row, Tap::output};
    if (!convolution && prefix == "pool") return LayerPosition{row, Tap::output};
  }
  return std::nullopt;
}

std::string layer_name(const Row& row) {
  return (row.kind == RowKind::pooling ? "pool" : "relu") + std::string(row.id);
}

const Imitation* imitation_at(const NetworkTable& table, const LayerPosition& position) {
  const auto found = std::ranges::find(table.imitations, position.row, &Imitation::row);
  return found == table.imitations.end() ? nullptr : &*found;
}

std::vector<std::string> layer_names(const NetworkTable& table) {
  std::vector<std::string> names;
  for (const Imitation& imitation : table.imitations) names.push_back(imitation.layer);
  if (!names.empty()) return names;
  for (const Row& row : table.rows) {
    if (row.kind == RowKind::convolution) names.push_back("conv" + std::string(row.id));
    names.push_back(layer_name(row));
  }
  return names;
}

}  // namespace limn
