// For builds without MPI.
#include <string>

#include "base/error.h"
#include "ranks/launched.h"

namespace limn {

LaunchedRanks* launched_ranks() {
  const char* size = std::getenv("OMPI_COMM_WORLD_SIZE");
  if (!size || std::string(size) == "1") return nullptr;
  fail(ErrorKind::resources,
       "mpirun has started limn {} times, but this limn was built without MPI, so each would paint "
       "the whole picture; install Debian's libopenmpi-dev and build it anew, or start it alone",
       size);
}

}  // namespace limn
