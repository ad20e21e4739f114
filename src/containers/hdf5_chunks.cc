#include "containers/hdf5_chunks.h"

#include <algorithm>
#include <cstring>

#include "containers/hdf5_btree.h"

namespace limn {
namespace {

// A chunk may be larger than its array, but not so large that a small file takes much memory: at
// most this many times the array, plus what h5py makes a chunk of a small array. Nor may all chunks
// together be so large that unpacking them takes forever. Chunks no longer than the array along any
// of a kernel's four axes cover less than twice its length along each.
constexpr std::uint64_t kMostTimesArray = 4;
constexpr std::uint64_t kMostTimesTogether = 16;
constexpr std::uint64_t kMostSmallBytes = 1 << 20;

// Deflate packs at most this many bytes into one.
constexpr std::uint64_t kMostDeflation = 1032;

// A chunk as it lies in the file.
struct StoredChunk {
  std::uint64_t address;
  std::uint64_t bytes;
  std::uint32_t skipped;  // filters, see unpack_chunk
};

std::uint64_t divided_up(std::uint64_t a, std::uint64_t b) { return a / b + (a % b != 0); }

class ChunkReader {
 public:
  ChunkReader(const Hdf5File& file, const std::string& name, const ChunkedLayout& layout,
              const ArrayShape& shape, std::uint64_t bytes)
      : file_(file), name_(name), layout_(layout), shape_(shape), rank_(shape.sides.size()) {
    check_sizes(bytes);
    cells_ = 1;
    for (size_t axis = 0; axis < rank_; ++axis) {
      counts_.push_back(divided_up(shape.sides[axis], layout.sides[axis]));
      cells_ *= counts_.back();  // at most one for each value
    }
    if (cells_ > (kMostTimesTogether * bytes + kMostSmallBytes) / chunk_bytes_) {
      file.fail_damaged(name, "its {} chunks of {} bytes are too many for {} bytes", cells_,
                        chunk_bytes_, bytes);
    }
    values_.resize(bytes);
    is_read_.resize(cells_);
  }

  std::vector<std::byte> read() {
    if (layout_.address != kHdf5Nowhere) read_index();
    if (read_ < cells_) {
      fail(ErrorKind::file,
           "'{}': the values of {} should be in the file, but of its {} chunk(s) {} were never "
           "written",
           file_.path(), name_, cells_, cells_ - read_);
    }
    return std::move(values_);
  }

 private:
  // Computes the chunk's size, and checks that no size here is implausibly large.
  void check_sizes(std::uint64_t bytes) {
    if (bytes / kMostDeflation > file_.size()) {
      file_.fail_damaged(name_, "its {} bytes cannot come from a file of {}", bytes, file_.size());
    }
    const std::uint64_t most = kMostTimesArray * bytes + kMostSmallBytes;
    chunk_bytes_ = shape_.value_bytes;
    for (const std::uint64_t side : layout_.sides) {
      if (side == 0) file_.fail_damaged(name_, "its chunks have a side of 0");
      if (side > most / chunk_bytes_)
        file_.fail_damaged(name_, "its chunks are more than {} times as large as it", most / bytes);
      chunk_bytes_ *= side;
    }
  }

  void read_index() {
    switch (layout_.index) {
      case ChunkIndex::old_tree:
        return read_old_tree();
      case ChunkIndex::single:
        return take({0},
                    {layout_.address, layout_.filters.empty() ? chunk_bytes_ : layout_.single_bytes,
                     layout_.single_skipped});
      case ChunkIndex::implicit:
        return for_each_cell([&](std::uint64_t number, const std::vector<std::uint64_t>& cell) {
          take(cell, {layout_.address + number * chunk_bytes_, chunk_bytes_, ~0u});
        });
      case ChunkIndex::fixed_array:
        return read_fixed_array();
      case ChunkIndex::new_tree:
        return read_new_tree();
    }
  }

  // ---- the kinds of index ----

  void read_old_tree() {
    const size_t key_bytes = 8 + 8 * (rank_ + 1);
    walk_old_tree(file_, name_, layout_.address, OldTree::chunks, key_bytes, [&](Hdf5Block& node) {
      StoredChunk chunk = {};
      chunk.bytes = node.number(4);
      chunk.skipped = static_cast<std::uint32_t>(node.number(4));
      std::vector<std::uint64_t> cell;
      for (size_t axis = 0; axis < rank_; ++axis) {
        const std::uint64_t begin = node.number(8);
        if (begin % layout_.sides[axis] != 0)
          node.fail_damaged("has a chunk at {}, which is between chunks", begin);
        cell.push_back(begin / layout_.sides[axis]);
      }
      node.skip(8);  // the place in a value: 0
      chunk.address = node.address();
      take(cell, chunk);
    });
  }

  void read_new_tree() {
    const bool packed = !layout_.filters.empty();
    walk_new_tree(
        file_, name_, layout_.address, packed ? NewTree::filtered_chunks : NewTree::chunks,
        [&](Hdf5Block& node, size_t bytes) {
          const size_t other_bytes = 8 * rank_ + (packed ? 4 : 0);
          const StoredChunk chunk = read_entry(node, bytes - std::min(bytes, other_bytes));
          std::vector<std::uint64_t> cell;
          for (size_t axis = 0; axis < rank_; ++axis) cell.push_back(node.number(8));
          take(cell, chunk);
        });
  }

  // The address of a chunk and, if chunks are packed, its size and the filters that it skipped.
  // `bytes` are those of address and size.
  StoredChunk read_entry(Hdf5Block& block, size_t bytes) const {
    StoredChunk chunk = {block.address(), chunk_bytes_, 0};
    if (layout_.filters.empty()) return chunk;
    const size_t size_bytes = bytes - std::min(bytes, file_.address_bytes());
    if (size_bytes < 1 || size_bytes > 8)
      block.fail_damaged("has sizes of chunks of {} bytes", size_bytes);
    chunk.bytes = block.number(size_bytes);
    chunk.skipped = static_cast<std::uint32_t>(block.number(4));
    return chunk;
  }

  // One entry per chunk, in order, for the array at the largest size that it may grow to. Many
  // entries are split into pages of 2^n, each followed by a checksum; pages in which nothing was
  // ever written must not be read.
  void read_fixed_array() {
    Hdf5Block header = file_.block(name_, "fixed array's header", layout_.address,
                                   12 + file_.address_bytes() + file_.length_bytes());
    header.expect_signature("FAHD");
    header.version({0});
    header.skip(1);  // whether chunks are packed, which the filters say
    const std::uint64_t entry_bytes = header.number(1);
    const std::uint64_t page_bits = header.number(1);
    const std::uint64_t entries = header.length();
    const std::uint64_t address = header.address();
    header.expect_checksum();
    if (address == kHdf5Nowhere) return;
    if (entry_bytes < file_.address_bytes() || page_bits > 32 ||
        entries > file_.size() / entry_bytes) {
      header.fail_damaged("has {} entries of {} bytes, in pages of 2^{}", entries, entry_bytes,
                          page_bits);
    }
    const std::uint64_t page_entries = std::uint64_t{1} << page_bits;
    std::vector<StoredChunk> chunks;
    const auto read_entries = [&](Hdf5Block& block, std::uint64_t count) {
      for (std::uint64_t i = 0; i < count; ++i)
        chunks.push_back(read_entry(block, entry_bytes - (layout_.filters.empty() ? 0 : 4)));
      block.expect_checksum();
    };
    const size_t head_bytes = 6 + file_.address_bytes();
    if (entries <= page_entries) {
      Hdf5Block block =
          file_.block(name_, "fixed array", address, head_bytes + entries * entry_bytes + 4);
      block.expect_signature("FADB");
      block.skip(head_bytes - 4);
      read_entries(block, entries);
    } else {
      const std::uint64_t pages = divided_up(entries, page_entries);
      Hdf5Block head =
          file_.block(name_, "fixed array", address, head_bytes + divided_up(pages, 8) + 4);
      head.expect_signature("FADB");
      head.skip(head_bytes - 4);
      const std::span<const std::byte> written = head.bytes(divided_up(pages, 8));
      head.expect_checksum();
      std::uint64_t page_address = address + head.position();
      for (std::uint64_t page = 0; page < pages; ++page) {
        const std::uint64_t count = std::min(page_entries, entries - page * page_entries);
        // The first page is the highest bit of the first byte.
        if ((std::to_integer<unsigned>(written[page / 8]) & 0x80u >> page % 8) != 0) {
          Hdf5Block block =
              file_.block(name_, "fixed array's page", page_address, count * entry_bytes + 4);
          read_entries(block, count);
        } else {
          chunks.resize(chunks.size() + count, {kHdf5Nowhere, 0, 0});
        }
        page_address += count * entry_bytes + 4;
      }
    }
    for_each_cell([&](std::uint64_t number, const std::vector<std::uint64_t>& cell) {
      if (number < chunks.size() && chunks[number].address != kHdf5Nowhere)
        take(cell, chunks[number]);
    });
  }

  // Calls visit(number, cell) for each cell of the array; the numbers count the cells of the array
  // at the largest size that it may grow to.
  template <typename Visit>
  void for_each_cell(const Visit& visit) {
    std::vector<std::uint64_t> cell(rank_, 0);
    for (std::uint64_t done = 0; done < cells_; ++done) {
      std::uint64_t number = 0;
      for (size_t axis = 0; axis < rank_; ++axis) {
        number = number * divided_up(shape_.most_sides[axis], layout_.sides[axis]) + cell[axis];
      }
      visit(number, cell);
      for (size_t axis = rank_; axis-- > 0 && ++cell[axis] == counts_[axis];) cell[axis] = 0;
    }
  }

  // ---- a chunk ----

  // Reads the chunk that belongs to this cell of the grid. Each cell accepts only one chunk, so the
  // work is bounded by the grid.
  void take(std::vector<std::uint64_t> cell, const StoredChunk& chunk) {
    cell.resize(rank_, 0);
    std::uint64_t number = 0;
    bool reaches_beyond = false;
    for (size_t axis = 0; axis < rank_; ++axis) {
      // An array that shrank may keep chunks outside; they hold none of its values.
      if (cell[axis] >= counts_[axis]) return;
      number = number * counts_[axis] + cell[axis];
      reaches_beyond |= (cell[axis] + 1) * layout_.sides[axis] > shape_.sides[axis];
    }
    if (chunk.address == kHdf5Nowhere) return;
    if (is_read_[number]) file_.fail_damaged(name_, "its chunk {} is in the file twice", number);
    is_read_[number] = true;
    ++read_;
    const bool packed = !layout_.filters.empty() && !(layout_.whole_edges && reaches_beyond);
    const std::uint64_t most = packed ? most_packed_bytes(chunk_bytes_) : chunk_bytes_;
    const std::uint64_t least = packed ? chunk_bytes_ / kMostDeflation : chunk_bytes_;
    if (chunk.bytes > most || chunk.bytes < least) {
      file_.fail_damaged(name_, "its chunk {} should have {} bytes, but it has {}", number,
                         chunk_bytes_, chunk.bytes);
    }
    std::vector<std::byte> bytes(chunk.bytes);
    file_.read_values(name_, chunk.address, bytes);
    if (packed) {
      bytes = unpack_chunk(file_, name_, layout_.filters, chunk.skipped, std::move(bytes),
                           chunk_bytes_);
    }
    copy_into_array(cell, bytes);
  }

  // Copies the part of the chunk within the array, run by run along the last axis.
  void copy_into_array(const std::vector<std::uint64_t>& cell, std::span<const std::byte> chunk) {
    std::vector<std::uint64_t> begin(rank_), extent(rank_), at(rank_, 0);
    for (size_t axis = 0; axis < rank_; ++axis) {
      begin[axis] = cell[axis] * layout_.sides[axis];
      extent[axis] = std::min(layout_.sides[axis], shape_.sides[axis] - begin[axis]);
    }
    const size_t last = rank_ - 1;
    while (true) {
      std::uint64_t from = 0, to = 0;
      for (size_t axis = 0; axis < rank_; ++axis) {
        from = from * layout_.sides[axis] + at[axis];
        to = to * shape_.sides[axis] + begin[axis] + at[axis];
      }
      std::memcpy(values_.data() + to * shape_.value_bytes,
                  chunk.data() + from * shape_.value_bytes, extent[last] * shape_.value_bytes);
      size_t axis = last;
      while (axis > 0 && ++at[axis - 1] == extent[axis - 1]) at[--axis] = 0;
      if (axis == 0) return;
    }
  }

  const Hdf5File& file_;
  const std::string& name_;
  const ChunkedLayout& layout_;
  const ArrayShape& shape_;
  const size_t rank_;
  std::uint64_t chunk_bytes_ = 0;      // unpacked
  std::vector<std::uint64_t> counts_;  // of chunks along each axis
  std::uint64_t cells_ = 0;            // chunks in all
  std::vector<bool> is_read_;          // by cell
  std::uint64_t read_ = 0;             // how many
  std::vector<std::byte> values_;      // of the array
};

}  // namespace

std::vector<std::byte> read_chunks(const Hdf5File& file, const std::string& name,
                                   const ChunkedLayout& layout, const ArrayShape& shape,
                                   std::uint64_t bytes) {
  return ChunkReader(file, name, layout, shape, bytes).read();
}

}  // namespace limn
