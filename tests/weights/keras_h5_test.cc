// Sound Keras files, and sound HDF5 files that are not what Keras writes. Damaged ones are in
// damage_test.cc.
#include <gtest/gtest.h>
#include <limn/limn.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "weights/read.h"
#include "weights_files.h"

namespace limn {
namespace {

class KerasH5 : public testing::Test {
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
    write_dataset(group, "counter", {}, {7});
    write_dataset(group, "table", {2, 2}, {1, 2, 3, 4});
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

TEST_F(KerasH5, ReadsDataPackedByHdf5sOwnFilters) {
  {
    const Hdf5Handle file = create_hdf5(path_);
    write_keras_layer(file, sample_.convolutions[0]);
    const Hdf5Handle packed(H5Pcreate(H5P_DATASET_CREATE));
    const hsize_t chunk[] = {2, 3, 64, 40};  // does not divide the shape
    H5Pset_chunk(packed.id(), 4, chunk);
    H5Pset_shuffle(packed.id());
    H5Pset_deflate(packed.id(), 6);
    H5Pset_fletcher32(packed.id());
    const Hdf5Handle group = create_group(file, "block1_conv2");
    write_dataset(group, "kernel:0", kernel_shape_, keras_order(second()), H5T_IEEE_F32LE,
                  packed.id());
    write_dataset(group, "bias:0", {64}, second().bias);
  }
  EXPECT_TRUE(same_layers(read_keras_h5(path_), sample_));
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

TEST_F(KerasH5, LeavesHdf5sSettingsAsTheyWere) {
  H5E_auto2_t print_before = nullptr;
  void* data_before = nullptr;
  unsigned plugins_before = 0;
  H5Eget_auto2(H5E_DEFAULT, &print_before, &data_before);
  H5PLget_loading_state(&plugins_before);
  ASSERT_NE(plugins_before, 0u);
  ASSERT_NE(print_before, nullptr);
  write_keras_h5(path_, sample_);
  read_keras_h5(path_);
  write_bytes(path_, file_bytes(path_).substr(0, 3000));
  refusal(path_);
  H5E_auto2_t print_after = nullptr;
  void* data_after = nullptr;
  unsigned plugins_after = 0;
  H5Eget_auto2(H5E_DEFAULT, &print_after, &data_after);
  H5PLget_loading_state(&plugins_after);
  EXPECT_EQ(print_after, print_before);
  EXPECT_EQ(data_after, data_before);
  EXPECT_EQ(plugins_after, plugins_before);
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
  Convolution narrow = second();
  narrow.in = 32;
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
    write_dataset(group, "another", {1, 1, 1, 1}, {0});
  });
  EXPECT_TRUE(says(message, "layer block1_conv2 should have one kernel, but it has two"));
}

TEST_F(KerasH5, RefusesALayerThatIsADataset) {
  const std::string message = refusal_with(
      [&](const Hdf5Handle& file) { write_dataset(file, "block1_conv2", {64}, second().bias); });
  EXPECT_TRUE(says(message, "layer block1_conv2 should be a group"));
}

TEST_F(KerasH5, RefusesModelWeightsThatAreADataset) {
  write_dataset(create_hdf5(path_), "model_weights", {1}, {0});
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

// -------------------------------------------------------------------------------------- values --

TEST_F(KerasH5, RefusesDatasetsThatAreNotFloats) {
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

TEST_F(KerasH5, RefusesADatasetOfStrings) {
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

TEST_F(KerasH5, RefusesValuesThatAreNotFinite) {
  Convolution bad = second();
  bad.kernel.back() = NAN;
  std::string message = refusal_with([&](const Hdf5Handle& file) { write_keras_layer(file, bad); });
  EXPECT_TRUE(says(message, "layer block1_conv2 has a kernel"));
  EXPECT_TRUE(says(message, "nan"));
  bad = second();
  bad.bias.front() = -INFINITY;
  message = refusal_with([&](const Hdf5Handle& file) { write_keras_layer(file, bad); });
  EXPECT_TRUE(says(message, "layer block1_conv2 has a bias"));
  EXPECT_TRUE(says(message, "-inf"));
}

TEST_F(KerasH5, RefusesDoublesBeyondFloats) {
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
TEST_F(KerasH5, RefusesADatasetWhoseValuesWereNeverWritten) {
  const std::string message = refusal_with([&](const Hdf5Handle& file) {
    const Hdf5Handle group = create_group(file, "block1_conv2");
    const Hdf5Handle space(H5Screate_simple(4, kernel_shape_.data(), nullptr));
    const Hdf5Handle kernel(H5Dcreate2(group.id(), "kernel:0", H5T_IEEE_F32LE, space.id(),
                                       H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    write_dataset(group, "bias:0", {64}, second().bias);
  });
  EXPECT_TRUE(says(message, "layer block1_conv2 should have a kernel, but its values are not"));
}

// A chunk is unpacked whole: one of a terabyte would take a terabyte.
TEST_F(KerasH5, RefusesChunksLargerThanTheKernel) {
  const std::string message = refusal_with([&](const Hdf5Handle& file) {
    const Hdf5Handle group = create_group(file, "block1_conv2");
    const hsize_t most[] = {3, 3, 64, H5S_UNLIMITED};
    const hsize_t chunk[] = {3, 3, 64, 6400};
    const Hdf5Handle packed(H5Pcreate(H5P_DATASET_CREATE));
    H5Pset_chunk(packed.id(), 4, chunk);
    H5Pset_deflate(packed.id(), 9);
    const Hdf5Handle space(H5Screate_simple(4, kernel_shape_.data(), most));
    const Hdf5Handle kernel(H5Dcreate2(group.id(), "kernel:0", H5T_IEEE_F32LE, space.id(),
                                       H5P_DEFAULT, packed.id(), H5P_DEFAULT));
    H5Dwrite(kernel.id(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT,
             keras_order(second()).data());
    write_dataset(group, "bias:0", {64}, second().bias);
  });
  EXPECT_TRUE(says(message, "layer block1_conv2 has a kernel in chunks that are larger"));
}

// The filter is known to this process's HDF5, so without the check the file would be read.
TEST_F(KerasH5, RefusesFiltersOtherThanHdf5sOwn) {
  constexpr H5Z_filter_t kFilter = 300;
  const H5Z_func_t keep = [](unsigned, size_t, const unsigned[], size_t bytes, size_t*, void**) {
    return bytes;
  };
  const H5Z_class2_t filter = {H5Z_CLASS_T_VERS, kFilter, 1,       1,
                               "limn's test",    nullptr, nullptr, keep};
  ASSERT_GE(H5Zregister(&filter), 0);
  const std::string message = refusal_with([&](const Hdf5Handle& file) {
    const Hdf5Handle group = create_group(file, "block1_conv2");
    const Hdf5Handle packed(H5Pcreate(H5P_DATASET_CREATE));
    H5Pset_chunk(packed.id(), 4, kernel_shape_.data());
    H5Pset_filter(packed.id(), kFilter, 0, 0, nullptr);
    write_dataset(group, "kernel:0", kernel_shape_, keras_order(second()), H5T_IEEE_F32LE,
                  packed.id());
    write_dataset(group, "bias:0", {64}, second().bias);
  });
  H5Zunregister(kFilter);
  EXPECT_TRUE(says(message, "layer block1_conv2 has a kernel packed by filter 300"));
}

// --------------------------------------------------------------------------------- other files --
// In each of these tests the other file is sound: were it opened, the weights would be read.

TEST_F(KerasH5, DoesNotFollowALayerIntoAnotherFile) {
  write_keras_h5(folder_.path("other.h5"), sample_);
  const std::string message = refusal_with([](const Hdf5Handle& file) {
    H5Lcreate_external("other.h5", "/block1_conv2", file.id(), "block1_conv2", H5P_DEFAULT,
                       H5P_DEFAULT);
  });
  EXPECT_TRUE(says(message, "layer block1_conv2 should be in this place of the file itself"));
  EXPECT_TRUE(says(message, "it is a link to another file"));
}

TEST_F(KerasH5, DoesNotFollowADatasetIntoAnotherFile) {
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

TEST_F(KerasH5, DoesNotFollowModelWeightsIntoAnotherFile) {
  write_keras_h5(folder_.path("other.h5"), sample_);
  H5Lcreate_external("other.h5", "/", create_hdf5(path_).id(), "model_weights", H5P_DEFAULT,
                     H5P_DEFAULT);
  EXPECT_TRUE(says(refusal(path_), "model_weights should be in this place of the file itself"));
}

TEST_F(KerasH5, DoesNotFollowSoftLinks) {
  write_keras_h5(folder_.path("other.h5"), sample_);
  const std::string message = refusal_with([](const Hdf5Handle& file) {
    H5Lcreate_external("other.h5", "/", file.id(), "other", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/other/block1_conv2", file.id(), "block1_conv2", H5P_DEFAULT, H5P_DEFAULT);
  });
  EXPECT_TRUE(says(message, "layer block1_conv2 should be in this place of the file itself"));
  EXPECT_TRUE(says(message, "it is a soft link"));
}

TEST_F(KerasH5, DoesNotReadDataThatLiesInAnotherFile) {
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

TEST_F(KerasH5, DoesNotReadDatasetsPutTogetherFromOtherFiles) {
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

// ------------------------------------------------------------------------------- the real file --

// The published weights, where this machine has them.
std::string published_weights() {
  const char* shared = std::getenv("LIMN_SHARED");
  return std::string(shared ? shared : LIMN_SOURCE_DIR "/../shared") +
         "/weights/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5";
}

// A line of /proc/self/status in bytes ("VmHWM": the most memory this process has had resident).
double status_bytes(const std::string& key) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key + ":")) return 1024 * std::stod(line.substr(key.size() + 1));
  }
  return 0;
}

TEST(PublishedVgg19, HasSixteenLayersWithTheValuesThatH5pySees) {
  if (!std::filesystem::exists(published_weights()))
    GTEST_SKIP() << "there is no " << published_weights();
  const Weights weights = read_weights(published_weights());
  EXPECT_EQ(weights.network, &kVgg19);
  ASSERT_EQ(weights.convolutions.size(), 16u);
  EXPECT_TRUE(well_formed(weights));

  struct Known {
    size_t layer;
    size_t y, x, in, out;
    float kernel;  // h5py: file[layer][kernel][y, x, in, out]
    float bias;    // file[layer][bias][out]
  };
  const Known known[] = {
      {0, 0, 0, 0, 0, 0.341195226f, 0.730177581f},
      {0, 0, 2, 1, 5, -0.15943028f, 0.54867655f},
      {0, 2, 1, 0, 5, 0.222428754f, 0.54867655f},
      {7, 1, 2, 17, 200, 0.0029798958f, 0.0550267771f},
      {15, 2, 0, 511, 3, 0.00223509967f, 0.141624346f},
      {15, 1, 1, 3, 511, 0.00782283396f, 0.0221687853f},
  };
  for (const Known& value : known) {
    const Convolution& layer = weights.convolutions[value.layer];
    const auto in = static_cast<size_t>(layer.in);
    EXPECT_EQ(layer.kernel[((value.out * in + value.in) * 3 + value.y) * 3 + value.x],
              value.kernel);
    EXPECT_EQ(layer.bias[value.out], value.bias);
  }
}

TEST(PublishedVgg19, TakesLittleMoreMemoryThanItsOwnSize) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "the address sanitizer's own memory would be counted";
#endif
  if (!std::filesystem::exists(published_weights()))
    GTEST_SKIP() << "there is no " << published_weights();
  std::ofstream("/proc/self/clear_refs") << "5";  // sets VmHWM back to what is resident now
  const double before = status_bytes("VmHWM");
  if (before > 1.1 * status_bytes("VmRSS")) GTEST_SKIP() << "the peak cannot be set back here";
  const Weights weights = read_weights(published_weights());
  const double file_size = static_cast<double>(std::filesystem::file_size(published_weights()));
  const double peak = status_bytes("VmHWM") - before;
  EXPECT_GT(peak, 0.9 * file_size) << "the measurement sees nothing";
  // The weights, and beside them a layer as it lies in the file (9.4 of 80 MB), twice at most.
  EXPECT_LT(peak, 1.3 * file_size);
}

}  // namespace
}  // namespace limn
