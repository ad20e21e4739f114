// Whether a launcher of MPI jobs has started this process.
#pragma once

#include <cstdlib>

namespace limn {

// Open MPI's mpirun sets the first, PMIx (srun --mpi=pmix) the second, other PMI launchers the
// last.
inline bool is_launched() {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "PMI_SIZE"}) {
    if (std::getenv(name)) return true;
  }
  return false;
}

}  // namespace limn
