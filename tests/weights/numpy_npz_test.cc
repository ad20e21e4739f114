#include <fmt/format.h>
#include <gtest/gtest.h>
#include <limn/limn.h>

#include "containers/npy_header.h"
#include "containers/strided.h"
#include "pth_files.h"
#include "support/errors.h"
#include "weights/read.h"
#include "weights_files.h"

namespace limn {
namespace {

NpyHeader parse(const std::string& dictionary, char version = 1) {
  const std::string text = npy_header(dictionary, version);
  EXPECT_EQ(npy_header_bytes("a.npz", "x", text.substr(0, kNpyPrefixBytes)), text.size());
  return parse_npy_header("a.npz", "x", text);
}

TEST(NpyHeader, ReadsWhatNumPyWrites) {
  const std::string text =
      "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 3, 3, 64), }      \n";
  for (const char version : {1, 2, 3}) {
    const NpyHeader header = parse(text, version);
    EXPECT_EQ(header.descr, "<f4");
    EXPECT_FALSE(header.fortran_order);
    EXPECT_EQ(header.shape, (std::vector<std::uint64_t>{3, 3, 3, 64}));
    EXPECT_EQ(header.bytes, text.size() + (version == 1 ? 10 : 12));
  }
}

TEST(NpyHeader, ReadsOtherNotations) {
  EXPECT_EQ(parse("{'shape': (64L,), 'fortran_order': True, 'descr': '|O'}").shape,
            std::vector<std::uint64_t>{64});  // Python 2
  EXPECT_TRUE(parse("{ 'shape' : ( ) ,\"fortran_order\":True,'descr':\"<f8\" } ").shape.empty());
  EXPECT_EQ(parse("{'descr': [('a', '<f4'), ('b]', '|S3', (2, 2))], 'fortran_order': False, "
                  "'shape': (2,), }")
                .descr,
            "[('a', '<f4'), ('b]', '|S3', (2, 2))]");
}

TEST(NpyHeader, RefusesEverythingElse) {
  const std::string rest = "'fortran_order': False, 'shape': (2,)}";
  for (const std::string& text : {
           std::string(""),
           std::string("{"),
           std::string("{}"),
           std::string("(1, 2)"),
           std::string("{'descr': '<f4', 'fortran_order': False}"),
           "{'descr': '<f4', 'descr': '<f4', " + rest,
           "{'descr': '<f4', 'more': 1, " + rest,
           "{'descr': '<f4', " + rest + " x",
           "{'descr': '<f4 , " + rest,
           "{'descr': f4, " + rest,
           "{'descr': [[[('a', '<f4')], " + rest,
           "{'descr': __import__('os').system('true'), " + rest,
           "{'descr' '<f4', " + rest,
           std::string("{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}"),
           std::string("{'descr': '<f4', 'fortran_order': False, 'shape': (2)}"),
           std::string("{'descr': '<f4', 'fortran_order': False, 'shape': [2]}"),
           std::string("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}"),
           std::string("{'descr': '<f4', 'fortran_order': False, 'shape': (2.5,)}"),
           std::string("{'descr': '<f4', 'fortran_order': False, 'shape': (2 3)}"),
           std::string("{'descr': '<f4', 'fortran_order': False, 'shape': (2,"),
           std::string(
               "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}"),
       }) {
    EXPECT_TRUE(says(error_of([&] { parse(text); }), ErrorKind::file, "'a.npz'", "array 'x'"))
        << text;
  }
}

TEST(NpyHeader, RefusesOtherBeginnings) {
  const auto refused = [](std::string_view prefix, std::string_view message) {
    EXPECT_TRUE(says(error_of([&] { npy_header_bytes("a.npz", "x", prefix); }), ErrorKind::file,
                     "'a.npz'", message));
  };
  using namespace std::string_view_literals;
  refused("", "should begin like a NumPy array");
  refused("\x93NUMPY\x01\0v\0"sv, "should begin like a NumPy array");
  refused("\x93NUMPX\x01\0v\0{'"sv, "should begin like a NumPy array");
  refused("\x93NUMPY\x04\0v\0{'"sv, "version 1, 2 or 3, but it has 4");
  refused("\x93NUMPY\x02\0\xff\xff\xff\xff"sv, "at most 65536 bytes, but it claims 4294967295");
}

TEST(Strided, ReadsFortransOrder) {
  // [2][3] in Fortran's order: columns one after the other.
  const std::vector<float> stored = {1, 4, 2, 5, 3, 6};
  const std::vector<std::uint64_t> shape = {2, 3};
  EXPECT_EQ(fortran_strides(shape), (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(c_strides(shape), (std::vector<std::uint64_t>{3, 1}));
  const Buffer<float> values = in_c_order(stored, shape, fortran_strides(shape));
  EXPECT_EQ(std::vector<float>(values.begin(), values.end()),
            (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

// ------------------------------------------------------------------------------------- whole files

TEST(NumpyNpz, ReadsWhatNumPyWrites) {
  for (const char* name : {"half.npz", "deflated.npz", "fortran.npz"}) {
    const Weights weights = read_weights(made_file(name));
    EXPECT_TRUE(same_layers(weights, sample_weights(kVgg19, 1))) << name;
    EXPECT_EQ(weights.convention, kMatConvNetConvention);
    EXPECT_EQ(weights.format, "NumPy .npz");
    EXPECT_EQ(weights.source, made_file(name));
  }
}

TEST(NumpyNpz, ReadsEveryLayerOfBothNetworks) {
  const TemporaryFolder folder;
  for (const NetworkTable* network : {&kVgg16, &kVgg19}) {
    const Weights weights = sample_weights(*network, 8);  // 3_4 tells them apart
    write_npz(folder.path("a.npz"), weights);
    EXPECT_TRUE(same_layers(read_weights(folder.path("a.npz")), weights)) << network->name;
  }
}

// What np.savez(path, **state_dict) makes of PyTorch's tensors.
TEST(NumpyNpz, ReadsAStateDictInPyTorchsOrder) {
  const Weights weights = sample_weights(kVgg19, 1);
  const auto array = [](std::string_view shape, std::span<const float> values) {
    return npy_header(
               fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': {}}}", shape)) +
           std::string(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  };
  const TemporaryFolder folder;
  write_zip(folder.path("a.npz"),
            {{"module.features.0.weight.npy",
              array("(64, 3, 3, 3)", unpacked(weights.convolutions[0].kernel))},
             {"module.features.0.bias.npy", array("(64,)", weights.convolutions[0].bias)}});
  const Weights read = read_weights(folder.path("a.npz"));
  EXPECT_TRUE(same_layers(read, weights));
  EXPECT_EQ(read.convention, kTorchvisionConvention);
}

// A file with conv1_1_W of this header, and of as many zeros.
std::string message_for_kernel(const std::string& dictionary, size_t bytes) {
  const TemporaryFolder folder;
  write_zip(folder.path("a.npz"),
            {{"conv1_1_W.npy", npy_header(dictionary) + std::string(bytes, '\0')}});
  return refusal(folder.path("a.npz"));
}

TEST(NumpyNpz, RefusesOtherTypesByName) {
  for (const char* type : {"|O", "<i4", "<c8", "|u1", "=f4", "<f16", "f4"}) {
    EXPECT_TRUE(says(
        message_for_kernel(fmt::format("{{'descr': '{}', 'fortran_order': False, "
                                       "'shape': (3, 3, 3, 64), }}",
                                       type),
                           6912),
        fmt::format("array 'conv1_1_W' should hold floats ('<f4', '<f2', '<f8'), but it holds '{}'",
                    type)));
  }
}

TEST(NumpyNpz, RefusesOtherShapesAndSizes) {
  const auto header = [](std::string_view shape) {
    return fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': {}, }}", shape);
  };
  EXPECT_TRUE(says(message_for_kernel(header("(64, 3, 3, 3)"), 6912),
                   "layer conv1_1 should have a W of 3 x 3 x 3 x 64, but it is 64 x 3 x 3 x 3"));
  EXPECT_TRUE(says(message_for_kernel(header("(3, 3, 3, 64)"), 6911),
                   "array 'conv1_1_W' should have 6912 bytes, but it has 6911"));
  EXPECT_TRUE(says(message_for_kernel(header("(3, 3, 3, 64)"), 6916), "but it has 6916"));
  EXPECT_TRUE(says(message_for_kernel(header("(3, 3, 3, 18446744073709551615)"), 6912),
                   "but it is 3 x 3 x 3 x 18446744073709551615"));
}

TEST(NumpyNpz, RefusesAnArrayCutInItsHeader) {
  const TemporaryFolder folder;
  write_zip(folder.path("a.npz"),
            {{"conv1_1_W.npy", npy_header(std::string(90, ' ')).substr(0, 50)}});
  EXPECT_TRUE(says(refusal(folder.path("a.npz")), "should have a header of 100 bytes, but has 50"));
}

TEST(NumpyNpz, RefusesOtherArrays) {
  const TemporaryFolder folder;
  write_zip(folder.path("a.npz"),
            {{"arr_0.npy", npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': ()}")}});
  EXPECT_TRUE(says(refusal(folder.path("a.npz")), "has no layer conv1_1"));
}

}  // namespace
}  // namespace limn
