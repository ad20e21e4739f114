#include "containers/file_bytes.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/file.h"

namespace limn {

FileBytes::FileBytes(const std::string& path)
    : path_(path), size_(file_size(path, "weights file")), stream_(path, std::ios::binary) {
  if (!stream_)
    fail(ErrorKind::file, "cannot read the weights file '{}': {}", path, std::strerror(errno));
}

void FileBytes::read(std::uint64_t begin, std::span<std::byte> bytes) {
  constexpr std::uint64_t kWindowBytes = 4096;  // a page
  if (begin > size_ || bytes.size() > size_ - begin) {
    fail(ErrorKind::file,
         "'{}': {} bytes should follow byte {}, but the file has only {} bytes; if it was cut "
         "short, fetch it again",
         path_, bytes.size(), begin, size_);
  }
  if (!memory_.empty()) {
    std::ranges::copy(memory_.subspan(begin, bytes.size()), bytes.begin());
    return;
  }
  if (bytes.size() > kWindowBytes) return read_stream(begin, bytes);
  const auto is_inside = [&] {
    return begin >= window_begin_ && begin - window_begin_ <= window_.size() &&
           bytes.size() <= window_.size() - (begin - window_begin_);
  };
  if (!is_inside()) {
    window_.resize(std::min(kWindowBytes, size_ - begin));
    window_begin_ = begin;
    read_stream(begin, window_);
  }
  const auto from = window_.begin() + static_cast<std::ptrdiff_t>(begin - window_begin_);
  std::copy_n(from, bytes.size(), bytes.begin());
}

void FileBytes::read_stream(std::uint64_t begin, std::span<std::byte> bytes) {
  stream_.seekg(static_cast<std::streamoff>(begin));
  stream_.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!stream_)
    fail(ErrorKind::file, "'{}': cannot read {} bytes from byte {}", path_, bytes.size(), begin);
}

}  // namespace limn
