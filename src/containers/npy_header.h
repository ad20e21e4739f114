// The header of a NumPy array (.npy): "\x93NUMPY", the version in two bytes, the length of what
// follows in two bytes (version 1) or four (2 and 3), least significant first, and a dict as Python
// would write it:
//
//   {'descr': '<f4', 'fortran_order': False, 'shape': (3, 3, 3, 64), }
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "containers/numbers.h"

namespace limn {

struct NpyHeader {
  std::string descr;  // the values' type: "<f4"; a record's is the text of its list
  bool fortran_order = false;
  std::vector<std::uint64_t> shape;
  std::uint64_t bytes = 0;  // from the array's beginning to its data
};

// Enough for the length to be known.
inline constexpr std::uint64_t kNpyPrefixBytes = 12;
// NumPy itself reads at most 10,000 unless told otherwise.
inline constexpr std::uint64_t kMostNpyHeaderBytes = 1 << 16;

// The total bytes of the header that begins with `prefix` (kNpyPrefixBytes, or fewer if the array
// ends before). Throws Error (file) like the next function.
std::uint64_t npy_header_bytes(const std::string& path, const std::string& array,
                               std::string_view prefix);

// The header, whose size is npy_header_bytes. Throws Error (file), naming the file and the array.
// Nothing in it is evaluated; the keys must be the three above, each once.
NpyHeader parse_npy_header(const std::string& path, const std::string& array,
                           std::string_view header);

// How an array stores floats.
struct NpyFloats {
  NumberType type;
  bool big_endian;
};
// From the values' type ("<f4"), or nothing if limn does not read it.
std::optional<NpyFloats> npy_floats(std::string_view descr);

}  // namespace limn
