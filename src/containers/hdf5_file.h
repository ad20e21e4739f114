// The bytes of an HDF5 file, read with suspicion.
//
// HDF5 (the "HDF5 File Format Specification" of The HDF Group) is a file system in a file: groups
// are its folders, datasets its files. Everything is linked by addresses, counted in bytes from the
// start of the file, and any of them may be wrong. limn reads the format itself, in four steps,
// each with its own source file:
//
//   hdf5_file     bytes and numbers; checks every address and length against the file's size
//   hdf5_object   what an object's header says, as a list of messages
//   hdf5_group    the names in a group, and where they lead
//   hdf5_dataset  the shape, type and values of an array (with hdf5_chunks and hdf5_filters)
//
// Three rules keep a damaged or malicious file harmless. Only what lies within the file is read,
// and it is read rather than mapped, so that a file that shrinks meanwhile is an error too. Memory
// is allocated for what is read, never for what the file merely claims. And structure is limited:
// each piece read is charged to a budget of a few times the file's size, which ends any loop.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace limn {

// The address that stands for "nowhere".
inline constexpr std::uint64_t kHdf5Nowhere = ~std::uint64_t{0};

// A group or a dataset, by the address of its header.
struct Hdf5Object {
  std::string name;  // what messages call it: "layer block4_conv2"
  std::uint64_t address;
};

class Hdf5Block;

class Hdf5File {
 public:
  // Opens for reading and reads the superblock. Throws Error (file).
  explicit Hdf5File(const std::string& path);
  ~Hdf5File();
  Hdf5File(const Hdf5File&) = delete;
  Hdf5File& operator=(const Hdf5File&) = delete;

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }  // bytes
  const Hdf5Object& root() const { return root_; }

  // How many bytes an address and a length take in this file: 4 or 8.
  size_t address_bytes() const { return address_bytes_; }
  size_t length_bytes() const { return length_bytes_; }

  // The `bytes` from `address` on, which are the `what` ("B-tree") of the object called `name`.
  // Throws Error (file): they do not lie in the file, or the budget is spent.
  Hdf5Block block(const std::string& name, std::string_view what, std::uint64_t address,
                  std::uint64_t bytes) const;

  // The same, but fewer if the file ends before.
  Hdf5Block block_at_most(const std::string& name, std::string_view what, std::uint64_t address,
                          std::uint64_t bytes) const;

  // Values, which are not structure and cost no budget.
  void read_values(const std::string& name, std::uint64_t address, std::span<std::byte> to) const;

  // Throws Error (file): "'x.h5': cannot read layer block4_conv2: <cause>; if the file ...".
  template <typename... Args>
  [[noreturn]] void fail_damaged(const std::string& name, fmt::format_string<Args...> cause,
                                 Args&&... args) const {
    fail(ErrorKind::file, "'{}': cannot read {}: {}; if the file is damaged, fetch it again", path_,
         name, fmt::format(cause, std::forward<Args>(args)...));
  }

  // Throws Error (file) for what HDF5 can do and limn does not read: "'x.h5': layer block4_conv2
  // <has ...>, which limn does not read; ...".
  template <typename... Args>
  [[noreturn]] void fail_unsupported(const std::string& name, fmt::format_string<Args...> trait,
                                     Args&&... args) const {
    fail(ErrorKind::file,
         "'{}': {} {}, which limn does not read; write the file again with the defaults of Keras "
         "or h5py",
         path_, name, fmt::format(trait, std::forward<Args>(args)...));
  }

  // The same for the way a dataset is stored, which HDF5's own tools can change.
  template <typename... Args>
  [[noreturn]] void fail_repackable(const std::string& name, fmt::format_string<Args...> trait,
                                    Args&&... args) const {
    fail(ErrorKind::file,
         "'{}': {} {}, which limn does not read; 'h5repack -f NONE -l CONTI {} plain.h5' makes one "
         "that it does",
         path_, name, fmt::format(trait, std::forward<Args>(args)...), path_);
  }

 private:
  void read_superblock();
  void read(const std::string& name, std::uint64_t address, std::span<std::byte> to) const;

  std::string path_;
  std::uint64_t size_;
  int descriptor_;
  size_t address_bytes_ = 8;
  size_t length_bytes_ = 8;
  Hdf5Object root_{"its root group", kHdf5Nowhere};
  mutable std::uint64_t budget_;  // bytes of structure that may still be read
};

// A piece of structure, read from front to back. Numbers have their least significant byte first.
// Asking for anything beyond the end throws Error (file).
class Hdf5Block {
 public:
  // `file` must outlive the block.
  Hdf5Block(const Hdf5File& file, std::string name, std::string what, std::vector<std::byte> bytes)
      : file_(&file), name_(std::move(name)), what_(std::move(what)), bytes_(std::move(bytes)) {}

  size_t position() const { return position_; }
  size_t left() const { return bytes_.size() - position_; }
  std::span<const std::byte> content() const { return bytes_; }  // all of it

  // Numbers of 1 to 8 bytes, and those with the file's width of addresses and lengths.
  std::uint64_t number(size_t bytes);
  std::uint64_t address();  // kHdf5Nowhere for all bits set
  std::uint64_t length() { return number(file_->length_bytes()); }

  std::span<const std::byte> bytes(std::uint64_t count);
  std::string text(std::uint64_t count);
  void skip(std::uint64_t count) { bytes(count); }

  // Throws Error (file) unless these characters come next.
  void expect_signature(std::string_view signature);
  // Throws Error (file) unless the version that comes next (of a byte) is one of `known`.
  int version(std::initializer_list<int> known);
  // Throws Error (file) unless the checksum of all before it comes next.
  void expect_checksum();
  // The same for a checksum that ends the block, which is then shortened by it.
  void expect_checksum_at_end();

  // Throws like Hdf5File::fail_damaged; the cause begins with what this block is.
  template <typename... Args>
  [[noreturn]] void fail_damaged(fmt::format_string<Args...> cause, Args&&... args) const {
    file_->fail_damaged(name_, "{} {}", what_, fmt::format(cause, std::forward<Args>(args)...));
  }

 private:
  const Hdf5File* file_;
  std::string name_;
  std::string what_;
  std::vector<std::byte> bytes_;
  size_t position_ = 0;
};

}  // namespace limn
