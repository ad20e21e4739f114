# Writes OUTPUT, a source file in which FUNCTION, declared in HEADER, returns the FILES: the
# assembler puts their bytes into the program as they are (an array of numbers would take minutes to
# compile). Each is called after its folder and name: "photos/harbour.jpg".
set(assembly "")
set(table "")
set(externs "")
set(number 0)
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  get_filename_component(folder ${file} DIRECTORY)
  get_filename_component(folder ${folder} NAME)
  set(symbol "limn_${FUNCTION}_${number}")
  string(APPEND assembly "
  .balign 16
  .hidden ${symbol}
  .globl ${symbol}
${symbol}:
  .incbin \"${file}\"
  .hidden ${symbol}_end
  .globl ${symbol}_end
${symbol}_end:
  .byte 0")
  string(APPEND externs "extern const char ${symbol}[] __attribute__((visibility(\"hidden\")));
extern const char ${symbol}_end[] __attribute__((visibility(\"hidden\")));
")
  string(APPEND table "      {\"${folder}\", \"${name}\", {${symbol}, static_cast<size_t>(${symbol}_end - ${symbol})}},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE ${OUTPUT} "// Made by cmake/embed_files.cmake.
#include \"${HEADER}\"

asm(R\"(
  .pushsection .rodata${assembly}
  .popsection
)\");

extern \"C\" {
${externs}}

namespace limn {

std::span<const EmbeddedFile> ${FUNCTION}() {
  static const EmbeddedFile kFiles[] = {
${table}  };
  return kFiles;
}

}  // namespace limn
")
