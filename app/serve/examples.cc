#include "serve/examples.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace limn {
namespace {

// Folders, in the order of their pictures, and what these are for.
constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kRoles = {
    {{"photos", "photo"},
     {"paintings", "painting"},
     {"textures", "exemplar"},
     {"seasons", "season"}}};

// A JPEG's height and width, from its frame header (ITU T.81, B.2.2): segments from the start of
// the file, each with its length, until one begins a frame. These files are the project's own.
std::pair<int, int> size_of_jpeg(std::string_view bytes) {
  const auto byte = [&](size_t at) {
    return static_cast<int>(static_cast<unsigned char>(bytes[at]));
  };
  const auto number = [&](size_t at) { return byte(at) << 8 | byte(at + 1); };
  for (size_t at = 2; at + 9 < bytes.size(); at += 2 + static_cast<size_t>(number(at + 2))) {
    const int marker = byte(at + 1);
    const bool is_frame =
        marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
    if (is_frame) return {number(at + 5), number(at + 7)};
  }
  return {0, 0};
}

std::vector<Example> made_examples() {
  std::vector<Example> made;
  made.reserve(example_files().size());
  for (const auto& [folder, role] : kRoles) {
    for (const EmbeddedFile& file : example_files()) {
      if (file.folder != folder) continue;
      const auto [height, width] = size_of_jpeg(file.bytes);
      made.push_back({file.name.substr(0, file.name.find('.')), role, &file, width, height});
    }
  }
  return made;
}

}  // namespace

std::span<const Example> examples() {
  static const std::vector<Example> kExamples = made_examples();
  return kExamples;
}

const Example* find_example(std::string_view file) {
  for (const Example& example : examples()) {
    if (example.file->name == file) return &example;
  }
  return nullptr;
}

}  // namespace limn
