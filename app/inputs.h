// What a command paints from: a photo, paintings and masks; how they are named, and reading them.
#pragma once

#include <limn/limn.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "style/sizes.h"

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

// "landscape-oil", from the names of the photo and the paintings without folders and endings.
std::string base_name(const InputNames& names);

struct Inputs {
  Pictures pictures;
  std::vector<std::string> painting_files;  // in the order of WorkingSizes::paintings
};

// Reads them all. Of a folder come the pictures in the order of their names; what in it is none is
// left out with a warning, and so is what is hidden. Throws Error: usage (more masks than
// paintings, a mask for a folder of several pictures), file (one that cannot be read, a folder
// without a picture), resources.
Inputs read_inputs(const InputNames& names);

// A sentence for each painting that is worked on at more pixels than it has: which, and what to do.
std::vector<std::string> notes_on_enlarging(const Inputs& inputs, const WorkingSizes& sizes,
                                            const Recipe& recipe);

}  // namespace limn
