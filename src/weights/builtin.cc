// The network inside the library: its file, put into the program as it is when this one is
// assembled (an array of two million numbers would take a compiler a minute).
#include "weights/read.h"

// LIMN_BUILTIN_FILE is the file's path, given by the build, which compiles this again when the file
// changes.
asm(R"(
  .pushsection .rodata
  .balign 64
  .hidden limn_builtin_begin
  .globl limn_builtin_begin
limn_builtin_begin:
  .incbin ")" LIMN_BUILTIN_FILE R"("
  .hidden limn_builtin_end
  .globl limn_builtin_end
limn_builtin_end:
  .popsection
)");

extern "C" {
// NOLINTBEGIN(modernize-avoid-c-arrays): labels
extern const std::byte limn_builtin_begin[] __attribute__((visibility("hidden")));
extern const std::byte limn_builtin_end[] __attribute__((visibility("hidden")));
// NOLINTEND(modernize-avoid-c-arrays)
}

namespace limn {

std::span<const std::byte> builtin_file() { return {limn_builtin_begin, limn_builtin_end}; }

Weights read_builtin() { return read_safetensors(std::string(kBuiltinName), builtin_file()); }

}  // namespace limn
