// How an HDF5 dataset's chunks are packed: a pipeline of filters, each applied to the output of the
// one before. Supported are deflate, shuffle and the Fletcher-32 checksum.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "containers/hdf5_file.h"

namespace limn {

struct Hdf5Filter {
  std::uint64_t id;             // the format's number for it
  std::uint64_t element_bytes;  // shuffle: how many bytes a number has
};
using Hdf5Filters = std::vector<Hdf5Filter>;

// What a filter message says. Throws Error (file), also for filters that limn does not know.
Hdf5Filters read_filters(const Hdf5File& file, const std::string& name, Hdf5Block message);

// The most bytes that a chunk of `bytes` can sensibly take once packed: packing incompressible data
// adds a little.
constexpr std::uint64_t most_packed_bytes(std::uint64_t bytes) { return bytes + bytes / 8 + 1024; }

// The chunk of `bytes` that `packed` was made from. Bit i of `skipped` is set if filter i was not
// used on it. No step takes more memory than most_packed_bytes. Throws Error (file).
std::vector<std::byte> unpack_chunk(const Hdf5File& file, const std::string& name,
                                    const Hdf5Filters& filters, std::uint32_t skipped,
                                    std::vector<std::byte> packed, std::uint64_t bytes);

}  // namespace limn
