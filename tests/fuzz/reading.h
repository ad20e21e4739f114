// The readers of weights files and of checkpoints under fuzzing, and what is asked of them:
// whatever the bytes, a reader returns weights of the right shape, or goes on to a painting's end,
// or throws one Error of kind file that names the file.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "network/weights.h"

namespace limn {

struct FuzzedReader {
  std::string_view name;  // of its folder in corpus/, and of its fuzz target
  void (*read)(const FuzzedReader& reader, const std::string& path);
};

std::span<const FuzzedReader> fuzzed_readers();

// Reads a file of these bytes; ends the program with a message unless the reader behaves.
void read_or_abort(const FuzzedReader& reader, std::string_view bytes);

// Writes the checkpoint that the target of that name goes on from, after so many of its 6 steps.
void write_checkpoint_of_corpus(const std::string& path, int steps);

}  // namespace limn
