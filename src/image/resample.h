// Resampling as weighted sums, while the rows stream by: of the old picture a row is held at a
// time, and of the new one the rows that are being summed.
//
// Resizing goes one direction after the other. Each new sample is a weighted sum of neighbouring
// old ones, the same for every row (or column), so the weights are computed once. New sample i of m
// lies on [i, i + 1) n / m of the old n.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace limn {

// A new sample: the sum of weights[k] times old sample first + k.
struct Blend {
  int first = 0;
  std::vector<double> weights;  // which sum to 1
};

// One direction of a resize. Weights come in the order of the new samples.
using Blends = std::vector<Blend>;

// For pictures that become smaller: Lanczos's kernel, three lobes wide in new samples. Beyond the
// border the border's own sample goes on. `extent` is how many old samples the scene spans: their
// number, or less where a decoder has padded the last one.
Blends lanczos_blends(int old_size, double extent, int new_size);

// For masks: the mean over the new sample's area when shrinking, linear between the two nearest old
// ones when enlarging.
Blends mean_blends(int old_size, int new_size);

// Takes rows of several planes of an old size and gives those of the new one.
class RowResampler {
 public:
  // A row is planes x width floats, plane after plane, and lasts for the call.
  using Give = std::function<void(int y, float* row)>;

  RowResampler(int planes, int old_width, Blends across, Blends down, Give give);
  // The next row from the top.
  void take(const float* row);

 private:
  // A new row of which some of the old ones are still to come.
  struct Sum {
    int y;
    std::vector<double> values;  // planes x old width
  };
  void give(const Sum& sum);

  size_t planes_, old_width_;
  Blends across_, down_;
  Give give_;
  int old_y_ = 0;          // of the row that comes next
  size_t next_ = 0;        // the first new row that is not begun
  std::vector<Sum> sums_;  // in the order of y
  std::vector<Sum> spare_;
  std::vector<float> row_;
};

}  // namespace limn
