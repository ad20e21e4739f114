// MatConvNet's weights: a MAT-file whose variable `layers` holds a struct for each layer.
//
// MATLAB stores a kernel as y x x x in x out with the first axis fastest; slowest first, that is
// out, in, x, y.
#include <algorithm>
#include <memory>

#include "base/error.h"
#include "containers/mat_file.h"
#include "weights/checks.h"
#include "weights/read.h"
#include "weights/tensors.h"

namespace limn {
namespace {

constexpr TensorNaming kNaming = {caffe_names, ".kernel", ".bias", KernelOrder::out_in_x_y};

// The largest kernel of a VGG, from 512 to 512 channels, in the widest numbers. In MatConvNet's
// networks the first array larger than that belongs to the first fully connected layer, after which
// there are no convolutions.
constexpr std::uint64_t kMostBytes = 512 * 512 * 9 * sizeof(double);

// An array without the single cells that it may be wrapped in.
const MatArray& unwrapped(const MatArray& array) {
  const MatArray* inner = &array;
  while (inner->kind == MatKind::cell && inner->elements.size() == 1) inner = &inner->elements[0];
  return *inner;
}

// An element of a struct array, as a layer.
struct Layer {
  const MatArray& array;
  size_t element;

  const MatArray* field(std::string_view name) const { return array.field(name, element); }
};

// All structs in `layers`: a cell of them, as MatConvNet has it, or an array of them, as SciPy
// writes a NumPy array of records.
std::vector<Layer> layers_in(const std::string& path, const MatArray& layers) {
  std::vector<Layer> found;
  const auto add = [&](const MatArray& array) {
    // The last struct may be incomplete: reading may have ended in the middle of it.
    const size_t fields = std::max<size_t>(array.fields.size(), 1);
    for (size_t i = 0; i * fields < array.elements.size(); ++i) found.push_back({array, i});
  };
  if (layers.kind == MatKind::cell) {
    for (const MatArray& cell : layers.elements) {
      if (const MatArray& inner = unwrapped(cell); inner.kind == MatKind::structure) add(inner);
    }
  } else if (layers.kind == MatKind::structure) {
    add(layers);
  }
  if (found.empty()) {
    fail(ErrorKind::file,
         "'{}': its variable 'layers' should be a cell array of MatConvNet's layers, but it "
         "contains no struct",
         path);
  }
  return found;
}

// The layer's filters (0) or biases (1), or nullptr if it has none: `weights` is a cell of the two,
// or each is a field of its own.
const MatArray* part_of(const Layer& layer, size_t index) {
  const MatArray* part = layer.field(index == 0 ? "filters" : "biases");
  if (const MatArray* weights = layer.field("weights"); !part && weights) {
    if (weights->kind == MatKind::cell && index < weights->elements.size())
      part = &weights->elements[index];
  }
  if (!part) return nullptr;
  const bool is_empty = part->kind == MatKind::numbers && part->count == 0;
  return is_empty || part->kind == MatKind::left_out ? nullptr : part;
}

// Slowest axis first. MATLAB has no arrays of one dimension, so biases are rows or columns.
std::vector<std::uint64_t> shape_of(const MatArray& part, bool is_bias) {
  std::vector<std::uint64_t> shape(part.dimensions.rbegin(), part.dimensions.rend());
  if (is_bias && std::ranges::find(shape, part.count) != shape.end()) return {part.count};
  return shape;
}

}  // namespace

Weights read_matconvnet(const std::string& path) {
  const auto file = std::make_shared<MatVariable>(path, "layers", kMostBytes);
  TensorTable tensors;
  for (const Layer& layer : layers_in(path, file->array())) {
    const MatArray* name = layer.field("name");
    if (!name) continue;
    for (const size_t index : {0, 1}) {
      const MatArray* part = part_of(layer, index);
      if (!part) continue;
      const std::string key =
          unwrapped(*name).text + std::string(index == 0 ? kNaming.kernel : kNaming.bias);
      if (part->kind != MatKind::numbers) {
        fail(ErrorKind::file, "'{}': '{}' should be real numbers, but it is something else", path,
             printable(key));
      }
      const auto [place, is_new] = tensors.try_emplace(key);
      if (!is_new) fail(ErrorKind::file, "'{}': '{}' appears twice", path, printable(key));
      place->second = {shape_of(*part, index == 1), "numbers",
                       [file, part] { return file->read(*part); }};
    }
  }
  Weights weights = weights_of(path, tensors, kNaming);
  weights.convention = kMatConvNetConvention;
  return weights;
}

}  // namespace limn
