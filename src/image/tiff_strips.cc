// A TIFF begins with its byte order, II or MM, and 42, or 43 for a BigTIFF, whose offsets and
// counts are 8 bytes long instead of 4. Then follows the offset of the first directory:
//
//   number of entries    2 bytes (8)
//   entries              tag 2, type 2, number of values 4 (8), values or their offset 4 (8)
//   next directory       4 (8); 0: none
//
// Every number is a stranger's: reads are bounded by the file, loops by constants.
#include "image/tiff_strips.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace limn {
namespace {

constexpr std::uint64_t kStripByteCounts = 279, kTileByteCounts = 325;
// More than photographs have: of strips of one row, of entries, of pages.
constexpr std::uint64_t kMostStrips = 1'000'000, kMostEntries = 1000;
constexpr int kMostPages = 1000;

class TiffDirectories {
 public:
  explicit TiffDirectories(const ByteSource& source) : source_(source) {
    std::array<unsigned char, 2> order = {};
    if (!read(0, order)) return;
    big_endian_ = order[0] == 'M';
    if (order[0] != order[1] || (order[0] != 'I' && order[0] != 'M')) return;
    const std::uint64_t magic = number(2, 2).value_or(0);
    if (magic != 42 && magic != 43) return;
    big_ = magic == 43;
    next_ = number(big_ ? 8 : 4, offset_size()).value_or(0);
  }

  // Goes to the next directory. False if there is none.
  bool advance() {
    if (next_ == 0) return false;
    at_ = next_ + count_size();
    entries_ = number(next_, count_size()).value_or(0);
    if (entries_ == 0 || entries_ > kMostEntries) return false;
    next_ = number(at_ + entries_ * entry_size(), offset_size()).value_or(0);
    return true;
  }

  // The largest of a tag's values in this directory.
  std::optional<std::uint64_t> largest_value(std::uint64_t tag) const {
    for (std::uint64_t i = 0; i < entries_; ++i) {
      const std::uint64_t entry = at_ + i * entry_size();
      if (number(entry, 2) == tag) return largest_in(entry);
    }
    return std::nullopt;
  }

 private:
  std::uint64_t count_size() const { return big_ ? 8 : 2; }
  std::uint64_t offset_size() const { return big_ ? 8 : 4; }
  std::uint64_t entry_size() const { return big_ ? 20 : 12; }

  template <typename Bytes>
  bool read(std::uint64_t at, Bytes& bytes) const {
    if (at > source_.bytes() || bytes.size() > source_.bytes() - at) return false;
    return pread(source_.descriptor(), bytes.data(), bytes.size(), static_cast<off_t>(at)) ==
           std::ssize(bytes);
  }

  std::uint64_t number_in(const unsigned char* bytes, std::uint64_t size) const {
    std::uint64_t value = 0;
    for (std::uint64_t i = 0; i < size; ++i) {
      value = value << 8 | bytes[big_endian_ ? i : size - 1 - i];
    }
    return value;
  }

  std::optional<std::uint64_t> number(std::uint64_t at, std::uint64_t size) const {
    std::vector<unsigned char> bytes(size);
    if (!read(at, bytes)) return std::nullopt;
    return number_in(bytes.data(), size);
  }

  std::optional<std::uint64_t> largest_in(std::uint64_t entry) const {
    const std::uint64_t type = number(entry + 2, 2).value_or(0);
    const std::uint64_t size = type == 3 ? 2 : type == 4 ? 4 : type == 16 ? 8 : 0;
    const std::uint64_t count = number(entry + 4, offset_size()).value_or(0);
    if (size == 0 || count == 0 || count > kMostStrips) return std::nullopt;
    std::uint64_t at = entry + 4 + offset_size();
    if (count * size > offset_size()) at = number(at, offset_size()).value_or(0);
    std::vector<unsigned char> values(count * size);
    if (!read(at, values)) return std::nullopt;
    std::uint64_t largest = 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      largest = std::max(largest, number_in(values.data() + i * size, size));
    }
    return largest;
  }

  const ByteSource& source_;
  bool big_endian_ = false, big_ = false;
  std::uint64_t next_ = 0, at_ = 0, entries_ = 0;
};

}  // namespace

std::optional<std::uint64_t> largest_strip(const ByteSource& source, int page) {
  if (page < 0 || page > kMostPages) return std::nullopt;
  TiffDirectories directories(source);
  for (int i = 0; i <= page; ++i) {
    if (!directories.advance()) return std::nullopt;
  }
  const std::optional<std::uint64_t> strips = directories.largest_value(kStripByteCounts);
  return strips ? strips : directories.largest_value(kTileByteCounts);
}

}  // namespace limn
