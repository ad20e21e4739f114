// Values that are no weights, how values may be stored, and where they may not: of types other than
// floats, in a header or in chunks, in other files.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "keras_file_test.h"
#include "support/copies.h"
#include "weights/read.h"

namespace limn {
namespace {

class KerasH5Storage : public KerasFileTest {
 protected:
  static Hdf5Handle chunked(const std::vector<hsize_t>& sides) {
    Hdf5Handle creation(H5Pcreate(H5P_DATASET_CREATE));
    H5Pset_chunk(creation.id(), static_cast<int>(sides.size()), sides.data());
    return creation;
  }

  // The sample's two layers, the second's kernel stored as `creation` says. It can grow to `most`.
  void write_second_by(const Hdf5Handle& creation, Hdf5Age age,
                       const std::vector<hsize_t>& most = {}, hid_t type = H5T_IEEE_F32LE) const {
    const Hdf5Handle file = create_hdf5(path_, age);
    write_keras_layer(file, sample_.convolutions[0]);
    const Hdf5Handle group = create_group(file, "block1_conv2");
    write_dataset(group, "kernel:0", kernel_shape_, keras_order(second()), type, creation.id(),
                  most);
    write_dataset(group, "bias:0", {64}, second().bias);
  }
};

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
    EXPECT_TRUE(
        says(message, "the kernel of layer block1_conv2 should hold 16, 32 or 64-bit floats"));
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
  EXPECT_TRUE(says(message, "the bias of layer block1_conv2 should hold 16, 32 or 64-bit floats"));
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
  EXPECT_TRUE(
      says(message, "the values of the kernel of layer block1_conv2 should be in the file, but"));
}

TEST_F(KerasH5Storage, RefusesChunksThatWereNeverWritten) {
  for (const Hdf5Age age : {Hdf5Age::oldest, Hdf5Age::newest}) {
    for (const bool one_is_written : {false, true}) {
      {
        const Hdf5Handle file = create_hdf5(path_, age);
        write_keras_layer(file, sample_.convolutions[0]);
        const Hdf5Handle group = create_group(file, "block1_conv2");
        write_dataset(group, "bias:0", {64}, second().bias);
        const Hdf5Handle space(H5Screate_simple(4, kernel_shape_.data(), nullptr));
        const Hdf5Handle kernel(H5Dcreate2(group.id(), "kernel:0", H5T_IEEE_F32LE, space.id(),
                                           H5P_DEFAULT, chunked({3, 3, 16, 64}).id(), H5P_DEFAULT));
        if (one_is_written) {
          const hsize_t begin[] = {0, 0, 16, 0};
          const hsize_t count[] = {3, 3, 16, 64};
          H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, begin, nullptr, count, nullptr);
          const Hdf5Handle piece(H5Screate_simple(4, count, nullptr));
          const std::vector<float> values(3 * 3 * 16 * 64, 1.0f);
          H5Dwrite(kernel.id(), H5T_NATIVE_FLOAT, piece.id(), space.id(), H5P_DEFAULT,
                   values.data());
        }
      }
      const std::string message = refusal(path_);
      EXPECT_TRUE(says(message,
                       "the values of the kernel of layer block1_conv2 should be in the "
                       "file, but of its 4 chunk(s)"));
      EXPECT_TRUE(
          says(message, one_is_written ? " 3 were never written" : " 4 were never written"));
    }
  }
}

TEST_F(KerasH5Storage, ReadsValuesInAHeader) {
  const Hdf5Handle compact(H5Pcreate(H5P_DATASET_CREATE));
  H5Pset_layout(compact.id(), H5D_COMPACT);
  for (const Hdf5Age age : {Hdf5Age::oldest, Hdf5Age::newest}) {
    {
      const Hdf5Handle file = create_hdf5(path_, age);
      write_keras_layer(file, sample_.convolutions[0]);
      const Hdf5Handle group = create_group(file, "block1_conv2");
      write_dataset(group, "kernel:0", kernel_shape_, keras_order(second()));
      write_dataset(group, "bias:0", {64}, second().bias, H5T_IEEE_F32LE, compact.id());
    }
    EXPECT_TRUE(same_layers(read_weights(path_), sample_));
  }
}

// ---- chunks ----

struct Chunks {
  const char* what;
  std::vector<hsize_t> sides;
};

// Few and many (one for each value of an input would be 36,864), with and without remainders, and
// larger than the kernel.
const Chunks kChunks[] = {
    {"one", {3, 3, 64, 64}},
    {"eight", {3, 3, 32, 16}},
    {"with remainders", {2, 2, 40, 27}},
    {"small", {1, 1, 5, 7}},
};

using AddFilters = std::function<void(hid_t creation)>;
struct Packing {
  const char* what;
  AddFilters add;
};
const Packing kPackings[] = {
    {"not packed", [](hid_t) {}},
    {"deflate", [](hid_t creation) { H5Pset_deflate(creation, 6); }},
    {"shuffle and deflate",
     [](hid_t creation) {
       H5Pset_shuffle(creation);
       H5Pset_deflate(creation, 9);
     }},
    {"checksum", [](hid_t creation) { H5Pset_fletcher32(creation); }},
    {"shuffle, deflate and checksum",
     [](hid_t creation) {
       H5Pset_shuffle(creation);
       H5Pset_deflate(creation, 1);
       H5Pset_fletcher32(creation);
     }},
    {"checksum, then deflate",
     [](hid_t creation) {
       H5Pset_fletcher32(creation);
       H5Pset_deflate(creation, 1);
     }},
};

TEST_F(KerasH5Storage, ReadsChunksHoweverTheyArePacked) {
  for (const Hdf5Age age : {Hdf5Age::oldest, Hdf5Age::newest}) {
    for (const Chunks& chunks : kChunks) {
      for (const Packing& packing : kPackings) {
        SCOPED_TRACE(std::string(chunks.what) + ", " + packing.what);
        const Hdf5Handle creation = chunked(chunks.sides);
        packing.add(creation.id());
        write_second_by(creation, age);
        EXPECT_TRUE(same_layers(read_weights(path_), sample_));
      }
    }
  }
}

TEST_F(KerasH5Storage, ReadsPackedFloatsOfAllWidthsAndByteOrders) {
  const Hdf5Handle half_le = half_type(H5T_ORDER_LE);
  const Hdf5Handle half_be = half_type(H5T_ORDER_BE);
  for (const hid_t type :
       {H5T_IEEE_F32BE, H5T_IEEE_F64LE, H5T_IEEE_F64BE, half_le.id(), half_be.id()}) {
    const Hdf5Handle creation = chunked({3, 1, 40, 64});
    H5Pset_shuffle(creation.id());
    H5Pset_deflate(creation.id(), 6);
    H5Pset_fletcher32(creation.id());
    write_second_by(creation, Hdf5Age::oldest, {}, type);
    EXPECT_TRUE(same_layers(read_weights(path_), sample_));
  }
}

TEST_F(KerasH5Storage, ReadsChunksOfArraysThatCanGrow) {
  // Those that can grow to a known size are in arrays of as many chunks as there may be, those that
  // can grow without end along two axes in trees.
  const std::vector<hsize_t> larger = {4, 3, 200, 64};
  const std::vector<hsize_t> endless = {3, 3, H5S_UNLIMITED, H5S_UNLIMITED};
  for (const Hdf5Age age : {Hdf5Age::oldest, Hdf5Age::newest}) {
    for (const std::vector<hsize_t>& most : {larger, endless}) {
      for (const Chunks& chunks : kChunks) {
        for (const Packing& packing : kPackings) {
          SCOPED_TRACE(std::string(chunks.what) + ", " + packing.what);
          const Hdf5Handle creation = chunked(chunks.sides);
          packing.add(creation.id());
          write_second_by(creation, age, most);
          EXPECT_TRUE(same_layers(read_weights(path_), sample_));
        }
      }
    }
  }
}

TEST_F(KerasH5Storage, ReadsChunksThatWereAllAllocatedBefore) {
  // In the newest files they lie one behind another, without an index.
  for (const Hdf5Age age : {Hdf5Age::oldest, Hdf5Age::newest}) {
    for (const Chunks& chunks : kChunks) {
      const Hdf5Handle creation = chunked(chunks.sides);
      H5Pset_alloc_time(creation.id(), H5D_ALLOC_TIME_EARLY);
      write_second_by(creation, age);
      EXPECT_TRUE(same_layers(read_weights(path_), sample_)) << chunks.what;
      write_second_by(creation, age, {4, 3, 200, 64});
      EXPECT_TRUE(same_layers(read_weights(path_), sample_)) << chunks.what;
    }
  }
}

TEST_F(KerasH5Storage, ReadsChunksThatArePackedWhereTheyAreWhole) {
  for (const Chunks& chunks : kChunks) {
    const Hdf5Handle creation = chunked(chunks.sides);
    H5Pset_deflate(creation.id(), 6);
    H5Pset_chunk_opts(creation.id(), H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS);
    write_second_by(creation, Hdf5Age::newest);
    EXPECT_TRUE(same_layers(read_weights(path_), sample_)) << chunks.what;
  }
}

TEST_F(KerasH5Storage, ReadsChunksLargerThanTheArray) {
  for (const Hdf5Age age : {Hdf5Age::oldest, Hdf5Age::newest}) {
    const Hdf5Handle creation = chunked({4, 4, 70, 100});
    H5Pset_deflate(creation.id(), 6);
    write_second_by(creation, age, {H5S_UNLIMITED, H5S_UNLIMITED, 70, 100});
    EXPECT_TRUE(same_layers(read_weights(path_), sample_));
  }
}

TEST_F(KerasH5Storage, RefusesChunksMuchLargerThanTheArray) {
  const Hdf5Handle creation = chunked({12, 12, 64, 64});
  H5Pset_deflate(creation.id(), 1);
  write_second_by(creation, Hdf5Age::oldest,
                  {H5S_UNLIMITED, H5S_UNLIMITED, H5S_UNLIMITED, H5S_UNLIMITED});
  EXPECT_TRUE(says(refusal(path_), "its chunks are more than"));
}

TEST_F(KerasH5Storage, RefusesAFilterItDoesNotKnowByName) {
  const Hdf5Handle creation = chunked({3, 3, 64, 64});
  H5Pset_scaleoffset(creation.id(), H5Z_SO_FLOAT_DSCALE, 4);
  write_second_by(creation, Hdf5Age::oldest);
  const std::string message = refusal(path_);
  EXPECT_TRUE(says(message, "the kernel of layer block1_conv2 is packed with the filter 6"));
  EXPECT_TRUE(says(message, "scaleoffset"));
  EXPECT_TRUE(says(message, "'h5repack -f NONE -l CONTI " + path_ + " plain.h5'"));
}

TEST_F(KerasH5Storage, RefusesTheIndexItDoesNotKnow) {
  write_second_by(chunked({3, 3, 16, 16}), Hdf5Age::newest, {3, 3, 64, H5S_UNLIMITED});
  EXPECT_TRUE(
      says(refusal(path_), "the kernel of layer block1_conv2 is indexed by an extensible array"));
}

TEST_F(KerasH5Storage, RefusesAChunkWhoseChecksumIsWrong) {
  const Hdf5Handle creation = chunked({3, 3, 64, 64});
  H5Pset_fletcher32(creation.id());
  write_second_by(creation, Hdf5Age::oldest);
  std::string bytes = file_bytes(path_);
  const std::vector<float> kernel = keras_order(second());
  const size_t place =
      bytes.find(std::string_view(reinterpret_cast<const char*>(kernel.data()), kernel.size() * 4));
  ASSERT_NE(place, std::string::npos);
  bytes[place + 5000] = static_cast<char>(bytes[place + 5000] ^ 1);
  write_bytes(path_, bytes);
  EXPECT_TRUE(says(refusal(path_), "a chunk should have the checksum"));
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
  EXPECT_TRUE(
      says(message, "the values of the kernel of layer block1_conv2 should be in the file itself"));
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
  EXPECT_TRUE(
      says(message, "the values of the kernel of layer block1_conv2 should be in the file itself"));
}

}  // namespace
}  // namespace limn
