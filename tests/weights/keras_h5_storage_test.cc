// Values that are no weights, and storage that is none of limn's business: of types other than
// floats, in chunks, in other files.
#include <gtest/gtest.h>

#include <cmath>

#include "keras_file_test.h"
#include "support/copies.h"

namespace limn {
namespace {

class KerasH5Storage : public KerasFileTest {};

// -------------------------------------------------------------------------------------- values --

TEST_F(KerasH5Storage, RefusesDatasetsThatAreNotFloats) {
  struct Wrong {
    hid_t type;
    const char* expected;
  };
  const Hdf5Handle odd(H5Tcopy(H5T_IEEE_F32LE));
  H5Tset_ebias(odd.id(), 100);
  for (const Wrong& wrong :
       {Wrong{H5T_STD_I32LE, "whole numbers of 4 byte(s)"}, Wrong{odd.id(), "other floats"}}) {
    const std::string message = refusal_with([&](const Hdf5Handle& file) {
      const Hdf5Handle group = create_group(file, "block1_conv2");
      write_dataset(group, "kernel:0", kernel_shape_, keras_order(second()), wrong.type);
      write_dataset(group, "bias:0", {64}, second().bias);
    });
    EXPECT_TRUE(says(message, "layer block1_conv2 should have a kernel of"));
    EXPECT_TRUE(says(message, wrong.expected));
  }
}

TEST_F(KerasH5Storage, RefusesADatasetOfStrings) {
  const std::string message = refusal_with([&](const Hdf5Handle& file) {
    const Hdf5Handle group = create_group(file, "block1_conv2");
    write_dataset(group, "kernel:0", kernel_shape_, keras_order(second()));
    const Hdf5Handle text(H5Tcopy(H5T_C_S1));
    H5Tset_size(text.id(), H5T_VARIABLE);
    const hsize_t count = 64;
    const Hdf5Handle space(H5Screate_simple(1, &count, nullptr));
    const Hdf5Handle bias(H5Dcreate2(group.id(), "bias:0", text.id(), space.id(), H5P_DEFAULT,
                                     H5P_DEFAULT, H5P_DEFAULT));
    const std::vector<const char*> words(count, "zero");
    H5Dwrite(bias.id(), text.id(), H5S_ALL, H5S_ALL, H5P_DEFAULT, words.data());
  });
  EXPECT_TRUE(says(message, "layer block1_conv2 should have a bias of 16, 32 or 64-bit floats"));
  EXPECT_TRUE(says(message, "strings"));
}

TEST_F(KerasH5Storage, RefusesValuesThatAreNotFinite) {
  Convolution bad = copy_of(second());
  bad.kernel.values.end()[-1] = NAN;
  std::string message = refusal_with([&](const Hdf5Handle& file) { write_keras_layer(file, bad); });
  EXPECT_TRUE(says(message, "layer block1_conv2 has a kernel"));
  EXPECT_TRUE(says(message, "nan"));
  bad = copy_of(second());
  bad.bias[0] = -INFINITY;
  message = refusal_with([&](const Hdf5Handle& file) { write_keras_layer(file, bad); });
  EXPECT_TRUE(says(message, "layer block1_conv2 has a bias"));
  EXPECT_TRUE(says(message, "-inf"));
}

TEST_F(KerasH5Storage, RefusesDoublesBeyondFloats) {
  const std::string message = refusal_with([&](const Hdf5Handle& file) {
    const Hdf5Handle group = create_group(file, "block1_conv2");
    write_dataset(group, "kernel:0", kernel_shape_, keras_order(second()));
    const hsize_t count = 64;
    const Hdf5Handle space(H5Screate_simple(1, &count, nullptr));
    const Hdf5Handle bias(H5Dcreate2(group.id(), "bias:0", H5T_IEEE_F64LE, space.id(), H5P_DEFAULT,
                                     H5P_DEFAULT, H5P_DEFAULT));
    const std::vector<double> huge(count, 1e300);
    H5Dwrite(bias.id(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, huge.data());
  });
  EXPECT_TRUE(says(message, "layer block1_conv2 has a bias"));
}

// ------------------------------------------------------------------------------------- storage --

// HDF5 would fill in zeros without a word.
TEST_F(KerasH5Storage, RefusesADatasetWhoseValuesWereNeverWritten) {
  const std::string message = refusal_with([&](const Hdf5Handle& file) {
    const Hdf5Handle group = create_group(file, "block1_conv2");
    const Hdf5Handle space(H5Screate_simple(4, kernel_shape_.data(), nullptr));
    const Hdf5Handle kernel(H5Dcreate2(group.id(), "kernel:0", H5T_IEEE_F32LE, space.id(),
                                       H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    write_dataset(group, "bias:0", {64}, second().bias);
  });
  EXPECT_TRUE(says(message, "layer block1_conv2 should have a kernel, but its values are not"));
}

// HDF5 could read this file: the refusal is limn's.
TEST_F(KerasH5Storage, RefusesDataInChunks) {
  const std::string message = refusal_with([&](const Hdf5Handle& file) {
    const Hdf5Handle packed(H5Pcreate(H5P_DATASET_CREATE));
    H5Pset_chunk(packed.id(), 4, kernel_shape_.data());
    H5Pset_deflate(packed.id(), 6);
    const Hdf5Handle group = create_group(file, "block1_conv2");
    write_dataset(group, "kernel:0", kernel_shape_, keras_order(second()), H5T_IEEE_F32LE,
                  packed.id());
    write_dataset(group, "bias:0", {64}, second().bias);
  });
  EXPECT_TRUE(says(message, "the data of layer block1_conv2 should be in one piece"));
  EXPECT_TRUE(says(message, "h5repack -f NONE -l CONTI"));
}

TEST_F(KerasH5Storage, RefusesDataInAHeader) {
  const std::string message = refusal_with([&](const Hdf5Handle& file) {
    const Hdf5Handle compact(H5Pcreate(H5P_DATASET_CREATE));
    H5Pset_layout(compact.id(), H5D_COMPACT);
    const Hdf5Handle group = create_group(file, "block1_conv2");
    write_dataset(group, "kernel:0", kernel_shape_, keras_order(second()));
    write_dataset(group, "bias:0", {64}, second().bias, H5T_IEEE_F32LE, compact.id());
  });
  EXPECT_TRUE(says(message, "the data of layer block1_conv2 should be in one piece"));
}

// --------------------------------------------------------------------------------- other files --
// In each of these tests the other file is sound: were it opened, the weights would be read.

TEST_F(KerasH5Storage, DoesNotFollowALayerIntoAnotherFile) {
  write_keras_h5(folder_.path("other.h5"), sample_);
  const std::string message = refusal_with([](const Hdf5Handle& file) {
    H5Lcreate_external("other.h5", "/block1_conv2", file.id(), "block1_conv2", H5P_DEFAULT,
                       H5P_DEFAULT);
  });
  EXPECT_TRUE(says(message, "layer block1_conv2 should be in this place of the file itself"));
  EXPECT_TRUE(says(message, "it is a link to another file"));
}

TEST_F(KerasH5Storage, DoesNotFollowADatasetIntoAnotherFile) {
  write_keras_h5(folder_.path("other.h5"), sample_);
  const std::string message = refusal_with([&](const Hdf5Handle& file) {
    const Hdf5Handle group = create_group(file, "block1_conv2");
    write_dataset(group, "bias:0", {64}, second().bias);
    H5Lcreate_external("other.h5", "/block1_conv2/block1_conv2_W_1:0", group.id(), "kernel:0",
                       H5P_DEFAULT, H5P_DEFAULT);
  });
  EXPECT_TRUE(says(message, "an entry of layer block1_conv2 should be in this place"));
  EXPECT_TRUE(says(message, "it is a link to another file"));
}

TEST_F(KerasH5Storage, DoesNotFollowModelWeightsIntoAnotherFile) {
  write_keras_h5(folder_.path("other.h5"), sample_);
  H5Lcreate_external("other.h5", "/", create_hdf5(path_).id(), "model_weights", H5P_DEFAULT,
                     H5P_DEFAULT);
  EXPECT_TRUE(says(refusal(path_), "model_weights should be in this place of the file itself"));
}

TEST_F(KerasH5Storage, DoesNotFollowSoftLinks) {
  write_keras_h5(folder_.path("other.h5"), sample_);
  const std::string message = refusal_with([](const Hdf5Handle& file) {
    H5Lcreate_external("other.h5", "/", file.id(), "other", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/other/block1_conv2", file.id(), "block1_conv2", H5P_DEFAULT, H5P_DEFAULT);
  });
  EXPECT_TRUE(says(message, "layer block1_conv2 should be in this place of the file itself"));
  EXPECT_TRUE(says(message, "it is a soft link"));
}

TEST_F(KerasH5Storage, DoesNotReadDataThatLiesInAnotherFile) {
  const std::vector<float> kernel = keras_order(second());
  write_bytes(folder_.path("kernel.raw"),
              {reinterpret_cast<const char*>(kernel.data()), kernel.size() * sizeof(float)});
  const std::string message = refusal_with([&](const Hdf5Handle& file) {
    const Hdf5Handle group = create_group(file, "block1_conv2");
    write_dataset(group, "bias:0", {64}, second().bias);
    const Hdf5Handle outside(H5Pcreate(H5P_DATASET_CREATE));
    H5Pset_external(outside.id(), folder_.path("kernel.raw").c_str(), 0,
                    kernel.size() * sizeof(float));
    write_dataset(group, "kernel:0", kernel_shape_, kernel, H5T_IEEE_F32LE, outside.id());
  });
  EXPECT_TRUE(says(message, "the data of layer block1_conv2 should be in the file itself"));
}

TEST_F(KerasH5Storage, DoesNotReadDatasetsPutTogetherFromOtherFiles) {
  write_keras_h5(folder_.path("other.h5"), sample_);
  const std::string message = refusal_with([&](const Hdf5Handle& file) {
    const Hdf5Handle group = create_group(file, "block1_conv2");
    write_dataset(group, "bias:0", {64}, second().bias);
    const Hdf5Handle space(H5Screate_simple(4, kernel_shape_.data(), nullptr));
    const Hdf5Handle together(H5Pcreate(H5P_DATASET_CREATE));
    H5Pset_virtual(together.id(), space.id(), folder_.path("other.h5").c_str(),
                   "/block1_conv2/block1_conv2_W_1:0", space.id());
    const Hdf5Handle kernel(H5Dcreate2(group.id(), "kernel:0", H5T_IEEE_F32LE, space.id(),
                                       H5P_DEFAULT, together.id(), H5P_DEFAULT));
  });
  EXPECT_TRUE(says(message, "the data of layer block1_conv2 should be in the file itself"));
}

}  // namespace
}  // namespace limn
