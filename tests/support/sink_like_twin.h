// Compares what a convolution wrote through a sink with its twin's result, given small errors
// before the ReLU: signs and places of maxima may then differ, but only where the twin's values are
// close enough to 0, or to each other.
#pragma once

#include "support/convolution_ends.h"
#include "support/guarded_memory.h"
#include "support/winograd_bound.h"

namespace limn {

// The twin's values before the sink, and the magnitudes that bound their error.
struct TwinValues {
  const GuardedMap& y;
  const GuardedMap& magnitude;
  double allowed(int c, int row, int column) const {
    return kWinogradTolerance * magnitude.at(c, row, column);
  }
};

// expected: the result of the twin's sink for twin.y.
testing::AssertionResult sink_like_twin(kernels::Sink::Kind kind, const GuardedSink& found,
                                        const GuardedSink& expected, const TwinValues& twin);

}  // namespace limn
