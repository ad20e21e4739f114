// limn's own commands in a painter's sandbox, for what has to look into pictures of strangers: the
// server itself never does.
#pragma once

#include <atomic>
#include <string>
#include <vector>

namespace limn {

struct SandboxedCall {
  std::vector<std::string> arguments;  // after "limn serve"
  std::string folder;                  // where it may write; "": nowhere
  std::vector<std::string> readable;   // files, or folders, besides limn and its libraries
  std::string failure;                 // how a refusal begins: "the picture cannot be read"
};

// Waits for its end, and returns what it has printed. Throws Problem: 422, it refused, with what it
// said; 507, the disk is full; 503, it took too long, or too much memory, or was stopped.
std::string run_sandboxed(const SandboxedCall& call, const std::atomic<bool>& stopped);

}  // namespace limn
