// How much memory a painting takes, from its sizes alone.
#pragma once

#include <limn/limn.h>

#include "network/weights.h"
#include "style/sizes.h"

namespace limn {

// Bytes at the peak of a process that evaluates the recipe's losses, within 10 %: the program,
// these weights, the passes, and what goes into an evaluation and comes out. The network must have
// the layers that the recipe names. docs/how-it-works.md has the table.
double predict_evaluation_bytes(const Weights& weights, const Recipe& recipe,
                                const WorkingSizes& sizes, int threads);

// The same for `limn paint`: with the libraries that read files, the best picture so far, and what
// the recipe's optimiser keeps. regions: mask_regions of the pictures.
double predict_painting_bytes(const Weights& weights, const Recipe& recipe,
                              const WorkingSizes& sizes, int regions, int threads);

// How many regions the pictures' masks tell apart; 0 where there are no masks.
int mask_regions(const Pictures& pictures);

}  // namespace limn
