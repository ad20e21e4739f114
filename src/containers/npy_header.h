// The header of a NumPy array (.npy): "\x93NUMPY", the version in two bytes, the length of what
// follows in two bytes (version 1) or four (2 and 3), least significant first, and a dictionary as
// Python would write it:
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
// NumPy's own limit to what it reads without being told to is 10,000.
inline constexpr std::uint64_t kMostNpyHeaderBytes = 1 << 16;

// How many bytes the header that begins with `prefix` (kNpyPrefixBytes, or less if the array ends
// before) has in all. Throws Error (file) like the next.
std::uint64_t npy_header_bytes(const std::string& path, const std::string& array,
                               std::string_view prefix);

// The header, of npy_header_bytes. Throws Error (file), naming the file and the array. Nothing of
// it is evaluated; keys are the three above, each once.
NpyHeader parse_npy_header(const std::string& path, const std::string& array,
                           std::string_view header);

// Floats as an array has them.
struct NpyFloats {
  NumberType type;
  bool big_endian;
};
// Those of the values' type ("<f4"), or nothing where they are no floats that limn reads.
std::optional<NpyFloats> npy_floats(std::string_view descr);

}  // namespace limn
