// A file inside the program.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace limn {

struct EmbeddedFile {
  std::string_view folder;  // the last part of where it was: "photos"
  std::string_view name;    // "harbour.jpg"
  std::string_view bytes;
};

}  // namespace limn
