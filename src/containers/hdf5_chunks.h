// An HDF5 dataset in chunks: boxes of one size that tile the array, each stored and packed on its
// own wherever there was room, those at the edges reaching beyond it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "containers/hdf5_filters.h"

namespace limn {

// How the chunks are found; the numbers from `single` on are those of the format.
enum class ChunkIndex {
  old_tree = 0,  // a B-tree of version 1: all that HDF5 knew before 1.10
  single = 1,    // there is only one
  implicit = 2,  // they lie one after another
  fixed_array = 3,
  new_tree = 5,  // a B-tree of version 2
};

struct ChunkedLayout {
  ChunkIndex index;
  std::uint64_t address;             // of the index, or of the only chunk
  std::vector<std::uint64_t> sides;  // of a chunk in values; as many as the shape has
  Hdf5Filters filters;
  bool whole_edges = false;        // chunks that reach beyond the array are not packed
  std::uint64_t single_bytes = 0;  // of the only chunk, packed
  std::uint32_t single_skipped = 0;
};

// An array: its shape, the largest shape that it may grow to, and the bytes of one value.
struct ArrayShape {
  std::vector<std::uint64_t> sides;
  std::vector<std::uint64_t> most_sides;
  std::uint64_t value_bytes;
};

// All bytes of the array, last axis fastest. `bytes` is their number. Throws Error (file), even for
// a chunk that is not in the file, which HDF5 would read as zeros.
std::vector<std::byte> read_chunks(const Hdf5File& file, const std::string& name,
                                   const ChunkedLayout& layout, const ArrayShape& shape,
                                   std::uint64_t bytes);

}  // namespace limn
