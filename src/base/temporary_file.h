// Files without a name, for what has to lie somewhere for a while: the disk takes them back by
// itself, however the program ends.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>

namespace limn {

// Closes what it holds, unless that is released.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();
  int number() const { return number_; }
  int release() { return std::exchange(number_, -1); }

 private:
  int number_;  // below 0: none
};

// The folder for temporary files: TMPDIR's, or /tmp.
std::string temporary_folder();

// A new file without a name in that folder, open for reading and writing, to be closed by the
// caller. `purpose` ends the message's first clause: "cannot read '-'". Throws Error (file).
int open_temporary_file(const std::string& purpose);

// Writes all of the bytes at the descriptor's offset, waiting where it cannot take them yet.
// Returns 0, or the errno of what went wrong: EPIPE, without a signal, where nobody reads any more.
int write_all(int descriptor, std::span<const std::byte> bytes);

}  // namespace limn
