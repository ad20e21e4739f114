// The bytes of one variable of a MAT-file: stored as they are, or packed with zlib.
//
// Packed bytes can only be unpacked forwards, so ask for places in rising order: going back unpacks
// from the start again, except for the last few bytes (a tag may hold its own data).
#pragma once

#include <zlib.h>

#include <cstdint>
#include <span>
#include <vector>

#include "containers/file_bytes.h"

namespace limn {

class MatBytes {
 public:
  // The file's bytes [begin, end), packed or not. The file must outlive this object.
  MatBytes(FileBytes& file, std::uint64_t begin, std::uint64_t end, bool is_packed);
  ~MatBytes();
  MatBytes(const MatBytes&) = delete;
  MatBytes& operator=(const MatBytes&) = delete;

  // An upper bound on the number of unpacked bytes.
  std::uint64_t most_bytes() const;

  // = the unpacked bytes from place `at` on. Throws Error (file) if there are too few, or if they
  // cannot be unpacked.
  void read(std::uint64_t at, std::span<std::byte> bytes);

 private:
  void rewind();
  void unpack(std::span<std::byte> bytes);
  void refill();

  FileBytes& file_;
  const std::uint64_t begin_;
  const std::uint64_t end_;
  const bool is_packed_;
  z_stream stream_ = {};
  std::vector<std::byte> packed_;  // what stream_ unpacks next
  std::uint64_t next_packed_ = 0;  // place in the file
  std::uint64_t position_ = 0;     // how many bytes are unpacked
  std::vector<std::byte> last_;    // the last of them, a few at most
};

}  // namespace limn
