// Resampling as weighted sums while rows stream by: holds one row of the old picture, and those
// rows of the new one that are still being summed.
//
// Each direction is resized separately. A new sample is a weighted sum of neighbouring old ones,
// the same for every row (or column), so weights are computed once. New sample i of m lies on [i, i
// + 1) n / m of the n old ones.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace limn {

// A new sample: the sum of weights[k] times old sample first + k.
struct Blend {
  int first = 0;
  std::vector<double> weights;  // sum to 1
};

// One direction of a resize, in the order of the new samples.
using Blends = std::vector<Blend>;

// For shrinking pictures: Lanczos's kernel, three lobes wide in new samples, with the border's
// sample extended outside. `extent` is how many old samples the scene spans: their number, or less
// if a decoder has padded the last one.
Blends lanczos_blends(int old_size, double extent, int new_size);

// For masks: the mean over the new sample's area when shrinking, linear interpolation when
// enlarging.
Blends mean_blends(int old_size, int new_size);

// Takes rows of several planes at the old size and emits rows at the new one.
class RowResampler {
 public:
  // A row is planes x width floats, plane after plane, valid during the call.
  using Give = std::function<void(int y, float* row)>;

  RowResampler(int planes, int old_width, Blends across, Blends down, Give give);
  // The next row from the top.
  void take(const float* row);

 private:
  // A new row that still lacks some of its old ones.
  struct Sum {
    int y;
    std::vector<double> values;  // planes x old width
  };
  void give(const Sum& sum);

  size_t planes_, old_width_;
  Blends across_, down_;
  Give give_;
  int old_y_ = 0;          // the next row's
  size_t next_ = 0;        // the first new row not begun
  std::vector<Sum> sums_;  // in the order of y
  std::vector<Sum> spare_;
  std::vector<float> row_;
};

}  // namespace limn
