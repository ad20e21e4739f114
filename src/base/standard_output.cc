#include "base/standard_output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/temporary_file.h"

namespace limn {

void check_standard_output() {
  if (fcntl(STDOUT_FILENO, F_GETFL) < 0)
    fail(ErrorKind::file, "cannot write '-': standard output is closed");
  if (isatty(STDOUT_FILENO)) {
    fail(ErrorKind::usage,
         "cannot write '-': standard output is a terminal; send it into a file or a program, as by "
         "'> out.png', or name a file");
  }
}

void copy_to_standard_output(int file) {
  constexpr size_t kPiece = 1 << 20;  // bytes
  std::vector<std::byte> piece(kPiece);
  for (off_t at = 0;;) {
    const ssize_t count = pread(file, piece.data(), piece.size(), at);
    if (count < 0 && errno == EINTR) continue;
    int error = count < 0 ? errno : 0;
    if (count > 0) {
      error = write_all(STDOUT_FILENO, std::span(piece).first(static_cast<size_t>(count)));
    }
    if (error != 0) fail(ErrorKind::file, "cannot write '-': {}", std::strerror(error));
    if (count == 0) return;
    at += count;
  }
}

}  // namespace limn
