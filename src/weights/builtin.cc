// The network inside the library: its file, embedded in the program as it is by the assembler
// (compiling an array of two million numbers would take a minute).
#include <cstdint>

#include "weights/read.h"

// LIMN_BUILTIN_FILE is the file's path, set by the build, which recompiles this when the file
// changes.
asm(R"(
  .pushsection .rodata
  .balign 64
  .hidden limn_builtin_begin
  .globl limn_builtin_begin
limn_builtin_begin:
  .incbin ")" LIMN_BUILTIN_FILE R"("
9:
  .balign 8
  .hidden limn_builtin_bytes
  .globl limn_builtin_bytes
limn_builtin_bytes:
  .quad 9b - limn_builtin_begin
  .popsection
)");

extern "C" {
extern const std::byte limn_builtin_begin[] __attribute__((visibility("hidden")));
extern const std::uint64_t limn_builtin_bytes __attribute__((visibility("hidden")));
}

namespace limn {

std::span<const std::byte> builtin_file() { return {limn_builtin_begin, limn_builtin_bytes}; }

Weights read_builtin() { return read_safetensors(std::string(kBuiltinName), builtin_file()); }

}  // namespace limn
