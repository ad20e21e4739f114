// The project's example pictures, inside the program: so that whoever opens the page has something
// to paint at once.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "serve/embedded_file.h"

namespace limn {

// All of them, as cmake/embed_files.cmake has put them in.
std::span<const EmbeddedFile> example_files();

struct Example {
  std::string_view name;  // "harbour"
  std::string_view role;  // "photo", "painting", "exemplar", "season"
  const EmbeddedFile* file = nullptr;
  int width = 0, height = 0;
};

// In the order in which they are offered: photos, paintings, textures, seasons.
std::span<const Example> examples();
// By its file's name; null if there is none.
const Example* find_example(std::string_view file);

}  // namespace limn
