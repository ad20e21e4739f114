// Random access to a file's bytes, for readers of containers: many small reads of structure, few
// large ones of values. The file may also be a piece of memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace limn {

class FileBytes {
 public:
  // Throws Error (file): missing, a folder, unreadable.
  explicit FileBytes(const std::string& path);
  // For bytes in memory, which must outlive it; `name` is what messages call them.
  FileBytes(std::string name, std::span<const std::byte> memory)
      : path_(std::move(name)), size_(memory.size()), memory_(memory) {}

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }

  // = the bytes from `begin` on, as many as `bytes` holds. Throws Error (file) unless all of them
  // lie in the file.
  void read(std::uint64_t begin, std::span<std::byte> bytes);

 private:
  void read_stream(std::uint64_t begin, std::span<std::byte> bytes);

  std::string path_;
  std::uint64_t size_;
  std::span<const std::byte> memory_;  // empty: the bytes are in a file
  std::ifstream stream_;
  std::vector<std::byte> window_;  // the bytes from window_begin_ on
  std::uint64_t window_begin_ = 0;
};

}  // namespace limn
