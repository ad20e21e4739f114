// The header of a safetensors file: its length in 8 little-endian bytes, then that many bytes of
// JSON, then the data of all tensors.
//
//   {"__metadata__": {"key": "text"},
//    "features.0.weight": {"dtype": "F32", "shape": [64, 3, 3, 3], "data_offsets": [0, 6912]}}
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace limn {

struct SafetensorsTensor {
  std::string dtype;
  std::vector<std::uint64_t> shape;
  std::uint64_t begin = 0;  // bytes from the start of the data
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  std::map<std::string, SafetensorsTensor> tensors;
  std::map<std::string, std::string> metadata;
};

// The header in `json`, of a file with `data_bytes` of data after it. Tensors lie within the data
// and do not overlap; dtypes and shapes are not checked. Throws Error (file).
SafetensorsHeader parse_safetensors_header(const std::string& path, std::string_view json,
                                           std::uint64_t data_bytes);

}  // namespace limn
