// The recipes inside the library: the files in recipes/, embedded into a source file by the build
// (cmake/embed_recipes.cmake).
#pragma once

#include <span>
#include <string_view>

namespace limn {

struct BuiltinRecipe {
  std::string_view name;
  std::string_view text;
};

// "limn" first, then the others by name.
std::span<const BuiltinRecipe> builtin_recipes();

}  // namespace limn
