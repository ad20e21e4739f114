// An input's bytes: from a regular file, or from a stream (standard input, a pipe, a process
// substitution, a device) copied into an unnamed temporary file. Either way they can be read
// repeatedly and from any offset.
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
  double seconds_without_writer = 5;  // how long to wait for a writer on a named pipe
};

class ByteSource {
 public:
  // Receives the first 64 KiB of a stream (all of it if shorter), and throws to reject it before an
  // endless stream of something else is copied.
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
  // A regular file, open for reading. The last reader leaves the offset anywhere: rewind first, and
  // read from one thread at a time.
  int descriptor() const { return descriptor_; }

 private:
  std::string path_;
  int descriptor_ = -1;
  std::uint64_t bytes_ = 0;
};

}  // namespace limn
