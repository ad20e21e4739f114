// The names of a command's inputs: a photo, paintings and masks.
#pragma once

#include <limn/limn.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace limn {

// As given on the command line. Each painting is a style; a folder is a single style made of all
// pictures in it.
struct InputNames {
  std::string photo;  // empty: painted from nothing, at the size of `canvas`
  std::optional<Size> canvas;
  std::vector<std::string> paintings;
  // The k-th mask belongs to the k-th painting; kNoMask, or a shorter list, leaves one out.
  std::vector<std::string> content_masks, style_masks;
  std::optional<std::string> keep_mask;
  // The only part that is painted. Outside it the photo is kept, and is the style's source where
  // that is the photo itself.
  std::optional<std::string> hole;

  bool is_texture() const { return canvas.has_value(); }
};

inline constexpr std::string_view kNoMask = "none";

// Whether a texture can have this size: 1 to 100,000 pixels a side.
bool is_canvas(const Size& size);
// "512", a square, or "1024x512", the width first. Throws Error (usage), naming `flag`.
Size parse_canvas(const std::string& text, const std::string& flag);

// A file to read, and its role in messages: "photo".
struct InputFile {
  std::string path;
  std::string_view role;
};

// All of them; in a folder, every regular file that is neither hidden nor empty, picture or not.
std::vector<InputFile> input_files(const InputNames& names);

// The regular files in a folder that are not hidden, by name. Empty ones reserve the name of a
// running painting (FreshName), of this or another limn, and do not count. Files that cannot be
// examined count: reading them gives the reason. Throws Error (file).
std::vector<std::string> files_in(const std::string& folder);

// "landscape-oil", from the names of the photo and the paintings without folders and endings;
// "bricks-texture" and "wall-inpainted" for what is not painted from both.
std::string base_name(const InputNames& names);

}  // namespace limn
