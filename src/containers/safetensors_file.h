// A safetensors file: its header (safetensors_header.h), and where the tensors lie.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "containers/file_bytes.h"
#include "containers/safetensors_header.h"

namespace limn {

struct SafetensorsFile {
  FileBytes bytes;
  std::uint64_t data_begin = 0;  // bytes from the start of the file
  SafetensorsHeader header;

  const std::string& path() const { return bytes.path(); }
};

// Throws Error (file) if the header is too long or invalid.
SafetensorsFile open_safetensors(FileBytes bytes);

// Takes the next bytes of a file. Does not throw: what went wrong is said once all are written.
using ByteSink = std::function<void(std::span<const std::byte>)>;

struct TensorToWrite {
  std::string name;
  std::string_view dtype;  // "F16", "F32", "F64", "U32"
  std::vector<std::uint64_t> shape;
  std::uint64_t bytes = 0;
  std::function<void(const ByteSink&)> write;  // writes all of them
};

// Writes the file, beside and renamed; the data begins at a multiple of 8 bytes. Tensors are
// written in order: all of them, or none if the file cannot even be begun. Throws Error (file).
void write_safetensors_file(const std::string& path,
                            std::span<const std::pair<std::string, std::string>> metadata,
                            std::span<const TensorToWrite> tensors);

}  // namespace limn
