// Whether what a convolution wrote through a sink is what its twin wrote, when values before the
// ReLU may be off a little: signs and places of maxima may then differ, but only where the twin's
// values are so near to 0, or to each other, that they may.
#pragma once

#include "support/convolution_ends.h"
#include "support/guarded_memory.h"
#include "support/winograd_bound.h"

namespace limn {

// The twin's values before the sink, and the magnitudes that say what they may be off by.
struct TwinValues {
  const GuardedMap& y;
  const GuardedMap& magnitude;
  double allowed(int c, int row, int column) const {
    return kWinogradTolerance * magnitude.at(c, row, column);
  }
};

// expected: what the twin's sink made of twin.y.
testing::AssertionResult sink_like_twin(kernels::Sink::Kind kind, const GuardedSink& found,
                                        const GuardedSink& expected, const TwinValues& twin);

}  // namespace limn
