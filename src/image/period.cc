#include "image/period.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "image/shape.h"

namespace limn {
namespace {

constexpr int kLongest = 512;
constexpr int kShortestPeriod = 8;
constexpr double kLeastPeak = 0.1, kNearly = 0.9;

// Luminance less its mean, row by row.
struct Grey {
  int height, width;
  std::vector<float> values;
};

Grey grey_of(const Image& picture) {
  Grey grey = {picture.height, picture.width, {}};
  const size_t plane = picture.rgb.size() / 3;
  grey.values.resize(plane);
  double sum = 0;
  for (size_t i = 0; i < plane; ++i) {
    grey.values[i] = 0.2126f * picture.rgb[i] + 0.7152f * picture.rgb[plane + i] +
                     0.0722f * picture.rgb[2 * plane + i];
    sum += grey.values[i];
  }
  for (float& value : grey.values) value -= static_cast<float>(sum / static_cast<double>(plane));
  return grey;
}

Grey transposed(const Grey& grey) {
  Grey turned = {grey.width, grey.height, std::vector<float>(grey.values.size())};
  for (int y = 0; y < grey.height; ++y) {
    for (int x = 0; x < grey.width; ++x) {
      turned.values[static_cast<size_t>(x) * grey.height + y] =
          grey.values[static_cast<size_t>(y) * grey.width + x];
    }
  }
  return turned;
}

// The mean product of values `shift` apart along rows.
double product_at(const Grey& grey, int shift) {
  double sum = 0;
  const int pairs = grey.width - shift;
  for (int y = 0; y < grey.height; ++y) {
    const float* row = &grey.values[static_cast<size_t>(y) * grey.width];
    float of_row = 0;
    for (int x = 0; x < pairs; ++x) of_row += row[x] * row[x + shift];
    sum += of_row;
  }
  return sum / (1.0 * pairs * grey.height);
}

// Along rows.
int period_of(const Grey& grey) {
  const int most = grey.width / 2;
  const double variance = product_at(grey, 0);
  if (most <= kShortestPeriod || variance < 1e-6) return 0;
  std::vector<double> correlation(most + 2);
  for (int shift = 0; shift <= most + 1; ++shift) {
    correlation[shift] = product_at(grey, shift) / variance;
  }
  // Above its neighbours, and above the lowest before it: where columns are even, everything
  // correlates with everything.
  std::vector<double> lowest(correlation);
  for (int shift = 1; shift <= most; ++shift) {
    lowest[shift] = std::min(lowest[shift - 1], correlation[shift]);
  }
  const auto is_peak = [&](int shift) {
    return correlation[shift] >= correlation[shift - 1] &&
           correlation[shift] >= correlation[shift + 1] &&
           correlation[shift] >= lowest[shift] + kLeastPeak;
  };
  double highest = kLeastPeak;
  for (int shift = kShortestPeriod; shift <= most; ++shift) {
    if (is_peak(shift)) highest = std::max(highest, correlation[shift]);
  }
  for (int shift = kShortestPeriod; shift <= most; ++shift) {
    if (is_peak(shift) && correlation[shift] >= kNearly * highest) return shift;
  }
  return 0;
}

}  // namespace

Periods periods_of(const Image& picture) {
  check_shape(picture);
  const int longest = std::max(picture.height, picture.width);
  if (longest > kLongest) {
    const double share = 1.0 * kLongest / longest;
    const auto shorter = [&](int side) {
      return std::max(1, static_cast<int>(std::lround(share * side)));
    };
    const Periods found =
        periods_of(resized(picture, shorter(picture.width), shorter(picture.height)));
    return {static_cast<int>(std::lround(found.across / share)),
            static_cast<int>(std::lround(found.down / share))};
  }
  const Grey grey = grey_of(picture);
  return {period_of(grey), period_of(transposed(grey))};
}

}  // namespace limn
