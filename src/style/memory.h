// How much memory a painting takes, from its sizes alone.
#pragma once

#include <limn/limn.h>

#include <cstddef>

#include "network/vgg.h"

namespace limn {

struct MemoryPlan {
  int height = 0, width = 0;                    // of the picture, in pixels
  int painting_height = 0, painting_width = 0;  // at the size it is measured at
  int threads = 1;
};

// Bytes at the peak, within 10 %: the program, the weights, the pictures, and what Objective and
// the recipe's optimiser hold. docs/how-it-works.md has the table. The network must have the layers
// that the recipe names.
double predict_peak_bytes(const NetworkTable& network, const Recipe& recipe,
                          const MemoryPlan& plan);

}  // namespace limn
