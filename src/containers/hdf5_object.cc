// Messages lie in the header's own block and in continuations of it, which other messages point to.
// Version 1 has 8 bytes before each message and no checksums; version 2 ("OHDR") has 4 or 6 bytes,
// and a checksum after each block.
#include "containers/hdf5_object.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace limn {
namespace {

constexpr std::uint64_t kContinuation = 0x10;  // the message that points to more messages
constexpr std::string_view kSignature = "OHDR";
constexpr std::string_view kContinuationSignature = "OCHK";

// Far more than Keras's headers have, and few enough to keep.
constexpr size_t kMostMessages = 1 << 16;
constexpr size_t kMostContinuations = 1 << 10;

struct NamedType {
  Hdf5MessageType type;
  std::string_view name;
};
constexpr std::array kNamedTypes = {
    NamedType{Hdf5MessageType::dataspace, "shape"},
    NamedType{Hdf5MessageType::link_info, "links"},
    NamedType{Hdf5MessageType::datatype, "data type"},
    NamedType{Hdf5MessageType::link, "link"},
    NamedType{Hdf5MessageType::external_files, "list of files"},
    NamedType{Hdf5MessageType::layout, "data layout"},
    NamedType{Hdf5MessageType::filters, "list of filters"},
    NamedType{Hdf5MessageType::symbol_table, "symbol table"},
};

const NamedType* find_type(std::uint64_t number) {
  const auto* const found = std::ranges::find_if(kNamedTypes, [&](const NamedType& named) {
    return static_cast<std::uint64_t>(named.type) == number;
  });
  return found == kNamedTypes.end() ? nullptr : found;
}

std::string_view name_of(Hdf5MessageType type) {
  return find_type(static_cast<std::uint64_t>(type))->name;
}

class HeaderReader {
 public:
  HeaderReader(const Hdf5File& file, const Hdf5Object& object) : file_(file), object_(object) {}

  Hdf5Header read() {
    constexpr std::uint64_t kLongestPrefix = 34;  // bytes, of version 2 with all that is optional
    Hdf5Block prefix = file_.block_at_most(object_.name, "header", object_.address, kLongestPrefix);
    is_old_ = prefix.left() > 0 && Hdf5Block(prefix).number(1) == 1;
    is_old_ ? read_first_of_version_1(prefix) : read_first_of_version_2(prefix);
    for (size_t i = 0; i < continuations_.size(); ++i) {
      if (i == kMostContinuations)
        file_.fail_damaged(object_.name, "its header has too many pieces, {} so far", i);
      Hdf5Block block = file_.block(object_.name, "header's continuation",
                                    continuations_[i].address, continuations_[i].bytes);
      if (!is_old_) {
        block.expect_checksum_at_end();
        block.expect_signature(kContinuationSignature);
      }
      read_messages(block);
    }
    return std::move(header_);
  }

 private:
  struct Continuation {
    std::uint64_t address;
    std::uint64_t bytes;
  };

  void read_first_of_version_1(Hdf5Block& prefix) {
    constexpr std::uint64_t kPrefixBytes = 16;
    prefix.skip(8);  // version, number of messages, number of links to this object
    const std::uint64_t bytes = prefix.number(4);
    Hdf5Block block = file_.block(object_.name, "header", object_.address + kPrefixBytes, bytes);
    read_messages(block);
  }

  void read_first_of_version_2(Hdf5Block& prefix) {
    constexpr std::uint64_t kChecksumBytes = 4;
    prefix.expect_signature(kSignature);
    prefix.version({2});
    const std::uint64_t flags = prefix.number(1);
    message_has_order_ = flags & 0x04;
    prefix.skip((flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0));  // times, limits of attributes
    const std::uint64_t bytes = prefix.number(size_t{1} << (flags & 3));
    if (bytes > file_.size()) prefix.fail_damaged("should not have {} bytes", bytes);
    Hdf5Block block = file_.block(object_.name, "header", object_.address,
                                  prefix.position() + bytes + kChecksumBytes);
    block.skip(prefix.position());
    block.expect_checksum_at_end();
    read_messages(block);
  }

  void read_messages(Hdf5Block& block) {
    const size_t prefix_bytes = is_old_ ? 8 : message_has_order_ ? 6 : 4;
    while (block.left() >= prefix_bytes) {  // less than that is a gap
      const std::uint64_t number = block.number(is_old_ ? 2 : 1);
      const std::uint64_t bytes = block.number(2);
      const bool shared = block.number(1) & 0x02;
      block.skip(is_old_ ? 3 : message_has_order_ ? 2 : 0);
      const std::span<const std::byte> content = block.bytes(bytes);
      const NamedType* const type = find_type(number);
      if (!type && number != kContinuation) continue;
      Hdf5Block message(file_, object_.name,
                        fmt::format("its {}", type ? type->name : "header's continuation"),
                        {content.begin(), content.end()});
      if (number == kContinuation) {
        const std::uint64_t address = message.address();
        continuations_.push_back({address, message.length()});
        continue;
      }
      if (header_.messages.size() == kMostMessages)
        file_.fail_damaged(object_.name, "its header has more than {} messages", kMostMessages);
      header_.messages.push_back({type->type, shared, std::move(message)});
    }
  }

  const Hdf5File& file_;
  const Hdf5Object& object_;
  bool is_old_ = false;             // version 1
  bool message_has_order_ = false;  // 2 bytes more before each message
  std::vector<Continuation> continuations_;
  Hdf5Header header_;
};

}  // namespace

bool Hdf5Header::has(Hdf5MessageType type) const {
  return std::ranges::any_of(messages,
                             [&](const Hdf5Message& message) { return message.type == type; });
}

bool Hdf5Header::is_group() const {
  return has(Hdf5MessageType::symbol_table) || has(Hdf5MessageType::link_info);
}

bool Hdf5Header::is_dataset() const {
  return has(Hdf5MessageType::dataspace) && has(Hdf5MessageType::layout);
}

Hdf5Header read_header(const Hdf5File& file, const Hdf5Object& object) {
  return HeaderReader(file, object).read();
}

std::optional<Hdf5Block> find_message(const Hdf5File& file, const Hdf5Object& object,
                                      const Hdf5Header& header, Hdf5MessageType type) {
  for (const Hdf5Message& message : header.messages) {
    if (message.type != type) continue;
    if (message.shared)
      file.fail_unsupported(object.name, "shares its {} with other objects", name_of(type));
    return message.block;
  }
  return std::nullopt;
}

Hdf5Block need_message(const Hdf5File& file, const Hdf5Object& object, const Hdf5Header& header,
                       Hdf5MessageType type) {
  std::optional<Hdf5Block> block = find_message(file, object, header, type);
  if (!block) file.fail_damaged(object.name, "its header does not say its {}", name_of(type));
  return std::move(*block);
}

}  // namespace limn
