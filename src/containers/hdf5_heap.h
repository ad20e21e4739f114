// The two heaps in which groups keep names: a local heap is one piece of bytes, a fractal heap
// doubles in size row by row as it grows.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "containers/hdf5_file.h"

namespace limn {

// The bytes of the local heap at `address`. Throws Error (file).
Hdf5Block read_local_heap(const Hdf5File& file, const std::string& name, std::uint64_t address);

class FractalHeap {
 public:
  // Reads the header. `file` must outlive the heap. Throws Error (file).
  FractalHeap(const Hdf5File& file, const std::string& name, std::uint64_t address);

  // How many bytes the identifier of an object takes.
  size_t id_bytes() const { return id_bytes_; }

  // The object that `id`, of id_bytes(), stands for. Throws Error (file).
  Hdf5Block object(Hdf5Block id) const;

 private:
  // A byte of a direct block.
  struct Place {
    std::uint64_t block;  // its address
    std::uint64_t block_bytes;
    std::uint64_t offset;  // in it
  };

  std::uint64_t row_bytes(std::uint64_t row) const;
  std::uint64_t row_begin(std::uint64_t row) const;
  Place place_of(std::uint64_t offset) const;
  Hdf5Block part_of_block(std::uint64_t address, std::uint64_t block_bytes, bool is_table,
                          std::uint64_t offset, std::uint64_t bytes) const;

  const Hdf5File& file_;
  std::string name_;
  size_t id_bytes_;
  size_t offset_bytes_;  // of an offset in the heap
  size_t length_bytes_;  // of an object's length
  bool has_checksums_;
  std::uint64_t width_;        // blocks in a row
  std::uint64_t first_bytes_;  // of a block of the first row
  std::uint64_t most_direct_;  // bytes; larger blocks are tables of blocks in turn
  std::uint64_t root_;
  std::uint64_t root_rows_;                            // 0: the root is a block with objects
  mutable std::map<std::uint64_t, Hdf5Block> blocks_;  // read so far, by address
};

}  // namespace limn
