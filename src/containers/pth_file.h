// A PyTorch file: what was saved, as a pickle, and the storages, the rows of numbers that its
// tensors are views of. Of the two containers the first is a zip file:
//
//   NAME/data.pkl    the pickle; a storage in it is the persistent id
//                    ('storage', torch.FloatStorage, '0', 'cpu', 1728): type, key, device, count
//   NAME/data/0      the storage with the key '0'
//   NAME/byteorder   "little" or "big"; missing before PyTorch 2.1, where it was nearly always
//                    little
//
// and the second, PyTorch's only one before 1.6, a stream: the pickles of a magic number, of the
// protocol (1001), of what machine wrote it, of what was saved, and of all storages' keys; then the
// storages in the keys' order, each its count (8 bytes) and its numbers, all least significant byte
// first. The pickle's ids have a sixth part: None, or the (key, offset, count) of a part of the
// storage.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "containers/numbers.h"
#include "containers/pickle.h"

namespace limn {

struct StorageType {
  std::string_view name;             // "FloatStorage"
  size_t bytes;                      // of a number
  std::optional<NumberType> number;  // none for what layers are never made of
};

// The type of a storage by the name that a pickle has for it ("torch.FloatStorage",
// "torch.cuda.FloatStorage"), or nullptr.
const StorageType* find_storage_type(std::string_view global);

// A storage as a persistent id describes it.
struct Storage {
  const StorageType* type = nullptr;
  std::string key;
  std::uint64_t count = 0;   // of its numbers
  std::uint64_t offset = 0;  // where a view into it begins, in numbers
};

// Throws Error (file) when the id is none of a storage.
Storage storage_of(const std::string& path, const PicklePersistent& persistent);

// Where a storage's bytes are.
struct StorageData {
  std::uint64_t bytes = 0;
  std::function<void(std::uint64_t begin, std::span<std::byte> bytes)> read;
};

struct PthFile {
  Pickle pickle;
  bool big_endian = false;
  std::map<std::string, StorageData> storages;  // by key
};

// Opens either container. Throws Error (file). check_global says which names the pickle may ask
// for, beside the storages' types.
PthFile open_pth(const std::string& path, const CheckGlobal& check_global);

// Whether a file that begins with `head` is a stream as above.
bool is_pth_stream(std::string_view head);

}  // namespace limn
