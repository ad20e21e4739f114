// Lists of what to paint, a picture a line: --list FILE.
//
//   list.csv                                     list.toml
//     photo,painting,strength,name                 [[picture]]
//     harbour.jpg,oil.jpg,0.7,                     photo = "harbour.jpg"
//     street.jpg,ink.jpg,,street in ink            painting = "oil.jpg"
//                                                  balance.strength = 0.7
//
// Besides `photo` and `painting`, which every line has, there may be `name` (of the result), and
// `recipe`, and settings: in a table by key or flag, where an empty cell sets nothing. Several
// paintings, which are blended, are several columns of that name, or a list. Names of files are
// relative to the list's own folder.
#pragma once

#include <string>
#include <vector>

#include "batch/task.h"

namespace limn {

// At least one. TOML, if the name ends so; else CSV. Throws Error: file (unreadable), usage (not
// such a list), naming the line.
std::vector<BatchTask> read_list(const std::string& path);

// The same for its text; names are relative to `folder`, or as they are if it is empty.
std::vector<BatchTask> parse_list(const std::string& text, bool toml, const std::string& source,
                                  const std::string& folder);

}  // namespace limn
