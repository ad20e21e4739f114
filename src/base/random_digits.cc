#include "base/random_digits.h"

#include <sys/random.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/error.h"

namespace limn {

std::string random_digits(std::size_t bytes) {
  std::vector<unsigned char> drawn(bytes);
  for (std::size_t got = 0; got < bytes;) {
    const ssize_t more = getrandom(drawn.data() + got, bytes - got, 0);
    if (more < 0 && errno == EINTR) continue;
    if (more < 0) {
      fail(ErrorKind::resources, "the system gives no random numbers: {}", std::strerror(errno));
    }
    got += static_cast<std::size_t>(more);
  }
  return fmt::format("{:02x}", fmt::join(drawn, ""));
}

}  // namespace limn
