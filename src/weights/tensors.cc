#include "weights/tensors.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "weights/checks.h"

namespace limn {
namespace {

constexpr std::uint64_t kSide = 3;
constexpr int kTaps = 9;

// What messages call a tensor: ".weight" is the layer's weight, "_W" its W.
std::string_view part_name(std::string_view suffix) {
  const size_t letter = suffix.find_first_not_of("._/");
  return letter == std::string_view::npos ? suffix : suffix.substr(letter);
}

Buffer<float> read_part(const std::string& path, const TensorTable& tensors,
                        const std::string& layer, std::string_view suffix,
                        std::span<const std::uint64_t> expected) {
  const std::string_view part = part_name(suffix);
  const std::string name = layer + std::string(suffix);
  const auto found = tensors.find(name);
  if (found == tensors.end()) {
    fail(ErrorKind::file, "'{}': layer {} should have a {}, but there is no tensor '{}'", path,
         layer, part, name);
  }
  check_shape(path, layer, part, expected, found->second.shape);
  Buffer<float> values = found->second.read();
  size_t count = 1;  // does not overflow: this is the network's own shape
  for (const std::uint64_t dimension : expected) count *= dimension;
  if (values.size() != count) {
    fail(ErrorKind::file, "'{}': layer {} should have a {} of {} values, but it has {}", path,
         layer, part, count, values.size());
  }
  check_finite(path, layer, part, values);
  return values;
}

// A kernel's shape, and how many values a step along each axis skips, in a file of this order.
struct KernelLayout {
  std::array<std::uint64_t, 4> shape;
  size_t out, in, y, x;
};

KernelLayout layout_of(KernelOrder order, size_t in, size_t out) {
  switch (order) {
    case KernelOrder::out_in_y_x:
      return {{out, in, kSide, kSide}, in * kTaps, kTaps, kSide, 1};
    case KernelOrder::out_in_x_y:
      return {{out, in, kSide, kSide}, in * kTaps, kTaps, 1, kSide};
    case KernelOrder::y_x_in_out:
      return {{kSide, kSide, in, out}, 1, out, kSide * in * out, in * out};
  }
  return {};
}

kernels::PackedKernel pack(const Buffer<float>& values, const KernelLayout& layout, int in,
                           int out) {
  kernels::PackedKernel kernel = {in, out, Buffer<float>(values.size())};
  for (int block = 0; block < out / kBlock; ++block) {
    for (int i = 0; i < in; ++i) {
      for (int tap = 0; tap < kTaps; ++tap) {
        const float* from = values.data() + static_cast<size_t>(block) * kBlock * layout.out +
                            i * layout.in + tap / 3 * layout.y + tap % 3 * layout.x;
        for (float& value : kernel_cell(kernel, block, i, tap)) {
          value = *from;
          from += layout.out;
        }
      }
    }
  }
  return kernel;
}

}  // namespace

std::vector<std::string> caffe_names(const NetworkTable& network) {
  std::vector<std::string> names;
  for (const Row& row : network.rows) {
    if (row.kind == RowKind::convolution) names.push_back("conv" + std::string(row.id));
  }
  return names;
}

std::vector<std::string> keras_names(const NetworkTable& network) {
  std::vector<std::string> names;
  for (const Row& row : network.rows) {
    if (row.kind != RowKind::convolution) continue;
    const size_t underscore = row.id.find('_');  // "4_2" -> "block4_conv2"
    names.push_back(
        fmt::format("block{}_conv{}", row.id.substr(0, underscore), row.id.substr(underscore + 1)));
  }
  return names;
}

std::vector<std::string> torchvision_names(const NetworkTable& network) {
  std::vector<std::string> names;
  int module = 0;
  for (const Row& row : network.rows) {
    const bool convolution = row.kind == RowKind::convolution;
    if (convolution) names.push_back(fmt::format("features.{}", module));
    module += convolution ? 2 : 1;  // a convolution and its ReLU
  }
  return names;
}

std::string describe_tensors(const TensorTable& tensors) {
  if (tensors.empty()) return "no tensors at all";
  const auto kernel = std::ranges::find_if(
      tensors, [](const auto& entry) { return entry.second.shape.size() == 4; });
  const auto& example = kernel == tensors.end() ? *tensors.begin() : *kernel;
  return fmt::format("{} tensor(s), such as '{}' of {}", tensors.size(), printable(example.first),
                     shape_text(example.second.shape));
}

Weights weights_of(const std::string& path, const TensorTable& tensors, const TensorNaming& naming,
                   const NetworkTable* network, const std::string& found) {
  const HasLayer has_layer = [&](const std::string& layer) {
    return tensors.contains(layer + std::string(naming.kernel)) ||
           tensors.contains(layer + std::string(naming.bias));
  };
  Weights weights;
  weights.source = path;
  weights.network = network ? network : &fitting_network(naming.layers, has_layer);
  weights.convolutions = planned_convolutions(*weights.network);
  const std::vector<std::string> names = naming.layers(*weights.network);
  weights.convolutions.resize(
      count_layers(path, names, has_layer, found.empty() ? describe_tensors(tensors) : found));
  for (size_t i = 0; i < weights.convolutions.size(); ++i) {
    Convolution& convolution = weights.convolutions[i];
    const int in = convolution.in();
    const int out = convolution.out();
    const KernelLayout layout = layout_of(naming.order, in, out);
    convolution.kernel =
        pack(read_part(path, tensors, names[i], naming.kernel, layout.shape), layout, in, out);
    convolution.bias = read_part(path, tensors, names[i], naming.bias,
                                 std::array{static_cast<std::uint64_t>(out)});
  }
  return weights;
}

}  // namespace limn
