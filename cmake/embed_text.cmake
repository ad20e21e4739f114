# Writes OUTPUT, a source file in which FUNCTION, declared in HEADER, returns the text of INPUT.
file(READ ${INPUT} text)
string(FIND "${text}" ")text\"" delimiter)
if(NOT delimiter EQUAL -1)
  message(FATAL_ERROR "${INPUT} holds the delimiter of the raw string it is put into")
endif()
file(WRITE ${OUTPUT} "// Made from ${INPUT} by cmake/embed_text.cmake.
#include \"${HEADER}\"

namespace limn {

std::string_view ${FUNCTION}() {
  static constexpr std::string_view kText = R\"text(${text})text\";
  return kText;
}

}  // namespace limn
")
