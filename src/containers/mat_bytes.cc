#include "containers/mat_bytes.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace limn {
namespace {

constexpr std::uint64_t kChunkBytes = 65536;  // packed or skipped at a time
constexpr std::uint64_t kKeptBytes = 8;       // a tag

}  // namespace

MatBytes::MatBytes(FileBytes& file, std::uint64_t begin, std::uint64_t end, bool is_packed)
    : file_(file), begin_(begin), end_(end), is_packed_(is_packed), next_packed_(begin) {
  if (is_packed_ && inflateInit(&stream_) != Z_OK)
    fail(ErrorKind::resources, "'{}': not enough memory to unpack it", file_.path());
}

MatBytes::~MatBytes() {
  if (is_packed_) inflateEnd(&stream_);
}

std::uint64_t MatBytes::most_bytes() const {
  constexpr std::uint64_t kMostRatio = 1032;  // deflate: 258 bytes from 2 bits at best
  return (end_ - begin_) * (is_packed_ ? kMostRatio : 1);
}

void MatBytes::read(std::uint64_t at, std::span<std::byte> bytes) {
  if (!is_packed_) {
    if (at > end_ - begin_ || bytes.size() > end_ - begin_ - at) {
      fail(ErrorKind::file, "'{}': the variable at byte {} ends before its arrays do", file_.path(),
           begin_);
    }
    return file_.read(begin_ + at, bytes);
  }
  if (const std::uint64_t back = position_ - at;
      at < position_ && back <= last_.size() && bytes.size() <= back) {
    std::copy_n(last_.end() - static_cast<std::ptrdiff_t>(back), bytes.size(), bytes.begin());
    return;
  }
  if (at < position_) rewind();
  std::array<std::byte, kChunkBytes> skipped;
  while (position_ < at)
    unpack(std::span(skipped).first(std::min<std::uint64_t>(kChunkBytes, at - position_)));
  unpack(bytes);
  last_.clear();
  if (bytes.size() <= kKeptBytes) last_.assign(bytes.begin(), bytes.end());
}

void MatBytes::rewind() {
  inflateReset(&stream_);
  stream_.avail_in = 0;
  next_packed_ = begin_;
  position_ = 0;
}

void MatBytes::unpack(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    if (stream_.avail_in == 0) refill();
    const std::uint64_t room = std::min<std::uint64_t>(bytes.size(), kChunkBytes);
    stream_.next_out = reinterpret_cast<Bytef*>(bytes.data());
    stream_.avail_out = static_cast<uInt>(room);
    const int status = inflate(&stream_, Z_NO_FLUSH);
    const std::uint64_t unpacked = room - stream_.avail_out;
    bytes = bytes.subspan(unpacked);
    position_ += unpacked;
    if (status == Z_MEM_ERROR)
      fail(ErrorKind::resources, "'{}': not enough memory to unpack it", file_.path());
    if (status == Z_OK || (status == Z_STREAM_END && bytes.empty())) continue;
    fail(ErrorKind::file,
         "'{}': the variable at byte {} should unpack to more than {} bytes, but {}; the file is "
         "damaged, so fetch it again",
         file_.path(), begin_, position_,
         status == Z_STREAM_END ? "it ends" : "what follows is not packed by zlib");
  }
}

void MatBytes::refill() {
  packed_.resize(std::min(kChunkBytes, end_ - next_packed_));
  if (packed_.empty()) {
    fail(ErrorKind::file,
         "'{}': the variable at byte {} should unpack to more than {} bytes, but it is cut short; "
         "the file is damaged, so fetch it again",
         file_.path(), begin_, position_);
  }
  file_.read(next_packed_, packed_);
  next_packed_ += packed_.size();
  stream_.next_in = reinterpret_cast<Bytef*>(packed_.data());
  stream_.avail_in = static_cast<uInt>(packed_.size());
}

}  // namespace limn
