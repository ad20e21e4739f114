// TensorFlow.js's weights: a JSON file and, beside it, files of numbers, the shards.
//
//   {"modelTopology": ..., "weightsManifest": [
//     {"paths": ["group1-shard1of2.bin", "group1-shard2of2.bin"],
//      "weights": [{"name": "block1_conv1/kernel", "shape": [3, 3, 3, 64], "dtype": "float32",
//                   "quantization": {"dtype": "uint8", "scale": 0.01, "min": -1.2}}, ...]}, ...]}
//
// A group's weights lie one after another in its shards, which count as one long file: a weight may
// begin in one shard and end in the next. Quantized weights are stored as whole numbers, which mean
// number * scale + min, or as 16-bit floats.
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/file.h"
#include "containers/file_bytes.h"
#include "containers/numbers.h"
#include "weights/checks.h"
#include "weights/read.h"
#include "weights/tensors.h"

namespace limn {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr TensorNaming kNaming = {keras_names, "/kernel", "/bias", KernelOrder::y_x_in_out};

// ------------------------------------------------------------------------------------ manifest --

// The member of an object, or nullptr if it is missing or `object` is not one.
const Json* find(const Json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

// What JSON that is not a model has: a server's message of what went wrong, or its keys.
std::string describe_other(const Json& json) {
  constexpr size_t kShown = 4;
  for (const char* key : {"message", "error", "detail"}) {
    const Json* text = find(json, key);
    if (text && text->is_string()) {
      return fmt::format(
          "a message \"{}\" from a server; fetch the file from an address that has it",
          printable(text->get_ref<const std::string&>()));
    }
  }
  if (!json.is_object()) return "is not even an object";
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items()) {
    if (keys.size() < kShown) keys.push_back(fmt::format("'{}'", printable(key)));
  }
  return keys.empty() ? "is empty" : fmt::format("{}", fmt::join(keys, ", "));
}

// A member that is a list or a string, which `what` ("a group of the weightsManifest") must have.
const Json& list_in(const std::string& path, const Json& object, const char* key,
                    const std::string& what) {
  const Json* list = find(object, key);
  if (!list || !list->is_array())
    fail(ErrorKind::file, "'{}': {} should have a list of {}, but has none", path, what, key);
  return *list;
}

std::string text_in(const std::string& path, const Json& object, const char* key,
                    const std::string& what) {
  const Json* text = find(object, key);
  if (!text || !text->is_string())
    fail(ErrorKind::file, "'{}': {} should have a string '{}', but has none", path, what, key);
  return text->get<std::string>();
}

Json read_manifest(const std::string& path) {
  // VGG-19's has 15 kB; in larger models only the description of the layers grows. In memory JSON
  // takes up to 40 times as much.
  constexpr size_t kMostBytes = 1'000'000;
  Json json;
  try {
    json = Json::parse(read_text(path, "weights file", kMostBytes));
  } catch (const Json::parse_error& error) {
    fail(ErrorKind::file,
         "'{}' should be JSON, like TensorFlow.js's models, but is invalid at byte {}; if the file "
         "was cut short, fetch it again",
         path, error.byte);
  } catch (const Json::exception&) {
    fail(ErrorKind::file, "'{}' is JSON, but has a number that is too large to read", path);
  }
  if (json.is_array()) return json;  // a manifest by itself
  if (!json.is_object() || !json.contains("weightsManifest")) {
    fail(ErrorKind::file,
         "'{}' is JSON, but not a TensorFlow.js model, the only JSON that limn reads weights from: "
         "it has no weightsManifest, but {}",
         path, describe_other(json));
  }
  Json manifest = std::move(json["weightsManifest"]);
  if (!manifest.is_array())
    fail(ErrorKind::file, "'{}': the weightsManifest should be a list, but it is not", path);
  return manifest;
}

// -------------------------------------------------------------------------------------- shards --

struct Shard {
  std::string path;
  std::uint64_t begin;  // of its bytes among those of the group
  std::uint64_t end;
};
using Shards = std::vector<Shard>;

// The files that hold a group's weights. Only files in the manifest's folder or below it are
// opened, whatever the manifest asks for.
Shards find_shards(const std::string& path, const Json& group) {
  constexpr size_t kMostShards = 10'000;  // of 4 MB each, as the converter cuts them
  Shards shards;
  std::uint64_t begin = 0;
  const Json& names = list_in(path, group, "paths", "a group of the weightsManifest");
  if (names.size() > kMostShards) {
    fail(ErrorKind::file, "'{}': a group should have at most {} shards, but it has {}", path,
         kMostShards, names.size());
  }
  for (const Json& entry : names) {
    const std::string name = entry.is_string() ? entry.get<std::string>() : "";
    const fs::path relative(name);
    const bool leaves =
        relative.is_absolute() || std::ranges::find(relative, "..") != relative.end();
    if (name.empty() || name.find('\0') != std::string::npos || leaves) {
      fail(ErrorKind::file,
           "'{}': the paths of shards should be names of files beside it, but one is '{}'", path,
           printable(name));
    }
    const fs::path file = fs::path(path).parent_path() / relative;
    if (is_missing(file.string()) || is_folder(file.string())) {
      fail(ErrorKind::file,
           "'{}': its shard '{}' should lie beside it, but it is not there; fetch it too", path,
           printable(name));
    }
    const std::uint64_t bytes = file_size(file.string(), "shard");
    shards.push_back({file.string(), begin, begin + bytes});
    begin += bytes;
  }
  return shards;
}

// The group's bytes [begin, end), which must lie in its shards.
std::vector<std::byte> read_bytes(const Shards& shards, std::uint64_t begin, std::uint64_t end) {
  std::vector<std::byte> bytes(end - begin);
  for (const Shard& shard : shards) {
    const std::uint64_t from = std::max(begin, shard.begin);
    const std::uint64_t to = std::min(end, shard.end);
    if (from >= to) continue;
    FileBytes file(shard.path);
    file.read(from - shard.begin, std::span(bytes).subspan(from - begin, to - from));
  }
  return bytes;
}

// ------------------------------------------------------------------------------------- weights --

struct Weight {
  std::string name;
  std::vector<std::uint64_t> shape;
  std::string type;         // as the manifest has it, "float32" or quantized "uint8"
  std::uint64_t width = 0;  // bytes of a value
  double scale = 1;         // of uint8 and uint16
  double min = 0;
  std::uint64_t begin = 0;  // of its bytes among those of the group
  std::uint64_t end = 0;
};

std::uint64_t width_of(const std::string& path, const Weight& weight) {
  if (weight.type == "uint8" || weight.type == "bool") return 1;
  if (weight.type == "uint16" || weight.type == "float16") return 2;
  if (weight.type == "float32" || weight.type == "int32") return 4;
  if (weight.type == "complex64") return 8;
  fail(ErrorKind::file, "'{}': weight '{}' should be float32, but it is '{}'", path,
       printable(weight.name), printable(weight.type));
}

double number_in(const std::string& path, const Json& quantization, const char* key,
                 const Weight& weight) {
  const Json* number = find(quantization, key);
  if (!number || !number->is_number()) {
    fail(ErrorKind::file, "'{}': the quantization of weight '{}' should have a number '{}'", path,
         printable(weight.name), key);
  }
  return number->get<double>();
}

std::vector<std::uint64_t> shape_in(const std::string& path, const Json& entry,
                                    const std::string& what) {
  constexpr size_t kMostDimensions = 32;  // TensorFlow.js has tensors of 6 at most
  const Json& dimensions = list_in(path, entry, "shape", what);
  std::vector<std::uint64_t> shape;
  for (const Json& dimension : dimensions) {
    if (!dimension.is_number_unsigned() || dimensions.size() > kMostDimensions) {
      fail(ErrorKind::file, "'{}': the shape of {} should be at most {} whole numbers", path, what,
           kMostDimensions);
    }
    shape.push_back(dimension.get<std::uint64_t>());
  }
  return shape;
}

// The bytes that an array takes, if at most `limit`.
std::optional<std::uint64_t> bytes_within(std::span<const std::uint64_t> shape, std::uint64_t width,
                                          std::uint64_t limit) {
  if (std::ranges::find(shape, 0u) != shape.end()) return 0;
  std::uint64_t bytes = width;
  for (const std::uint64_t dimension : shape) {
    if (bytes > limit / dimension) return std::nullopt;
    bytes *= dimension;
  }
  return bytes <= limit ? std::optional(bytes) : std::nullopt;
}

// The weight as the manifest describes it, which begins at `begin`.
Weight describe_weight(const std::string& path, const Json& entry, std::uint64_t begin,
                       std::uint64_t group_bytes) {
  Weight weight;
  weight.name = text_in(path, entry, "name", "a weight");
  const std::string what = fmt::format("weight '{}'", printable(weight.name));
  weight.type = text_in(path, entry, "dtype", what);
  const Json* quantization = find(entry, "quantization");
  if (quantization && weight.type != "float32") {
    fail(ErrorKind::file, "'{}': {} has a quantization, so it should be float32, but it is {}",
         path, what, printable(weight.type));
  }
  if (quantization) weight.type = text_in(path, *quantization, "dtype", what);
  weight.width = width_of(path, weight);
  if (quantization && weight.type != "float16") {
    weight.scale = number_in(path, *quantization, "scale", weight);
    weight.min = number_in(path, *quantization, "min", weight);
  }
  weight.shape = shape_in(path, entry, what);
  const std::optional<std::uint64_t> bytes =
      bytes_within(weight.shape, weight.width, group_bytes - begin);
  if (!bytes) {
    fail(ErrorKind::file,
         "'{}': {} of {} should lie in its group's shards, but they have only {} bytes; if one "
         "was cut short, fetch it again",
         path, what, fmt::join(weight.shape, " x "), group_bytes);
  }
  weight.begin = begin;
  weight.end = begin + *bytes;
  return weight;
}

Buffer<float> read_weight(const std::string& path, const Shards& shards, const Weight& weight) {
  const std::optional<NumberType> type = weight.type == "float32"   ? NumberType::f32
                                         : weight.type == "float16" ? NumberType::f16
                                         : weight.type == "uint8"   ? NumberType::u8
                                         : weight.type == "uint16"  ? NumberType::u16
                                                                    : std::optional<NumberType>();
  if (!type) {
    fail(ErrorKind::file, "'{}': weight '{}' should be float32, but it is {}", path,
         printable(weight.name), weight.type);
  }
  Buffer<float> values = to_floats(read_bytes(shards, weight.begin, weight.end), *type);
  if (type == NumberType::u8 || type == NumberType::u16) {
    for (float& value : values) value = static_cast<float>(value * weight.scale + weight.min);
  }
  return values;
}

// "block1_conv1/kernel" for "vgg19/block1_conv1/kernel:0": models inside models have longer names.
std::string short_name(std::string_view name) {
  name = name.substr(0, name.find(':'));
  const size_t last = name.rfind('/');
  const size_t before = last == 0 || last == name.npos ? name.npos : name.rfind('/', last - 1);
  return std::string(before == name.npos ? name : name.substr(before + 1));
}

// Adds the group's weights. If two have the same short name, and it is not one of VGG's layers, the
// first stands for both: nothing asks for it.
void add_group(const std::string& path, const Json& group, TensorTable& tensors) {
  const auto shards = std::make_shared<const Shards>(find_shards(path, group));
  const std::uint64_t group_bytes = shards->empty() ? 0 : shards->back().end;
  const std::vector<std::string> layers = keras_names(kVgg19);  // VGG-16 has no others
  std::uint64_t begin = 0;
  for (const Json& entry : list_in(path, group, "weights", "a group of the weightsManifest")) {
    Weight weight = describe_weight(path, entry, begin, group_bytes);
    begin = weight.end;
    const auto [place, is_new] = tensors.try_emplace(short_name(weight.name));
    const std::string layer = place->first.substr(0, place->first.find('/'));
    if (!is_new && std::ranges::find(layers, layer) == layers.end()) continue;
    if (!is_new) {
      fail(ErrorKind::file, "'{}': there should be one weight '{}', but there are two", path,
           printable(place->first));
    }
    place->second = {weight.shape, weight.type, [path, shards, weight = std::move(weight)] {
                       return read_weight(path, *shards, weight);
                     }};
  }
  if (begin != group_bytes) {
    fail(ErrorKind::file,
         "'{}': the shards of a group should have the {} bytes that its weights take, but they "
         "have {}; are they from another model?",
         path, begin, group_bytes);
  }
}

}  // namespace

bool is_tensorflow_js(std::string_view head) {
  const auto next = [&] {
    const size_t place = head.find_first_not_of(" \t\r\n");
    const char found = place == head.npos ? '\0' : head[place];
    head.remove_prefix(place == head.npos ? head.size() : place + 1);
    return found;
  };
  const char first = next();
  return (first == '{' && next() == '"') || (first == '[' && next() == '{');
}

Weights read_tensorflow_js(const std::string& path) {
  const Json manifest = read_manifest(path);
  TensorTable tensors;
  for (const Json& group : manifest) add_group(path, group, tensors);
  Weights weights = weights_of(path, tensors, kNaming);
  weights.convention = kCaffeConvention;
  return weights;
}

std::vector<std::string> shards_of_tensorflow_js(const std::string& path) {
  std::vector<std::string> files;
  for (const Json& group : read_manifest(path)) {
    for (const Shard& shard : find_shards(path, group)) files.push_back(shard.path);
  }
  return files;
}

}  // namespace limn
