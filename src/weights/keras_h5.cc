// Keras's HDF5 weights: one group per layer ("block4_conv2") holds the kernel, in the order
// [y][x][in][out], and the bias.
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "containers/hdf5_dataset.h"
#include "containers/hdf5_group.h"
#include "weights/checks.h"
#include "weights/read.h"
#include "weights/tensors.h"

namespace limn {
namespace {

// What the table calls a layer's tensors, whatever their names in the file.
constexpr TensorNaming kKerasNaming = {keras_names, ".kernel", ".bias", KernelOrder::y_x_in_out};

using Links = std::vector<Hdf5Link>;

// A dataset of a layer.
struct Found {
  Hdf5Object object;
  Hdf5Header header;
  std::vector<std::uint64_t> shape;
};

// What a layer's group holds of its layer.
struct Layer {
  const std::string& name;
  std::optional<Found> kernel = {};
  std::optional<Found> bias = {};
};

// The links of the group that holds the layers: save_weights puts them at the root and save under
// model_weights; since 2023 both use the names of Keras's own classes.
Links links_of_layers(const Hdf5File& file) {
  constexpr std::string_view kHolders[] = {
      "model_weights", "_layer_checkpoint_dependencies", "layers", "vgg19", "vgg16", "functional"};
  constexpr int kDeepest = 4;
  Links links = read_links(file, file.root(), read_header(file, file.root()));
  const std::string first = keras_names(kVgg19).front();
  for (int depth = 0; depth < kDeepest; ++depth) {
    if (std::ranges::find(links, first, &Hdf5Link::name) != links.end()) break;
    const auto holder = [&](const Hdf5Link& link) {
      return std::ranges::find(kHolders, link.name) != std::end(kHolders);
    };
    const auto found = std::ranges::find_if(links, holder);
    if (found == links.end()) break;
    const std::string name = found->name;
    const Hdf5Object group = follow(file, *found, name);
    const Hdf5Header header = read_header(file, group);
    if (!header.is_group())
      fail(ErrorKind::file, "'{}': {} should be a group, but it is not", file.path(), name);
    links = read_links(file, group, header);
  }
  return links;
}

// Keras 3 names layers by their class and their number in the model: conv2d, conv2d_1, ... They get
// VGG's names if there are as many as a VGG has.
void name_numbered_layers(Links& links) {
  constexpr std::string_view kClass = "conv2d";
  std::map<size_t, Hdf5Link*> numbered;
  for (Hdf5Link& link : links) {
    if (link.name == kClass) numbered[0] = &link;
    if (!link.name.starts_with("conv2d_")) continue;
    const std::string_view digits = std::string_view(link.name).substr(kClass.size() + 1);
    size_t number = 0;
    const auto [after, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error == std::errc() && after == digits.data() + digits.size()) numbered[number] = &link;
  }
  for (const NetworkTable* network : {&kVgg16, &kVgg19}) {
    const std::vector<std::string> names = keras_names(*network);
    if (numbered.size() != names.size() || numbered.rbegin()->first != names.size() - 1) continue;
    for (size_t i = 0; i < names.size(); ++i) numbered[i]->name = names[i];
  }
}

// Files a dataset as the layer's kernel or bias by its number of dimensions: names differ between
// versions of Keras, dimensions do not. Others (a counter, say) are ignored.
void file_dataset(const Hdf5File& file, Hdf5Object object, Hdf5Header header, Layer& layer) {
  std::vector<std::uint64_t> shape = read_shape(file, object, header);
  if (shape.size() != 4 && shape.size() != 1) return;
  const bool is_kernel = shape.size() == 4;
  const std::string_view part = is_kernel ? "kernel" : "bias";
  std::optional<Found>& place = is_kernel ? layer.kernel : layer.bias;
  if (place) {
    fail(ErrorKind::file,
         "'{}': layer {} should have one {}, but it has two datasets of {} dimension(s)",
         file.path(), layer.name, part, shape.size());
  }
  object.name = fmt::format("the {} of layer {}", part, layer.name);
  place = {std::move(object), std::move(header), std::move(shape)};
}

// Finds the layer's datasets in its group or, if that holds only another group, in that one.
Layer read_layer(const Hdf5File& file, const Hdf5Link& link) {
  constexpr int kDeepest = 3;          // groups inside groups; Keras has one or two
  constexpr size_t kMostEntries = 64;  // Keras has two; more is no layer of VGG
  Layer layer{link.name};
  const std::string where = "layer " + link.name;
  Hdf5Object group = follow(file, link, where);
  Hdf5Header header = read_header(file, group);
  if (!header.is_group()) {
    fail(ErrorKind::file,
         "'{}': layer {} should be a group with a kernel and a bias, but it is not", file.path(),
         layer.name);
  }
  for (int depth = 0; depth < kDeepest && header.is_group(); ++depth) {
    const Links links = read_links(file, group, header);
    if (links.size() > kMostEntries) {
      fail(ErrorKind::file, "'{}': {} should have a kernel and a bias, but it has {} entries",
           file.path(), where, links.size());
    }
    header = {};
    for (const Hdf5Link& entry : links) {
      Hdf5Object object = follow(file, entry, "an entry of " + where);
      Hdf5Header entry_header = read_header(file, object);
      if (entry_header.is_dataset()) {
        file_dataset(file, std::move(object), std::move(entry_header), layer);
      } else if (entry_header.is_group() && links.size() == 1) {
        group = std::move(object);
        header = std::move(entry_header);
      }
    }
  }
  return layer;
}

// Puts what was found into the table; a layer must have both parts.
void add_tensor(const std::shared_ptr<Hdf5File>& file, const std::string& layer,
                std::string_view suffix, int dimensions, std::optional<Found> found,
                TensorTable& tensors) {
  if (!found) {
    fail(ErrorKind::file,
         "'{}': layer {} should have a {}, but it has no dataset of {} dimension(s)", file->path(),
         layer, suffix.substr(1), dimensions);
  }
  const Hdf5Type type = read_type(*file, found->object, found->header);
  tensors[layer + std::string(suffix)] = {
      found->shape, fmt::format("{} of {} byte(s)", type.kind, type.bytes),
      [file, object = std::move(found->object), header = std::move(found->header)] {
        return read_values(*file, object, header);
      }};
}

// The layers that limn's networks may have: others are not even looked at.
std::set<std::string> known_layers() {
  std::set<std::string> known;
  for (const NetworkTable* network : {&kVgg16, &kVgg19}) {
    for (std::string& name : keras_names(*network)) known.insert(std::move(name));
  }
  return known;
}

// What the file has instead of layers, for a message.
std::string first_names(const Links& links) {
  constexpr size_t kShown = 4;
  std::vector<std::string> names;
  for (const Hdf5Link& link : links) {
    if (names.size() < kShown) names.push_back(printable(link.name));
  }
  return names.empty() ? "none at all" : fmt::format("'{}' and so on", fmt::join(names, "', '"));
}

}  // namespace

Weights read_keras_h5(const std::string& path) {
  const auto file = std::make_shared<Hdf5File>(path);
  Links links = links_of_layers(*file);
  name_numbered_layers(links);
  const std::set<std::string> known = known_layers();
  TensorTable tensors;
  for (const Hdf5Link& link : links) {
    if (!known.contains(link.name)) continue;
    Layer layer = read_layer(*file, link);
    add_tensor(file, link.name, kKerasNaming.kernel, 4, std::move(layer.kernel), tensors);
    add_tensor(file, link.name, kKerasNaming.bias, 1, std::move(layer.bias), tensors);
  }
  if (tensors.empty()) {
    const HasLayer has_none = [](const std::string&) { return false; };
    count_layers(path, keras_names(kVgg19), has_none, first_names(links));
  }
  Weights weights = weights_of(path, tensors, kKerasNaming);
  weights.convention = kCaffeConvention;
  return weights;
}

}  // namespace limn
