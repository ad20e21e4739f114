// The recipes inside the library: the files of recipes/, put into a source file by the build
// (cmake/embed_recipes.cmake).
#pragma once

#include <span>
#include <string_view>

namespace limn {

struct BuiltinRecipe {
  std::string_view name;
  std::string_view text;
};

// "limn" first, the others by name.
std::span<const BuiltinRecipe> builtin_recipes();

}  // namespace limn
