// Zip containers, in which NumPy (.npz) and PyTorch (.pth) keep arrays: libzip, with bounds on what
// a damaged or hostile container may claim. (libzip, rather than a reader of our own on zlib,
// because it withstands the damage in damage_test.cc and knows zip64 and data descriptors.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct zip;  // libzip's

namespace limn {

struct ZipEntry {
  std::string name;  // as in the file: any bytes but 0
  std::uint64_t index = 0;
  std::uint64_t size = 0;         // bytes when unpacked
  std::uint64_t packed_size = 0;  // bytes in the file
  bool stored = false;            // otherwise deflated
};

// An open container. Its entries have different names, are neither encrypted nor packed by anything
// but deflate, and claim no more bytes than can be packed into what they take in the file: at most
// 1,032 times the file's size.
//
// All members throw Error (file), naming the file and the entry.
class ZipFile {
 public:
  explicit ZipFile(const std::string& path);

  const std::string& path() const { return path_; }
  const std::vector<ZipEntry>& entries() const { return entries_; }
  // The entry of this name, or nullptr.
  const ZipEntry* find(std::string_view name) const;

  // Fills `bytes` with the entry's from byte `begin` on, which must lie within it. Reading an entry
  // from its beginning to its end verifies its checksum.
  void read(const ZipEntry& entry, std::uint64_t begin, std::span<std::byte> bytes) const;

  // The whole entry, which may have at most `most` bytes.
  std::string read_text(const ZipEntry& entry, std::uint64_t most) const;

 private:
  struct Close {
    void operator()(zip* archive) const;
  };
  std::string path_;
  std::unique_ptr<zip, Close> archive_;
  std::vector<ZipEntry> entries_;
};

}  // namespace limn
