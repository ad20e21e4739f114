// The bytes of an input, wherever they come from: a file as it lies there, or a stream (standard
// input, a pipe, a process substitution, a device) that has been copied into a temporary file
// without a name. Either way they can be read several times over, from any place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

namespace limn {

// The path that means standard input.
inline constexpr const char* kStandardInput = "-";

struct StreamLimits {
  std::uint64_t most_bytes = std::uint64_t{1} << 30;
  double seconds_without_writer = 5;  // that a named pipe may be waited for
};

class ByteSource {
 public:
  // Given the first 64 KiB of a stream, or all of a shorter one; throws to refuse it, so that an
  // endless stream of something else is not copied first.
  using Look = std::function<void(std::span<const std::byte>)>;

  // Opens `path`, or standard input for "-". `what` names its role in messages ("picture"). Throws
  // Error: file (missing, a folder, unreadable, a terminal, a pipe that nobody writes to, no room
  // for a stream), resources (a stream longer than its limit).
  ByteSource(const std::string& path, const std::string& what, const Look& look = {},
             const StreamLimits& limits = {});
  ByteSource(ByteSource&& other) noexcept;
  ByteSource& operator=(ByteSource&& other) noexcept;
  ~ByteSource();

  const std::string& path() const { return path_; }
  std::uint64_t bytes() const { return bytes_; }
  // Of a regular file, open for reading. Its offset is whatever the last reader left: rewind it,
  // and let one thread at a time read.
  int descriptor() const { return descriptor_; }

 private:
  std::string path_;
  int descriptor_ = -1;
  std::uint64_t bytes_ = 0;
};

}  // namespace limn
