#include <gtest/gtest.h>
#include <limn/limn.h>

#include <algorithm>
#include <filesystem>

#include "npy_writer.h"
#include "pth_files.h"
#include "weights/read.h"
#include "weights_files.h"

namespace limn {
namespace {

using namespace std::string_literals;

Weights read_bytes(const std::string& bytes) {
  const TemporaryFolder folder;
  write_bytes(folder.path("a.npy"), bytes);
  return read_weights(folder.path("a.npy"));
}

std::string refusal_of_bytes(const std::string& bytes) {
  const TemporaryFolder folder;
  write_bytes(folder.path("a.npy"), bytes);
  return refusal(folder.path("a.npy"));
}

// NumPy's own: protocols 2 (bytes as text to be encoded), 3, 4 (a dict for each layer) and 5 (bytes
// beside the pickle's own, here big-endian and in Fortran's order); halves, floats, doubles.
TEST(NumpyNpy, ReadsWhatNumPyWrites) {
  for (const char* name : {"dict.npy", "protocol2.npy", "protocol4.npy", "protocol5.npy"}) {
    const Weights weights = read_weights(made_file(name));
    EXPECT_TRUE(same_layers(weights, sample_weights(kVgg19, 1))) << name;
    EXPECT_EQ(weights.convention, kCaffeConvention);
    EXPECT_EQ(weights.format, "NumPy .npy");
    EXPECT_EQ(weights.source, made_file(name));
  }
}

TEST(NumpyNpy, ReadsEveryLayerOfBothNetworksAsPython2WroteThem) {
  for (const NetworkTable* network : {&kVgg16, &kVgg19}) {
    const Weights weights = sample_weights(*network, 8);  // 3_4 tells them apart
    EXPECT_TRUE(same_layers(read_bytes(npy_file(weights)), weights)) << network->name;
  }
}

// The first layer, its arrays to be changed.
struct OneLayer {
  Weights weights = sample_weights(kVgg19, 1);
  PickledArray kernel = pickled_kernel(weights.convolutions[0]);
  PickledArray bias = pickled_bias(weights.convolutions[0]);
  std::string file() const {
    return npy_dict({pickled("conv1_1"), "(" + kernel.text() + bias.text() + "t"});
  }
};

TEST(NumpyNpy, ReadsOtherOrdersAndNumPy2) {
  OneLayer layer;
  layer.kernel.reconstruct = "numpy._core.multiarray";
  layer.bias.order = ">";
  for (size_t i = 0; i < layer.bias.bytes.size(); i += 4)
    std::reverse(&layer.bias.bytes[i], &layer.bias.bytes[i] + 4);
  EXPECT_TRUE(same_layers(read_bytes(layer.file()), layer.weights));
  layer.bias.order = "=";
  EXPECT_NO_THROW(read_bytes(layer.file()));
}

// Caffe's own first values: a file that keeps them wants what Caffe's network does, whichever way
// round its input is.
TEST(NumpyNpy, TellsTheConventionByTheFirstLayersValues) {
  constexpr float kCaffe[] = {0.341195226f, 0.464183718f, 0.394167036f};  // blue, green, red
  Weights weights = sample_weights(kVgg19, 1);
  weights.convolutions[0].bias[0] = 0.730177581f;
  weights.convolutions[0].bias[1] = 0.0649362877f;
  for (const bool bgr : {true, false}) {
    std::vector<float> kernel = unpacked(weights.convolutions[0].kernel);
    for (size_t i = 0; i < 3; ++i) kernel[9 * i] = kCaffe[bgr ? i : 2 - i];
    weights.convolutions[0].kernel = packed(kernel, 3, 64);
    const InputConvention& expected = bgr ? kCaffeConvention : kMatConvNetConvention;
    EXPECT_EQ(read_bytes(npy_file(weights)).convention, expected);
    const TemporaryFolder folder;
    write_npz(folder.path("a.npz"), weights);
    EXPECT_EQ(read_weights(folder.path("a.npz")).convention, expected);
    write_pth_zip(folder.path("a.pth"), pickle_of(weights), storages_of(weights));
    EXPECT_EQ(read_weights(folder.path("a.pth")).convention, expected);
  }
}

TEST(NumpyNpy, SaysWhatIsInsteadOfADictOfArrays) {
  EXPECT_TRUE(says(refusal(made_file("numbers.npy")),
                   "is a single NumPy array of 64 ('<f4'); limn reads an .npy that holds a dict"));
  EXPECT_TRUE(
      says(refusal_of_bytes(npy_object("N")), "it has no tensors at all, in nothing (None)"));
  EXPECT_TRUE(says(refusal_of_bytes(npy_dict({pickled("fc8"), pickled(1)})),
                   "has no layer conv1_1, the first one of VGG-16 and VGG-19; it has no tensors at "
                   "all, in a dict of 'fc8'"));
  const OneLayer layer;
  EXPECT_TRUE(says(refusal_of_bytes(npy_dict({pickled("fc8"), layer.kernel.text()})),
                   "it has 1 tensor(s), such as 'fc8' of 3 x 3 x 3 x 64"));
  const std::string header = npy_header("{'descr': '|O', 'fortran_order': False, 'shape': ()}");
  EXPECT_TRUE(says(refusal_of_bytes(header + "K\1."),
                   "should hold an array of Python objects, but it holds a single value"));
}

TEST(NumpyNpy, RefusesArraysThatCannotBe) {
  const auto refused = [](const char* message, auto&& change) {
    OneLayer layer;
    change(layer);
    EXPECT_TRUE(says(refusal_of_bytes(layer.file()), message));
  };
  refused("array 'conv1_1.0' should have 6912 bytes, but it has 6911",
          [](OneLayer& layer) { layer.kernel.bytes.pop_back(); });
  refused("should have 6912 bytes", [](OneLayer& layer) { layer.kernel.bytes += '\0'; });
  refused("array 'conv1_1.1' should have 256 bytes, but it has 0",
          [](OneLayer& layer) { layer.bias.bytes.clear(); });
  refused("should hold floats ('<f4', '<f2', '<f8'), but it holds '<i4'",
          [](OneLayer& layer) { layer.kernel.type = "i4"; });
  refused("but it holds '|f4'", [](OneLayer& layer) { layer.kernel.order = "|"; });
  refused("should have a weight of 3 x 3 x 3 x 64, but it is 3 x 3 x 3 x 2147483647",
          [](OneLayer& layer) { layer.kernel.shape[3] = 2147483647; });
  refused("layer conv1_1 should have a bias of 64, but it is 65",
          [](OneLayer& layer) { layer.bias.shape = {65}; });
  refused("no layer conv1_1", [](OneLayer& layer) { layer.kernel.shape[0] = -3; });
  refused("should be finite",
          [](OneLayer& layer) { layer.bias.bytes.replace(0, 4, "\0\0\x80\x7f"s); });
}

TEST(NumpyNpy, ExecutesNothing) {
  const TemporaryFolder folder;
  const std::string mark = folder.path("executed");
  for (const char* function : {"posix\nsystem", "os\nsystem", "builtins\nexec", "builtins\neval",
                               "__builtin__\ngetattr", "numpy\nload", "numpy.core\nf2py"}) {
    std::string name = function;
    name[name.find('\n')] = '.';
    const std::string call = "c"s + function + "\n" + pickled("touch " + mark) + "\x85R";
    EXPECT_TRUE(says(refusal_of_bytes(npy_object(call)),
                     "asks for '" + name + "', which no weights need; limn executes nothing"));
  }
  EXPECT_FALSE(std::filesystem::exists(mark));
}

// Each of the parts of an array in place of another one.
TEST(NumpyNpy, RefusesCallsOfAnotherForm) {
  const std::string reconstruct = pickled_global("numpy.core.multiarray", "_reconstruct");
  const std::string dtype = pickled_global("numpy", "dtype");
  const std::string from_buffer = pickled_global("numpy.core.numeric", "_frombuffer");
  const std::string encode = pickled_global("_codecs", "encode");
  const std::string shape = pickled_tuple({pickled(3), pickled(3), pickled(3), pickled(64)});
  const std::string floats = dtype + pickled_tuple({pickled("f4")}) + "R";
  const auto with_data = [&](const std::string& data) {
    return from_buffer + pickled_tuple({data, shape, floats, pickled("C")}) + "R";
  };
  for (const std::string& value :
       {reconstruct + ")R", reconstruct + ")RNb", reconstruct + ")R)b", reconstruct + ")R(NNNNNtb",
        reconstruct + ")R(N)NNNtb", reconstruct + ")R(N)" + dtype + ")RNNtb", dtype + ")R",
        from_buffer + ")R", from_buffer + "(NNNNtR", from_buffer + "(N)N" + pickled("CF") + "tR",
        from_buffer + pickled_tuple({"N", floats, shape, pickled("C")}) + "R", with_data("N"),
        with_data(encode + ")R"), with_data(encode + pickled_tuple({pickled("\xff")}) + "R"),
        with_data(encode + pickled_tuple({encode + ")R"}) + "R")})
    refusal_of_bytes(npy_dict({pickled("conv1_1"), value}));
}

TEST(NumpyNpy, RefusesCutHeaders) {
  EXPECT_TRUE(says(refusal_of_bytes("\x93NUMPY\x01"s), "should begin like a NumPy array"));
  EXPECT_TRUE(says(refusal_of_bytes(npy_header(std::string(90, ' ')).substr(0, 50)),
                   "should have a header of 100 bytes, but has 50 in all"));
  const std::string header = npy_header("{'descr': '|O', 'fortran_order': False, 'shape': ()}");
  EXPECT_TRUE(says(refusal_of_bytes(header), "if the file was cut short, fetch it again"));
}

}  // namespace
}  // namespace limn
