// Paintings of which nothing came: what became of them, and what to do about it.
#pragma once

#include <limn/limn.h>

#include <string>

namespace limn {

// Whether a painting came to its end without a step that counts: it is still its first picture, and
// that is all there could be. (Not where all iterations that were asked for are done, and none led
// to a better picture: that is a result, if hardly one that was wanted. Nor where it was stopped.)
bool is_unpainted(const Painted& painted);

// Whether there is a reason to give why a painting is still its first picture.
bool is_unchanged(const Painted& painted);

struct Unpainted {
  std::string cause;      // "no step lowered the loss of the first picture, 12.5"
  std::string next_step;  // "choose a smaller --learning-rate, ..."
};

// Of a painting that is unchanged, and the recipe that it was to be painted by.
Unpainted why_unchanged(const Painted& painted, const Recipe& recipe);

}  // namespace limn
