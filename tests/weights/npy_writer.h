// NumPy files with a pickled dict of arrays, written for tests byte by byte: NumPy itself has long
// stopped writing as Python 2 did.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "network/weights.h"

namespace limn {

// An array as a pickle of Python 2 (protocol 2) has it: its bytes are a string.
struct PickledArray {
  std::string reconstruct = "numpy.core.multiarray";
  std::string type = "f4";
  std::string order = "<";
  std::vector<int> shape;
  bool fortran_order = false;
  std::string bytes;
  std::string text() const;
};

// A layer's kernel [3][3][in][out] and its bias.
PickledArray pickled_kernel(const Convolution& layer);
PickledArray pickled_bias(const Convolution& layer);

// The file that np.save makes of this dict: its items, one after the other, keys and values.
std::string npy_dict(const std::vector<std::string>& items);
// With any object in place of the dict.
std::string npy_object(std::string_view object);
// A file of these weights: {'conv1_1': [kernel, bias], ...}.
std::string npy_file(const Weights& weights);

}  // namespace limn
