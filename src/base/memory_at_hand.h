// How much memory this process can have.
#pragma once

namespace limn {

// Bytes: those of the machine, or of the container or service that this process runs in.
double memory_at_hand();

}  // namespace limn
