// The picture the optimisation starts from.
#pragma once

#include <limn/limn.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "canvas/units.h"

namespace limn {

// The given initial picture, or what the recipe names: a file, or the paintings' mean colour. None
// for the photo and for noise. Throws Error (file).
std::optional<Image> initial_picture(const Pictures& pictures, const Recipe& recipe);
// Whether Recipe::picture.init names a picture rather than being "content", "noise" or "mean".
bool names_picture(const std::string& init);
// Whether the recipe names a file. Throws Error (file) if there is no such file.
bool begins_with_file(const Recipe& recipe);

// Gaussian noise around mid grey, the size of `like`, within 0..1 RGB. A seed gives the same
// picture on every platform.
Image grey_noise(const Image& like, std::uint64_t seed);

// The initial value of the variable: `given` (the size of the photo), the photo, or noise mixed
// with the photo. A seed gives the same values on every platform.
std::vector<float> initial_variable(const Units& units, const Recipe& recipe, Image photo,
                                    std::optional<Image> given);

}  // namespace limn
