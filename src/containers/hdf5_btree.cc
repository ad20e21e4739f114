// Both walks end for any file: a child lies one level below its parent, and every node costs
// budget.
#include "containers/hdf5_btree.h"

#include <bit>

namespace limn {
namespace {

// ----------------------------------------------------------------------------------- version 1 --

struct OldTreeShape {
  OldTree kind;
  size_t key_bytes;
};

// A node is n entries of a key and an address, and one more key: the keys around an address bound
// what it holds. On level 0 the addresses are those of what the tree indexes, above it those of
// nodes. `level` is -1 for the root, which may be on any level.
void walk_old_node(const Hdf5File& file, const std::string& name, std::uint64_t address,
                   const OldTreeShape& tree, int level, const ReadOldEntry& read_entry) {
  const size_t head_bytes = 8 + 2 * file.address_bytes();
  Hdf5Block head = file.block(name, "B-tree's node", address, head_bytes);
  head.expect_signature("TREE");
  const auto kind = head.number(1);
  if (kind != static_cast<std::uint64_t>(tree.kind)) {
    head.fail_damaged("should have type {}, but it has type {}", static_cast<int>(tree.kind), kind);
  }
  const auto own_level = static_cast<int>(head.number(1));
  if (level >= 0 && own_level != level)
    head.fail_damaged("should be on level {}, but it is on level {}", level, own_level);
  const std::uint64_t entries = head.number(2);
  Hdf5Block node = file.block(name, "B-tree's node", address + head_bytes,
                              entries * (tree.key_bytes + file.address_bytes()));
  for (std::uint64_t i = 0; i < entries; ++i) {
    if (own_level == 0) {
      read_entry(node);
    } else {
      node.skip(tree.key_bytes);
      walk_old_node(file, name, node.address(), tree, own_level - 1, read_entry);
    }
  }
}

// ----------------------------------------------------------------------------------- version 2 --

// How many bytes a number up to `most` takes.
size_t bytes_for(std::uint64_t most) { return most == 0 ? 1 : (std::bit_width(most) + 7) / 8; }

class NewTreeWalk {
 public:
  NewTreeWalk(const Hdf5File& file, const std::string& name, NewTree kind,
              const ReadRecord& read_record)
      : file_(file), name_(name), kind_(kind), read_record_(read_record) {}

  void walk(std::uint64_t address) {
    const size_t header_bytes = 22 + file_.address_bytes() + file_.length_bytes();
    Hdf5Block header = file_.block(name_, "B-tree's header", address, header_bytes);
    header.expect_signature("BTHD");
    header.version({0});
    expect_kind(header);
    node_bytes_ = header.number(4);
    record_bytes_ = header.number(2);
    const std::uint64_t depth = header.number(2);
    header.skip(2);  // at what fill nodes split and merge
    const std::uint64_t root = header.address();
    const std::uint64_t root_records = header.number(2);
    header.length();  // records in all
    header.expect_checksum();
    if (root == kHdf5Nowhere) return;  // an empty tree
    measure_levels(header, depth);
    walk_node(root, depth, root_records);
  }

 private:
  static constexpr size_t kEnvelopeBytes = 10;  // signature, version, kind and checksum

  // How large the number of records can be on each level, which decides how many bytes it takes in
  // the file. The number of a node's own records takes as many bytes on every level as in the
  // leaves.
  struct Level {
    std::uint64_t most_below;  // records in a node and all below it
    size_t pointer_bytes;      // of a pointer to a child
  };

  void expect_kind(Hdf5Block& block) const {
    const auto expected = static_cast<std::uint64_t>(kind_);
    if (const std::uint64_t kind = block.number(1); kind != expected)
      block.fail_damaged("should have type {}, but it has type {}", expected, kind);
  }

  void measure_levels(const Hdf5Block& header, std::uint64_t depth) {
    constexpr std::uint64_t kMostRecords = std::uint64_t{1} << 48;  // a file has far fewer
    if (record_bytes_ == 0 || node_bytes_ > file_.size())
      header.fail_damaged("has nodes of {} bytes, records of {}", node_bytes_, record_bytes_);
    const auto room = [&](size_t pointer_bytes) -> std::uint64_t {
      const std::uint64_t taken = kEnvelopeBytes + pointer_bytes;
      return node_bytes_ < taken ? 0 : (node_bytes_ - taken) / (record_bytes_ + pointer_bytes);
    };
    const std::uint64_t most_in_leaf = room(0);
    count_bytes_ = bytes_for(most_in_leaf);
    levels_ = {{most_in_leaf, 0}};
    for (std::uint64_t level = 1; level <= depth; ++level) {
      const std::uint64_t most_below = levels_.back().most_below;
      const size_t pointer_bytes =
          file_.address_bytes() + count_bytes_ + (level > 1 ? bytes_for(most_below) : 0);
      const std::uint64_t most = room(pointer_bytes);
      if (most == 0 || most_below > kMostRecords / (most + 1))
        header.fail_damaged("cannot have {} levels of nodes of {} bytes", depth, node_bytes_);
      levels_.push_back({(most + 1) * most_below + most, pointer_bytes});
    }
  }

  // A node: all its records and, above the leaves, a pointer to each child, one more than there are
  // records.
  void walk_node(std::uint64_t address, std::uint64_t level, std::uint64_t records) {
    const size_t pointer_bytes = levels_[level].pointer_bytes;
    if (records > node_bytes_ / record_bytes_) {
      file_.fail_damaged(name_, "its B-tree has {} records in a node of {} bytes", records,
                         node_bytes_);
    }
    const std::uint64_t pointers = level == 0 ? 0 : records + 1;
    Hdf5Block node =
        file_.block(name_, "B-tree's node", address,
                    kEnvelopeBytes + records * record_bytes_ + pointers * pointer_bytes);
    node.expect_checksum_at_end();
    node.expect_signature(level == 0 ? "BTLF" : "BTIN");
    node.version({0});
    expect_kind(node);
    for (std::uint64_t i = 0; i < records; ++i) {
      const size_t end = node.position() + record_bytes_;
      read_record_(node, record_bytes_);
      if (node.position() > end) node.fail_damaged("has records of {} bytes", record_bytes_);
      node.skip(end - node.position());
    }
    for (std::uint64_t i = 0; i < pointers; ++i) {
      const std::uint64_t child = node.address();
      const std::uint64_t child_records = node.number(count_bytes_);
      if (level > 1) node.skip(bytes_for(levels_[level - 1].most_below));  // records below it
      walk_node(child, level - 1, child_records);
    }
  }

  const Hdf5File& file_;
  const std::string& name_;
  const NewTree kind_;
  const ReadRecord& read_record_;
  std::uint64_t node_bytes_ = 0;
  size_t record_bytes_ = 0;
  size_t count_bytes_ = 0;  // of a child's number of records
  std::vector<Level> levels_;
};

}  // namespace

void walk_old_tree(const Hdf5File& file, const std::string& name, std::uint64_t address,
                   OldTree kind, size_t key_bytes, const ReadOldEntry& read_entry) {
  walk_old_node(file, name, address, {kind, key_bytes}, -1, read_entry);
}

void walk_new_tree(const Hdf5File& file, const std::string& name, std::uint64_t address,
                   NewTree kind, const ReadRecord& read_record) {
  NewTreeWalk(file, name, kind, read_record).walk(address);
}

}  // namespace limn
