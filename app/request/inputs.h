// The names of what a command paints from: a photo, paintings and masks.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace limn {

// As they stand on the command line. Each painting is a style; a folder is one that is made of all
// pictures in it.
struct InputNames {
  std::string photo;
  std::vector<std::string> paintings;
  // The k-th mask is the k-th painting's; kNoMask leaves one out, and so does the end of the list.
  std::vector<std::string> content_masks, style_masks;
  std::optional<std::string> keep_mask;
};

inline constexpr std::string_view kNoMask = "none";

// A file that is read, and what it is in messages: "photo".
struct InputFile {
  std::string path;
  std::string_view role;
};

// All of them; in a folder every regular file that is neither hidden nor empty, picture or not.
std::vector<InputFile> input_files(const InputNames& names);

// The regular files in a folder that are not hidden, by name. Empty ones keep a place for what is
// being painted (FreshName), here or by another run of limn. One that cannot be looked at counts,
// so that reading it says why. Throws Error (file).
std::vector<std::string> files_in(const std::string& folder);

// "landscape-oil", from the names of the photo and the paintings without folders and endings.
std::string base_name(const InputNames& names);

}  // namespace limn
