// Keras files with sound layers, and without. How layers may be stored is in
// keras_h5_storage_test.cc, damage in damage_test.cc.
#include <gtest/gtest.h>

#include <cmath>

#include "keras_file_test.h"
#include "support/copies.h"
#include "weights/read.h"

namespace limn {
namespace {

class KerasH5 : public KerasFileTest {};

// --------------------------------------------------------------------------------- sound files --

TEST_F(KerasH5, ReadsDatasetsInTheLayersGroup) {
  write_keras_h5(path_, sample_, KerasLayout::direct);
  EXPECT_TRUE(same_layers(read_keras_h5(path_), sample_));
}

TEST_F(KerasH5, ReadsDatasetsOneGroupDeeper) {
  write_keras_h5(path_, sample_, KerasLayout::nested);
  EXPECT_TRUE(same_layers(read_keras_h5(path_), sample_));
}

TEST_F(KerasH5, ReadsLayersUnderModelWeights) {
  for (const KerasLayout layout : {KerasLayout::direct, KerasLayout::nested}) {
    {
      const Hdf5Handle file = create_hdf5(path_);
      create_group(file, "optimizer_weights");
      const Hdf5Handle model = create_group(file, "model_weights");
      for (const Convolution& convolution : sample_.convolutions)
        write_keras_layer(model, convolution, layout);
    }
    EXPECT_TRUE(same_layers(read_keras_h5(path_), sample_));
  }
}

TEST_F(KerasH5, HasCaffesConvention) {
  write_keras_h5(path_, sample_);
  EXPECT_EQ(read_keras_h5(path_).convention, kCaffeConvention);
}

TEST_F(KerasH5, IgnoresOtherLayers) {
  {
    const Hdf5Handle file = create_hdf5(path_);
    for (const Convolution& convolution : sample_.convolutions)
      write_keras_layer(file, convolution);
    create_group(file, "block1_pool");
    create_group(file, "input_1");
    const Hdf5Handle dense = create_group(file, "fc1");
    write_dataset(dense, "fc1_W_1:0", {2, 3}, std::vector<float>(6, NAN));
  }
  EXPECT_TRUE(same_layers(read_keras_h5(path_), sample_));
}

TEST_F(KerasH5, IgnoresDatasetsOfOtherDimensions) {
  {
    const Hdf5Handle file = create_hdf5(path_);
    write_keras_layer(file, sample_.convolutions[0]);
    const Hdf5Handle group(H5Gopen2(file.id(), "block1_conv1", H5P_DEFAULT));
    write_dataset(group, "counter", {}, std::vector<float>{7});
    write_dataset(group, "table", {2, 2}, std::vector<float>{1, 2, 3, 4});
  }
  EXPECT_TRUE(same_layers(read_keras_h5(path_), sample_weights(kVgg19, 1)));
}

TEST_F(KerasH5, ReadsFloatsOfAllWidthsAndByteOrders) {
  // Half as h5py writes it: numpy's float16.
  const Hdf5Handle half(H5Tcopy(H5T_IEEE_F32LE));
  H5Tset_fields(half.id(), 15, 10, 5, 0, 10);
  H5Tset_size(half.id(), 2);
  H5Tset_ebias(half.id(), 15);
  for (const hid_t type :
       {H5T_IEEE_F32BE, H5T_IEEE_F64LE, H5T_IEEE_F64BE, H5T_IEEE_F32LE, half.id()}) {
    {
      const Hdf5Handle file = create_hdf5(path_);
      for (const Convolution& convolution : sample_.convolutions)
        write_keras_layer(file, convolution, KerasLayout::direct, type);
    }
    EXPECT_TRUE(same_layers(read_keras_h5(path_), sample_));
  }
}

TEST_F(KerasH5, TellsVgg16FromVgg19) {
  // Until 4_1, the first layer after which the networks are known apart.
  for (const NetworkTable* network : {&kVgg16, &kVgg19}) {
    const Weights weights = sample_weights(*network, network == &kVgg16 ? 8 : 9);
    ASSERT_EQ(weights.convolutions.back().id, "4_1");
    write_keras_h5(path_, weights);
    EXPECT_TRUE(same_layers(read_keras_h5(path_), weights));
  }
}

herr_t print_nothing(hid_t, void*) { return 0; }

TEST_F(KerasH5, LeavesHdf5sSettingsAsTheyWere) {
  H5E_auto2_t print_before = nullptr;
  void* data_before = nullptr;
  unsigned plugins_before = 0;
  H5Eget_auto2(H5E_DEFAULT, &print_before, &data_before);
  H5PLget_loading_state(&plugins_before);
  ASSERT_NE(plugins_before, 0u);
  int data = 0;
  H5Eset_auto2(H5E_DEFAULT, print_nothing, &data);

  write_keras_h5(path_, sample_);
  read_keras_h5(path_);
  refusal_with([](const Hdf5Handle& file) { create_group(file, "block1_conv2"); });
  H5E_auto2_t print_after = nullptr;
  void* data_after = nullptr;
  unsigned plugins_after = 0;
  H5Eget_auto2(H5E_DEFAULT, &print_after, &data_after);
  H5PLget_loading_state(&plugins_after);
  EXPECT_EQ(print_after, print_nothing);
  EXPECT_EQ(data_after, &data);
  EXPECT_EQ(plugins_after, plugins_before);
  H5Eset_auto2(H5E_DEFAULT, print_before, data_before);
}

// The library would complain at the end of the process of memory that it lost.
TEST_F(KerasH5, LeavesHdf5SilentAfterDamage) {
  H5Eset_auto2(H5E_DEFAULT, print_nothing, nullptr);
  write_keras_h5(path_, sample_);
  write_bytes(path_, file_bytes(path_).substr(0, 3000));
  EXPECT_TRUE(says(refusal(path_), "cannot open it as HDF5: truncated file"));
  H5E_auto2_t print_after = print_nothing;
  H5Eget_auto2(H5E_DEFAULT, &print_after, nullptr);
  EXPECT_EQ(print_after, nullptr);
}

// ------------------------------------------------------------------------- layers and datasets --

TEST_F(KerasH5, RefusesAFileWithoutLayersAndSaysWhatItHas) {
  create_group(create_hdf5(path_), "dense_1");
  const std::string message = refusal(path_);
  EXPECT_TRUE(says(message, "has no layer block1_conv1"));
  EXPECT_TRUE(says(message, "'dense_1'"));
}

TEST_F(KerasH5, RefusesAnEmptyHdf5File) {
  create_hdf5(path_);
  EXPECT_TRUE(says(refusal(path_), "it has none at all"));
}

TEST_F(KerasH5, RefusesAMissingLayerInTheMiddle) {
  const Weights three = sample_weights(kVgg19, 3);
  const std::string message =
      refusal_with([&](const Hdf5Handle& file) { write_keras_layer(file, three.convolutions[2]); });
  EXPECT_TRUE(says(message, "layer block1_conv2 is missing, but block2_conv1 is there"));
}

TEST_F(KerasH5, RefusesAKernelOfAnotherShape) {
  Convolution narrow = copy_of(second());
  narrow.kernel.in = 32;
  const std::string message =
      refusal_with([&](const Hdf5Handle& file) { write_keras_layer(file, narrow); });
  EXPECT_TRUE(says(message,
                   "layer block1_conv2 should have a kernel of 3 x 3 x 64 x 64, but it is "
                   "3 x 3 x 32 x 64"));
}

TEST_F(KerasH5, RefusesABiasOfAnotherSize) {
  const std::string message = refusal_with([&](const Hdf5Handle& file) {
    const Hdf5Handle group = create_group(file, "block1_conv2");
    write_dataset(group, "kernel:0", kernel_shape_, keras_order(second()));
    write_dataset(group, "bias:0", {63}, second().bias);
  });
  EXPECT_TRUE(says(message, "layer block1_conv2 should have a bias of 64, but it is 63"));
}

TEST_F(KerasH5, RefusesALayerWithoutKernelOrBias) {
  std::string message = refusal_with([&](const Hdf5Handle& file) {
    write_dataset(create_group(file, "block1_conv2"), "bias:0", {64}, second().bias);
  });
  EXPECT_TRUE(says(message, "layer block1_conv2 should have a kernel"));
  message = refusal_with([&](const Hdf5Handle& file) {
    write_dataset(create_group(file, "block1_conv2"), "kernel:0", kernel_shape_,
                  keras_order(second()));
  });
  EXPECT_TRUE(says(message, "layer block1_conv2 should have a bias"));
  message = refusal_with([&](const Hdf5Handle& file) { create_group(file, "block1_conv2"); });
  EXPECT_TRUE(says(message, "layer block1_conv2 should have a kernel"));
}

TEST_F(KerasH5, RefusesTwoKernelsInOneLayer) {
  const std::string message = refusal_with([&](const Hdf5Handle& file) {
    write_keras_layer(file, second());
    const Hdf5Handle group(H5Gopen2(file.id(), "block1_conv2", H5P_DEFAULT));
    write_dataset(group, "another", {1, 1, 1, 1}, std::vector<float>{0});
  });
  EXPECT_TRUE(says(message, "layer block1_conv2 should have one kernel, but it has two"));
}

TEST_F(KerasH5, RefusesALayerThatIsADataset) {
  const std::string message = refusal_with(
      [&](const Hdf5Handle& file) { write_dataset(file, "block1_conv2", {64}, second().bias); });
  EXPECT_TRUE(says(message, "layer block1_conv2 should be a group"));
}

TEST_F(KerasH5, RefusesModelWeightsThatAreADataset) {
  write_dataset(create_hdf5(path_), "model_weights", {1}, std::vector<float>{0});
  EXPECT_TRUE(says(refusal(path_), "model_weights should be a group"));
}

TEST_F(KerasH5, RefusesALayerOfVeryManyEntries) {
  const std::string message = refusal_with([&](const Hdf5Handle& file) {
    const Hdf5Handle group = create_group(file, "block1_conv2");
    for (int i = 0; i < 100; ++i) create_group(group, std::to_string(i));
  });
  EXPECT_TRUE(says(message, "layer block1_conv2 should have a kernel and a bias"));
  EXPECT_TRUE(says(message, "100 entries"));
}

TEST_F(KerasH5, RefusesAGroupThatContainsItself) {
  const std::string message = refusal_with([&](const Hdf5Handle& file) {
    const Hdf5Handle group = create_group(file, "block1_conv2");
    H5Lcreate_hard(file.id(), "block1_conv2", group.id(), "again", H5P_DEFAULT, H5P_DEFAULT);
  });
  EXPECT_TRUE(says(message, "layer block1_conv2 should have a kernel"));
}

}  // namespace
}  // namespace limn
