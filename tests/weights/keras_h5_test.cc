// Keras files with sound layers, and without. How layers may be stored is in
// keras_h5_storage_test.cc, damage in damage_test.cc.
#include <fmt/format.h>
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

TEST_F(KerasH5, ReadsWhatTheNewestHdf5Writes) {
  for (const KerasLayout layout : {KerasLayout::direct, KerasLayout::nested}) {
    write_keras_h5(path_, sample_, layout, Hdf5Age::newest);
    EXPECT_TRUE(same_layers(read_keras_h5(path_), sample_));
  }
}

TEST_F(KerasH5, ReadsLayersAmongManyGroups) {
  // For old groups trees of one level and of more; for new ones messages, a heap of one block, and
  // one of several levels of blocks.
  for (const Hdf5Age age : {Hdf5Age::oldest, Hdf5Age::newest}) {
    for (const int others : {5, 12, 300, 10000}) {
      {
        const Hdf5Handle file = create_hdf5(path_, age);
        write_keras_layer(file, sample_.convolutions[0]);
        // All the same group, which leaves the file as small as so many names can be.
        const Hdf5Handle other = create_group(file, "other");
        for (int i = 0; i < others; ++i) {
          H5Lcreate_hard(file.id(), "other", file.id(), fmt::format("a{}", i).c_str(), H5P_DEFAULT,
                         H5P_DEFAULT);
        }
        write_keras_layer(file, sample_.convolutions[1]);
      }
      EXPECT_TRUE(same_layers(read_keras_h5(path_), sample_)) << others << " other groups";
    }
  }
}

TEST_F(KerasH5, ReadsLayersWithManyAttributes) {
  // Attributes are none of limn's business, but they push other messages into continuations.
  for (const Hdf5Age age : {Hdf5Age::oldest, Hdf5Age::newest}) {
    {
      const Hdf5Handle file = create_hdf5(path_, age);
      for (const Convolution& convolution : sample_.convolutions)
        write_keras_layer(file, convolution);
      for (const char* name : {"/", "/block1_conv1", "/block1_conv2/block1_conv2_W_1:0"}) {
        const Hdf5Handle object(H5Oopen(file.id(), name, H5P_DEFAULT));
        const hsize_t count = 500;
        const Hdf5Handle space(H5Screate_simple(1, &count, nullptr));
        for (int i = 0; i < 50; ++i) {
          const Hdf5Handle attribute(H5Acreate2(object.id(), std::to_string(i).c_str(),
                                                H5T_NATIVE_DOUBLE, space.id(), H5P_DEFAULT,
                                                H5P_DEFAULT));
        }
      }
    }
    EXPECT_TRUE(same_layers(read_keras_h5(path_), sample_));
  }
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

// tf.keras 2.13's .weights.h5 keeps a layer's variables by number; models may lie in models.
TEST_F(KerasH5, ReadsLayersUnderOtherGroups) {
  for (const std::vector<const char*>& groups :
       {std::vector<const char*>{"_layer_checkpoint_dependencies"},
        {"layers"},
        {"model_weights", "vgg19"},
        {"layers", "functional", "layers"}}) {
    {
      std::vector<Hdf5Handle> holders;
      holders.push_back(create_hdf5(path_));
      for (const char* group : groups) holders.push_back(create_group(holders.back(), group));
      for (const Convolution& layer : sample_.convolutions) {
        const Hdf5Handle group =
            create_group(holders.back(), layer.id == "1_1" ? "block1_conv1" : "block1_conv2");
        const Hdf5Handle variables = create_group(group, "vars");
        const auto in = static_cast<hsize_t>(layer.in());
        write_dataset(variables, "0", {3, 3, in, 64}, keras_order(layer));
        write_dataset(variables, "1", {64}, layer.bias);
      }
    }
    EXPECT_TRUE(same_layers(read_keras_h5(path_), sample_)) << groups.back();
  }
}

// Keras 3's .weights.h5 has no other names than these.
TEST_F(KerasH5, ReadsLayersByTheirNumbers) {
  const Weights all = sample_weights(kVgg16, 13);
  const auto write = [&](size_t count) {
    const Hdf5Handle file = create_hdf5(path_);
    const Hdf5Handle layers = create_group(file, "layers");
    create_group(create_group(layers, "input_layer"), "vars");
    for (size_t i = 0; i < count; ++i) {
      const Convolution& layer = all.convolutions[i];
      const Hdf5Handle variables = create_group(
          create_group(layers, i == 0 ? "conv2d" : "conv2d_" + std::to_string(i)), "vars");
      const auto in = static_cast<hsize_t>(layer.in());
      const auto out = static_cast<hsize_t>(layer.out());
      write_dataset(variables, "0", {3, 3, in, out}, keras_order(layer));
      write_dataset(variables, "1", {out}, layer.bias);
    }
  };
  write(13);
  EXPECT_TRUE(same_layers(read_keras_h5(path_), all));
  write(12);  // whose order no shape would prove
  EXPECT_TRUE(says(refusal(path_), "has no layer block1_conv1"));
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
  const Hdf5Handle half_le = half_type(H5T_ORDER_LE);
  const Hdf5Handle half_be = half_type(H5T_ORDER_BE);
  for (const hid_t type : {H5T_IEEE_F32BE, H5T_IEEE_F64LE, H5T_IEEE_F64BE, H5T_IEEE_F32LE,
                           half_le.id(), half_be.id()}) {
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
  EXPECT_TRUE(says(message, "layer block1_conv2 is missing, but block2_conv1 is present"));
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
