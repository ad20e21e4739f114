// The readers of weights files under fuzzing, and what is asked of them: whatever the bytes, a
// reader returns weights of the right shape or throws one Error of kind file that names the file.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "network/weights.h"

namespace limn {

struct FuzzedReader {
  std::string_view name;  // of its folder in corpus/, and of its fuzz target
  Weights (*read)(const std::string& path);
};

std::span<const FuzzedReader> fuzzed_readers();

// Reads a file of these bytes; ends the program with a message unless the reader behaves.
void read_or_abort(const FuzzedReader& reader, std::string_view bytes);

}  // namespace limn
