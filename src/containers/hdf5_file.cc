#include "containers/hdf5_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/file.h"

namespace limn {
namespace {

constexpr std::string_view kSignature = "\x89HDF\r\n\x1a\n";

// The structure of an intact file is read about once and is smaller than the file. Every piece
// costs at least kLeastCost, because small pieces take no less time to read.
constexpr std::uint64_t kBudgetPerByte = 4;
constexpr std::uint64_t kLeastBudget = 1 << 20;  // bytes: 2,048 pieces, even in the smallest file
constexpr std::uint64_t kLeastCost = 512;        // bytes

std::uint64_t little_endian(std::span<const std::byte> bytes) {
  std::uint64_t number = 0;
  for (size_t i = 0; i < bytes.size(); ++i)
    number |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  return number;
}

// Jenkins's lookup3 hash (2006) with initial value 0: HDF5's checksum of structure. Three words of
// state take in twelve bytes at a time.
std::uint32_t checksum_of(std::span<const std::byte> bytes) {
  const auto start = 0xdeadbeefu + static_cast<std::uint32_t>(bytes.size());
  std::uint32_t a = start, b = start, c = start;
  if (bytes.empty()) return c;
  const auto add = [&](std::span<const std::byte> twelve) {  // or fewer: zeros follow
    std::uint32_t words[3] = {};
    for (size_t i = 0; i < twelve.size(); ++i)
      words[i / 4] |= std::to_integer<std::uint32_t>(twelve[i]) << (8 * (i % 4));
    a += words[0], b += words[1], c += words[2];
  };
  while (bytes.size() > 12) {
    add(bytes.first(12));
    bytes = bytes.subspan(12);
    const auto mix = [](std::uint32_t& x, std::uint32_t& y, std::uint32_t& z, int turn) {
      x = (x - z) ^ std::rotl(z, turn);
      z += y;
    };
    mix(a, b, c, 4), mix(b, c, a, 6), mix(c, a, b, 8);
    mix(a, b, c, 16), mix(b, c, a, 19), mix(c, a, b, 4);
  }
  add(bytes);
  const auto blend = [](std::uint32_t& x, std::uint32_t y, int turn) {
    x = (x ^ y) - std::rotl(y, turn);
  };
  blend(c, b, 14), blend(a, c, 11), blend(b, a, 25);
  blend(c, b, 16), blend(a, c, 4), blend(b, a, 14), blend(c, b, 24);
  return c;
}

}  // namespace

// --------------------------------------------------------------------------------------- bytes --

Hdf5File::Hdf5File(const std::string& path)
    : path_(path),
      size_(file_size(path, "weights file")),
      descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)),
      budget_(kLeastBudget + kBudgetPerByte * size_) {
  if (descriptor_ < 0) {
    fail(ErrorKind::file, "cannot read the weights file '{}': {}", path_, std::strerror(errno));
  }
  try {
    read_superblock();
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

Hdf5File::~Hdf5File() { ::close(descriptor_); }

// Everything read from the file goes through here.
void Hdf5File::read(const std::string& name, std::uint64_t address, std::span<std::byte> to) const {
  if (address > size_ || to.size() > size_ - address) {
    fail_damaged(name, "{} byte(s) of it should lie from byte {} on, but the file has only {}",
                 to.size(), address, size_);
  }
  while (!to.empty()) {
    const ssize_t got = ::pread(descriptor_, to.data(), to.size(), static_cast<off_t>(address));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      fail(ErrorKind::file, "'{}': cannot read {} byte(s) from byte {}: {}", path_, to.size(),
           address, std::strerror(errno));
    }
    if (got == 0) fail_damaged(name, "the file ended at byte {} while being read", address);
    to = to.subspan(static_cast<size_t>(got));
    address += static_cast<std::uint64_t>(got);
  }
}

Hdf5Block Hdf5File::block(const std::string& name, std::string_view what, std::uint64_t address,
                          std::uint64_t bytes) const {
  if (address > size_ || bytes > size_ - address) {  // before memory is allocated for it
    fail_damaged(name, "its {} should be {} byte(s) from byte {} on, but the file has only {}",
                 what, bytes, address, size_);
  }
  const std::uint64_t cost = std::max(bytes, kLeastCost);
  if (cost > budget_) {
    fail_damaged(name, "the file's structure is larger than the file, or leads in circles");
  }
  budget_ -= cost;
  std::vector<std::byte> content(bytes);
  read(name, address, content);
  return {*this, name, fmt::format("its {} at byte {}", what, address), std::move(content)};
}

Hdf5Block Hdf5File::block_at_most(const std::string& name, std::string_view what,
                                  std::uint64_t address, std::uint64_t bytes) const {
  return block(name, what, address, address < size_ ? std::min(bytes, size_ - address) : bytes);
}

void Hdf5File::read_values(const std::string& name, std::uint64_t address,
                           std::span<std::byte> to) const {
  read(name, address, to);
}

// ---------------------------------------------------------------------------------- superblock --

// The superblock, at the start of the file, says how wide addresses are, where the file ends and
// where the root group is. Versions 0 and 1 have a symbol table entry for the group, later ones its
// address.
void Hdf5File::read_superblock() {
  const std::string name = "the file as HDF5";
  constexpr std::uint64_t kLongest = 100;  // bytes, with addresses of 8
  Hdf5Block block = block_at_most(name, "superblock", 0, kLongest);
  block.expect_signature(kSignature);
  const int version = block.version({0, 1, 2, 3});
  if (version < 2) block.skip(4);  // versions of parts of the format, always 0
  address_bytes_ = block.number(1);
  length_bytes_ = block.number(1);
  for (const size_t bytes : {address_bytes_, length_bytes_}) {
    if (bytes != 4 && bytes != 8)
      block.fail_damaged("should have addresses and lengths of 4 or 8 bytes, not of {}", bytes);
  }
  // Not needed: how full nodes are, and flags that say whether a writer has the file open.
  block.skip(version == 0 ? 9 : version == 1 ? 13 : 1);
  if (const std::uint64_t base = block.address(); base != 0)
    block.fail_damaged("should count addresses from byte 0 on, but counts from {}", base);
  block.address();  // free space, or an extension of the superblock
  const std::uint64_t end = block.address();
  if (version < 2) {
    block.address();  // a driver's information
    block.length();   // the root group's name, which is empty
  }
  root_.address = block.address();
  if (version >= 2) block.expect_checksum();
  if (end > size_) {
    fail_damaged(name, "it should have {} bytes, but it was cut short to {}", end, size_);
  }
}

// --------------------------------------------------------------------------------------- block --

std::span<const std::byte> Hdf5Block::bytes(std::uint64_t count) {
  if (count > left()) {
    fail_damaged("should have {} byte(s) more, but it ends after {}", count, bytes_.size());
  }
  const auto taken = std::span(bytes_).subspan(position_, count);
  position_ += count;
  return taken;
}

std::uint64_t Hdf5Block::number(size_t count) { return little_endian(bytes(count)); }

std::uint64_t Hdf5Block::address() {
  const size_t count = file_->address_bytes();
  const std::uint64_t address = number(count);
  return address == kHdf5Nowhere >> (8 * (8 - count)) ? kHdf5Nowhere : address;
}

std::string Hdf5Block::text(std::uint64_t count) {
  const std::span<const std::byte> characters = bytes(count);
  return {reinterpret_cast<const char*>(characters.data()), characters.size()};
}

void Hdf5Block::expect_signature(std::string_view signature) {
  const std::string found = text(std::min(signature.size(), left()));
  if (found == signature) return;
  fail_damaged("should begin with '{}', but it begins with '{}'", printable(signature),
               printable(found));
}

int Hdf5Block::version(std::initializer_list<int> known) {
  const auto version = static_cast<int>(number(1));
  if (std::ranges::find(known, version) == known.end())
    fail_damaged("has version {}, which limn does not know", version);
  return version;
}

void Hdf5Block::expect_checksum() {
  const std::uint32_t expected = checksum_of(std::span(bytes_).first(position_));
  const std::uint64_t found = number(4);
  if (found != expected)
    fail_damaged("should have the checksum {:08x}, but it has {:08x}", expected, found);
}

void Hdf5Block::expect_checksum_at_end() {
  constexpr size_t kChecksumBytes = 4;
  const size_t begin = position_;
  if (left() >= kChecksumBytes) position_ = bytes_.size() - kChecksumBytes;
  expect_checksum();
  bytes_.resize(bytes_.size() - kChecksumBytes);
  position_ = begin;
}

}  // namespace limn
