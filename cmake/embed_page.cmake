# Writes OUTPUT, a source file that holds every file in FILES, the page's: as it is, and packed for
# browsers that take that.
set(entries "")
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME)
  file(READ ${file} text)
  string(FIND "${text}" ")page\"" delimiter)
  if(NOT delimiter EQUAL -1)
    message(FATAL_ERROR "${file} holds the delimiter of the raw string it is put into")
  endif()
  # The same bytes for the same text: without a time.
  file(ARCHIVE_CREATE OUTPUT ${OUTPUT}.gz PATHS ${file} FORMAT raw COMPRESSION GZip
       COMPRESSION_LEVEL 9 MTIME 0)
  file(READ ${OUTPUT}.gz packed HEX)
  string(LENGTH ${packed} digits)
  math(EXPR bytes "${digits} / 2")
  string(REGEX REPLACE "(..)" "\\\\x\\1" packed ${packed})
  string(APPEND entries "    {\"${name}\", R\"page(${text})page\",\n     {\"${packed}\", ${bytes}}},\n")
endforeach()
file(REMOVE ${OUTPUT}.gz)
file(WRITE ${OUTPUT} "// Made from app/serve/page/ by cmake/embed_page.cmake.
#include \"serve/pages.h\"

namespace limn {

std::span<const PageFile> page_files() {
  static constexpr PageFile kFiles[] = {
${entries}  };
  return kFiles;
}

}  // namespace limn
")
