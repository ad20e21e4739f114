#include "containers/safetensors_file.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/file.h"

namespace limn {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are written as they lie");

constexpr std::uint64_t kLengthBytes = 8;                // of the header's length
constexpr std::uint64_t kMostHeaderBytes = 100'000'000;  // the format's own limit

// The header, padded with spaces so that the data after it is aligned to 8 bytes.
std::string header_text(std::span<const std::pair<std::string, std::string>> metadata,
                        std::span<const TensorToWrite> tensors) {
  nlohmann::ordered_json header;
  for (const auto& [key, text] : metadata) header["__metadata__"][key] = text;
  std::uint64_t begin = 0;
  for (const TensorToWrite& tensor : tensors) {
    const std::uint64_t end = begin + tensor.bytes;
    header[tensor.name] = {
        {"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
    begin = end;
  }
  std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  text.resize((text.size() + kLengthBytes - 1) / kLengthBytes * kLengthBytes, ' ');
  return text;
}

}  // namespace

SafetensorsFile open_safetensors(FileBytes bytes) {
  SafetensorsFile file{std::move(bytes), 0, {}};
  const std::string& path = file.path();
  const std::uint64_t file_bytes = file.bytes.size();
  if (file_bytes < kLengthBytes) {
    fail(ErrorKind::file,
         "'{}': a safetensors file begins with the 8 bytes of its header's length, but this one "
         "has only {} byte(s)",
         path, file_bytes);
  }
  std::uint64_t header_bytes = 0;
  file.bytes.read(0, std::as_writable_bytes(std::span(&header_bytes, 1)));
  const std::uint64_t most = std::min(file_bytes - kLengthBytes, kMostHeaderBytes);
  if (header_bytes > most) {
    fail(ErrorKind::file,
         "'{}': the header should have at most {} bytes (the file has {}), but its length is given "
         "as {}",
         path, most, file_bytes, header_bytes);
  }
  std::string json(header_bytes, '\0');
  file.bytes.read(kLengthBytes, std::as_writable_bytes(std::span(json)));
  file.data_begin = kLengthBytes + header_bytes;
  file.header = parse_safetensors_header(path, json, file_bytes - file.data_begin);
  return file;
}

void write_safetensors_file(const std::string& path,
                            std::span<const std::pair<std::string, std::string>> metadata,
                            std::span<const TensorToWrite> tensors) {
  const std::string header = header_text(metadata, tensors);
  const std::uint64_t header_bytes = header.size();
  replace_file(path, [&](const std::string& temporary) {
    std::ofstream file(temporary, std::ios::binary);
    const ByteSink sink = [&](std::span<const std::byte> bytes) {
      file.write(reinterpret_cast<const char*>(bytes.data()),
                 static_cast<std::streamsize>(bytes.size()));
    };
    sink(std::as_bytes(std::span(&header_bytes, 1)));
    sink(std::as_bytes(std::span(header)));
    for (const TensorToWrite& tensor : tensors) tensor.write(sink);
    file.close();
    if (!file) fail(ErrorKind::file, "cannot write '{}': {}", path, std::strerror(errno));
  });
}

}  // namespace limn
