// Protocol Buffers as stored in a file, without their schema.
//
// A message is a sequence of fields. Each begins with a number, 8 * field number + wire type, and
// the wire type says what follows: 0 a number; 1 eight bytes; 5 four bytes; 2 a length and that
// many bytes (text, a message, or many numbers in a row). Those numbers are varints: 7 bits to a
// byte, lowest first, the top bit set in all bytes but the last.
#pragma once

#include <cstdint>

#include "containers/file_bytes.h"

namespace limn {

enum class WireType { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

struct WireField {
  std::uint64_t number = 0;
  WireType type = WireType::varint;
  std::uint64_t value = 0;  // for a varint
  std::uint64_t begin = 0;  // for the other types: where its bytes lie in the file
  std::uint64_t end = 0;

  bool is(std::uint64_t of_number, WireType of_type) const {
    return number == of_number && type == of_type;
  }
};

// The fields of a message, one after another; their contents are skipped.
class WireReader {
 public:
  // The message in the file's bytes [begin, end), which must exist.
  WireReader(FileBytes& file, std::uint64_t begin, std::uint64_t end)
      : file_(file), next_(begin), end_(end) {}

  bool is_at_end() const { return next_ == end_; }

  // The next field. It lies in the message; throws Error (file) otherwise.
  WireField field();

  // The next varint, for a message that consists of them.
  std::uint64_t varint();

 private:
  FileBytes& file_;
  std::uint64_t next_;
  const std::uint64_t end_;
};

}  // namespace limn
