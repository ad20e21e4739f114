#include "containers/hdf5_filters.h"

#include <zlib.h>

#include <algorithm>
#include <memory>
#include <span>

#include "base/error.h"

namespace limn {
namespace {

constexpr std::uint64_t kDeflate = 1;
constexpr std::uint64_t kShuffle = 2;
constexpr std::uint64_t kFletcher32 = 3;
constexpr std::uint64_t kMostFilters = 32;  // the format's own limit

// Inflates to at most `most` bytes; more is an error, not more memory.
std::vector<std::byte> inflate_bytes(const Hdf5File& file, const std::string& name,
                                     std::span<const std::byte> packed, std::uint64_t most) {
  std::vector<std::byte> bytes(most);
  auto count = static_cast<uLongf>(bytes.size());
  const int result =
      uncompress(reinterpret_cast<Bytef*>(bytes.data()), &count,
                 reinterpret_cast<const Bytef*>(packed.data()), static_cast<uLong>(packed.size()));
  if (result == Z_MEM_ERROR)
    fail(ErrorKind::resources, "'{}': not enough memory to inflate {}", file.path(), name);
  if (result != Z_OK)
    file.fail_damaged(name, "a chunk of {} bytes cannot be inflated", packed.size());
  bytes.resize(count);
  return bytes;
}

// In shuffled data the first bytes of all numbers come first, then all second bytes, and so on;
// leftover bytes stay at the end.
std::vector<std::byte> unshuffle(std::span<const std::byte> shuffled, size_t element_bytes) {
  const size_t count = shuffled.size() / element_bytes;
  std::vector<std::byte> bytes(shuffled.begin(), shuffled.end());
  for (size_t b = 0; b < element_bytes; ++b) {
    for (size_t i = 0; i < count; ++i) bytes[i * element_bytes + b] = shuffled[b * count + i];
  }
  return bytes;
}

// Fletcher's checksum over 16-bit words, most significant byte first, as HDF5 folds it: modulo
// 65,535, where multiples give 65,535 unless all words are zero.
std::uint32_t fletcher32(std::span<const std::byte> bytes) {
  constexpr std::uint64_t kModulus = 65535;
  constexpr size_t kUnfoldedBytes = 8192;  // after which the sums are still below 2^41
  std::uint64_t sum = 0, sum_of_sums = 0;
  std::uint64_t all_bits = 0;
  for (size_t begin = 0; begin < bytes.size(); begin += kUnfoldedBytes) {
    const size_t end = std::min(begin + kUnfoldedBytes, bytes.size());
    for (size_t i = begin; i < end; i += 2) {
      const auto high = std::to_integer<std::uint64_t>(bytes[i]);
      const auto low = i + 1 < end ? std::to_integer<std::uint64_t>(bytes[i + 1]) : 0;
      sum += high << 8 | low;
      sum_of_sums += sum;
      all_bits |= high | low;
    }
    sum %= kModulus;
    sum_of_sums %= kModulus;
  }
  if (all_bits == 0) return 0;
  const auto folded = [](std::uint64_t s) { return s == 0 ? kModulus : s; };
  return static_cast<std::uint32_t>(folded(sum_of_sums) << 16 | folded(sum));
}

// Removes the checksum from the end of the bytes, which must match it.
void check_fletcher32(const Hdf5File& file, const std::string& name,
                      std::vector<std::byte>& bytes) {
  constexpr size_t kChecksumBytes = 4;
  if (bytes.size() < kChecksumBytes)
    file.fail_damaged(name, "a chunk of {} byte(s) has no room for its checksum", bytes.size());
  std::uint32_t found = 0;
  for (size_t i = 0; i < kChecksumBytes; ++i) {
    found |= std::to_integer<std::uint32_t>(bytes[bytes.size() - kChecksumBytes + i]) << (8 * i);
  }
  bytes.resize(bytes.size() - kChecksumBytes);
  if (const std::uint32_t expected = fletcher32(bytes); found != expected) {
    file.fail_damaged(name, "a chunk should have the checksum {:08x}, but it has {:08x}", expected,
                      found);
  }
}

std::string_view well_known_name(std::uint64_t id) {
  switch (id) {
    case 4:
      return "szip";
    case 5:
      return "nbit";
    case 6:
      return "scaleoffset";
    case 32000:
      return "lzf";
    case 32001:
      return "blosc";
    case 32004:
      return "lz4";
    case 32015:
      return "zstd";
    default:
      return "";
  }
}

Hdf5Filter read_filter(const Hdf5File& file, const std::string& name, Hdf5Block& message,
                       int version) {
  constexpr std::uint64_t kFirstForeign = 256;  // from here on filters are not HDF5's own
  Hdf5Filter filter{message.number(2), 0};
  const bool has_name = version == 1 || filter.id >= kFirstForeign;
  const std::uint64_t name_bytes = has_name ? message.number(2) : 0;
  message.skip(2);  // whether chunks may skip it
  const std::uint64_t parameters = message.number(2);
  const std::uint64_t padded_bytes = version == 1 ? (name_bytes + 7) / 8 * 8 : name_bytes;
  const std::string filter_name = message.text(padded_bytes);
  for (std::uint64_t i = 0; i < parameters; ++i) {
    const std::uint64_t parameter = message.number(4);
    if (i == 0) filter.element_bytes = parameter;
  }
  if (version == 1 && parameters % 2 == 1) message.skip(4);
  if (filter.id == kDeflate || filter.id == kShuffle || filter.id == kFletcher32) return filter;
  const std::string_view known = well_known_name(filter.id);
  const std::string shown =
      known.empty() ? printable(filter_name.substr(0, filter_name.find('\0'))) : std::string(known);
  if (filter.id < kFirstForeign)
    file.fail_repackable(name, "is packed with the filter {} ({})", filter.id, shown);
  // Without the filter's code HDF5's tools cannot unpack it either.
  file.fail_unsupported(name, "is packed with the filter {} ({})", filter.id, shown);
}

}  // namespace

Hdf5Filters read_filters(const Hdf5File& file, const std::string& name, Hdf5Block message) {
  const int version = message.version({1, 2});
  const std::uint64_t count = message.number(1);
  if (count > kMostFilters) message.fail_damaged("has {} filters", count);
  if (version == 1) message.skip(6);
  Hdf5Filters filters;
  for (std::uint64_t i = 0; i < count; ++i)
    filters.push_back(read_filter(file, name, message, version));
  return filters;
}

std::vector<std::byte> unpack_chunk(const Hdf5File& file, const std::string& name,
                                    const Hdf5Filters& filters, std::uint32_t skipped,
                                    std::vector<std::byte> packed, std::uint64_t bytes) {
  for (size_t i = filters.size(); i-- > 0;) {
    if (skipped >> i & 1) continue;
    const Hdf5Filter& filter = filters[i];
    if (filter.id == kDeflate) {
      packed = inflate_bytes(file, name, packed, most_packed_bytes(bytes));
    } else if (filter.id == kShuffle) {
      if (filter.element_bytes == 0 || filter.element_bytes > bytes)
        file.fail_damaged(name, "its numbers are shuffled by {} bytes", filter.element_bytes);
      packed = unshuffle(packed, filter.element_bytes);
    } else {
      check_fletcher32(file, name, packed);
    }
  }
  if (packed.size() != bytes) {
    file.fail_damaged(name, "a chunk should have {} bytes unpacked, but it has {}", bytes,
                      packed.size());
  }
  return packed;
}

}  // namespace limn
