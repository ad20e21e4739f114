// What the readers of all formats check in a file: which network it holds, down to which layer, and
// whether the shapes and values are those of trained weights.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "network/weights.h"
#include "weights/tensors.h"

namespace limn {

// Whether the file has a layer of this name.
using HasLayer = std::function<bool(const std::string& layer)>;

// The network that fits a file's layers best: the one with the fewest gaps before its last layer
// and the fewest layers that only the other network has. VGG-19 if both fit equally well.
const NetworkTable& fitting_network(NameLayers name_layers, const HasLayer& has_layer);

// How many of `layers` (a network's, in order) the file has, starting with the first. Throws Error
// (file) if one is missing before the last that is present, or if the first is; then `found` says
// what the file has instead.
size_t count_layers(const std::string& path, const std::vector<std::string>& layers,
                    const HasLayer& has_layer, const std::string& found);

// The network's convolutions with id, in and out; the kernels and biases are still empty.
std::vector<Convolution> planned_convolutions(const NetworkTable& network);

// "64 x 3 x 3 x 3", for messages.
std::string shape_text(std::span<const std::uint64_t> shape);

// Throws Error (file) unless a layer's `part` ("kernel", "bias") has the expected shape.
void check_shape(const std::string& path, std::string_view layer, std::string_view part,
                 std::span<const std::uint64_t> expected, std::span<const std::uint64_t> found);

// Throws Error (file) if one of the values is infinite or not a number.
void check_finite(const std::string& path, std::string_view layer, std::string_view part,
                  std::span<const float> values);

}  // namespace limn
