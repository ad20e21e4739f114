// Python's pickles, protocols 0 to 5, as data. To Python a pickle is a program: it may ask for any
// function and have it called. Here it is a description: a call becomes a value that says what
// would be called with which arguments, only names that the caller allows are accepted, and nothing
// is ever executed or imported.
//
// All values of a pickle lie in one pool and refer to each other by their place in it. So what is
// shared stays shared (a pickle of a few bytes can describe a list of 10^9 equal elements), cycles
// do not leak, and nesting needs no recursion.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "containers/file_bytes.h"

namespace limn {

struct PickleValue;
using PickleRef = const PickleValue*;  // into Pickle::pool

struct PickleNone {};
struct PickleText {
  std::string text;  // text or bytes, as they are in the pickle
};
// Text or bytes longer than kLongestPickleText, such as an array's values: they are left in the
// file.
struct PickleBytes {
  std::uint64_t begin = 0;  // place in the file
  std::uint64_t bytes = 0;
};
// An integer of more than 64 bits, as it is in the pickle: two's complement, least significant byte
// first, or decimal.
struct PickleLong {
  std::string bytes;
};
struct PickleTuple {
  std::vector<PickleRef> items;
};
struct PickleList {
  std::vector<PickleRef> items;
};
// A dict, OrderedDict or defaultdict, in the order in which keys were set; the last of equal keys
// counts.
struct PickleDict {
  std::vector<std::pair<PickleRef, PickleRef>> items;
};
struct PickleGlobal {
  std::string name;  // "torch.FloatStorage"
};
// What `callable` would make from `arguments`, a tuple.
struct PickleCall {
  PickleRef callable;
  PickleRef arguments;
  PickleRef state = nullptr;  // what would then be set on it, if anything
};
// Something outside the pickle, with this id.
struct PicklePersistent {
  PickleRef id;
};

struct PickleValue {
  std::variant<PickleNone, bool, std::int64_t, double, PickleText, PickleBytes, PickleLong,
               PickleTuple, PickleList, PickleDict, PickleGlobal, PickleCall, PicklePersistent>
      value;

  // The value if it is a T, or nullptr.
  template <typename T>
  const T* as() const {
    return std::get_if<T>(&value);
  }
};

struct Pickle {
  std::deque<PickleValue> pool;
  PickleRef root = nullptr;
  std::uint64_t bytes = 0;  // what it took of its text
};

// Throws Error (file) unless weights may need what this name ("torch._utils._rebuild_tensor_v2")
// stands for. "collections.OrderedDict" and "collections.defaultdict" are always accepted.
using CheckGlobal = std::function<void(const std::string& name)>;

// A pickle may have at most this many values and references between them, so memory stays below 100
// MB whatever it says. (VGG-19's has 900.)
inline constexpr std::size_t kMostPickleValues = 1'000'000;

// In bytes; no tensor's name is this long.
inline constexpr std::size_t kLongestPickleText = 4096;

// The pickle that begins at byte `begin` of the file; more may follow it. Throws Error (file),
// naming the file and `what` ("archive/data.pkl"): cut short, out of order, too large, an opcode
// that no weights need, or what check_global throws.
Pickle read_pickle(FileBytes& file, std::uint64_t begin, const std::string& what,
                   const CheckGlobal& check_global);
// The same for one in memory, where a PickleBytes is a place in `text`.
Pickle read_pickle(const std::string& path, const std::string& what, std::string_view text,
                   const CheckGlobal& check_global);

}  // namespace limn
