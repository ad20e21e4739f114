// Unnamed files for temporary data: the system reclaims them however the program ends.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>

namespace limn {

// Closes its descriptor unless released.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();
  int number() const { return number_; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;  // negative: none
};

// The folder for temporary files: TMPDIR, or /tmp.
std::string temporary_folder();

// A new unnamed file in that folder, open for reading and writing; the caller closes it. `purpose`
// begins the error message: "cannot read '-'". Throws Error (file).
int open_temporary_file(const std::string& purpose);

// Writes all bytes at the descriptor's offset, waiting while it cannot accept more. Returns 0 or
// errno: EPIPE, without a signal, if the reader has gone.
int write_all(int descriptor, std::span<const std::byte> bytes);

}  // namespace limn
