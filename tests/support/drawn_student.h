// Students with random weights and taps.
#pragma once

#include <limn/limn.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "network/weights.h"

namespace limn {

// What training knows of a tap but files do not store: Q, [C][C_s], of which R is a factor.
struct DrawnTap {
  int channels = 0;  // C
  std::vector<double> Q;
};

struct DrawnStudent {
  Weights weights;
  std::map<std::string, DrawnTap> taps;  // by layer
};

// A student of these widths, with taps at the convolutions named like VGG-19's layers: relu1_1,
// relu2_1, relu3_1, relu4_1, relu5_1, and relu4_2 if the fourth level has two. The teacher's layers
// have `more_channels` more than the student's.
DrawnStudent draw_student(const StudentWidths& widths, std::uint64_t seed, int more_channels = 7);

// Three convolutions without pooling, each with a tap, and with biases that keep every ReLU open.
DrawnStudent open_student();

}  // namespace limn
