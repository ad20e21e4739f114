// Paintings of which nothing came: what became of them, and what to do about it.
#pragma once

#include <limn/limn.h>

#include <string>

namespace limn {

// Whether a painting is still its first picture although it was to be painted and nobody stopped
// it. (Of none that failed.)
bool is_unpainted(const Painted& painted);

struct Unpainted {
  std::string cause;      // "no step lowered the loss of the first picture, 12.5"
  std::string next_step;  // "choose a smaller --learning-rate, ..."
};

// Of a painting that is unpainted, and the recipe that it was to be painted by.
Unpainted why_unpainted(const Painted& painted, const Recipe& recipe);

}  // namespace limn
