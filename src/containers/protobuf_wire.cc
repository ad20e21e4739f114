#include "containers/protobuf_wire.h"

#include "base/error.h"

namespace limn {

std::uint64_t WireReader::varint() {
  constexpr int kMostBits = 64;
  const std::uint64_t begin = next_;
  std::uint64_t number = 0;
  for (int shift = 0; shift < kMostBits; shift += 7) {
    if (next_ == end_) break;
    std::byte byte;
    file_.read(next_++, std::span(&byte, 1));
    number |= static_cast<std::uint64_t>(byte & std::byte{127}) << shift;
    if ((byte & std::byte{128}) == std::byte{0}) return number;
  }
  fail(ErrorKind::file,
       "'{}': a number should end within 10 bytes of byte {} and before byte {}, but it does not; "
       "the file is damaged, so fetch it again",
       file_.path(), begin, end_);
}

WireField WireReader::field() {
  const std::uint64_t place = next_;
  const std::uint64_t tag = varint();
  WireField field = {tag / 8, static_cast<WireType>(tag % 8), 0, next_, next_};
  std::uint64_t bytes = 0;
  switch (field.type) {
    case WireType::varint:
      field.value = varint();
      return field;
    case WireType::fixed64:
      bytes = 8;
      break;
    case WireType::fixed32:
      bytes = 4;
      break;
    case WireType::bytes:
      bytes = varint();
      break;
    default:
      fail(ErrorKind::file,
           "'{}': a field of wire type 0, 1, 2 or 5 should begin at byte {}, but it is of type {}; "
           "the file is damaged, so fetch it again",
           file_.path(), place, tag % 8);
  }
  if (bytes > end_ - next_) {
    fail(ErrorKind::file,
         "'{}': the field at byte {} should have at most {} bytes, but its length is given as {}; "
         "if the file was cut short, fetch it again",
         file_.path(), place, end_ - next_, bytes);
  }
  field.begin = next_;
  field.end = next_ += bytes;
  return field;
}

}  // namespace limn
