// Paintings that came to nothing: what happened, and what to do about it.
#pragma once

#include <limn/limn.h>

#include <string>

namespace limn {

// Whether a painting ended without a useful step: it is still its first picture, and could be
// nothing else. (Not if all requested iterations were done without improving it: that is a result,
// if an unwelcome one. Nor if it was stopped.)
bool is_unpainted(const Painted& painted);

// Whether there is a reason to give why a painting is still its first picture.
bool is_unchanged(const Painted& painted);

struct Unpainted {
  std::string cause;      // "no step lowered the loss of the first picture, 12.5"
  std::string next_step;  // "choose a smaller --learning-rate, ..."
};

// The reason why a painting is unchanged, given its recipe.
Unpainted why_unchanged(const Painted& painted, const Recipe& recipe);

}  // namespace limn
