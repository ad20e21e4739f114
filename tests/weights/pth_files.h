// Zip containers and PyTorch files, written for tests, sound and unsound.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "network/weights.h"

namespace limn {

// A file that PyTorch or NumPy wrote (tools/make_weights_files.py).
std::string made_file(const std::string& name);

// ---- zip ----

struct ZipPart {
  std::string name;
  std::string bytes;
  bool deflated = false;
  bool encrypted = false;
};
void write_zip(const std::string& path, const std::vector<ZipPart>& parts);

// ---- NumPy ----

// "\x93NUMPY", version 1, the length, this dictionary.
std::string npy_header(std::string_view dictionary, char version = 1);

// The weights as an .npz of '<f4' in C's order.
void write_npz(const std::string& path, const Weights& weights);

// ---- pickles ----

std::string pickled(std::int64_t number);        // BININT
std::string pickled_long(std::uint64_t number);  // LONG1
std::string pickled(std::string_view text);      // BINUNICODE
std::string pickled_global(std::string_view module, std::string_view name);
std::string pickled_tuple(const std::vector<std::string>& items);  // MARK, items, TUPLE

// A tensor as _rebuild_tensor_v2 makes it. Numbers are pickled: pickled(64).
struct PickledTensor {
  std::string type = "FloatStorage";
  std::string key;
  std::string count;  // of the storage
  std::string offset = pickled(0);
  std::vector<std::string> shape;
  std::vector<std::string> strides;
  std::string text() const;
};

// The kernel's or bias's tensor, alone in the storage `key`.
PickledTensor sound_tensor(const std::string& key, const std::vector<int>& shape);

// {"name": value, ...} as a whole pickle of protocol 2.
std::string pickled_dict(const std::vector<std::pair<std::string, std::string>>& items);

// ---- PyTorch ----

using Storages = std::vector<std::pair<std::string, std::string>>;  // key, bytes

// A zip container with this pickle and these storages.
void write_pth_zip(const std::string& path, const std::string& pickle, const Storages& storages);
// A stream with them; every storage's numbers have `number_bytes`.
void write_pth_stream(const std::string& path, const std::string& pickle, const Storages& storages,
                      std::uint64_t number_bytes = 4);

// The weights with torchvision's names.
std::string pickle_of(const Weights& weights);
Storages storages_of(const Weights& weights);

}  // namespace limn
