// Predicts the memory a painting takes, from its sizes alone.
#pragma once

#include <limn/limn.h>

#include <vector>
#include "canvas/sizes.h"

#include "network/weights.h"

namespace limn {

// Peak bytes of a process that evaluates the recipe's losses, within 10 %: the program, these
// weights, the passes, and the inputs and outputs of an evaluation. The network must have the
// layers that the recipe names. docs/how-it-works.md has the table.
double predict_evaluation_bytes(const Weights& weights, const Recipe& recipe,
                                const WorkingSizes& sizes, int threads);

// Which parts of pictures masks and alpha distinguish.
struct Parts {
  int regions = 0;                 // of the picture; 0: none distinguished
  bool transparent_photo = false;  // content counts only where the photo is visible
};
// What is known of the pictures, to find their Parts.
struct PartsFound {
  bool transparent_photo = false;
  struct Style {
    bool to = false;    // has a mask for where it goes in the picture
    bool from = false;  // some of its paintings are masked or transparent
  };
  std::vector<Style> styles;
};
Parts parts_of(const PartsFound& found);

// The same for `limn paint`: adds the libraries that read files, the best picture so far, and the
// optimiser's memory. reading_bytes: while pictures are read, if that is the peak.
double predict_painting_bytes(const Weights& weights, const Recipe& recipe,
                              const WorkingSizes& sizes, const Parts& parts, int threads,
                              double reading_bytes);

}  // namespace limn
