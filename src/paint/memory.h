// How much memory a painting takes, from its sizes alone.
#pragma once

#include <limn/limn.h>

#include <vector>
#include "canvas/sizes.h"

#include "network/weights.h"

namespace limn {

// Bytes at the peak of a process that evaluates the recipe's losses, within 10 %: the program,
// these weights, the passes, and what goes into an evaluation and comes out. The network must have
// the layers that the recipe names. docs/how-it-works.md has the table.
double predict_evaluation_bytes(const Weights& weights, const Recipe& recipe,
                                const WorkingSizes& sizes, int threads);

// What masks and alpha tell apart in pictures.
struct Parts {
  int regions = 0;                 // of the picture; 0: nothing is told apart
  bool transparent_photo = false;  // content counts only where the photo can be seen
};
// What is known of the pictures for that.
struct PartsFound {
  bool transparent_photo = false;
  struct Style {
    bool to = false;    // has a mask for where in the picture it goes
    bool from = false;  // some of its paintings are masked or transparent
  };
  std::vector<Style> styles;
};
Parts parts_of(const PartsFound& found);

// The same for `limn paint`: with the libraries that read files, the best picture so far, and what
// the recipe's optimiser keeps; or while pictures are read, where that takes more: reading_bytes.
double predict_painting_bytes(const Weights& weights, const Recipe& recipe,
                              const WorkingSizes& sizes, const Parts& parts, int threads,
                              double reading_bytes);

}  // namespace limn
