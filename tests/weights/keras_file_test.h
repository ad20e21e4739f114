// A test with a folder for one Keras file, whose second layer it may write as it likes.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "weights_files.h"

namespace limn {

class KerasFileTest : public testing::Test {
 protected:
  // The refusal of a file that holds the sample's first layer as `write_second` leaves it: it gets
  // the file and writes block1_conv2.
  template <typename WriteSecond>
  std::string refusal_with(const WriteSecond& write_second) {
    {
      const Hdf5Handle file = create_hdf5(path_);
      write_keras_layer(file, sample_.convolutions[0]);
      write_second(file);
    }
    return refusal(path_);
  }

  const Convolution& second() const { return sample_.convolutions[1]; }

  const TemporaryFolder folder_;
  const std::string path_ = folder_.path("vgg.h5");
  const Weights sample_ = sample_weights(kVgg19, 2);
  const std::vector<hsize_t> kernel_shape_ = {3, 3, 64, 64};
};

}  // namespace limn
