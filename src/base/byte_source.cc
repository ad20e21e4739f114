// Whether an input is a stream or a file is asked of the system, not guessed from its name:
// /dev/stdin may be either. Streams are opened non-blocking, because opening a named pipe waits for
// a writer, perhaps for ever. A read then tells the two cases apart: 0 bytes means no writer,
// EAGAIN a writer that has sent nothing yet.
#include "base/byte_source.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <tuple>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/temporary_file.h"

namespace limn {
namespace {

// A stream being copied into a temporary file.
struct Stream {
  int descriptor;
  const std::string& path;
  const std::string& what;
  const StreamLimits& limits;
  bool begun = false;  // a writer has been seen
};

[[noreturn]] void fail_to_read(const std::string& path, const std::string& what, int error) {
  if (error == ENOENT || error == ENOTDIR) fail(ErrorKind::file, "there is no {} '{}'", what, path);
  if (error == ENXIO) fail(ErrorKind::file, "the {} '{}' is not a regular file", what, path);
  fail(ErrorKind::file, "cannot read the {} '{}': {}", what, path, std::strerror(error));
}

int opened(const std::string& path, const std::string& what) {
  if (path == kStandardInput) {
    const int copy = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) fail(ErrorKind::file, "cannot read the {} '-': standard input is closed", what);
    return copy;
  }
  if (path.find('\0') != std::string::npos) {
    fail(ErrorKind::file, "there is no {} '{}...': no file has a zero byte in its name", what,
         path.c_str());
  }
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (file < 0) fail_to_read(path, what, errno);
  return file;
}

// Reads what is available, waiting for at least one byte; returns 0 at the end of the stream.
size_t read_some(Stream& stream, std::span<std::byte> buffer) {
  const int patience = static_cast<int>(std::ceil(1000 * stream.limits.seconds_without_writer));
  for (;;) {
    pollfd ready = {stream.descriptor, POLLIN, 0};
    const int events = poll(&ready, 1, stream.begun ? -1 : patience);
    if (events < 0 && errno == EINTR) continue;
    const ssize_t count = read(stream.descriptor, buffer.data(), buffer.size());
    if (count > 0) {
      stream.begun = true;
      return static_cast<size_t>(count);
    }
    if (count == 0 && (stream.begun || events > 0)) return 0;
    if (count == 0) {
      fail(ErrorKind::file,
           "cannot read the {} '{}': nothing has opened this pipe for writing in {} "
           "seconds",
           stream.what, stream.path, stream.limits.seconds_without_writer);
    }
    if (errno == EAGAIN) {
      stream.begun = true;  // there is a writer; it may take its time
    } else if (errno != EINTR) {
      fail_to_read(stream.path, stream.what, errno);
    }
  }
}

// Copies the stream and returns the temporary file's descriptor and size.
std::pair<int, std::uint64_t> spooled(Stream stream, const ByteSource::Look& look) {
  constexpr size_t kBeginning = 64 << 10;  // bytes: longer than any format's signature
  constexpr size_t kPiece = 1 << 20;       // bytes
  std::vector<std::byte> piece(kPiece);
  size_t count = 0;
  for (size_t more = 1; count < kBeginning && more > 0; count += more)
    more = read_some(stream, std::span(piece).first(kBeginning).subspan(count));
  if (count == 0) {
    fail(ErrorKind::file, "cannot read the {} '{}': the file is empty{}", stream.what, stream.path,
         stream.path == kStandardInput ? "; standard input can be read once" : "");
  }
  if (look) look(std::span(piece).first(count));
  Descriptor file(
      open_temporary_file(fmt::format("cannot read the {} '{}'", stream.what, stream.path)));
  std::uint64_t bytes = 0;
  for (; count > 0; count = read_some(stream, piece)) {
    bytes += count;
    if (bytes > stream.limits.most_bytes) {
      fail(ErrorKind::resources,
           "the {} '{}' is longer than {} bytes, the limit for a pipe; save it as a file first",
           stream.what, stream.path, stream.limits.most_bytes);
    }
    if (const int error = write_all(file.number(), std::span(piece).first(count)); error != 0) {
      fail(ErrorKind::file,
           "cannot read the {} '{}': no room for it in '{}' ({}); set TMPDIR to a "
           "folder with more",
           stream.what, stream.path, temporary_folder(), std::strerror(error));
    }
  }
  return {file.release(), bytes};
}

}  // namespace

ByteSource::ByteSource(const std::string& path, const std::string& what, const Look& look,
                       const StreamLimits& limits)
    : path_(path) {
  Descriptor file(opened(path, what));
  struct stat status = {};
  if (fstat(file.number(), &status) != 0) fail_to_read(path, what, errno);
  if (S_ISDIR(status.st_mode))
    fail(ErrorKind::file, "the {} '{}' is a folder, not a file", what, path);
  if (S_ISBLK(status.st_mode))
    fail(ErrorKind::file, "the {} '{}' is not a regular file", what, path);
  if (S_ISREG(status.st_mode) && lseek(file.number(), 0, SEEK_CUR) == 0) {
    if (status.st_size == 0) {
      fail(ErrorKind::file, "cannot read the {} '{}': the file is empty", what, path);
    }
    bytes_ = static_cast<std::uint64_t>(status.st_size);
    descriptor_ = file.release();
    return;
  }
  if (isatty(file.number())) {
    fail(ErrorKind::file,
         "cannot read the {} '{}': it is a terminal; redirect a file ('< photo.jpg'), use a pipe, "
         "or name a file",
         what, path);
  }
  std::tie(descriptor_, bytes_) = spooled({file.number(), path, what, limits}, look);
}

ByteSource::ByteSource(ByteSource&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      bytes_(other.bytes_) {}

ByteSource& ByteSource::operator=(ByteSource&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

ByteSource::~ByteSource() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace limn
