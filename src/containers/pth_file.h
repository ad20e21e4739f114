// A PyTorch file: what was saved, as a pickle, and the storages, the arrays of numbers that its
// tensors are views of. There are two containers. The first is a zip file:
//
//   NAME/data.pkl    the pickle; a storage in it is the persistent id
//                    ('storage', torch.FloatStorage, '0', 'cpu', 1728): type, key, device, count
//   NAME/data/0      the storage with the key '0'
//   NAME/byteorder   "little" or "big"; missing before PyTorch 2.1, where it was nearly always
//                    little
//
// The second, PyTorch's only one before 1.6, is a stream: pickles of a magic number, the protocol
// (1001), the machine that wrote it, what was saved, and the keys of all storages; then the
// storages in the order of the keys, each its count (8 bytes) and its numbers, all least
// significant byte first. The pickle's ids have a sixth part: None, or the (key, offset, count) of
// a part of the storage.
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
  std::optional<NumberType> number;  // nothing for types that layers never have
};

// The type of a storage by its name in a pickle ("torch.FloatStorage", "torch.cuda.FloatStorage"),
// or nullptr.
const StorageType* find_storage_type(std::string_view global);

// A storage as a persistent id describes it.
struct Storage {
  const StorageType* type = nullptr;
  std::string key;
  std::uint64_t count = 0;   // of its numbers
  std::uint64_t offset = 0;  // where a view into it begins, in numbers
};

// Throws Error (file) if the id is not a storage's.
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

// Opens either container. Throws Error (file). check_global says which names the pickle may ask for
// besides the storages' types.
PthFile open_pth(const std::string& path, const CheckGlobal& check_global);

// Whether a file that begins with `head` is such a stream.
bool is_pth_stream(std::string_view head);

}  // namespace limn
