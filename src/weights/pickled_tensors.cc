#include "weights/pickled_tensors.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <deque>
#include <set>

#include "base/error.h"

namespace limn {
namespace {

constexpr std::string_view kPlainValues[] = {
    "argparse.Namespace",
    "types.SimpleNamespace",
    "collections.Counter",
    "datetime.date",
    "datetime.datetime",
    "datetime.timedelta",
    "pathlib.Path",
    "pathlib.PosixPath",
    "pathlib.WindowsPath",
    "numpy.dtype",
    "numpy.ndarray",
    "numpy.core.multiarray.scalar",
    "numpy.core.multiarray._reconstruct",
    "numpy.core.numeric._frombuffer",
    "numpy._core.multiarray.scalar",
    "numpy._core.multiarray._reconstruct",
    "numpy._core.numeric._frombuffer",
    "_codecs.encode",
    "torch.device",
    "torch.float16",
    "torch.bfloat16",
    "torch.float32",
    "torch.float64",
    "torch.int64",
};
// Python's types used as values, such as a defaultdict's factory.
constexpr std::string_view kBuiltins[] = {"bool",      "bytearray", "complex", "dict", "float",
                                          "frozenset", "int",       "list",    "long", "set",
                                          "str",       "tuple",     "unicode"};

// A dict, list or tuple, and what leads to it.
struct Place {
  PickleRef value;
  std::string prefix;
  int depth;
};

// A key as part of a name; empty if it cannot be one.
std::string key_text(PickleRef key) {
  constexpr size_t kLongest = 200;  // bytes; with kDeepest it bounds what names take
  if (const std::int64_t* number = key->as<std::int64_t>()) return fmt::format("{}", *number);
  const PickleText* text = key->as<PickleText>();
  return text && text->text.size() <= kLongest ? text->text : "";
}

const std::vector<PickleRef>* items_of(PickleRef value) {
  if (const PickleList* list = value->as<PickleList>()) return &list->items;
  const PickleTuple* tuple = value->as<PickleTuple>();
  return tuple ? &tuple->items : nullptr;
}

// What a dict, list or tuple holds, by name. The last of equal keys counts.
std::vector<std::pair<std::string, PickleRef>> members_of(PickleRef value) {
  std::map<std::string, PickleRef> members;
  if (const PickleDict* dict = value->as<PickleDict>()) {
    for (const auto& [key, member] : dict->items) {
      if (std::string text = key_text(key); !text.empty()) members[std::move(text)] = member;
    }
  } else if (const std::vector<PickleRef>* items = items_of(value)) {
    for (size_t i = 0; i < items->size(); ++i) members[fmt::format("{}", i)] = (*items)[i];
  }
  return {members.begin(), members.end()};
}

bool is_container(PickleRef value) { return value->as<PickleDict>() || items_of(value); }

}  // namespace

bool is_plain_value(std::string_view global) {
  for (const std::string_view module : {"builtins.", "__builtin__."}) {
    if (global.starts_with(module))
      return std::ranges::find(kBuiltins, global.substr(module.size())) != std::end(kBuiltins);
  }
  return std::ranges::find(kPlainValues, global) != std::end(kPlainValues);
}

TensorTable tensors_in(const std::string& path, PickleRef root, const ReadTensor& read) {
  constexpr int kDeepest = 8;
  constexpr size_t kMostTensors = 20'000;
  TensorTable tensors;
  std::set<PickleRef> seen = {root};
  std::deque<Place> places = {{root, "", 0}};
  for (; !places.empty(); places.pop_front()) {
    const Place& place = places.front();
    std::vector<std::pair<std::string, Tensor>> found;
    const auto members = members_of(place.value);
    for (const auto& [key, value] : members) {
      std::string name = place.prefix + key;
      if (is_container(value)) {
        if (place.depth < kDeepest && seen.insert(value).second)
          places.push_back({value, std::move(name) + ".", place.depth + 1});
      } else if (std::optional<Tensor> tensor = read(name, value)) {
        found.emplace_back(std::move(name), std::move(*tensor));
      }
    }
    const bool is_layer = items_of(place.value) && members.size() == 2 && found.size() == 2 &&
                          found[0].second.shape.size() > 1 && found[1].second.shape.size() == 1;
    if (is_layer) {
      found[0].first = place.prefix + "weight";
      found[1].first = place.prefix + "bias";
    }
    for (auto& [name, tensor] : found) tensors.try_emplace(std::move(name), std::move(tensor));
    if (tensors.size() > kMostTensors) {
      fail(ErrorKind::file, "'{}' should have at most {} tensors, but it has more", path,
           kMostTensors);
    }
  }
  return tensors;
}

std::string describe_value(PickleRef value) {
  constexpr size_t kShown = 6;
  if (const std::vector<PickleRef>* items = items_of(value)) {
    return fmt::format("a {} of {} unnamed value(s)", value->as<PickleList>() ? "list" : "tuple",
                       items->size());
  }
  if (const PickleDict* dict = value->as<PickleDict>()) {
    std::vector<std::string> keys;
    for (const auto& [key, member] : dict->items) {
      if (keys.size() == kShown) break;
      const std::string text = key_text(key);
      keys.push_back(text.empty() ? "a key that is not a name"
                                  : fmt::format("'{}'", printable(text)));
    }
    if (keys.empty()) return "an empty dict";
    return fmt::format("a dict of {}{}", fmt::join(keys, ", "),
                       dict->items.size() > kShown ? " and so on" : "");
  }
  const bool is_text = value->as<PickleText>() || value->as<PickleBytes>();
  if (is_text) return "a string";
  if (value->as<PickleNone>()) return "nothing (None)";
  return value->as<PickleCall>() ? "an object" : "a single value";
}

}  // namespace limn
