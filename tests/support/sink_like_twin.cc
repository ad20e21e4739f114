#include "support/sink_like_twin.h"

#include <algorithm>
#include <cmath>

namespace limn {
namespace {

testing::AssertionResult wrong(const char* what, int c, int row, int column) {
  return testing::AssertionFailure()
         << what << " of channel " << c << ", row " << row << ", column " << column << " is wrong";
}

// The sign bits are the twin's wherever its value is not within the tolerance of 0.
testing::AssertionResult signs_like_twin(const GuardedBits& signs, const TwinValues& twin) {
  const ConstFeatureMap y = twin.y;
  testing::AssertionResult result = testing::AssertionSuccess();
  for_each_value(y.channels, y.height, y.width, [&](int c, int row, int column) {
    const float value = y.at(c, row, column);
    if (!result || std::abs(value) <= twin.allowed(c, row, column)) return;
    if (signs.at(c, row, column) != (value > 0)) result = wrong("the sign", c, row, column);
  });
  return result;
}

// The sign bits say of the very values that were written whether they are above 0.
testing::AssertionResult signs_like_values(const GuardedBits& signs, const GuardedMap& written) {
  const ConstFeatureMap map = written;
  testing::AssertionResult result = testing::AssertionSuccess();
  for_each_value(map.channels, map.height, map.width, [&](int c, int row, int column) {
    if (result && signs.at(c, row, column) != (map.at(c, row, column) > 0)) {
      result = wrong("the sign", c, row, column);
    }
  });
  return result;
}

// The twin's value at the place of each maximum is no further from the twin's maximum than two
// values may be off: where one stands out by more, the place is the twin's. Where the sign bit is
// not set nobody reads the place.
testing::AssertionResult maxima_like_twin(const GuardedSink& found, const GuardedMap& expected,
                                          const TwinValues& twin) {
  const ConstFeatureMap map = found.map;
  testing::AssertionResult result = testing::AssertionSuccess();
  for_each_value(map.channels, map.height, map.width, [&](int c, int row, int column) {
    if (!result) return;
    double most = -INFINITY, allowed = 0;
    for (int place = 0; place < 4; ++place) {
      const int y = 2 * row + place / 2, x = 2 * column + place % 2;
      most = std::max(most, double{twin.y.at(c, y, x)});
      allowed = std::max(allowed, twin.allowed(c, y, x));
    }
    if (!(std::abs(double{map.at(c, row, column)} - expected.at(c, row, column)) <= allowed)) {
      result = wrong("the maximum", c, row, column);
    }
    const bool sign = found.signs.at(c, row, column);
    if (std::abs(most) > allowed && sign != (most > 0)) result = wrong("the sign", c, row, column);
    const double chosen = twin.y.at(c, 2 * row + (found.below.at(c, row, column) ? 1 : 0),
                                    2 * column + (found.right.at(c, row, column) ? 1 : 0));
    if (sign && most - chosen > 2 * allowed) result = wrong("the place", c, row, column);
  });
  return result;
}

// The means, and that they are above 0 where the sign bit of one of their cells is set.
testing::AssertionResult means_like_twin(const GuardedSink& found, const GuardedMap& expected,
                                         const TwinValues& twin) {
  const ConstFeatureMap map = found.map;
  const ConstFeatureMap y = twin.y;
  testing::AssertionResult result = testing::AssertionSuccess();
  for_each_value(map.channels, map.height, map.width, [&](int c, int row, int column) {
    if (!result) return;
    double allowed = 0, cells = 0;
    bool any = false;
    for (int place = 0; place < 4; ++place) {
      const int i = 2 * row + place / 2, j = 2 * column + place % 2;
      if (i >= y.height || j >= y.width) continue;
      allowed += twin.allowed(c, i, j);
      any |= found.signs.at(c, i, j);
      ++cells;
    }
    const float mean = map.at(c, row, column);
    if (!(std::abs(double{mean} - expected.at(c, row, column)) <= allowed / cells)) {
      result = wrong("the mean", c, row, column);
    }
    if (any != (mean > 0)) result = wrong("a sign", c, row, column);
  });
  return result;
}

}  // namespace

testing::AssertionResult sink_like_twin(kernels::Sink::Kind kind, const GuardedSink& found,
                                        const GuardedSink& expected, const TwinValues& twin) {
  using Kind = kernels::Sink::Kind;
  const auto map_near = [&] {
    const ConstFeatureMap y = twin.y;
    return near_values(found.map, expected.map, twin.magnitude, kWinogradTolerance, y.channels,
                       y.height, y.width);
  };
  const auto both = [](testing::AssertionResult first, testing::AssertionResult second) {
    return first ? second : first;
  };
  switch (kind) {
    case Kind::set:
    case Kind::add:
      return map_near();
    case Kind::relu:
      return both(map_near(), both(signs_like_values(found.signs, found.map),
                                   signs_like_twin(found.signs, twin)));
    case Kind::relu_max_pool:
      return both(maxima_like_twin(found, expected.map, twin),
                  signs_like_values(found.signs, found.map));
    case Kind::relu_average_pool:
      return both(means_like_twin(found, expected.map, twin), signs_like_twin(found.signs, twin));
  }
  return testing::AssertionFailure();
}

}  // namespace limn
