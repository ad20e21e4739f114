// From photos and paintings to tasks.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "batch/task.h"

namespace limn {

// The pictures that these names mean: a file itself; of a folder every picture in it, by name.
// Files in a folder that are not pictures are left out, unless their ending says that they should
// be: those are found wanting later, by name. `role` is "photo" or "painting". Throws Error: usage
// (a pipe), file (no such file, a folder without a picture).
std::vector<std::string> pictures_named(std::span<const std::string> names,
                                        const std::string& role);

// Every photo in the style of every painting: photo by photo, so that each is decoded once.
std::vector<BatchTask> crossed(std::span<const std::string> photos,
                               std::span<const std::string> paintings);
// The first photo with the first painting, and so on. Throws Error (usage) if there are not equally
// many.
std::vector<BatchTask> paired(std::span<const std::string> photos,
                              std::span<const std::string> paintings);

}  // namespace limn
