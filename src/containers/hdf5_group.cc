// An old group keeps its names in a heap and lists them in a B-tree of symbol tables. A new one has
// a message for each link or, if there are many, keeps the messages in a fractal heap and their
// identifiers in a B-tree.
#include "containers/hdf5_group.h"

#include <algorithm>

#include "containers/hdf5_btree.h"
#include "containers/hdf5_heap.h"

namespace limn {
namespace {

constexpr size_t kMostLinks = 1 << 16;

// What a link can be, in the numbers of link messages.
Hdf5LinkKind kind_of(std::uint64_t number) {
  constexpr std::uint64_t kHard = 0, kSoft = 1, kExternal = 64;
  return number == kHard       ? Hdf5LinkKind::hard
         : number == kSoft     ? Hdf5LinkKind::soft
         : number == kExternal ? Hdf5LinkKind::external
                               : Hdf5LinkKind::unknown;
}

class LinkReader {
 public:
  LinkReader(const Hdf5File& file, const Hdf5Object& group, const Hdf5Header& header)
      : file_(file), group_(group), header_(header) {}

  std::vector<Hdf5Link> read() {
    if (auto table = find_message(file_, group_, header_, Hdf5MessageType::symbol_table)) {
      read_old_group(*table);
      return std::move(links_);
    }
    for (const Hdf5Message& message : header_.messages) {
      if (message.type == Hdf5MessageType::link && !message.shared) add(message.block);
    }
    if (auto info = find_message(file_, group_, header_, Hdf5MessageType::link_info))
      read_many(*info);
    return std::move(links_);
  }

 private:
  void add(Hdf5Link link) {
    if (links_.size() == kMostLinks)
      file_.fail_unsupported(group_.name, "has more than {} entries", kMostLinks);
    link.name.resize(std::min(link.name.size(), kLongestHdf5Name));
    links_.push_back(std::move(link));
  }

  // ---- old groups ----

  void read_old_group(Hdf5Block& table) {
    const std::uint64_t tree = table.address();
    const Hdf5Block heap = read_local_heap(file_, group_.name, table.address());
    walk_old_tree(file_, group_.name, tree, OldTree::group, file_.length_bytes(),
                  [&](Hdf5Block& node) {
                    node.length();  // the first name that lies after this entry
                    read_symbols(node.address(), heap);
                  });
  }

  void read_symbols(std::uint64_t address, const Hdf5Block& heap) {
    constexpr std::uint64_t kHeadBytes = 8;
    const std::uint64_t symbol_bytes = file_.address_bytes() + file_.length_bytes() + 24;
    Hdf5Block head = file_.block(group_.name, "symbol table node", address, kHeadBytes);
    head.expect_signature("SNOD");
    head.version({1});
    head.skip(1);
    const std::uint64_t symbols = head.number(2);
    Hdf5Block table =
        file_.block(group_.name, "symbol table node", address + kHeadBytes, symbols * symbol_bytes);
    for (std::uint64_t i = 0; i < symbols; ++i) {
      const std::uint64_t name_offset = table.length();
      const std::uint64_t object = table.address();
      const std::uint64_t cached = table.number(4);
      table.skip(20);
      constexpr std::uint64_t kSoftLink = 2;  // a type of cached data; others mean hard links
      add({name_at(heap, name_offset),
           cached == kSoftLink ? Hdf5LinkKind::soft : Hdf5LinkKind::hard, object});
    }
  }

  // The text that begins there in the heap and ends with a 0.
  static std::string name_at(const Hdf5Block& heap, std::uint64_t offset) {
    const std::span<const std::byte> bytes = heap.content();
    if (offset >= bytes.size())
      heap.fail_damaged("has {} bytes, but a name lies at its byte {}", bytes.size(), offset);
    std::string name;
    for (const std::byte byte : bytes.subspan(offset)) {
      if (byte == std::byte{0} || name.size() == kLongestHdf5Name) break;
      name += static_cast<char>(byte);
    }
    return name;
  }

  // ---- new groups ----

  void read_many(Hdf5Block& info) {
    info.version({0});
    if (info.number(1) & 0x01) info.skip(8);  // the number of links in order of creation
    const std::uint64_t heap_address = info.address();
    const std::uint64_t tree = info.address();
    if (heap_address == kHdf5Nowhere) return;
    const FractalHeap heap(file_, group_.name, heap_address);
    walk_new_tree(file_, group_.name, tree, NewTree::links_by_name,
                  [&](Hdf5Block& node, size_t /*bytes*/) {
                    node.skip(4);  // the name's hash
                    const std::span<const std::byte> id = node.bytes(heap.id_bytes());
                    add(heap.object({file_, group_.name, "its link", {id.begin(), id.end()}}));
                  });
  }

  // What one message says of one link.
  void add(Hdf5Block message) {
    message.version({1});
    const std::uint64_t flags = message.number(1);
    const Hdf5LinkKind kind = flags & 0x08 ? kind_of(message.number(1)) : Hdf5LinkKind::hard;
    message.skip((flags & 0x04 ? 8 : 0) + (flags & 0x10 ? 1 : 0));  // order, character set
    const std::uint64_t name_bytes = message.number(size_t{1} << (flags & 3));
    std::string name = message.text(name_bytes);
    add({std::move(name), kind, kind == Hdf5LinkKind::hard ? message.address() : kHdf5Nowhere});
  }

  const Hdf5File& file_;
  const Hdf5Object& group_;
  const Hdf5Header& header_;
  std::vector<Hdf5Link> links_;
};

}  // namespace

std::vector<Hdf5Link> read_links(const Hdf5File& file, const Hdf5Object& group,
                                 const Hdf5Header& header) {
  return LinkReader(file, group, header).read();
}

Hdf5Object follow(const Hdf5File& file, const Hdf5Link& link, const std::string& name) {
  if (link.kind == Hdf5LinkKind::hard) return {name, link.address};
  fail(ErrorKind::file,
       "'{}': {} should be in this place of the file itself, but it is {}, which limn does not "
       "follow",
       file.path(), name,
       link.kind == Hdf5LinkKind::soft       ? "a soft link"
       : link.kind == Hdf5LinkKind::external ? "a link to another file"
                                             : "a link of an unknown kind");
}

}  // namespace limn
