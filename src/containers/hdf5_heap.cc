#include "containers/hdf5_heap.h"

#include <algorithm>
#include <bit>

namespace limn {

Hdf5Block read_local_heap(const Hdf5File& file, const std::string& name, std::uint64_t address) {
  Hdf5Block head = file.block(name, "heap's header", address,
                              8 + 2 * file.length_bytes() + file.address_bytes());
  head.expect_signature("HEAP");
  head.version({0});
  head.skip(3);
  const std::uint64_t bytes = head.length();
  head.length();  // where the first gap is
  return file.block(name, "heap", head.address(), bytes);
}

// Offsets in a fractal heap count through its blocks, including their headers. An indirect block is
// a table of blocks, `width` to a row: two rows of blocks of the first size, then each row's blocks
// are twice as large as those of the row before. Blocks larger than the largest direct block are
// indirect in turn.
FractalHeap::FractalHeap(const Hdf5File& file, const std::string& name, std::uint64_t address)
    : file_(file), name_(name) {
  const size_t header_bytes = 26 + 3 * file.address_bytes() + 12 * file.length_bytes();
  Hdf5Block header = file.block(name, "fractal heap's header", address, header_bytes);
  header.expect_signature("FRHP");
  header.version({0});
  id_bytes_ = header.number(2);
  if (header.number(2) != 0) file.fail_unsupported(name, "has its names packed with filters");
  has_checksums_ = header.number(1) & 0x02;
  const std::uint64_t most_object = header.number(4);
  header.skip(2 * file.address_bytes() + 10 * file.length_bytes());  // other objects, free space
  width_ = header.number(2);
  first_bytes_ = header.length();
  most_direct_ = header.length();
  const std::uint64_t offset_bits = header.number(2);
  header.number(2);  // the number of rows that the root begins with
  root_ = header.address();
  root_rows_ = header.number(2);
  header.expect_checksum();
  constexpr std::uint64_t kMostDirect = std::uint64_t{1} << 32;  // the format's own limit
  const bool sound = width_ > 0 && std::has_single_bit(width_) &&
                     std::has_single_bit(first_bytes_) && std::has_single_bit(most_direct_) &&
                     most_direct_ <= kMostDirect && first_bytes_ <= most_direct_ &&
                     width_ <= 2 * most_direct_ / first_bytes_ && offset_bits <= 63 &&
                     offset_bits > 0 && root_rows_ <= 64;
  if (!sound) header.fail_damaged("does not say how large its blocks are");
  const auto bytes_of_bits = [](std::uint64_t bits) { return (bits + 7) / 8; };
  offset_bytes_ = bytes_of_bits(offset_bits);
  length_bytes_ = std::min(bytes_of_bits(std::countr_zero(most_direct_)),
                           bytes_of_bits(std::max<std::uint64_t>(1, std::bit_width(most_object))));
}

std::uint64_t FractalHeap::row_bytes(std::uint64_t row) const {
  return row == 0 ? first_bytes_ : first_bytes_ << (row - 1);
}

std::uint64_t FractalHeap::row_begin(std::uint64_t row) const {
  return row == 0 ? 0 : width_ * first_bytes_ << (row - 1);
}

// The `bytes` from `offset` on in a block. Each block is read only once.
Hdf5Block FractalHeap::part_of_block(std::uint64_t address, std::uint64_t block_bytes,
                                     bool is_table, std::uint64_t offset,
                                     std::uint64_t bytes) const {
  auto found = blocks_.find(address);
  if (found == blocks_.end()) {
    Hdf5Block block = file_.block(name_, "fractal heap's block", address, block_bytes);
    if (is_table) block.expect_checksum_at_end();
    block.expect_signature(is_table ? "FHIB" : "FHDB");
    found = blocks_.emplace(address, std::move(block)).first;
  }
  const std::span<const std::byte> content = found->second.content();
  if (offset > content.size() || bytes > content.size() - offset) {
    found->second.fail_damaged("has {} bytes, of which {} should start at byte {}", content.size(),
                               bytes, offset);
  }
  const auto part = content.subspan(offset, bytes);
  return {file_, name_, "its entry in a fractal heap", {part.begin(), part.end()}};
}

// Where the byte at `offset` of the heap is, found from the root through indirect blocks to the
// direct block that holds it.
FractalHeap::Place FractalHeap::place_of(std::uint64_t offset) const {
  const std::uint64_t direct_rows =
      std::countr_zero(most_direct_) - std::countr_zero(first_bytes_) + 2;
  const size_t head_bytes = 5 + file_.address_bytes() + offset_bytes_;
  constexpr std::uint64_t kChecksumBytes = 4;
  Place place = {root_, first_bytes_, offset};
  std::uint64_t rows = root_rows_;
  while (rows != 0) {
    // The row whose blocks hold the offset: each row begins at twice the offset of the one before.
    const std::uint64_t row = std::bit_width(place.offset / (width_ * first_bytes_));
    if (row >= rows) {
      file_.fail_damaged(name_, "its fractal heap has {} row(s) of blocks, but row {} is needed",
                         rows, row);
    }
    const std::uint64_t column = (place.offset - row_begin(row)) / row_bytes(row);
    Hdf5Block entry = part_of_block(
        place.block, head_bytes + rows * width_ * file_.address_bytes() + kChecksumBytes, true,
        head_bytes + (row * width_ + column) * file_.address_bytes(), file_.address_bytes());
    place = {entry.address(), row_bytes(row),
             place.offset - row_begin(row) - column * row_bytes(row)};
    // The rows of an indirect block: as many as make up its size.
    rows = row < direct_rows
               ? 0
               : 1 + std::bit_width(row_bytes(row)) - std::bit_width(first_bytes_ * width_);
  }
  return place;
}

Hdf5Block FractalHeap::object(Hdf5Block id) const {
  constexpr std::uint64_t kKindBits = 0x30;  // 0: in a block of the heap; others are for the huge
  if (id.number(1) & kKindBits) file_.fail_unsupported(name_, "has names of unusual sizes");
  const std::uint64_t offset = id.number(offset_bytes_);
  const std::uint64_t bytes = id.number(length_bytes_);
  const Place place = place_of(offset);
  return part_of_block(place.block, place.block_bytes, false, place.offset, bytes);
}

}  // namespace limn
