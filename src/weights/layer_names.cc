#include "weights/layer_names.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <set>

#include "base/error.h"
#include "weights/checks.h"

namespace limn {
namespace {

using Numbers = std::vector<int>;
using Entry = TensorTable::value_type;  // a name and its tensor

// --------------------------------------------------------------------------------- taking apart --

enum class Part { kernel, bias, statistics };

constexpr std::pair<std::string_view, Part> kParts[] = {
    {"weight", Part::kernel},
    {"weights", Part::kernel},
    {"kernel", Part::kernel},
    {"filter", Part::kernel},
    {"filters", Part::kernel},
    {"W", Part::kernel},
    {"w", Part::kernel},
    {"bias", Part::bias},
    {"biases", Part::bias},
    {"b", Part::bias},
    {"running_mean", Part::statistics},
};

// A tensor's name: which part of which layer it is, and where the numbers in the layer's name are.
struct Name {
  std::string_view layer;
  Part part;
  struct Digits {
    size_t begin, end;
    int number;
  };
  std::vector<Digits> digits;
};

std::vector<Name::Digits> digits_in(std::string_view layer) {
  constexpr std::string_view kDigits = "0123456789";
  std::vector<Name::Digits> found;
  for (size_t end = 0, begin; (begin = layer.find_first_of(kDigits, end)) != layer.npos;) {
    end = std::min(layer.find_first_not_of(kDigits, begin), layer.size());
    int number = 0;
    const auto [after, error] = std::from_chars(layer.data() + begin, layer.data() + end, number);
    found.push_back({begin, end, error == std::errc() ? number : -1});
  }
  return found;
}

std::optional<Name> take_apart(std::string_view name) {
  if (name.ends_with(":0")) name.remove_suffix(2);  // TensorFlow's number of an operation's output
  for (const auto& [word, part] : kParts) {
    if (!name.ends_with(word) || name.size() < word.size() + 2) continue;
    const size_t separator = name.size() - word.size() - 1;
    if (std::string_view("._/").find(name[separator]) == std::string_view::npos) continue;
    const std::string_view layer = name.substr(0, separator);
    return Name{layer, part, digits_in(layer)};
  }
  return std::nullopt;
}

// ------------------------------------------------------------------------------------- families --

// How numbers identify the layer.
enum class Numbering {
  torchvision,  // by the last one: its place in torchvision's list
  caffe,        // by the last two: 4_2
  order,        // all of them together order the layers
};

// Tensors whose names differ only in their numbers.
struct Layer {
  const Entry* kernel = nullptr;
  const Entry* bias = nullptr;
  const Entry* statistics = nullptr;
};
struct Family {
  std::map<Numbers, Layer> layers;
  const Entry* twice = nullptr;  // a tensor whose place is already taken
};
using Families = std::map<std::string, Family>;  // by what the names have around the numbers

// The layer's name with '#' for the numbers that count; empty if it has too few.
std::string pattern_of(const Name& name, Numbering numbering, Numbers& numbers) {
  const size_t all = name.digits.size();
  const size_t wanted = numbering == Numbering::torchvision ? 1
                        : numbering == Numbering::caffe     ? 2
                                                            : std::max<size_t>(all, 1);
  if (all < wanted) return "";
  std::string pattern;
  size_t end = 0;
  for (size_t i = all - wanted; i < all; ++i) {
    pattern += name.layer.substr(end, name.digits[i].begin - end);
    pattern += '#';
    end = name.digits[i].end;
    numbers.push_back(name.digits[i].number);
  }
  return pattern += name.layer.substr(end);
}

Families families_of(const TensorTable& tensors, Numbering numbering) {
  Families families;
  for (const Entry& entry : tensors) {
    const std::optional<Name> name = take_apart(entry.first);
    if (!name) continue;
    Numbers numbers;
    const std::string pattern = pattern_of(*name, numbering, numbers);
    if (pattern.empty()) continue;
    Family& family = families[pattern];
    Layer& layer = family.layers[numbers];
    const Entry*& place = name->part == Part::kernel ? layer.kernel
                          : name->part == Part::bias ? layer.bias
                                                     : layer.statistics;
    if (place) family.twice = &entry;
    place = &entry;
  }
  return families;
}

// ----------------------------------------------------------------------------------- candidates --

// VGG's names for a numbering: "features.21" or "conv4_2".
NameLayers layer_names(Numbering numbering, const TensorNaming& usual) {
  if (numbering == Numbering::order) return usual.layers;
  return numbering == Numbering::torchvision ? torchvision_names : caffe_names;
}

// The numbers of the network's convolutions: {21} or {4, 2}.
std::vector<Numbers> layer_numbers(const NetworkTable& network, Numbering numbering) {
  std::vector<Numbers> all;
  for (const std::string& name : layer_names(numbering, kPlainNaming)(network)) {
    Numbers& numbers = all.emplace_back();
    for (const Name::Digits& digits : digits_in(name)) numbers.push_back(digits.number);
  }
  return all;
}

// A family read as VGG.
struct Candidate {
  Numbering numbering;
  const Family* family;
  KernelOrder order;
  std::map<std::string, Layer> layers;  // by VGG's names
  std::vector<const Entry*> fitting;    // kernels with VGG's shapes, from the first layer on
};

bool is_kernel(const Layer& layer) {
  return layer.kernel && layer.kernel->second.shape.size() == 4;
}

bool fits(const Layer& layer, const Convolution& convolution, KernelOrder order) {
  if (!is_kernel(layer)) return false;
  const auto in = static_cast<std::uint64_t>(convolution.in());
  const auto out = static_cast<std::uint64_t>(convolution.out());
  const std::array<std::uint64_t, 4> shape = order == KernelOrder::y_x_in_out
                                                 ? std::array<std::uint64_t, 4>{3, 3, in, out}
                                                 : std::array<std::uint64_t, 4>{out, in, 3, 3};
  return std::ranges::equal(layer.kernel->second.shape, shape);
}

// The family's layers that the network has, in the network's order; missing ones are empty. If only
// order counts, the family must have as many kernels as the network.
std::vector<Layer> network_layers(const Family& family, Numbering numbering,
                                  const NetworkTable& network) {
  std::vector<Layer> layers;
  const std::vector<Numbers> wanted = layer_numbers(network, numbering);
  if (numbering != Numbering::order) {
    for (const Numbers& numbers : wanted) {
      const auto found = family.layers.find(numbers);
      layers.push_back(found == family.layers.end() ? Layer{} : found->second);
    }
    return layers;
  }
  for (const auto& [numbers, layer] : family.layers) {
    if (is_kernel(layer)) layers.push_back(layer);
  }
  if (layers.size() != wanted.size()) layers.clear();
  return layers;
}

// The family read in the best way that this numbering allows.
Candidate candidate_of(const Family& family, Numbering numbering, const TensorNaming& usual) {
  Candidate best = {numbering, &family, usual.order, {}, {}};
  for (const NetworkTable* network : {&kVgg19, &kVgg16}) {
    const std::vector<Convolution> planned = planned_convolutions(*network);
    const std::vector<Layer> layers = network_layers(family, numbering, *network);
    // A format's own names come with its own order.
    const std::string own_name = usual.layers(*network).front() + std::string(usual.kernel);
    const bool is_own = !layers.empty() && layers[0].kernel && layers[0].kernel->first == own_name;
    for (const KernelOrder order : {KernelOrder::out_in_y_x, KernelOrder::y_x_in_out}) {
      if (is_own && order != usual.order) continue;
      std::vector<const Entry*> fitting;
      for (size_t i = 0; i < layers.size() && fits(layers[i], planned[i], order); ++i)
        fitting.push_back(layers[i].kernel);
      if (numbering == Numbering::order && fitting.size() < planned.size()) continue;
      if (fitting.size() <= best.fitting.size()) continue;
      best.fitting = std::move(fitting);
      best.order = order;
      if (numbering == Numbering::order) best.layers.clear();
    }
    // Numbers that identify layers by themselves are taken from both networks; which one it is is
    // decided later.
    if (numbering == Numbering::order && (best.fitting.empty() || !best.layers.empty())) continue;
    const std::vector<std::string> names = layer_names(numbering, usual)(*network);
    for (size_t i = 0; i < layers.size(); ++i) {
      if (layers[i].kernel || layers[i].bias) best.layers[names[i]] = layers[i];
    }
  }
  return best;
}

// Whether it is worth a closer look: the first layer is present, or as many as a network has.
bool may_be_vgg(const Family& family, Numbering numbering) {
  constexpr size_t kFewest = 13;  // convolutions of VGG-16
  if (numbering == Numbering::order) return family.layers.size() >= kFewest;
  return family.layers.contains(numbering == Numbering::torchvision ? Numbers{0} : Numbers{1, 1});
}

// Whether the names around the numbers are VGG's own, so that a tensor of another shape is an error
// in that layer rather than another network's.
bool is_usual(std::string_view pattern) {
  return pattern == "#" || pattern.ends_with("features.#") || pattern.ends_with("conv#_#");
}

bool has_same_values(const Candidate& a, const Candidate& b) {
  for (size_t i = 0; i < a.fitting.size(); ++i) {
    if (!std::ranges::equal(a.fitting[i]->second.read(), b.fitting[i]->second.read())) return false;
  }
  return true;
}

// The candidate with the most layers of VGG's shapes, if any.
std::optional<Candidate> choose(const std::string& path, const std::vector<Candidate>& candidates) {
  const auto most = [](const Candidate& a, const Candidate& b) {
    return std::pair(a.fitting.size(), a.layers.size()) <
           std::pair(b.fitting.size(), b.layers.size());
  };
  const auto best = std::ranges::max_element(candidates, most);
  if (best == candidates.end()) return std::nullopt;
  for (const Candidate& other : candidates) {
    if (best->fitting.empty() || other.fitting.size() != best->fitting.size()) continue;
    if (other.fitting[0] == best->fitting[0] || has_same_values(*best, other)) continue;
    fail(ErrorKind::file,
         "'{}' has more than one network that begins like VGG: '{}' and '{}' are both first "
         "layers; save the one that you want by itself",
         path, printable(best->fitting[0]->first), printable(other.fitting[0]->first));
  }
  return *best;
}

// --------------------------------------------------------------------------------------- checks --

std::string_view module_of(std::string_view layer) {
  const size_t end = layer.find_last_of("./");
  return end == layer.npos ? "" : layer.substr(0, end);
}

void refuse_batch_normalisation(const std::string& path, const TensorTable& tensors,
                                const Candidate& found) {
  std::set<std::string_view> modules;
  for (const auto& [name, layer] : found.layers)
    modules.insert(module_of(take_apart((layer.kernel ? layer.kernel : layer.bias)->first)->layer));
  for (const auto& [name, tensor] : tensors) {
    const std::optional<Name> parts = take_apart(name);
    if (!parts || parts->part != Part::statistics || !modules.contains(module_of(parts->layer)))
      continue;
    fail(ErrorKind::file,
         "'{}' is a VGG with batch normalisation, which limn does not read; use the one without "
         "(vgg19, not vgg19_bn)",
         path);
  }
}

// A network with learned values where VGG's list of layers has none is not VGG, however well its
// first layers fit.
void refuse_strangers(const std::string& path, const Candidate& found) {
  constexpr int kModules = 37;  // in torchvision's list of VGG-19; what follows does not matter
  if (found.numbering == Numbering::caffe) return;
  std::set<const Entry*> known;
  for (const auto& [name, layer] : found.layers) known.insert(layer.kernel);
  for (const auto& [numbers, layer] : found.family->layers) {
    if (!layer.kernel || known.contains(layer.kernel)) continue;
    if (found.numbering == Numbering::torchvision && numbers[0] >= kModules) continue;
    const size_t dimensions = layer.kernel->second.shape.size();
    if (dimensions != 1 && dimensions != 4) continue;
    fail(ErrorKind::file,
         "'{}' is neither VGG-16 nor VGG-19: between their layers it has '{}' of {}", path,
         printable(layer.kernel->first), shape_text(layer.kernel->second.shape));
  }
}

}  // namespace

FoundLayers find_layers(const std::string& path, const TensorTable& tensors,
                        const TensorNaming& usual) {
  FoundLayers found = {{}, usual};
  std::vector<Candidate> candidates;
  std::array<Families, 3> families;
  for (const Numbering numbering : {Numbering::torchvision, Numbering::caffe, Numbering::order}) {
    Families& some = families[static_cast<size_t>(numbering)] = families_of(tensors, numbering);
    for (const auto& [pattern, family] : some) {
      if (!may_be_vgg(family, numbering)) continue;
      Candidate candidate = candidate_of(family, numbering, usual);
      const std::string first = layer_names(numbering, usual)(kVgg19).front();
      const bool is_named = is_usual(pattern) && candidate.layers.contains(first);
      if (!candidate.fitting.empty() || is_named) candidates.push_back(std::move(candidate));
    }
  }
  const std::optional<Candidate> chosen = choose(path, candidates);
  if (!chosen) return found;
  if (const Entry* twice = chosen->family->twice)
    fail(ErrorKind::file, "'{}': '{}' appears twice", path, printable(twice->first));
  refuse_batch_normalisation(path, tensors, *chosen);
  refuse_strangers(path, *chosen);
  found.naming = chosen->numbering == Numbering::torchvision ? kTorchvisionNaming : usual;
  found.naming.layers = layer_names(chosen->numbering, usual);
  found.naming.order = chosen->order;
  for (const auto& [name, layer] : chosen->layers) {
    if (layer.kernel) found.tensors[name + std::string(found.naming.kernel)] = layer.kernel->second;
    if (layer.bias) found.tensors[name + std::string(found.naming.bias)] = layer.bias->second;
  }
  return found;
}

}  // namespace limn
