// Where the optimisation begins.
#pragma once

#include <limn/limn.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "canvas/units.h"

namespace limn {

// The picture to begin with: the one among the pictures, or the file that the recipe names, if
// there is either. Throws Error (file).
std::optional<Image> initial_picture(const Pictures& pictures, const Recipe& recipe);
// Whether Recipe::picture.init is the name of a picture, rather than one of its two words.
bool names_picture(const std::string& init);
// Whether the recipe names a file. Throws Error (file) where there is none.
bool begins_with_file(const Recipe& recipe);

// A picture as large as `like`, normal around mid grey, within 0..1 RGB; the same for a seed
// everywhere.
Image grey_noise(const Image& like, std::uint64_t seed);

// The first picture in the unit of the variable: `given` (of the photo's size), the photo, or noise
// with the photo behind it. The same for a seed everywhere.
std::vector<float> initial_variable(const Units& units, const Recipe& recipe, Image photo,
                                    std::optional<Image> given);

}  // namespace limn
