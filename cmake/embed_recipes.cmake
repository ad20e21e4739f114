# Writes OUTPUT, a source file that holds the text of every file in RECIPES, "limn" first.
set(first "")
set(others "")
set(names "")
foreach(file IN LISTS RECIPES)
  get_filename_component(name ${file} NAME_WE)
  get_filename_component(folder ${file} DIRECTORY)
  list(APPEND names ${name})
endforeach()
list(SORT names)
foreach(name IN LISTS names)
  set(file ${folder}/${name}.toml)
  file(READ ${file} text)
  string(FIND "${text}" ")recipe\"" delimiter)
  if(NOT delimiter EQUAL -1)
    message(FATAL_ERROR "${file} holds the delimiter of the raw string it is put into")
  endif()
  set(entry "    {\"${name}\", R\"recipe(${text})recipe\"},\n")
  if(name STREQUAL "limn")
    string(APPEND first "${entry}")
  else()
    string(APPEND others "${entry}")
  endif()
endforeach()
file(WRITE ${OUTPUT} "// Made from recipes/*.toml by cmake/embed_recipes.cmake.
#include \"recipe/builtin_recipes.h\"

namespace limn {

std::span<const BuiltinRecipe> builtin_recipes() {
  static constexpr BuiltinRecipe kRecipes[] = {
${first}${others}  };
  return kRecipes;
}

}  // namespace limn
")
